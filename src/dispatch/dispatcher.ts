import * as Comlink from "comlink";
import { DispatcherTimeout, HandlerError, MessagesLost, PeerDied } from "./errors.ts";
import { CALL_DEADLINE_MS, MAX_QUEUED_MESSAGES } from "./limits.ts";

/** What a dispatcher carries: message types with one payload each, as the interfaces in messages.ts. */

export type MessageTable<M> = { [K in keyof M]: (payload: never) => unknown };

export type Payload<M, K extends keyof M> = M[K] extends (payload: infer P) => unknown ? P : never;
export type Answer<M, K extends keyof M> = M[K] extends (payload: never) => infer R ? Awaited<R> : never;

/** The receiver's side: the same table, each handler free to answer later. */
export type Handlers<M> = {
  [K in keyof M]: (payload: Payload<M, K>) => Answer<M, K> | Promise<Answer<M, K>>;
};

/** What crosses the port: an answer, or the error in words (Comlink would lose its class). */
type Outcome =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly code: string; readonly message: string };

/** The single function exposed through Comlink: one proxy, pinned by the Dispatcher, serves every acknowledged message. */
type Entry = (type: string, payload: unknown) => Promise<Outcome>;

/** A message that nobody answers: beside Comlink's on the same port, since an answer that nobody reads costs as much as the message. */
interface Sent {
  readonly sent: string;
  readonly payload: unknown;
}

function isSent(data: unknown): data is Sent {
  return typeof data === "object" && data !== null && typeof (data as Partial<Sent>).sent === "string";
}

/** What both browsers' MessagePort and the ends of a Worker offer. */
export type DispatchEndpoint = MessagePort;

interface Pending {
  reject(error: Error): void;
}

/**
 * The sending end towards another thread, after spice-server's Dispatcher: first in first out, `send` is fire-and-forget, `call` is
 * acknowledged and so a barrier behind everything sent before. Every call has a deadline and fails at once when the peer dies.
 * Owns the port.
 */
export class Dispatcher<M extends MessageTable<M>> implements Disposable {
  readonly peer: string;
  readonly #deadlineMs: number;
  readonly #port: DispatchEndpoint;
  // Comlink drops calls whose proxy is collected, so the proxy lives exactly as long as this object.
  readonly #entry: Comlink.Remote<Entry>;
  readonly #pending = new Set<Pending>();
  #dead: PeerDied | undefined;

  constructor(port: DispatchEndpoint, options: { peer: string; deadlineMs?: number }) {
    this.peer = options.peer;
    this.#deadlineMs = options.deadlineMs ?? CALL_DEADLINE_MS;
    this.#port = port;
    this.#entry = Comlink.wrap<Entry>(port as unknown as Comlink.Endpoint);
  }

  get alive(): boolean {
    return this.#dead === undefined;
  }

  /** Sends a message that nobody waits for. Does nothing once the peer is known to be dead. */
  send<K extends keyof M & string>(type: K, payload: Payload<M, K>, transfer: Transferable[] = []): void {
    if (this.#dead) return;
    this.#port.postMessage({ sent: type, payload } satisfies Sent, transfer);
  }

  /**
   * Sends a message and waits until its handler and all earlier ones have run.
   * @throws DispatcherTimeout, PeerDied, HandlerError
   */
  async call<K extends keyof M & string>(
    type: K,
    payload: Payload<M, K>,
    transfer: Transferable[] = [],
    options: { deadlineMs?: number } = {},
  ): Promise<Answer<M, K>> {
    if (this.#dead) throw this.#dead;
    const deadlineMs = options.deadlineMs ?? this.#deadlineMs;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let pending: Pending | undefined;
    const ended = new Promise<never>((_, reject) => {
      pending = { reject };
      this.#pending.add(pending);
      timer = setTimeout(() => reject(new DispatcherTimeout(this.peer, type, deadlineMs)), deadlineMs);
    });
    try {
      const argument = transfer.length > 0 ? Comlink.transfer(payload as object, transfer) : payload;
      const outcome = (await Promise.race([this.#entry(type, argument), ended])) as Outcome;
      if (!outcome.ok) throw new HandlerError(this.peer, type, outcome.code, outcome.message);
      return outcome.value as Answer<M, K>;
    } finally {
      clearTimeout(timer);
      if (pending) this.#pending.delete(pending);
    }
  }

  /** The peer's thread is gone: every call under way fails now and later ones fail at once. Idempotent. */
  peerDied(reason: string): void {
    if (this.#dead) return;
    this.#dead = new PeerDied(this.peer, reason);
    for (const pending of this.#pending) pending.reject(this.#dead);
    this.#pending.clear();
    this.#port.close();
  }

  [Symbol.dispose](): void {
    if (this.#dead) return;
    this.#entry[Comlink.releaseProxy]();
    this.peerDied("this dispatcher was disposed");
  }
}

/** A handler's answer with buffers to transfer rather than copy. */
export class TransferredAnswer<T> {
  readonly value: T;
  readonly transfer: Transferable[];
  constructor(value: T, transfer: Transferable[]) {
    this.value = value;
    this.transfer = transfer;
  }
}

/**
 * The receiving end: runs the handlers strictly one after the other in the order of arrival, so that an acknowledgement means that
 * everything sent before was handled. Owns the port; disposing it stops receiving.
 */
export function serveDispatcher<M extends MessageTable<M>>(
  port: DispatchEndpoint,
  handlers: Handlers<M>,
  options: {
    /** A handler failed, or messages were lost; by default those that nobody waits for are told on the console. */
    onError?: (type: string, error: unknown) => void;
    /**
     * Messages whose handlers start in order like all others but may take long (they wait for the guest, say): what comes behind does
     * not wait for their end.
     */
    concurrent?: readonly (keyof M & string)[];
  } = {},
): Disposable {
  let tail: Promise<unknown> = Promise.resolve();
  let queued = 0;
  let lost = 0;
  let disposed = false;
  const onError =
    options.onError ??
    ((type: string, error: unknown) => console.error(`the message "${type}" failed`, error));

  const run = async (type: string, payload: unknown, answered: boolean): Promise<Outcome> => {
    if (disposed) return { ok: false, code: "Disposed", message: "the receiver was disposed" };
    try {
      if (!Object.hasOwn(handlers, type)) throw new Error(`no handler for message "${type}"`);
      const value = await handlers[type as keyof M](payload as Payload<M, keyof M>);
      const plain: unknown = value;
      if (plain instanceof TransferredAnswer) {
        return Comlink.transfer({ ok: true, value: plain.value }, plain.transfer);
      }
      return { ok: true, value };
    } catch (error) {
      // Without a listener of ours, the caller hears of it.
      if (!answered || options.onError) onError(type, error);
      return {
        ok: false,
        code: error instanceof Error ? error.name : "Error",
        message: error instanceof Error ? error.message : String(error),
      };
    }
  };

  const settled = () => {
    queued--;
    if (lost === 0 || queued > MAX_QUEUED_MESSAGES / 2) return;
    onError("", new MessagesLost(lost));
    lost = 0;
  };

  const take = (type: string, payload: unknown, answered: boolean): Promise<Outcome> => {
    if (queued >= MAX_QUEUED_MESSAGES) {
      const error = new MessagesLost(1);
      // The first of many is told at once, the others together once there is room again.
      if (!answered && lost++ === 0) onError(type, error);
      return Promise.resolve({ ok: false, code: "Overloaded", message: error.message });
    }
    queued++;
    const concurrent = options.concurrent?.some((name) => name === type) ?? false;
    let started = () => {};
    const start = new Promise<void>((resolve) => (started = resolve));
    const outcome = tail.then(() => {
      started();
      return run(type, payload, answered);
    });
    const done = outcome.finally(settled);
    tail = concurrent ? start : done;
    return outcome;
  };
  const entry: Entry = (type, payload) => take(type, payload, true);
  const onSent = ({ data }: MessageEvent<unknown>) => {
    if (isSent(data)) void take(data.sent, data.payload, false);
  };
  port.addEventListener("message", onSent);
  Comlink.expose(entry, port as unknown as Comlink.Endpoint);

  return {
    [Symbol.dispose]() {
      disposed = true;
      port.removeEventListener("message", onSent);
      port.close();
    },
  };
}
