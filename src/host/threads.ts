/** The threads of a host: made by the page, since a SharedWorker can make none, and joined port to port. */
import { Dispatcher, webLocksLiveness } from "../dispatch/index.ts";
import type {
  DispatcherInspection,
  Handlers,
  RedPageMessages,
  RedWorkerMessages,
} from "../dispatch/index.ts";
import type { Log } from "../log/index.ts";
import { failureLogger } from "../log/index.ts";
import type { GuestControlEvents, GuestControlMessages, GuestWorkerStart } from "../machine/control.ts";
import type { CoreStart, HostControlEvents, HostControlMessages } from "../server/host-control.ts";
import { coreName } from "./core-name.ts";
import { ANSWER_DEADLINE_MS } from "./limits.ts";
import { RedThread } from "./red-thread.ts";
import { WorkerThread, locksHeld } from "./worker-thread.ts";

/** What the threads tell the page. */
export interface ThreadListeners {
  readonly guest: Handlers<GuestControlEvents>;
  readonly core: Handlers<HostControlEvents>;
  /** Asked for each red worker. */
  red(display: number): Handlers<RedPageMessages>;
  /** The page's own: what threw in a thread and nobody caught, and handlers of ours that failed. */
  readonly log: Log;
  /** A thread ended or failed to start; of the red workers, that of `display`. */
  died(thread: ThreadName, reason: string, display: number): void;
}

export type ThreadName = "guest" | "red" | "core";

/**
 * Guest, red and core, each with the page's dispatcher to it. Disposing ends guest and red; core may outlive the page. Red can be
 * replaced alone: it draws anew what lies in the guest's memory. Further displays get a red worker when the guest drives them.
 */
export class Threads implements Disposable {
  readonly guest: Dispatcher<GuestControlMessages, GuestControlEvents>;
  readonly core: Dispatcher<HostControlMessages, HostControlEvents>;
  /** Whether core is a SharedWorker, which lives on while this page reloads. */
  readonly isCoreShared: boolean;
  readonly #listeners: ThreadListeners;
  readonly #liveness = webLocksLiveness();
  readonly #owned: Disposable[] = [];
  readonly #ended = new AbortController();
  /** By display. */
  readonly #reds: RedThread[] = [];

  constructor(listeners: ThreadListeners) {
    this.#listeners = listeners;
    const id = crypto.randomUUID();
    const lock = (name: string) => `${name}:${id}`;
    this.#owned.push(this.#liveness.holdAlive(lock("page")));
    const guestCore = new MessageChannel();
    const guestPage = new MessageChannel();
    const corePage = new MessageChannel();
    const guestWorker = new Worker(new URL("../../workers/guest.ts", import.meta.url), {
      type: "module",
      name: "guest",
    });
    const guestThread = new WorkerThread(guestWorker, lock("guest"), this.#liveness, {
      died: (reason) => listeners.died("guest", reason, 0),
      faulted: (message) => listeners.log.log("critical", "guest", message),
    });
    const red = this.#openRed(0);
    const guestStart: GuestWorkerStart = {
      type: "start",
      id,
      core: guestCore.port1,
      red: red.commands,
      control: guestPage.port1,
    };
    guestThread.postMessage(guestStart, [guestCore.port1, red.commands, guestPage.port1]);

    const { port: coreEntry, shared } = openCore((reason) => listeners.died("core", reason, 0), this.#owned);
    this.isCoreShared = shared;
    const coreStart: CoreStart = {
      type: "start",
      control: corePage.port1,
      guest: guestCore.port2,
      red: red.core,
      guestId: lock("guest"),
      redId: red.lock,
      pageId: lock("page"),
      coreId: lock("core"),
    };
    const { signal } = this.#ended;
    // Core takes a lock that nobody holds for a death: it may only look when all are held.
    void locksHeld([lock("guest"), red.lock, lock("page")], signal).then(async (held) => {
      if (!held) return;
      coreEntry.postMessage(coreStart, [corePage.port1, guestCore.port2, coreStart.red]);
      if (!(await locksHeld([lock("core")], signal))) return;
      this.#owned.push(this.#liveness.watchAlive(lock("core"), () => listeners.died("core", "it ended", 0)));
    });

    const deadlineMs = ANSWER_DEADLINE_MS;
    const onError = failureLogger(listeners.log);
    this.guest = new Dispatcher(guestPage.port2, {
      peer: "guest",
      deadlineMs,
      handlers: listeners.guest,
      onError,
    });
    this.core = new Dispatcher(corePage.port2, {
      peer: "core",
      deadlineMs,
      handlers: listeners.core,
      onError,
    });
    this.#owned.push(guestThread, this.guest, this.core);
  }

  get red(): Dispatcher<RedWorkerMessages, RedPageMessages> {
    return this.#reds[0].dispatcher;
  }

  /** Red workers that there are, by display. */
  get reds(): readonly { readonly display: number; readonly dispatcher: Dispatcher<RedWorkerMessages> }[] {
    return this.#reds.flatMap((red, display) => (red ? [{ display, dispatcher: red.dispatcher }] : []));
  }

  /** The page's ends towards them. */
  get inspections(): readonly DispatcherInspection[] {
    return [
      this.guest.inspection,
      this.core.inspection,
      ...this.reds.map(({ display, dispatcher }) => ({
        ...dispatcher.inspection,
        peer: display === 0 ? "red" : `red ${display}`,
      })),
    ];
  }

  /** The red worker of a display, if it has one. */
  redOf(display: number): Dispatcher<RedWorkerMessages> | undefined {
    return this.#reds[display]?.dispatcher;
  }

  /**
   * Another red worker in the place of one that died or hangs, or the first one of a further display. The tab's screen has to be given
   * to it anew.
   */
  replaceRed(display = 0): void {
    this.#reds[display]?.[Symbol.dispose]();
    const red = this.#openRed(display);
    // As in the beginning: core may look for its lock only once it is held.
    void locksHeld([red.lock], this.#ended.signal).then(async (held) => {
      if (!held || this.#reds[display] !== red) return;
      // The picture first: whoever asks core for it then finds it.
      await this.guest.call("attachRed", { port: red.commands, display }, [red.commands]).catch(() => {});
      this.core.send("replaceRed", { red: red.core, redId: red.lock, display }, [red.core]);
    });
  }

  #openRed(display: number): RedThread {
    const { log } = this.#listeners;
    const red: RedThread = new RedThread(this.#liveness, display, this.#listeners.red(display), {
      died: (reason) => {
        if (this.#reds[display] === red) this.#listeners.died("red", reason, display);
      },
      faulted: (message) => log.log("critical", "red", message),
    });
    this.#reds[display] = red;
    return red;
  }

  [Symbol.dispose](): void {
    this.#ended.abort();
    for (const red of this.#reds) red?.[Symbol.dispose]();
    for (const owned of this.#owned.splice(0).toReversed()) owned[Symbol.dispose]();
  }
}

/** Core lives in a SharedWorker, so that it survives a reload; where there is none, in a worker of this page. */
function openCore(
  failed: (reason: string) => void,
  owned: Disposable[],
): { port: Pick<Worker, "postMessage">; shared: boolean } {
  if (typeof SharedWorker === "function") {
    const worker = new SharedWorker(new URL("../../workers/core.ts", import.meta.url), {
      type: "module",
      name: coreName(),
      // Chromium keeps such a worker for a while without a page: sessions stay through a reload.
      extendedLifetime: true,
    } as WorkerOptions);
    worker.addEventListener("error", () => failed("its script could not be loaded"));
    worker.port.start();
    return { port: worker.port, shared: true };
  }
  const worker = new Worker(new URL("../../workers/core.ts", import.meta.url), {
    type: "module",
    name: "core",
  });
  worker.addEventListener("error", (event) => failed(event.message || "its script could not be loaded"));
  owned.push({ [Symbol.dispose]: () => worker.terminate() });
  return { port: worker, shared: false };
}
