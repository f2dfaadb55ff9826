/**
 * The red worker's DedicatedWorker: the page makes it and posts one RedWorkerStart with the ports. Everything else is RedWorker's.
 */
import { Dispatcher, serveDispatcher, webLocksLiveness } from "../src/dispatch/index.ts";
import type { MainMessages, RedWorkerMessages } from "../src/dispatch/index.ts";
import type { RedWorkerStart } from "../src/red/index.ts";
import { RedWorker } from "../src/red/index.ts";

declare const self: DedicatedWorkerGlobalScope;

function start({ id, channelId = 0, core, page }: RedWorkerStart): void {
  webLocksLiveness().holdAlive(`red:${id}`);
  const main = new Dispatcher<MainMessages>(core, { peer: "core" });
  // Lives as long as the worker: terminating the worker ends it.
  const { handlers } = new RedWorker({ channelId, main });
  for (const port of [core, page]) {
    // readSurface waits for the commands before it; what comes behind must not wait with it.
    serveDispatcher<RedWorkerMessages>(port, handlers, { concurrent: ["readSurface"] });
  }
}

self.addEventListener("message", ({ data }: MessageEvent<RedWorkerStart>) => {
  if (data.type === "start") start(data);
});
