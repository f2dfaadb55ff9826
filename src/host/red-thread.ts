import { Dispatcher } from "../dispatch/index.ts";
import type { Handlers, LivenessRegistry, RedPageMessages, RedWorkerMessages } from "../dispatch/index.ts";
import type { RedWorkerStart } from "../red/index.ts";
import { ANSWER_DEADLINE_MS } from "./limits.ts";
import type { WorkerThreadListeners } from "./worker-thread.ts";
import { WorkerThread } from "./worker-thread.ts";

/** A red worker, the page's dispatcher to it, and the ports that the other threads are to have. Disposing ends it. */
export class RedThread implements Disposable {
  readonly dispatcher: Dispatcher<RedWorkerMessages, RedPageMessages>;
  /** Name of the lock that it holds. */
  readonly lock: string;
  /** Core's end: RedWorkerMessages in, MainMessages out. */
  readonly core: MessagePort;
  /** The guest's end: commands in, credit out. */
  readonly commands: MessagePort;
  readonly #thread: WorkerThread;

  /** @param display number of the QXL device that it serves */
  constructor(
    liveness: LivenessRegistry,
    display: number,
    handlers: Handlers<RedPageMessages>,
    listeners: WorkerThreadListeners,
  ) {
    const id = crypto.randomUUID();
    const core = new MessageChannel();
    const page = new MessageChannel();
    const commands = new MessageChannel();
    this.lock = `red:${id}`;
    this.core = core.port2;
    this.commands = commands.port1;
    const worker = new Worker(new URL("../../workers/red.ts", import.meta.url), {
      type: "module",
      name: display === 0 ? "red" : `red ${display}`,
    });
    this.#thread = new WorkerThread(worker, this.lock, liveness, listeners);
    const start: RedWorkerStart = {
      type: "start",
      id,
      channelId: display,
      core: core.port1,
      page: page.port1,
    };
    this.#thread.postMessage(start, [core.port1, page.port1]);
    this.dispatcher = new Dispatcher(page.port2, {
      peer: "red",
      deadlineMs: ANSWER_DEADLINE_MS,
      handlers,
    });
    this.dispatcher.send("attachCommands", { port: commands.port2 }, [commands.port2]);
  }

  [Symbol.dispose](): void {
    this.dispatcher[Symbol.dispose]();
    this.#thread[Symbol.dispose]();
  }
}
