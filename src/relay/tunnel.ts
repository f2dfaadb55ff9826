import type { ByteEnd } from "./byte-end.ts";
import { RelayClose } from "../relay-control/index.ts";

/**
 * A client's connection joined to the stream that the hosting tab opened for it.
 *
 * Back-pressure goes through: an end whose queue is high stops the reading of the other. When one end is over, the
 * other still gets what was under way and is then closed in order.
 */
export class Tunnel {
  readonly #client: ByteEnd;
  readonly #stream: ByteEnd;
  /** Called once, when both ends are closed. */
  onClosed: (() => void) | undefined;

  constructor(client: ByteEnd, stream: ByteEnd, stallLimitMs: number) {
    this.#client = client;
    this.#stream = stream;
    const lifetime = new AbortController();
    const settle = () => {
      if (!client.closed || !stream.closed) return;
      lifetime.abort();
      this.onClosed?.();
    };
    client.onClosed = settle;
    stream.onClosed = settle;
    join(client, stream, stallLimitMs, lifetime.signal);
    join(stream, client, stallLimitMs, lifetime.signal);
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

function join(from: ByteEnd, to: ByteEnd, stallLimitMs: number, lifetime: AbortSignal): void {
  let stalled: NodeJS.Timeout | undefined;
  lifetime.addEventListener("abort", () => clearTimeout(stalled));
  to.onDrained = () => {
    clearTimeout(stalled);
    stalled = undefined;
    from.resumeReading();
  };
  from.attach({
    data(bytes) {
      if (to.write(bytes)) return;
      from.pauseReading();
      stalled ??= setTimeout(() => to.destroy(), stallLimitMs);
    },
    ended(reason) {
      to.end(RelayClose.normal, reason);
    },
  });
}
