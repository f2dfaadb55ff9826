/** A guest's virtio-serial driver, played by the test: virtqueues in guest RAM, the device touched through its ports. */
import type { Machine } from "../machine.ts";
import { inb, inl, outb, outl, outw } from "../machine.testing.ts";

const COMMON = 0xe000;
const NOTIFY = 0xe100;
const ISR = 0xe200;

const VIRTQ_DESC_F_WRITE = 2;
const QUEUES_ADDRESS = 0x200000;
const BUFFERS_ADDRESS = 0x300000;

export const QueueIndex = { controlReceive: 2, controlTransmit: 3, receive: 4, transmit: 5 } as const;

/** One split virtqueue of `size` descriptors. */
class DriverQueue {
  readonly index: number;
  #machine: Machine;
  readonly #base: number;
  readonly #buffers: number;
  #available = 0;
  #used = 0;

  constructor(machine: Machine, index: number) {
    this.#machine = machine;
    this.index = index;
    this.#base = QUEUES_ADDRESS + index * 0x4000;
    this.#buffers = BUFFERS_ADDRESS + index * 0x40000;
    outw(machine, COMMON + 22, index);
    outl(machine, COMMON + 32, this.#base);
    outl(machine, COMMON + 40, this.#base + 0x1000);
    outl(machine, COMMON + 48, this.#base + 0x2000);
    outw(machine, COMMON + 28, 1);
  }

  get #view(): DataView {
    const all = this.#machine.memory.all();
    return new DataView(all.buffer, all.byteOffset, all.length);
  }

  /** The machine was saved and restored as another: the driver in its memory goes on there. */
  onMachine(machine: Machine): this {
    this.#machine = machine;
    return this;
  }

  /** Offers `bytes` to the device (a transmit queue), or with a number that many bytes of room (a receive queue). */
  offer(content: Uint8Array | number, claimedLength?: number): void {
    const slot = this.#available % 16;
    const address = this.#buffers + slot * 0x4000;
    const length = typeof content === "number" ? content : content.length;
    if (typeof content !== "number") this.#machine.memory.all().set(content, address);
    const view = this.#view;
    const descriptor = this.#base + slot * 16;
    view.setUint32(descriptor, address, true);
    view.setUint32(descriptor + 4, 0, true);
    view.setUint32(descriptor + 8, claimedLength ?? length, true);
    view.setUint16(descriptor + 12, typeof content === "number" ? VIRTQ_DESC_F_WRITE : 0, true);
    view.setUint16(this.#base + 0x1000 + 4 + (slot % this.#size) * 2, slot, true);
    this.#available++;
    view.setUint16(this.#base + 0x1000 + 2, this.#available & 0xffff, true);
    const notify = this.index >= 4 ? this.index - 4 : this.index;
    outw(this.#machine, NOTIFY + notify * 2, this.index);
  }

  /** Buffers that the device has given back, with what it wrote. */
  used(): Uint8Array[] {
    const view = this.#view;
    const end = view.getUint16(this.#base + 0x2000 + 2, true);
    const buffers: Uint8Array[] = [];
    for (; this.#used !== end; this.#used = (this.#used + 1) & 0xffff) {
      const entry = this.#base + 0x2000 + 4 + (this.#used % this.#size) * 8;
      const address = this.#buffers + view.getUint32(entry, true) * 0x4000;
      buffers.push(this.#machine.memory.all().slice(address, address + view.getUint32(entry + 4, true)));
    }
    return buffers;
  }

  get #size(): number {
    return this.index < 4 ? 32 : 64;
  }
}

/** Brings the device up as Linux does: features, queues, DRIVER_OK. */
export class VirtioSerialDriver {
  readonly controlReceive: DriverQueue;
  readonly controlTransmit: DriverQueue;
  readonly receive: DriverQueue;
  readonly transmit: DriverQueue;
  readonly #machine: Machine;

  constructor(machine: Machine) {
    this.#machine = machine;
    outb(machine, COMMON + 20, 0);
    outb(machine, COMMON + 20, 1 | 2);
    outl(machine, COMMON + 8, 0);
    outl(machine, COMMON + 12, 1 << 1);
    outl(machine, COMMON + 8, 1);
    outl(machine, COMMON + 12, 1);
    outb(machine, COMMON + 20, 1 | 2 | 8);
    this.controlReceive = new DriverQueue(machine, QueueIndex.controlReceive);
    this.controlTransmit = new DriverQueue(machine, QueueIndex.controlTransmit);
    this.receive = new DriverQueue(machine, QueueIndex.receive);
    this.transmit = new DriverQueue(machine, QueueIndex.transmit);
    outb(machine, COMMON + 20, 1 | 2 | 8 | 4);
  }

  get status(): number {
    return inb(this.#machine, COMMON + 20);
  }

  get features(): number {
    outl(this.#machine, COMMON, 0);
    return inl(this.#machine, COMMON + 4);
  }

  /** Reads and so acknowledges the interrupt. */
  interrupt(): number {
    return inb(this.#machine, ISR);
  }

  /** Resets the device, as a driver that is unloaded does. */
  reset(): void {
    outb(this.#machine, COMMON + 20, 0);
  }

  /** Sends a control message {port, event, value}. */
  control(port: number, event: number, value: number): void {
    const message = new Uint8Array(8);
    const view = new DataView(message.buffer);
    view.setUint32(0, port, true);
    view.setUint16(4, event, true);
    view.setUint16(6, value, true);
    this.controlTransmit.offer(message);
  }
}
