import type { FollowedWire, WireCheckpoint } from "../channel/followed-wire.ts";
import { RelayClose } from "../relay-control/index.ts";
import type { ByteEnd } from "./byte-end.ts";

/**
 * A client's connection joined to the stream that the hosting tab opened for it.
 *
 * Back-pressure goes through: an end whose queue is high stops the reading of the other. When one end is over, the
 * other still gets what was under way and is then closed in order. A stream that vanishes is not the client's end: its connection is
 * followed on the way, so that it can go on with another one.
 */
export class Tunnel {
  readonly #client: ByteEnd;
  readonly #stream: ByteEnd;
  readonly #wire: FollowedWire;
  readonly #lifetime = new AbortController();
  /** Called once, when both ends are closed. */
  onClosed: (() => void) | undefined;
  /** The stream has vanished, and the client is there: {@link release} it, or end it. */
  onStreamLost: ((reason: string) => void) | undefined;

  constructor(client: ByteEnd, stream: ByteEnd, wire: FollowedWire, stallLimitMs: number) {
    this.#client = client;
    this.#stream = stream;
    this.#wire = wire;
    const settle = () => {
      if (!client.closed || !stream.closed) return;
      this.#lifetime.abort();
      this.onClosed?.();
    };
    client.onClosed = settle;
    stream.onClosed = settle;
    const { signal } = this.#lifetime;
    const toHost = (bytes: Buffer) => {
      wire.received(bytes);
      return stream.write(bytes);
    };
    join(client, stream, toHost, (reason) => stream.end(RelayClose.normal, reason), stallLimitMs, signal);
    const toClient = (bytes: Buffer) => {
      let hasRoom = true;
      for (const piece of wire.sent(bytes)) hasRoom = client.write(piece);
      return hasRoom;
    };
    const streamEnded = (reason: string) => {
      const isLost = !stream.endedInOrder && client.endedBecause === undefined;
      if (isLost && this.onStreamLost !== undefined) return this.onStreamLost(reason);
      for (const piece of wire.finish()) client.write(piece);
      client.end(RelayClose.normal, reason);
    };
    join(stream, client, toClient, streamEnded, stallLimitMs, signal);
  }

  /**
   * Takes the client out of it, unread from now on, and cuts the stream.
   * @returns how far the client's connection has come; undefined if it cannot go on with another stream
   */
  release(): WireCheckpoint | undefined {
    this.#lifetime.abort();
    this.#client.onClosed = this.#stream.onClosed = undefined;
    this.#client.detach();
    this.#stream.detach();
    this.#stream.destroy();
    return this.#wire.checkpoint();
  }

  end(code: number, reason: string): void {
    this.#client.end(code, reason);
    this.#stream.end(code, reason);
  }

  destroy(): void {
    this.#client.destroy();
    this.#stream.destroy();
  }
}

function join(
  from: ByteEnd,
  to: ByteEnd,
  pass: (bytes: Buffer) => boolean,
  ended: (reason: string) => void,
  stallLimitMs: number,
  lifetime: AbortSignal,
): void {
  let stalled: NodeJS.Timeout | undefined;
  lifetime.addEventListener("abort", () => clearTimeout(stalled));
  to.onDrained = () => {
    clearTimeout(stalled);
    stalled = undefined;
    from.resumeReading();
  };
  from.attach({
    data(bytes) {
      if (pass(bytes)) return;
      from.pauseReading();
      stalled ??= setTimeout(() => to.destroy(), stallLimitMs);
    },
    ended,
  });
}
