import type { RelayLimits } from "./limits.ts";

/** Who takes the bytes of an end once it is joined. */
export interface ByteConsumer {
  data(bytes: Buffer): void;
  /** The peer sends nothing more; it may still read. */
  ended(reason: string): void;
}

/**
 * One end of a tunnel: a TCP socket or a WebSocket, as bytes with back-pressure.
 *
 * It is read from the moment it exists: SPICE clients speak first, and whatever they say before the tunnel is joined
 * waits here, up to a limit after which the socket is left unread.
 */
export abstract class ByteEnd {
  /** Called once, when nothing can travel either way any more. */
  onClosed: (() => void) | undefined;
  /** Called when what `write` queued is low again. */
  onDrained: (() => void) | undefined;
  /** In one piece, so that looking at it costs the same however small it came. */
  #early: Buffer = Buffer.alloc(0);
  #receivedBytes = 0;
  #ended: string | undefined;
  #closed = false;
  #consumer: ByteConsumer | undefined;
  protected readonly limits: RelayLimits;

  constructor(limits: RelayLimits) {
    this.limits = limits;
  }

  /** The peer said that nothing more comes (or vanished); undefined while it may still send. */
  get endedBecause(): string | undefined {
    return this.#ended;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Bytes that the peer has sent in all. */
  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  /** Somebody takes the bytes. */
  get attached(): boolean {
    return this.#consumer !== undefined;
  }

  /** Bytes that wait for a consumer. */
  get early(): Buffer {
    return this.#early;
  }

  /** Called at each arrival while there is no consumer yet. */
  onEarly: (() => void) | undefined;

  /** Hands everything, from the first byte on, to `consumer`. */
  attach(consumer: ByteConsumer): void {
    const early = this.#early;
    this.#early = Buffer.alloc(0);
    this.#consumer = consumer;
    this.onEarly = undefined;
    this.resumeReading();
    if (early.length > 0) consumer.data(early);
    if (this.#ended !== undefined) consumer.ended(this.#ended);
  }

  /** Takes it from its consumer: what comes waits again for the next one, and little of it is read. */
  detach(): void {
    this.#consumer = undefined;
    this.onDrained = undefined;
    this.pauseReading();
  }

  /** Once closed: the peer had said that it would, or we had. Else it vanished. */
  get endedInOrder(): boolean {
    return true;
  }

  /** Queues bytes for the peer. False: the queue is high, write nothing more until `onDrained`. */
  abstract write(bytes: Uint8Array): boolean;
  abstract pauseReading(): void;
  abstract resumeReading(): void;
  /** Sends what is queued, says goodbye, and cuts the connection when the peer does not follow in time. */
  abstract end(code: number, reason: string): void;
  /** Cuts the connection now. */
  abstract destroy(): void;

  protected received(bytes: Buffer): void {
    this.#receivedBytes += bytes.length;
    if (this.#consumer !== undefined) {
      this.#consumer.data(bytes);
      return;
    }
    this.#early = Buffer.concat([this.#early, bytes]);
    if (this.#early.length >= this.limits.earlyBytes) this.pauseReading();
    this.onEarly?.();
  }

  protected drained(): void {
    this.onDrained?.();
  }

  protected peerEnded(reason: string): void {
    if (this.#ended !== undefined) return;
    this.#ended = reason;
    this.#consumer?.ended(reason);
    this.onEarly?.();
  }

  protected peerClosed(reason: string): void {
    this.peerEnded(reason);
    if (this.#closed) return;
    this.#closed = true;
    this.#early = Buffer.alloc(0);
    this.onClosed?.();
  }
}
