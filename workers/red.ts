/**
 * The red worker's DedicatedWorker: the page makes it and posts one RedWorkerStart with the ports. Everything else is RedWorker's.
 */
import { Dispatcher, webLocksLiveness } from "../src/dispatch/index.ts";
import type { MainMessages, RedPageMessages, RedWorkerMessages } from "../src/dispatch/index.ts";
import { errorText } from "../src/errors/index.ts";
import type { ImageCodecs } from "../src/image/index.ts";
import { SurfaceHeap, createCodecs, loadImageModule } from "../src/image/index.ts";
import type { Log } from "../src/log/index.ts";
import { LogRing, failureLogger } from "../src/log/index.ts";
import type { RedWorkerStart } from "../src/red/index.ts";
import { RedWorker } from "../src/red/index.ts";

declare const self: DedicatedWorkerGlobalScope;

/** What the worker is asked through, for as long as it lives. */
const doors: Disposable[] = [];

/** The codecs in WebAssembly; in plain TypeScript where the module was not built or cannot run: slower, the same bytes. */
async function loadCodecs(log: Log): Promise<ImageCodecs> {
  const heap = new SurfaceHeap();
  try {
    const response = await fetch(new URL("../build/image/image.wasm", import.meta.url));
    if (!response.ok) throw new Error(`${response.url}: ${response.status}`);
    return createCodecs(heap, await loadImageModule(await response.arrayBuffer(), heap));
  } catch (error) {
    log.log("warning", "red", `image codecs run as plain TypeScript, which is slower: ${errorText(error)}`);
    return createCodecs(heap);
  }
}

async function start({ id, channelId = 0, core, page }: RedWorkerStart): Promise<void> {
  webLocksLiveness().holdAlive(`red:${id}`);
  const log = new LogRing({
    tell: (entries) => {
      toPage.send("log", { entries });
      return true;
    },
  });
  // What comes on the ports meanwhile waits in them.
  const codecs = await loadCodecs(log);
  const { handlers } = new RedWorker({
    channelId,
    codecs,
    log,
    main: { send: (type, payload) => main.send(type, payload) },
    dispatchers: () => [main.inspection, toPage.inspection],
  });
  const served = { handlers, concurrent: RedWorker.concurrent, onError: failureLogger(log) } as const;
  const main = new Dispatcher<MainMessages, RedWorkerMessages>(core, { peer: "core", ...served });
  const toPage = new Dispatcher<RedPageMessages, RedWorkerMessages>(page, { peer: "page", ...served });
  doors.push(main, toPage, log);
}

self.addEventListener("message", ({ data }: MessageEvent<RedWorkerStart>) => {
  if (data.type === "start") void start(data);
});
