import type { RedStreamFrame } from "./contract.ts";

type Listener = ((event: MessageEvent<RedStreamFrame>) => unknown) | null;

/** The port of a RedStream: one that can be transferred, or one that stays on its thread until it leaves. */
export type StreamPort = MessagePort | LocalPort;

/**
 * One end of a channel whose ends are both on this thread: what a message through an event would cost is spared. Like a MessagePort's, what
 * is posted comes later and in order, never inside the call that posts it; and one end can still leave for another thread.
 */
export class LocalPort {
  #peer: LocalPort | undefined;
  /** The peer has left, and this is the way to it. */
  #away: MessagePort | undefined;
  #queue: RedStreamFrame[] = [];
  #listener: Listener = null;
  #scheduled = false;
  #closed = false;

  /** Two ends, joined. */
  static pair(): [LocalPort, LocalPort] {
    const [a, b] = [new LocalPort(), new LocalPort()];
    a.#peer = b;
    b.#peer = a;
    return [a, b];
  }

  get onmessage(): Listener {
    return this.#listener;
  }

  set onmessage(listener: Listener) {
    this.#listener = listener;
    this.#schedule();
  }

  /** Buffers go over with it, as with a MessagePort, but nothing detaches them: whoever posts must not touch them any more. */
  postMessage(frame: RedStreamFrame, transfer: Transferable[]): void {
    if (this.#closed) return;
    if (this.#away) return this.#away.postMessage(frame, transfer);
    const peer = this.#peer;
    if (peer === undefined || peer.#closed) return;
    peer.#queue.push(frame);
    peer.#schedule();
  }

  /** What was posted before still arrives at the peer. */
  close(): void {
    this.#closed = true;
    this.#queue = [];
    this.#away?.close();
  }

  /** This end goes to another thread, with what is not read here. @returns the port to transfer */
  leave(): MessagePort {
    const { port1, port2 } = new MessageChannel();
    for (const frame of this.#queue)
      port1.postMessage(frame, frame.type === "data" ? [frame.bytes.buffer] : []);
    const peer = this.#peer;
    if (peer === undefined || peer.#closed) port1.close();
    else peer.#goOn(port1);
    this.#peer = undefined;
    this.close();
    return port2;
  }

  #goOn(way: MessagePort): void {
    this.#away = way;
    // What the other end posted before it left comes first.
    way.onmessage = ({ data }: MessageEvent<RedStreamFrame>) => {
      this.#queue.push(data);
      this.#deliver();
    };
  }

  #schedule(): void {
    if (this.#scheduled || this.#listener === null || this.#queue.length === 0) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.#deliver();
    });
  }

  #deliver(): void {
    // A listener may close the port or let go of it at each frame.
    while (!this.#closed && this.#listener !== null) {
      const data = this.#queue.shift();
      if (data === undefined) return;
      this.#listener({ data } as MessageEvent<RedStreamFrame>);
    }
  }
}
