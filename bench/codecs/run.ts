import { parseArgs } from "node:util";
import { createCodecs, SurfaceHeap } from "../../src/image/index.ts";
import { loadImageModuleFromFile } from "../../src/image/load.node.ts";
import { loadReference } from "../reference/build.ts";
import { contestsOn } from "./contests.ts";
import { geometricMean, measure, type ContestResult } from "./measure.ts";
import { benchPictures } from "./pictures.ts";

/** What the product promises per codec: speed as a geometric mean over pictures and cuts, size in all or on each picture. */
const AIMS: Record<string, string> = {
  quic: "speed >= 1.5, size 1",
  lz: "speed >= 1.5, size <= 1 on every picture",
  "glz-cold": "speed >= 2, size <= 1.01 in all",
  "glz-warm": "speed >= 1.4, size <= 1.01 in all",
  lz4: "speed >= 0.8",
  jpeg: ">= 150 MB/s on tiles",
};

/** `npm run bench -- codecs`. */
export async function runCodecs(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      json: { type: "boolean" },
      browser: { type: "boolean" },
      rounds: { type: "string", default: "15" },
      codec: { type: "string", multiple: true },
    },
  });
  const rounds = Number(values.rounds);
  if (values.browser) {
    const { runInBrowser } = await import("./browser.ts");
    print(await runInBrowser(rounds, values.codec ?? []), values.json ?? false);
    return;
  }
  const reference = loadReference();
  const results: ContestResult[] = [];
  for (const picture of await benchPictures()) {
    const heap = new SurfaceHeap();
    const codecs = createCodecs(heap, await loadImageModuleFromFile(heap));
    for (const contest of contestsOn(picture, codecs, reference)) {
      if (values.codec && !values.codec.includes(contest.codec)) continue;
      results.push(measure(contest, reference.cpuTime, rounds));
      if (!values.json) process.stderr.write(".");
    }
  }
  print(results, values.json ?? false);
}

function print(results: readonly ContestResult[], json: boolean): void {
  if (json) {
    // A line for each object: as good for line tools as for parsers of the whole.
    console.log(`[\n${results.map((result) => JSON.stringify(result)).join(",\n")}\n]`);
    return;
  }
  const number = (value: number | undefined) => (value === undefined ? "-" : value.toFixed(2)).padStart(8);
  console.log(
    `\n${"codec".padEnd(10)}${"cut".padEnd(9)}${"picture".padEnd(11)}${"speed".padStart(8)}${"size".padStart(8)}${"MB/s".padStart(8)}`,
  );
  for (const codec of new Set(results.map((result) => result.codec))) {
    const all = results.filter((result) => result.codec === codec);
    for (const { cut, image, speed, size, megabytesPerSecond } of all) {
      console.log(
        `${codec.padEnd(10)}${cut.padEnd(9)}${image.padEnd(11)}${number(speed)}${number(size)}${megabytesPerSecond.toFixed(0).padStart(8)}`,
      );
    }
    const speeds = all.flatMap((result) => result.speed ?? []);
    const sizes = all.flatMap((result) => result.size ?? []);
    if (speeds.length === 0) continue;
    for (const cut of new Set(all.map((result) => result.cut))) {
      const mean = geometricMean(all.filter((result) => result.cut === cut).map((result) => result.speed!));
      console.log(`${codec.padEnd(10)}${cut.padEnd(9)}${"mean".padEnd(11)}${number(mean)}`);
    }
    console.log(
      `${codec.padEnd(10)}${"all".padEnd(9)}${"mean".padEnd(11)}${number(geometricMean(speeds))}${number(geometricMean(sizes))}   aim: ${AIMS[codec]}\n`,
    );
  }
}
