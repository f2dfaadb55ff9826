import type { DevTools } from "./devtools.ts";

/** What a thread's JavaScript holds once its garbage is collected, in bytes. */
export interface ThreadHeap {
  readonly thread: string;
  readonly objectBytes: number;
  /** ArrayBuffers, as far as the browser counts them; WebAssembly memories are not among them. */
  readonly bufferBytes: number;
}

/**
 * Counts what v86 compiles of the guest's code from now on. v86 does not tell; but each piece is a WebAssembly module that it
 * instantiates, and is given v86's own functions, among them the one that says that memory with code was written to.
 */
export async function watchGuestCode(devtools: DevTools): Promise<void> {
  await devtools.evaluate(
    "guest",
    `globalThis.soak = { modules: 0, imports: undefined };
    const instantiate = WebAssembly.instantiate;
    WebAssembly.instantiate = (source, imports) => {
      if (imports?.e?.jit_dirty_cache) {
        soak.modules++;
        soak.imports = imports.e;
      }
      return instantiate.call(WebAssembly, source, imports);
    };
    undefined`,
  );
}

/** Modules that v86 has made since {@link watchGuestCode}. */
export async function guestModules(devtools: DevTools): Promise<number> {
  return devtools.evaluate<number>("guest", "soak.modules");
}

/** Milliseconds in which a browser that was told so gives back what it keeps for later. */
const PURGE_MS = 1500;

/**
 * Has v86 throw away all that it has compiled, as if the guest had written over its code, each thread collect its garbage, and the
 * browser give back free memory that it keeps: what is left is in use.
 */
export async function rest(devtools: DevTools, machineSize: number): Promise<ThreadHeap[]> {
  await dropGuestCode(devtools, machineSize);
  await liveHeaps(devtools);
  await devtools.send("page", "Memory.simulatePressureNotification", { level: "critical" });
  await new Promise((resolve) => setTimeout(resolve, PURGE_MS));
  // The guest ran on meanwhile.
  await dropGuestCode(devtools, machineSize);
  return liveHeaps(devtools);
}

async function dropGuestCode(devtools: DevTools, machineSize: number): Promise<void> {
  await devtools.evaluate(
    "guest",
    `new Promise((resolve, reject) => setTimeout(() => {
      if (!soak.imports) reject(new Error("v86 has compiled nothing yet"));
      soak.imports.jit_dirty_cache(0, ${machineSize});
      resolve();
    }))`,
  );
}

async function liveHeaps(devtools: DevTools): Promise<ThreadHeap[]> {
  const heaps: ThreadHeap[] = [];
  for (const thread of [...devtools.threads.keys()].toSorted()) {
    // Twice: what a finaliser lets go of is collected by the second one only.
    for (let i = 0; i < 2; i++) await devtools.send(thread, "HeapProfiler.collectGarbage");
    const { usedSize, backingStorageSize } = await devtools.send<{
      usedSize: number;
      backingStorageSize?: number;
    }>(thread, "Runtime.getHeapUsage");
    heaps.push({ thread, objectBytes: usedSize, bufferBytes: backingStorageSize ?? 0 });
  }
  return heaps;
}
