/**
 * The red worker's DedicatedWorker: the page makes it and posts one RedWorkerStart with the ports. Everything else is RedWorker's.
 */
import { Dispatcher, serveDispatcher, webLocksLiveness } from "../src/dispatch/index.ts";
import type { MainMessages, RedWorkerMessages } from "../src/dispatch/index.ts";
import type { ImageCodecs } from "../src/image/index.ts";
import { SurfaceHeap, createCodecs, loadImageModule } from "../src/image/index.ts";
import type { RedWorkerStart } from "../src/red/index.ts";
import { RedWorker } from "../src/red/index.ts";

declare const self: DedicatedWorkerGlobalScope;

/** The codecs in WebAssembly; in plain TypeScript where the module was not built or cannot run: slower, the same bytes. */
async function loadCodecs(): Promise<ImageCodecs> {
  const heap = new SurfaceHeap();
  try {
    const response = await fetch(new URL("../build/image/image.wasm", import.meta.url));
    if (!response.ok) throw new Error(`${response.url}: ${response.status}`);
    return createCodecs(heap, await loadImageModule(await response.arrayBuffer(), heap));
  } catch (error) {
    console.warn("red worker: image codecs run as plain TypeScript", error);
    return createCodecs(heap);
  }
}

async function start({ id, channelId = 0, core, page }: RedWorkerStart): Promise<void> {
  webLocksLiveness().holdAlive(`red:${id}`);
  const main = new Dispatcher<MainMessages>(core, { peer: "core" });
  // Lives as long as the worker: terminating the worker ends it.
  const { handlers } = new RedWorker({ channelId, main, codecs: await loadCodecs() });
  for (const port of [core, page]) {
    // readSurface waits for the commands before it; what comes behind must not wait with it.
    serveDispatcher<RedWorkerMessages>(port, handlers, { concurrent: ["readSurface"] });
  }
}

self.addEventListener("message", ({ data }: MessageEvent<RedWorkerStart>) => {
  if (data.type === "start") void start(data);
});
