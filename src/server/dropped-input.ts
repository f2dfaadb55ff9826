import type { Log } from "../log/index.ts";
import type { InputDropped } from "./host-control.ts";
import { DROPPED_NOTICE_MS } from "./limits.ts";
import type { RedClient } from "./red-client.ts";

/** Presses that the guest did not read and that had to go: never without a word, and one word for many. */
export class DroppedInput implements Disposable {
  /** Since the last word about them; undefined is the tab's own screen. */
  readonly #presses = new Map<RedClient | undefined, number>();
  readonly #noticeMs: number;
  readonly #log: Log;
  #timer: ReturnType<typeof setTimeout> | undefined;
  onDropped: ((event: InputDropped) => void) | undefined;

  constructor(log: Log, noticeMs: number = DROPPED_NOTICE_MS) {
    this.#log = log;
    this.#noticeMs = noticeMs;
  }

  add(client: RedClient | undefined, count: number): void {
    this.#presses.set(client, (this.#presses.get(client) ?? 0) + count);
    this.#timer ??= setTimeout(() => this.#tell(), this.#noticeMs);
  }

  #tell(): void {
    this.#timer = undefined;
    for (const [client, presses] of this.#presses) {
      const words = `The machine does not read its keyboard or mouse: ${presses} presses were dropped.`;
      client?.main.notify(words);
      this.#log.log("warning", "inputs", client ? `client ${client.id}: ${words}` : words);
      this.onDropped?.({ count: presses, ...(client && { clientId: client.id }) });
    }
    this.#presses.clear();
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}
