import * as Comlink from "comlink";
import { DispatcherTimeout, RemoteError, PeerDied } from "./errors.ts";
import type { DispatcherInspection } from "./inspection.ts";
import { CALL_DEADLINE_MS } from "./limits.ts";
import type { Outcome } from "./receiver.ts";
import { Receiver } from "./receiver.ts";

/** What a dispatcher carries: message types with one payload each, as the interfaces in messages.ts. */
export type MessageTable<M> = { [K in keyof M]: (payload: never) => unknown };

export type Payload<M, K extends keyof M> = M[K] extends (payload: infer P) => unknown ? P : never;
export type Answer<M, K extends keyof M> = M[K] extends (payload: never) => infer R ? Awaited<R> : never;

/** A table without messages: of a port that is used one way. */
export type NoMessages = Record<never, never>;

/** The receiver's side: the same table, each handler free to answer later. */
export type Handlers<M> = {
  [K in keyof M]: (payload: Payload<M, K>) => Answer<M, K> | Promise<Answer<M, K>>;
};

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

interface Pending {
  reject(error: Error): void;
}

export interface DispatcherOptions<In extends MessageTable<In>> {
  /** Who is at the other end, for people. */
  readonly peer: string;
  /** Milliseconds for a call that names none itself. @default {@link CALL_DEADLINE_MS} */
  readonly deadlineMs?: number;
  /** What the peer may send us. @default nothing */
  readonly handlers?: Handlers<In>;
  /**
   * Messages whose handlers start in order like all others but may take long (they wait for the guest, say): what comes behind does
   * not wait for their end.
   */
  readonly concurrent?: readonly (keyof In & string)[];
  /** A handler failed, or messages were lost; by default those that nobody waits for are told on the console. */
  readonly onError?: (type: string, error: unknown) => void;
}

/**
 * One end of a port between two threads, after spice-server's Dispatcher: it sends `Out` and serves `In`. First in first out; `send` is
 * fire-and-forget, `call` is acknowledged and so a barrier behind everything sent before. Every call has a deadline and fails at once
 * when the peer dies. The only owner of its port: nothing else listens there or writes to it, and disposing ends both ways at both
 * ends.
 */
export class Dispatcher<
  Out extends MessageTable<Out>,
  In extends MessageTable<In> = NoMessages,
> implements Disposable {
  readonly peer: string;
  readonly #deadlineMs: number;
  readonly #port: MessagePort;
  // Comlink drops calls whose proxy is collected, so the proxy lives exactly as long as this object.
  readonly #entry: Comlink.Remote<Entry>;
  readonly #receiver: Receiver;
  readonly #pending = new Set<Pending>();
  #dead: PeerDied | undefined;

  constructor(port: MessagePort, options: DispatcherOptions<In>) {
    this.peer = options.peer;
    this.#deadlineMs = options.deadlineMs ?? CALL_DEADLINE_MS;
    this.#port = port;
    const { handlers = {}, concurrent = [], onError } = options;
    const receiver = (this.#receiver = new Receiver({ handlers, concurrent, onError }));
    // Whoever listens comes before whoever starts the port.
    port.addEventListener("message", ({ data }: MessageEvent<unknown>) => {
      if (isSent(data)) void receiver.take(data.sent, data.payload, false);
    });
    const entry: Entry & { [Comlink.finalizer]?: () => void } = (type, payload) =>
      receiver.take(type, payload, true);
    entry[Comlink.finalizer] = () => this.peerDied("it closed the connection");
    Comlink.expose(entry, port as unknown as Comlink.Endpoint);
    this.#entry = Comlink.wrap<Entry>(port as unknown as Comlink.Endpoint);
  }

  get alive(): boolean {
    return this.#dead === undefined;
  }

  /** What is under way, both ways. */
  get inspection(): DispatcherInspection {
    return { peer: this.peer, calls: this.#pending.size, queued: this.#receiver.queued };
  }

  /** Sends a message that nobody waits for. Does nothing once the peer is known to be dead. */
  send<K extends keyof Out & string>(type: K, payload: Payload<Out, K>, transfer: Transferable[] = []): void {
    if (this.#dead) return;
    this.#port.postMessage({ sent: type, payload } satisfies Sent, transfer);
  }

  /**
   * Sends a message and waits until its handler and all earlier ones have run.
   * @throws DispatcherTimeout, PeerDied, RemoteError
   */
  async call<K extends keyof Out & string>(
    type: K,
    payload: Payload<Out, K>,
    transfer: Transferable[] = [],
    options: { deadlineMs?: number } = {},
  ): Promise<Answer<Out, K>> {
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
      if (!outcome.ok) throw new RemoteError(this.peer, type, outcome.error);
      return outcome.value as Answer<Out, K>;
    } finally {
      clearTimeout(timer);
      if (pending) this.#pending.delete(pending);
    }
  }

  /** The peer's thread is gone: every call under way fails now and later ones fail at once. What it said last is still done. Idempotent. */
  peerDied(reason: string): void {
    if (this.#dead) return;
    this.#dead = new PeerDied(this.peer, reason);
    for (const pending of this.#pending) pending.reject(this.#dead);
    this.#pending.clear();
    this.#port.close();
  }

  [Symbol.dispose](): void {
    this.#receiver[Symbol.dispose]();
    if (this.#dead) return;
    this.#entry[Comlink.releaseProxy]();
    this.peerDied("this dispatcher was disposed");
  }
}
