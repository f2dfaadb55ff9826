import { describe, expect, it } from "vitest";
import { SurfaceHeap } from "./heap.ts";
import { loadImageModuleFromFile } from "./load.node.ts";
import ours from "./vectors/ours.json" with { type: "json" };
import { committedStreams, verifiedCodecs } from "./verified.testing.ts";

describe("our streams", () => {
  it("are those that the reference decoders decoded exactly; if not: npm run bench -- reference --write", async () => {
    const heap = new SurfaceHeap();
    const codecs = verifiedCodecs(heap, await loadImageModuleFromFile(heap));
    expect(committedStreams(codecs)).toEqual(ours);
    expect(ours.flatMap(({ hashes }) => hashes).length).toBeGreaterThan(300);
  });
});
