/**
 * A virtio-serial device (virtio 1.x §5.3, MULTIPORT) with two ports: `com.redhat.spice.0` for the SPICE agent and
 * `org.qemu.guest_agent.0` for what the machine tells the guest (the time). v86's own virtio console marks its ports as consoles and
 * loses input when the guest has no buffer, so this one is built from v86's VirtIO class.
 */
import { CONTROL_QUEUE_MESSAGES } from "../limits.ts";
import { removePciFunction } from "./pci-function.ts";
import type {
  V86Cpu,
  V86VirtIo,
  V86VirtIoField,
  V86VirtIoOptions,
  V86VirtQueue,
} from "../v86/v86-private.ts";
import { SerialPort, takeBuffer } from "./virtio-port.ts";
import type { SerialPortEvents } from "./virtio-port.ts";

export const AGENT_PORT_NAME = "com.redhat.spice.0";
/** The port of QEMU's guest agent; its protocol is JSON, a line a message. */
export const GUEST_AGENT_PORT_NAME = "org.qemu.guest_agent.0";

/** PCI device 12: another interrupt line than QXL's. */
const PCI_ID = 12 << 3;
const DEVICE_ID_CONSOLE = 0x1043;
const SUBSYSTEM_CONSOLE = 3;
const FEATURE_MULTIPORT = 1;
const FEATURE_VERSION_1 = 32;
/** Where the I/O BARs lie until the BIOS moves them. */
const IO_COMMON = 0xe000;
const IO_NOTIFY = 0xe100;
const IO_ISR = 0xe200;
const IO_CONFIG = 0xe300;

/** Port 0 would become a console (hvc0); it is left out, its two queues stay. */
const FIRST_PORT = 1;
/** Queues 0 and 1 are port 0's, 2 and 3 the control's, then two a port. Receive is host to guest. */
const Queue = { controlReceive: 2, controlTransmit: 3, firstPort: 4 } as const;
const CONTROL_QUEUE_SIZES = [16, 16, 32, 32];
const PORT_QUEUE_SIZES = [64, 64];
/** Notification slots, one per direction and kind. */
const CONTROL_NOTIFY_OFFSETS = [0, 1, 2, 3];
const PORT_NOTIFY_OFFSETS = [0, 1];

/** virtio_console_control.event. */
const Control = { deviceReady: 0, portAdd: 1, portReady: 3, portOpen: 6, portName: 7 } as const;

/** {port u32, event u16, value u16, data}, little-endian. */
export const encodeControl = (
  port: number,
  event: number,
  value: number,
  data = new Uint8Array(0),
): Uint8Array => {
  const message = new Uint8Array(8 + data.length);
  const view = new DataView(message.buffer);
  view.setUint32(0, port, true);
  view.setUint16(4, event, true);
  view.setUint16(6, value, true);
  message.set(data, 8);
  return message;
};

interface VirtIoConstructor {
  new (cpu: V86Cpu, options: V86VirtIoOptions): V86VirtIo;
}

/** The ports' owners. */
export interface VirtioSerialEvents {
  readonly agent: SerialPortEvents;
  readonly guestAgent: SerialPortEvents;
}

/** The device and its ports. Registers its PCI function when made: make it before a state is restored. */
export class VirtioSerial {
  /** The SPICE agent's. */
  readonly agent: SerialPort;
  /** QEMU's guest agent's. */
  readonly guestAgent: SerialPort;
  readonly #ports: readonly SerialPort[];
  readonly #virtio: V86VirtIo;
  #control: Uint8Array[] = [];

  constructor(cpu: V86Cpu, events: VirtioSerialEvents) {
    this.agent = this.#port(0, AGENT_PORT_NAME, events.agent);
    this.guestAgent = this.#port(1, GUEST_AGENT_PORT_NAME, events.guestAgent);
    this.#ports = [this.agent, this.guestAgent];
    const balloon = cpu.devices.virtio_balloon.virtio;
    const VirtIo = balloon.constructor as unknown as VirtIoConstructor;
    removePciFunction(cpu, balloon.pci_id);
    this.#virtio = new VirtIo(cpu, this.#deviceOptions());
    // A driver that is unloaded, or the BIOS, resets the device by its status register.
    const reset = this.#virtio.reset.bind(this.#virtio);
    this.#virtio.reset = () => {
      reset();
      this.#closeAll("the guest reset the device");
    };
  }

  /** Reset with the machine. */
  reset(): void {
    this.#virtio.reset();
  }

  /** For v86's state: the VirtIO object (it has get_state) and which ports are open. */
  saveState(): unknown[] {
    return [this.#virtio, ...this.#ports.map(({ open }) => open)];
  }

  /** Takes back what {@link saveState} gave; waiting writes are rejected, the state event follows. */
  restoreState(state: readonly unknown[]): void {
    this.#closeAll("the machine was restored");
    this.#control = [];
    this.#virtio.set_state(state[0] as unknown[]);
    for (const [index, port] of this.#ports.entries()) if (state[1 + index] === true) port.opened();
    this.#guarded(() => this.#readAll());
  }

  #port(index: number, name: string, events: SerialPortEvents): SerialPort {
    const receive = Queue.firstPort + 2 * index;
    const device = {
      queue: (queue: number) => this.#queue(queue),
      guarded: (work: () => void) => this.#guarded(work),
    };
    return new SerialPort(name, { receive, transmit: receive + 1 }, device, events);
  }

  #deviceOptions(): V86VirtIoOptions {
    const ignored = () => {};
    const field = (bytes: 1 | 2 | 4, name: string, value: number): V86VirtIoField => ({
      bytes,
      name,
      read: () => value,
      write: ignored,
    });
    const sizes = [...CONTROL_QUEUE_SIZES, ...this.#ports.flatMap(() => PORT_QUEUE_SIZES)];
    const notifyOffsets = [...CONTROL_NOTIFY_OFFSETS, ...this.#ports.flatMap(() => PORT_NOTIFY_OFFSETS)];
    return {
      name: "virtio-serial",
      pci_id: PCI_ID,
      device_id: DEVICE_ID_CONSOLE,
      subsystem_device_id: SUBSYSTEM_CONSOLE,
      common: {
        initial_port: IO_COMMON,
        queues: sizes.map((size, index) => ({
          size_supported: size,
          notify_offset: notifyOffsets[index],
        })),
        features: [FEATURE_MULTIPORT, FEATURE_VERSION_1],
        on_driver_ok: ignored,
      },
      notification: {
        initial_port: IO_NOTIFY,
        single_handler: false,
        handlers: [
          () => this.#guarded(() => this.#feedAll()),
          () => this.#guarded(() => this.#readAll()),
          () => this.#guarded(() => this.#flushControl()),
          () => this.#guarded(() => this.#readControl()),
        ],
      },
      isr_status: { initial_port: IO_ISR },
      device_specific: {
        initial_port: IO_CONFIG,
        struct: [
          field(2, "cols", 0),
          field(2, "rows", 0),
          field(4, "max_nr_ports", FIRST_PORT + this.#ports.length),
          field(4, "emerg_wr", 0),
        ],
      },
    };
  }

  /** v86 trusts descriptors; what a hostile guest makes throw must not reach the CPU loop. */
  #guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!(error instanceof RangeError || error instanceof TypeError)) throw error;
      this.#closeAll("the guest's buffers are invalid");
    }
  }

  #queue(index: number): V86VirtQueue | undefined {
    const queue = this.#virtio.queues[index];
    return queue.is_configured() ? queue : undefined;
  }

  #feedAll(): void {
    for (const port of this.#ports) port.feed();
  }

  #readAll(): void {
    for (const port of this.#ports) port.read();
  }

  #closeAll(reason: string): void {
    for (const port of this.#ports) port.closed(reason);
  }

  #readControl(): void {
    const queue = this.#queue(Queue.controlTransmit);
    if (!queue) return;
    let taken = 0;
    while (queue.has_request()) {
      const message = takeBuffer(queue);
      taken++;
      // A guest that asks without ever giving buffers for the answers gets no more of them.
      if (this.#control.length >= CONTROL_QUEUE_MESSAGES) continue;
      if (message.length >= 8) this.#onControl(new DataView(message.buffer, message.byteOffset, 8));
    }
    if (taken > 0) queue.flush_replies();
    this.#flushControl();
  }

  #onControl(message: DataView): void {
    const id = message.getUint32(0, true);
    const event = message.getUint16(4, true);
    const value = message.getUint16(6, true);
    if (event === Control.deviceReady) {
      if (value !== 1) return;
      for (const index of this.#ports.keys())
        this.#control.push(encodeControl(FIRST_PORT + index, Control.portAdd, 0));
      return;
    }
    const port = this.#ports[id - FIRST_PORT];
    if (port === undefined) return;
    if (event === Control.portReady) {
      const name = new TextEncoder().encode(port.name);
      this.#control.push(
        encodeControl(id, Control.portName, 1, name),
        encodeControl(id, Control.portOpen, 1),
      );
    } else if (event === Control.portOpen) {
      if (value === 1) port.opened();
      else port.closed("the guest closed it");
    }
  }

  #flushControl(): void {
    const queue = this.#queue(Queue.controlReceive);
    if (!queue) return;
    let given = 0;
    while (this.#control.length > 0 && queue.has_request()) {
      const chain = queue.pop_request();
      chain.set_next_blob(this.#control.shift() ?? new Uint8Array(0));
      queue.push_reply(chain);
      given++;
    }
    if (given > 0) queue.flush_replies();
  }
}
