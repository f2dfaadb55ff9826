/** One port of the virtio-serial device: bytes both ways between a program in the guest and the host. */
import { AgentPortClosedError, AgentPortOverflowError } from "../errors.ts";
import { AGENT_READ_MAX_BYTES, AGENT_READ_WINDOW, AGENT_WRITE_QUEUE_BYTES } from "../limits.ts";
import type { V86VirtQueue } from "../v86/v86-private.ts";

/** What a port tells its owner. */
export interface SerialPortEvents {
  /** A program in the guest opened or closed the port. */
  state(open: boolean): void;
  /** Bytes from the guest. Until the promise settles they count against {@link AGENT_READ_WINDOW}. */
  data(bytes: Uint8Array<ArrayBuffer>): Promise<void>;
}

/** What a port needs of its device. */
export interface SerialPortDevice {
  /** The queue, once the guest's driver has set it up. */
  queue(index: number): V86VirtQueue | undefined;
  /** Runs work on the guest's buffers, whose claims may be lies. */
  guarded(work: () => void): void;
}

/** Which queues of the device are the port's. Receive is host to guest. */
export interface SerialPortQueues {
  readonly receive: number;
  readonly transmit: number;
}

interface PendingWrite {
  readonly bytes: Uint8Array;
  offset: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** Takes one buffer from the guest; its length is the guest's claim. */
export const takeBuffer = (queue: V86VirtQueue): Uint8Array<ArrayBuffer> => {
  const chain = queue.pop_request();
  const claimed = Math.max(0, Math.min(chain.length_readable, AGENT_READ_MAX_BYTES));
  const bytes = new Uint8Array(claimed);
  const length = claimed > 0 ? chain.get_next_blob(bytes) : 0;
  queue.push_reply(chain);
  return bytes.slice(0, Math.max(0, length));
};

/** One named port; its device feeds it. */
export class SerialPort {
  readonly name: string;
  readonly #events: SerialPortEvents;
  readonly #queues: SerialPortQueues;
  readonly #device: SerialPortDevice;
  #writes: PendingWrite[] = [];
  #waiting = 0;
  #unacknowledged = 0;
  #open = false;

  constructor(name: string, queues: SerialPortQueues, device: SerialPortDevice, events: SerialPortEvents) {
    this.name = name;
    this.#queues = queues;
    this.#device = device;
    this.#events = events;
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
    this.#device.guarded(() => this.feed());
    return taken;
  }

  /** The guest has filled buffers. */
  read(): void {
    const queue = this.#device.queue(this.#queues.transmit);
    if (!queue) return;
    let taken = 0;
    while (this.#unacknowledged < AGENT_READ_WINDOW && queue.has_request()) {
      const bytes = takeBuffer(queue);
      taken++;
      if (bytes.length > 0) this.#deliver(bytes);
    }
    if (taken > 0) queue.flush_replies();
  }

  /** The guest has offered buffers. */
  feed(): void {
    const queue = this.#device.queue(this.#queues.receive);
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

  /** A program in the guest has opened the port. */
  opened(): void {
    if (this.#open) return;
    this.#open = true;
    this.#events.state(true);
  }

  /** It is closed, or the guest's driver is gone: what waits is rejected. */
  closed(reason: string): void {
    const writes = this.#writes;
    this.#writes = [];
    this.#waiting = 0;
    for (const write of writes) write.reject(new AgentPortClosedError(reason));
    if (!this.#open) return;
    this.#open = false;
    this.#events.state(false);
  }

  #deliver(bytes: Uint8Array<ArrayBuffer>): void {
    this.#unacknowledged++;
    const settled = () => {
      this.#unacknowledged--;
      this.#device.guarded(() => this.read());
    };
    this.#events.data(bytes).then(settled, settled);
  }
}
