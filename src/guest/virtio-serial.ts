/**
 * A virtio-serial device (virtio 1.x §5.3, MULTIPORT) with one port, `com.redhat.spice.0`, for the SPICE agent. v86's own
 * virtio console marks its ports as consoles and loses input when the guest has no buffer, so this one is built from
 * v86's VirtIO class.
 */
import { AgentPortClosedError, AgentPortOverflowError } from "./errors.ts";
import {
  AGENT_READ_MAX_BYTES,
  AGENT_READ_WINDOW,
  AGENT_WRITE_QUEUE_BYTES,
  CONTROL_QUEUE_MESSAGES,
} from "./limits.ts";
import { removePciFunction } from "./pci-function.ts";
import type { V86Cpu, V86VirtIo, V86VirtIoField, V86VirtIoOptions, V86VirtQueue } from "./v86-private.ts";

export const AGENT_PORT_NAME = "com.redhat.spice.0";

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

/** Port 0 would become a console (hvc0); it is left out. */
const AGENT_PORT = 1;
const MAX_PORTS = 2;
/** Queues: receive and transmit of port 0, of control, of port 1. Receive is host to guest. */
const Queue = { controlReceive: 2, controlTransmit: 3, receive: 4, transmit: 5 } as const;
const QUEUE_SIZES = [16, 16, 32, 32, 64, 64];
/** Notification slots, one per direction and kind. */
const NOTIFY_OFFSETS = [0, 1, 2, 3, 0, 1];

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

/** What the port tells its owner. */
export interface AgentPortEvents {
  /** A program in the guest opened or closed the port. */
  state(open: boolean): void;
  /** Bytes from the guest. Until the promise settles they count against {@link AGENT_READ_WINDOW}. */
  data(bytes: Uint8Array<ArrayBuffer>): Promise<void>;
}

interface PendingWrite {
  readonly bytes: Uint8Array;
  offset: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

interface VirtIoConstructor {
  new (cpu: V86Cpu, options: V86VirtIoOptions): V86VirtIo;
}

/** The agent's port. Registers its PCI function when made: make it before a state is restored. */
export class AgentPort {
  readonly #virtio: V86VirtIo;
  readonly #events: AgentPortEvents;
  #control: Uint8Array[] = [];
  #writes: PendingWrite[] = [];
  #waiting = 0;
  #unacknowledged = 0;
  #open = false;

  constructor(cpu: V86Cpu, events: AgentPortEvents) {
    this.#events = events;
    const balloon = cpu.devices.virtio_balloon.virtio;
    const VirtIo = balloon.constructor as unknown as VirtIoConstructor;
    removePciFunction(cpu, balloon.pci_id);
    this.#virtio = new VirtIo(cpu, this.#deviceOptions());
    // A driver that is unloaded, or the BIOS, resets the device by its status register.
    const reset = this.#virtio.reset.bind(this.#virtio);
    this.#virtio.reset = () => {
      reset();
      this.#closed("the guest reset the device");
    };
  }

  /** Whether a program in the guest has the port open. */
  get open(): boolean {
    return this.#open;
  }

  /**
   * Gives bytes to the guest; resolves when all lie in the guest's buffers.
   * @throws AgentPortClosedError (rejection) when nobody has the port open, or it closes before it took them
   * @throws AgentPortOverflowError (rejection) when too much is waiting
   */
  write(bytes: Uint8Array): Promise<void> {
    if (!this.#open) return Promise.reject(new AgentPortClosedError("nobody in the guest has it open"));
    if (this.#waiting + bytes.length > AGENT_WRITE_QUEUE_BYTES) {
      return Promise.reject(new AgentPortOverflowError(this.#waiting, AGENT_WRITE_QUEUE_BYTES));
    }
    const taken = new Promise<void>((resolve, reject) => {
      this.#writes.push({ bytes, offset: 0, resolve, reject });
    });
    this.#waiting += bytes.length;
    this.#guarded(() => this.#feed());
    return taken;
  }

  /** Reset with the machine. */
  reset(): void {
    this.#virtio.reset();
  }

  /** For v86's state: the VirtIO object (it has get_state) and whether the port is open. */
  saveState(): unknown[] {
    return [this.#virtio, this.#open];
  }

  /** Takes back what {@link saveState} gave; waiting writes are rejected, the state event follows. */
  restoreState(state: readonly unknown[]): void {
    this.#closed("the machine was restored");
    this.#control = [];
    this.#virtio.set_state(state[0] as unknown[]);
    if (state[1] === true) this.#opened();
    this.#guarded(() => this.#read());
  }

  #deviceOptions(): V86VirtIoOptions {
    const ignored = () => {};
    const field = (bytes: 1 | 2 | 4, name: string, value: number): V86VirtIoField => ({
      bytes,
      name,
      read: () => value,
      write: ignored,
    });
    return {
      name: "virtio-serial",
      pci_id: PCI_ID,
      device_id: DEVICE_ID_CONSOLE,
      subsystem_device_id: SUBSYSTEM_CONSOLE,
      common: {
        initial_port: IO_COMMON,
        queues: QUEUE_SIZES.map((size, index) => ({
          size_supported: size,
          notify_offset: NOTIFY_OFFSETS[index],
        })),
        features: [FEATURE_MULTIPORT, FEATURE_VERSION_1],
        on_driver_ok: ignored,
      },
      notification: {
        initial_port: IO_NOTIFY,
        single_handler: false,
        handlers: [
          () => this.#guarded(() => this.#feed()),
          () => this.#guarded(() => this.#read()),
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
          field(4, "max_nr_ports", MAX_PORTS),
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
      this.#closed("the guest's buffers are invalid");
    }
  }

  #queue(index: number): V86VirtQueue | undefined {
    const queue = this.#virtio.queues[index];
    return queue.is_configured() ? queue : undefined;
  }

  /** Takes one buffer from the guest; its length is the guest's claim. */
  #take(queue: V86VirtQueue): Uint8Array<ArrayBuffer> {
    const chain = queue.pop_request();
    const claimed = Math.max(0, Math.min(chain.length_readable, AGENT_READ_MAX_BYTES));
    const bytes = new Uint8Array(claimed);
    const length = claimed > 0 ? chain.get_next_blob(bytes) : 0;
    queue.push_reply(chain);
    return bytes.slice(0, Math.max(0, length));
  }

  #read(): void {
    const queue = this.#queue(Queue.transmit);
    if (!queue) return;
    let taken = 0;
    while (this.#unacknowledged < AGENT_READ_WINDOW && queue.has_request()) {
      const bytes = this.#take(queue);
      taken++;
      if (bytes.length > 0) this.#deliver(bytes);
    }
    if (taken > 0) queue.flush_replies();
  }

  #deliver(bytes: Uint8Array<ArrayBuffer>): void {
    this.#unacknowledged++;
    const settled = () => {
      this.#unacknowledged--;
      this.#guarded(() => this.#read());
    };
    this.#events.data(bytes).then(settled, settled);
  }

  #feed(): void {
    const queue = this.#queue(Queue.receive);
    if (!queue) return;
    let given = 0;
    while (this.#writes.length > 0 && queue.has_request()) {
      const chain = queue.pop_request();
      const write = this.#writes[0];
      const piece = write.bytes.subarray(write.offset, write.offset + Math.max(0, chain.length_writable));
      chain.set_next_blob(piece);
      queue.push_reply(chain);
      given++;
      write.offset += piece.length;
      this.#waiting -= piece.length;
      if (write.offset < write.bytes.length) continue;
      this.#writes.shift();
      write.resolve();
    }
    if (given > 0) queue.flush_replies();
  }

  #readControl(): void {
    const queue = this.#queue(Queue.controlTransmit);
    if (!queue) return;
    let taken = 0;
    while (queue.has_request()) {
      const message = this.#take(queue);
      taken++;
      // A guest that asks without ever giving buffers for the answers gets no more of them.
      if (this.#control.length >= CONTROL_QUEUE_MESSAGES) continue;
      if (message.length >= 8) this.#onControl(new DataView(message.buffer, message.byteOffset, 8));
    }
    if (taken > 0) queue.flush_replies();
    this.#flushControl();
  }

  #onControl(message: DataView): void {
    const port = message.getUint32(0, true);
    const event = message.getUint16(4, true);
    const value = message.getUint16(6, true);
    if (event === Control.deviceReady) {
      if (value === 1) this.#control.push(encodeControl(AGENT_PORT, Control.portAdd, 0));
    } else if (port !== AGENT_PORT) {
      return;
    } else if (event === Control.portReady) {
      const name = new TextEncoder().encode(AGENT_PORT_NAME);
      this.#control.push(
        encodeControl(AGENT_PORT, Control.portName, 1, name),
        encodeControl(AGENT_PORT, Control.portOpen, 1),
      );
    } else if (event === Control.portOpen) {
      if (value === 1) this.#opened();
      else this.#closed("the guest closed it");
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

  #opened(): void {
    if (this.#open) return;
    this.#open = true;
    this.#events.state(true);
  }

  #closed(reason: string): void {
    const writes = this.#writes;
    this.#writes = [];
    this.#waiting = 0;
    for (const write of writes) write.reject(new AgentPortClosedError(reason));
    if (!this.#open) return;
    this.#open = false;
    this.#events.state(false);
  }
}
