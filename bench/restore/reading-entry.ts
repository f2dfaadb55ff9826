// Runs in a module worker of the page's own origin: the kept state read as it is, and read with every byte checked, in turn.
import { OpfsStateFolder } from "../../src/state/opfs-state-folder.ts";
import { loadStateDigest } from "../../src/state/state-digest.ts";
import { StateReader } from "../../src/state/state-file.ts";
import { STATE_HEADER_BYTES } from "../../src/state/state-header.ts";

/** Milliseconds of each round. */
export interface ReadingTimes {
  readonly bytes: number;
  readonly plain: number[];
  readonly checked: number[];
}

addEventListener("message", ({ data }: MessageEvent<{ level: string; rounds: number }>) => {
  readings(data.level, data.rounds).then(
    (times) => postMessage(times),
    (error: unknown) => postMessage({ error: String(error) }),
  );
});

async function readings(level: string, rounds: number): Promise<ReadingTimes> {
  const folder = await OpfsStateFolder.open();
  const digest = await loadStateDigest();
  for (const name of (await folder?.names()) ?? []) {
    if (!name.startsWith(`${level}.`)) continue;
    const file = await folder?.open(name);
    if (file === undefined) continue;
    let reader: StateReader | undefined;
    try {
      reader = new StateReader(file, name, digest);
    } catch {
      file[Symbol.dispose]();
      continue;
    }
    using state = reader;
    const { windowBytes } = state.header;
    const target = new Uint8Array(state.bytes);
    const window = new Uint8Array(windowBytes);
    const timed = (read: () => void) => {
      const begun = performance.now();
      read();
      return performance.now() - begun;
    };
    const plain = () => {
      for (let at = 0; at < target.length; at += windowBytes) {
        const piece = window.subarray(0, Math.min(windowBytes, target.length - at));
        file.read(piece, STATE_HEADER_BYTES + at);
        target.set(piece, at);
      }
    };
    const checked = () => state.read(target, 0);
    // The first reading fills the system's cache and has the code compiled.
    plain();
    checked();
    const times: ReadingTimes = { bytes: target.length, plain: [], checked: [] };
    for (let round = 0; round < rounds; round++) {
      times.plain.push(timed(plain));
      times.checked.push(timed(checked));
    }
    return times;
  }
  throw new Error(`no state of ${level} is kept here`);
}
