/** The threads of a host: made by the page, since a SharedWorker can make none, and joined port to port. */
import { Dispatcher, serveDispatcher, webLocksLiveness } from "../dispatch/index.ts";
import type { Handlers, RedWorkerMessages } from "../dispatch/index.ts";
import type { GuestControlEvents, GuestControlMessages, GuestWorkerStart } from "../machine/control.ts";
import type { RedWorkerStart } from "../red/index.ts";
import type { CoreStart, HostControlEvents, HostControlMessages } from "../server/host-control.ts";
import { ANSWER_DEADLINE_MS, LOCK_POLL_MS } from "./limits.ts";

/** What the threads tell the page. */
export interface ThreadListeners {
  readonly guest: Handlers<GuestControlEvents>;
  readonly core: Handlers<HostControlEvents>;
  /** A thread ended or failed to start. */
  died(thread: "guest" | "red" | "core", reason: string): void;
}

/** Guest, red and core, each with the page's dispatcher to it. Disposing ends guest and red; core may outlive the page. */
export class Threads implements Disposable {
  readonly guest: Dispatcher<GuestControlMessages>;
  readonly red: Dispatcher<RedWorkerMessages>;
  readonly core: Dispatcher<HostControlMessages>;
  /** Whether core is a SharedWorker, which lives on while this page reloads. */
  readonly isCoreShared: boolean;
  readonly #owned: Disposable[] = [];
  readonly #ended = new AbortController();

  constructor(listeners: ThreadListeners) {
    const id = crypto.randomUUID();
    const liveness = webLocksLiveness();
    const locks = { guest: `guest:${id}`, red: `red:${id}`, page: `page:${id}` };
    this.#owned.push(liveness.holdAlive(locks.page));

    const guestWorker = new Worker(new URL("../../workers/guest.ts", import.meta.url), {
      type: "module",
      name: "guest",
    });
    const redWorker = new Worker(new URL("../../workers/red.ts", import.meta.url), {
      type: "module",
      name: "red",
    });
    for (const [name, worker] of [["guest", guestWorker] as const, ["red", redWorker] as const]) {
      worker.addEventListener("error", (event) => {
        listeners.died(name, event.message || "its script could not be loaded");
      });
      this.#owned.push({ [Symbol.dispose]: () => worker.terminate() });
    }

    const commands = new MessageChannel();
    const guestCore = new MessageChannel();
    const redCore = new MessageChannel();
    const guestPage = new MessageChannel();
    const redPage = new MessageChannel();
    const corePage = new MessageChannel();

    const guestStart: GuestWorkerStart = {
      type: "start",
      id,
      core: guestCore.port1,
      red: commands.port1,
      control: guestPage.port1,
    };
    guestWorker.postMessage(guestStart, [guestCore.port1, commands.port1, guestPage.port1]);
    const redStart: RedWorkerStart = {
      type: "start",
      id,
      core: redCore.port1,
      page: redPage.port1,
    };
    redWorker.postMessage(redStart, [redCore.port1, redPage.port1]);

    const { port: coreEntry, shared } = openCore((reason) => listeners.died("core", reason), this.#owned);
    this.isCoreShared = shared;
    const coreStart: CoreStart = {
      type: "start",
      control: corePage.port1,
      guest: guestCore.port2,
      red: redCore.port2,
      guestId: locks.guest,
      redId: locks.red,
      pageId: locks.page,
    };
    // Core takes a lock that nobody holds for a death: it may only look when all are held.
    void locksHeld([locks.guest, locks.red, locks.page], this.#ended.signal).then((held) => {
      if (held) coreEntry.postMessage(coreStart, [corePage.port1, guestCore.port2, redCore.port2]);
    });

    const deadline = ANSWER_DEADLINE_MS;
    this.guest = new Dispatcher<GuestControlMessages>(guestPage.port2, { peer: "guest", deadline });
    this.red = new Dispatcher<RedWorkerMessages>(redPage.port2, { peer: "red", deadline });
    this.core = new Dispatcher<HostControlMessages>(corePage.port2, { peer: "core", deadline });
    this.#owned.push(
      this.guest,
      this.red,
      this.core,
      serveDispatcher<GuestControlEvents>(guestPage.port2, listeners.guest),
      serveDispatcher<HostControlEvents>(corePage.port2, listeners.core),
    );
    // The red worker's producer; later ones (a restarted guest worker) replace it.
    this.red.send("attachCommands", { port: commands.port2 }, [commands.port2]);
  }

  [Symbol.dispose](): void {
    this.#ended.abort();
    for (const owned of this.#owned.splice(0).toReversed()) owned[Symbol.dispose]();
  }
}

/** True once every one of the names (as given to `holdAlive`) is held; false when the wait was given up. */
async function locksHeld(names: readonly string[], ended: AbortSignal): Promise<boolean> {
  while (!ended.aborted) {
    const { held = [] } = await navigator.locks.query();
    const isHeld = (name: string) => held.some((lock) => lock.name?.endsWith(`:${name}`));
    if (names.every(isHeld)) return true;
    await new Promise((resolve) => setTimeout(resolve, LOCK_POLL_MS));
  }
  return false;
}

/** Core lives in a SharedWorker, so that it survives a reload; where there is none, in a worker of this page. */
function openCore(
  failed: (reason: string) => void,
  owned: Disposable[],
): { port: Pick<Worker, "postMessage">; shared: boolean } {
  if (typeof SharedWorker === "function") {
    const worker = new SharedWorker(new URL("../../workers/core.ts", import.meta.url), {
      type: "module",
      name: "core",
      // Chromium keeps such a worker for a while without a page. Clients are cut off by a reload all the same, for now.
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
