/** The core thread: a SharedWorker where there is one, else a DedicatedWorker of the page; the same code either way. */
import { webLocksLiveness } from "../src/dispatch/index.ts";
import type { CoreStart } from "../src/server/index.ts";
import { Core } from "../src/server/index.ts";

const core = new Core({
  liveness: webLocksLiveness(),
  version: "0.1.0",
});

function listen(port: MessagePort | DedicatedWorkerGlobalScope): void {
  port.onmessage = (event: MessageEvent<CoreStart>) => {
    if (event.data?.type === "start") void core.start(event.data);
  };
}

if ("onconnect" in globalThis) {
  (globalThis as unknown as SharedWorkerGlobalScope).onconnect = (event) => listen(event.ports[0]);
} else {
  listen(globalThis as unknown as DedicatedWorkerGlobalScope);
}
