import * as Comlink from "comlink";
import type { PlainError } from "../errors/index.ts";
import { plainError } from "../errors/index.ts";
import { MessagesLost, PeerDied, UnknownMessage } from "./errors.ts";
import { MAX_QUEUED_MESSAGES } from "./limits.ts";

/** What crosses the port: an answer, or the error as data (Comlink would lose its class). */
export type Outcome =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: PlainError };

/** A handler's answer with buffers to transfer rather than copy. */
export class TransferredAnswer<T> {
  readonly value: T;
  readonly transfer: Transferable[];
  constructor(value: T, transfer: Transferable[]) {
    this.value = value;
    this.transfer = transfer;
  }
}

/** What is done with the messages of the peer. */
export interface ReceiverOptions {
  readonly handlers: Readonly<Record<string, (payload: never) => unknown>>;
  /**
   * Messages whose handlers start in order like all others but may take long (they wait for the guest, say): what comes behind does
   * not wait for their end.
   */
  readonly concurrent: readonly string[];
  /** A handler failed, or messages were lost; by default those that nobody waits for are told on the console. */
  readonly onError?: (type: string, error: unknown) => void;
}

/**
 * A dispatcher's receiving half: runs the handlers strictly one after the other in the order of arrival, so that an acknowledgement
 * means that everything sent before was handled.
 */
export class Receiver implements Disposable {
  readonly #options: ReceiverOptions;
  readonly #onError: (type: string, error: unknown) => void;
  #tail: Promise<unknown> = Promise.resolve();
  #queued = 0;
  /** Of these, how many are being handled. */
  #begun = 0;
  #lost = 0;
  #disposed = false;

  constructor(options: ReceiverOptions) {
    this.#options = options;
    this.#onError =
      options.onError ?? ((type, error) => console.error(`the message "${type}" failed`, error));
  }

  /** Messages that wait for those before them. */
  get queued(): number {
    return this.#queued - this.#begun;
  }

  /** A message has come. */
  take(type: string, payload: unknown, answered: boolean): Promise<Outcome> {
    if (this.#queued >= MAX_QUEUED_MESSAGES) {
      const error = new MessagesLost(1);
      // The first of many is told at once, the others together once there is room again.
      if (!answered && this.#lost++ === 0) this.#onError(type, error);
      return Promise.resolve({ ok: false, error: plainError(error) });
    }
    this.#queued++;
    let started = () => {};
    const start = new Promise<void>((resolve) => (started = resolve));
    const outcome = this.#tail.then(() => {
      started();
      this.#begun++;
      return this.#run(type, payload, answered);
    });
    const done = outcome.finally(() => this.#settled());
    this.#tail = this.#options.concurrent.includes(type) ? start : done;
    return outcome;
  }

  async #run(type: string, payload: unknown, answered: boolean): Promise<Outcome> {
    if (this.#disposed)
      return { ok: false, error: plainError(new PeerDied("the receiver", "it was disposed")) };
    const { handlers, onError } = this.#options;
    try {
      if (!Object.hasOwn(handlers, type)) throw new UnknownMessage(type);
      const value: unknown = await handlers[type](payload as never);
      if (!(value instanceof TransferredAnswer)) return { ok: true, value };
      return Comlink.transfer({ ok: true, value: value.value as unknown }, value.transfer);
    } catch (error) {
      // Without a listener of ours, the caller hears of it.
      if (!answered || onError) this.#onError(type, error);
      return { ok: false, error: plainError(error) };
    }
  }

  #settled(): void {
    this.#queued--;
    this.#begun--;
    if (this.#lost === 0 || this.#queued > MAX_QUEUED_MESSAGES / 2) return;
    this.#onError("", new MessagesLost(this.#lost));
    this.#lost = 0;
  }

  /** What has come and was not begun is not handled any more. */
  [Symbol.dispose](): void {
    this.#disposed = true;
  }
}
