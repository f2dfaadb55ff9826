import type { Handlers, MainMessages, NextTask, Payload } from "../dispatch/index.ts";
import { nextTask } from "../dispatch/index.ts";
import { MAIN_QUEUE_MESSAGES } from "./limits.ts";
import type { RedClient } from "./red-client.ts";

/** What there is to do for each message, on core's thread. */
export interface MainDispatcherHandlers extends Handlers<MainMessages> {
  /** CLIENT_DISCONNECT. Resolves when nothing of the client is left, on any thread. */
  clientDisconnect(client: RedClient, reason: string): Promise<void>;
}

/** The way of one red worker into the queue. Disposed, it is heard no more: nor is what it said that nobody has come to. */
export interface MainSender extends Disposable {
  /** For the dispatcher on the red worker's port. They return at once while the queue has room. */
  readonly handlers: Handlers<MainMessages>;
}

interface Sender {
  gone: boolean;
}

/**
 * The one queue to core's thread (spice-server's MainDispatcher): what red workers report, and what core has to tell itself, are begun
 * one after the other, in the order in which they came, and never inside the code that told it. Nobody waits for core here: what a
 * handler takes time for goes on by itself, and only core's own code may wait for a client's end.
 */
export class MainDispatcher implements Disposable {
  readonly #handlers: MainDispatcherHandlers;
  readonly #onError: (type: string, error: unknown) => void;
  readonly #next: NextTask;
  readonly #queue: (() => void)[] = [];
  /** Red workers whose message found no room. */
  readonly #waiting: (() => void)[] = [];
  /** Clients whose CLIENT_DISCONNECT is queued or under way. */
  readonly #ending = new Map<RedClient, Promise<void>>();
  #scheduled = false;

  constructor(
    handlers: MainDispatcherHandlers,
    onError: (type: string, error: unknown) => void,
    next: NextTask = nextTask(),
  ) {
    this.#handlers = handlers;
    this.#onError = onError;
    this.#next = next;
  }

  /** Messages that nobody has come to. */
  get length(): number {
    return this.#queue.length;
  }

  /**
   * Has a client's end begun in its turn. Resolves when nothing of the client is left; whoever asks again, at whatever moment, waits for
   * the same end. Always taken, however long the queue: there is one for each client at most.
   */
  clientDisconnect(client: RedClient, reason: string): Promise<void> {
    const known = this.#ending.get(client);
    if (known !== undefined) return known;
    const end = new Promise<void>((resolve) => {
      this.#push("clientDisconnect", async () => {
        await this.#handlers.clientDisconnect(client, reason).finally(() => {
          this.#ending.delete(client);
          resolve();
        });
      });
    });
    this.#ending.set(client, end);
    return end;
  }

  /** For one more red worker. */
  sender(): MainSender {
    const sender: Sender = { gone: false };
    return {
      handlers: {
        channelClientDisconnected: this.#from(sender, "channelClientDisconnected"),
        primaryChanged: this.#from(sender, "primaryChanged"),
      },
      [Symbol.dispose]: () => void (sender.gone = true),
    };
  }

  #from<K extends keyof MainMessages>(sender: Sender, type: K) {
    return (message: Payload<MainMessages, K>): void | Promise<void> => {
      const handle = this.#handlers[type] as (message: Payload<MainMessages, K>) => void | Promise<void>;
      const push = (): void => this.#push(type, () => (sender.gone ? undefined : handle(message)));
      if (this.#queue.length < MAIN_QUEUE_MESSAGES) return push();
      // It waits at its own port, and what it says next behind it.
      return new Promise<void>((resolve) => this.#waiting.push(resolve)).then(push);
    };
  }

  #push(type: string, handle: () => void | Promise<void>): void {
    this.#queue.push(() => {
      try {
        handle()?.catch((error: unknown) => this.#onError(type, error));
      } catch (error) {
        this.#onError(type, error);
      }
    });
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#next(() => this.#run());
  }

  #run(): void {
    this.#scheduled = false;
    // What these tell has a turn of its own.
    for (const handle of this.#queue.splice(0)) handle();
    for (const resume of this.#waiting.splice(0, MAIN_QUEUE_MESSAGES)) resume();
  }

  /** What was told is still done. */
  [Symbol.dispose](): void {
    while (this.#queue.length > 0) this.#run();
  }
}
