import { SurfaceHeap, createCodecs, loadImageModule } from "../../src/image/index.ts";
import { contestsOn } from "./contests.ts";
import { measure, type ContestResult } from "./measure.ts";
import type { BenchPicture } from "./tiles.ts";

/** Measures one picture in this page; wall clock, since browsers have no CPU clock. */
export async function runPicture(
  picture: BenchPicture,
  wasm: Uint8Array<ArrayBuffer>,
  rounds: number,
  only: readonly string[],
): Promise<ContestResult[]> {
  const heap = new SurfaceHeap();
  const codecs = createCodecs(heap, await loadImageModule(wasm, heap));
  const clock = () => performance.now() / 1000;
  return contestsOn(picture, codecs, undefined)
    .filter((contest) => only.length === 0 || only.includes(contest.codec))
    .map((contest) => measure(contest, clock, rounds));
}

const fromBase64 = (text: string) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

/** As {@link runPicture}, with bytes as base64 text: what a page gets from outside is JSON. */
(
  globalThis as unknown as { runPicture: (job: Record<string, string | number>) => Promise<ContestResult[]> }
).runPicture = (job) =>
  runPicture(
    {
      name: String(job.name),
      width: Number(job.width),
      height: Number(job.height),
      pixels: fromBase64(String(job.pixels)),
    },
    fromBase64(String(job.wasm)),
    Number(job.rounds),
    String(job.only).split(",").filter(Boolean),
  );
