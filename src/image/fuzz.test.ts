import { describe, expect, it } from "vitest";
import { createDecoders } from "./codecs.ts";
import { fuzzDecoder, fuzzTargets } from "./fuzz.testing.ts";
import { SurfaceHeap } from "./heap.ts";
import { loadImageModuleFromFile } from "./load.node.ts";

const RUNS = 4_000;
const heap = new SurfaceHeap();
const targets = fuzzTargets(heap, await loadImageModuleFromFile(heap));

describe("mutated and truncated streams", () => {
  it("are there for every decoder", () => {
    const types = new Set<number>(targets.map(({ imageType }) => imageType));
    expect([...createDecoders().keys()].filter((type) => !types.has(type))).toEqual([]);
  });

  it.each(targets)("do no harm: $name", (target) => {
    const decoded = fuzzDecoder(target, RUNS, 20_240_607);
    // Some survive, so that mutations reach behind the header.
    expect(decoded).toBeGreaterThan(RUNS / 100);
    expect(decoded).toBeLessThan(RUNS);
  });
});
