import type { RedStream, RedStreamFrame, StreamPosition } from "./contract.ts";
import { LocalPort } from "./local-port.ts";
import type { StreamPort } from "./local-port.ts";
import { CREDIT_GRAIN, MAX_OVERSHOOT, STREAM_CREDIT } from "./limits.ts";

/** A view over its whole buffer can be transferred; any other view is copied first. */
function owned(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  if (bytes.byteLength === bytes.buffer.byteLength && bytes.buffer instanceof ArrayBuffer) {
    return bytes as Uint8Array<ArrayBuffer>;
  }
  return bytes.slice();
}

/** RedStream over a port; see contract.ts for what each member promises. */
class PortRedStream implements RedStream {
  readonly #port: StreamPort;
  readonly #limit: number;
  #credit: number;
  #closed = false;
  #unread: Uint8Array[] = [];
  #waiting = 0;
  /** Bytes read whose credit is still to be given back; below zero while bytes that were put back are to be read again. */
  #taken = 0;
  #hadReader = false;
  #read = 0;
  #written = 0;
  /** Bytes received whose credit was not given back yet. */
  #received = 0;
  #onData: ((bytes: Uint8Array) => void) | undefined;
  #endReason: string | undefined;
  #onClose: ((reason: string) => void) | undefined;
  onDrain: (() => void) | undefined;

  constructor(port: StreamPort, overshoot: number) {
    this.#port = port;
    this.#limit = STREAM_CREDIT + overshoot;
    this.#credit = STREAM_CREDIT;
    port.onmessage = (event: MessageEvent<RedStreamFrame>) => this.#frame(event.data);
  }

  get closed(): boolean {
    return this.#closed;
  }

  get ending(): boolean {
    return this.#endReason !== undefined;
  }

  get waiting(): number {
    return this.#waiting;
  }

  get position(): StreamPosition {
    return { read: this.#read, written: this.#written };
  }

  get credit(): number {
    return this.#closed ? 0 : this.#credit;
  }

  get onData(): ((bytes: Uint8Array) => void) | undefined {
    return this.#onData;
  }

  set onData(handler: ((bytes: Uint8Array) => void) | undefined) {
    this.#onData = handler;
    this.#hadReader ||= handler !== undefined;
    this.#deliver();
  }

  get onClose(): ((reason: string) => void) | undefined {
    return this.#onClose;
  }

  set onClose(handler: ((reason: string) => void) | undefined) {
    this.#onClose = handler;
    this.#announceEnd();
  }

  #frame(frame: RedStreamFrame): void {
    if (this.#closed) return;
    switch (frame.type) {
      case "data":
        this.#received += frame.bytes.length;
        if (this.#received > this.#limit) {
          this.#forget();
          this.#post({ type: "end", reason: "more was sent than is read" }, []);
          this.#end("the peer sent far more than its credit");
          return;
        }
        this.#unread.push(frame.bytes);
        this.#waiting += frame.bytes.length;
        this.#deliver();
        break;
      case "credit": {
        const blocked = this.#credit <= 0;
        this.#credit += frame.bytes;
        if (blocked && this.#credit > 0) this.onDrain?.();
        break;
      }
      case "end":
        this.#end(frame.reason);
        break;
    }
  }

  #deliver(): void {
    // A handler may detach, close or replace itself at each piece.
    while (this.#onData && this.#unread.length > 0) {
      const bytes = this.#unread.shift()!;
      this.#waiting -= bytes.length;
      this.#read += bytes.length;
      this.#onData(bytes);
      if (this.#closed) return;
      this.#taken += bytes.length;
      // Less than a grain can be owed to a writer whose whole credit is sixteen of them.
      if (this.#taken >= CREDIT_GRAIN) this.#giveCredit();
    }
    this.#announceEnd();
  }

  unread(bytes: Uint8Array): void {
    if (this.#closed || bytes.length === 0) return;
    this.#unread.unshift(bytes);
    this.#waiting += bytes.length;
    this.#taken -= bytes.length;
    this.#read -= bytes.length;
    this.#deliver();
  }

  #giveCredit(): void {
    if (this.#taken <= 0) return;
    this.#received -= this.#taken;
    this.#post({ type: "credit", bytes: this.#taken }, []);
    this.#taken = 0;
  }

  #post(frame: RedStreamFrame, transfer: Transferable[]): void {
    this.#port.postMessage(frame, transfer);
  }

  write(bytes: Uint8Array): void {
    if (this.#closed || this.#endReason !== undefined || bytes.length === 0) return;
    const whole = owned(bytes);
    this.#credit -= whole.length;
    this.#written += whole.length;
    this.#post({ type: "data", bytes: whole }, [whole.buffer]);
  }

  /** The peer ended: what it sent before is still delivered first. */
  #end(reason: string): void {
    if (this.#endReason !== undefined) return;
    this.#endReason = reason;
    this.#port.close();
    this.#announceEnd();
  }

  #announceEnd(): void {
    if (this.#closed || this.#endReason === undefined || !this.#onClose) return;
    // A reader that only pauses still gets the rest; nobody who never reads holds up the end.
    if (this.#hadReader && this.#unread.length > 0) return;
    this.#closed = true;
    this.#forget();
    this.#onClose(this.#endReason);
  }

  #forget(): void {
    this.#unread = [];
    this.#waiting = 0;
  }

  close(reason = "closed"): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#forget();
    if (this.#endReason === undefined) {
      this.#post({ type: "end", reason }, []);
      this.#port.close();
    }
  }

  detach(): MessagePort {
    if (this.#closed || this.#endReason !== undefined)
      throw new Error("a RedStream that ended cannot be detached");
    this.#giveCredit();
    this.#closed = true;
    this.#port.onmessage = null;
    // A few bytes under way may be forgotten: the new owner's window is then so much larger, once.
    const isFresh = this.#unread.length === 0 && STREAM_CREDIT - this.#credit <= CREDIT_GRAIN;
    if (!isFresh) return this.#relayed();
    return this.#port instanceof LocalPort ? this.#port.leave() : this.#port;
  }

  /**
   * Unread bytes and spent credit live here, not in the port, so they go ahead over a fresh channel; this thread then pumps frames
   * between the two. Only streams detached in the middle of a message pay for this.
   */
  #relayed(): MessagePort {
    const { port1, port2 } = new MessageChannel();
    const port = this.#port;
    for (const bytes of this.#unread) {
      const whole = owned(bytes);
      port1.postMessage({ type: "data", bytes: whole }, [whole.buffer]);
    }
    // Credit for bytes that were put back was given when they were first read.
    let given = -this.#taken;
    // The new owner starts with a full credit; what is already under way is withheld from the credit that comes back.
    let withheld = STREAM_CREDIT - this.#credit;
    const pump = (
      to: StreamPort,
      from: StreamPort,
      filter: (frame: RedStreamFrame) => RedStreamFrame | undefined,
    ) => {
      from.onmessage = (event: MessageEvent<RedStreamFrame>) => {
        const frame = filter(event.data);
        if (frame) to.postMessage(frame, frame.type === "data" ? [frame.bytes.buffer] : []);
        if (event.data.type === "end") {
          from.close();
          to.close();
        }
      };
    };
    const withhold = (frame: RedStreamFrame, bytes: number) =>
      frame.type === "credit" && bytes > 0 ? Math.min(bytes, frame.bytes) : 0;
    const reduce = (frame: RedStreamFrame, held: number): RedStreamFrame | undefined => {
      if (frame.type !== "credit" || held === 0) return frame;
      return frame.bytes > held ? { type: "credit", bytes: frame.bytes - held } : undefined;
    };
    pump(port1, port, (frame) => {
      const held = withhold(frame, withheld);
      withheld -= held;
      return reduce(frame, held);
    });
    pump(port, port1, (frame) => {
      const held = withhold(frame, given);
      given -= held;
      return reduce(frame, held);
    });
    this.#forget();
    return port2;
  }

  [Symbol.dispose](): void {
    this.close("disposed");
  }
}

/**
 * Takes one end of a stream's MessageChannel. The result owns the port.
 * @param options.overshoot bytes the peer may send beyond its credit before it is cut off; see {@link MAX_OVERSHOOT}.
 */
export function openRedStream(port: StreamPort, options: { overshoot?: number } = {}): RedStream {
  return new PortRedStream(port, options.overshoot ?? MAX_OVERSHOOT);
}

/** Two streams joined to each other, for in-page clients and tests. */
export function createRedStreamPair(): [RedStream, RedStream] {
  const { port1, port2 } = new MessageChannel();
  return [openRedStream(port1), openRedStream(port2)];
}
