/**
 * The guest's DedicatedWorker: the page makes it and posts one GuestWorkerStart with the ports. Everything else is
 * GuestService's.
 */
import fallbackUrl from "v86/build/v86-fallback.wasm?url";
import wasmUrl from "v86/build/v86.wasm?url";
import { claimStates } from "../src/state/claim-states.ts";
import { webLocksLiveness } from "../src/dispatch/index.ts";
import type { GuestWorkerStart } from "../src/machine/control.ts";
import { GuestService } from "../src/machine/guest-service.ts";
import { openStateStore } from "../src/state/open-state-store.ts";
import { RedLink } from "../src/machine/red-link.ts";
import { loadWasmFrom } from "../src/machine/v86/v86-wasm.ts";

declare const self: DedicatedWorkerGlobalScope;

/** Lives as long as the worker: terminating the worker ends both. */
let service: GuestService | undefined;

const start = (message: GuestWorkerStart): void => {
  webLocksLiveness().holdAlive(`guest:${message.id}`);
  service = new GuestService({
    start: message,
    red: new RedLink(),
    openStore: async () => {
      await claimStates();
      return openStateStore();
    },
    loadWasm: loadWasmFrom(wasmUrl, fallbackUrl),
  });
};

self.addEventListener("message", ({ data }: MessageEvent<GuestWorkerStart>) => {
  if (data.type === "start" && !service) start(data);
});
