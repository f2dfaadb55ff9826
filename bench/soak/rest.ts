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
 * Looks at the tab at rest. The machine is paused, for else v86 would compile at once, in memory of tens of megabytes, what it just had to
 * throw away: all that it has compiled. Each thread collects its garbage, and the browser gives back free memory that it keeps: what
 * `look` sees then is in use.
 */
export async function atRest<T>(
  devtools: DevTools,
  machineSize: number,
  look: (heaps: readonly ThreadHeap[]) => T,
): Promise<T> {
  await devtools.evaluate("page", "spicetab.session.pause()");
  try {
    await dropGuestCode(devtools, machineSize);
    await liveHeaps(devtools);
    await devtools.send("page", "Memory.simulatePressureNotification", { level: "critical" });
    await new Promise((resolve) => setTimeout(resolve, PURGE_MS));
    return look(await liveHeaps(devtools));
  } finally {
    await devtools.evaluate("page", "spicetab.session.resume()");
  }
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
