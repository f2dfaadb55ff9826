import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ACK_WINDOWS_IN_FLIGHT, CLIENT_ACK_WINDOW } from "../../channel/index.ts";
import { SurfaceHeap, createCodecs } from "../../image/index.ts";
import { loadImageModuleFromFile } from "../../image/load.node.ts";
import type { RedCommand } from "../../protocol/red-command.ts";
import { spiceHtml5Caps } from "./display-client.testing.ts";
import type { TestClientOptions, TestDisplayClient } from "./display-client.testing.ts";
import { MAX_PIPE_SIZE } from "../limits.ts";
import {
  SIDE,
  arbitraryCachingCommands,
  arbitraryCommands,
  batchData,
  createAll,
  manyCachingCommands,
  manyCommands,
} from "../red-commands.testing.ts";
import { TestRedWorker } from "../worker/red-worker.testing.ts";

/** Every surface the client holds equals the server's; the primary it must hold if there is one. */
async function expectEqual(
  red: TestRedWorker,
  client: TestDisplayClient & { readonly clientId: number },
): Promise<void> {
  await red.settle(client);
  const ids = red.worker.inspect().surfaces.map(({ id }) => id);
  expect(client.surfaces.has(0)).toBe(ids.includes(0));
  for (const id of client.surfaces.keys()) expect(ids).toContain(id);
  if (ids.includes(0)) expect(client.rgb(0)).toEqual(await red.rgb());
}

async function play(
  options: TestClientOptions,
  worker: ConstructorParameters<typeof TestRedWorker>[0],
  early: readonly RedCommand[],
  late: readonly RedCommand[],
): Promise<TestDisplayClient[]> {
  using red = new TestRedWorker(worker);
  await red.run(createAll);
  const client = red.join(options);
  await red.run(early, batchData);
  // A second one joins in the middle, and the first stays.
  const other = red.join(options);
  await red.run(late, batchData);
  await expectEqual(red, client);
  await expectEqual(red, other);
  return [client, other];
}

/** The same for a client that does not acknowledge what is drawn in the middle. */
async function fallBehind(
  early: readonly RedCommand[],
  missed: readonly RedCommand[],
  late: readonly RedCommand[],
): Promise<void> {
  using red = new TestRedWorker({ pipeStallMs: 0 });
  await red.run([...createAll, ...early, createAll[0]], batchData);
  const client = red.join({ silent: true, pixmapCache: 4 * SIDE * SIDE });
  const quick = red.join();
  // Before its INIT a client holds up nobody; behind it, what follows is more than the silent one's ack window and pipe.
  await red.settle(client);
  await red.settle(quick);
  let collapsed = 0;
  const { unblock } = red.worker.display;
  red.worker.display.unblock = function () {
    collapsed++;
    return unblock.call(this);
  };
  await red.run([...tooMuch, ...missed], batchData);
  expect(collapsed).toBeGreaterThan(0);
  client.release();
  await red.run(late, batchData);
  await expectEqual(red, client);
  await expectEqual(red, quick);
}

const runs = { numRuns: 25 };

/** One message each: more than a client gets without an ACK and a pipe holds. */
const tooMuch: readonly RedCommand[] = Array.from(
  { length: CLIENT_ACK_WINDOW * ACK_WINDOWS_IN_FLIGHT + MAX_PIPE_SIZE + 1 },
  (_, color) => ({
    type: "draw",
    surfaceId: 0,
    effect: 1,
    mmTime: 0,
    bbox: { top: 0, left: color % SIDE, bottom: SIDE, right: SIDE },
    operation: { type: "fill", brush: { type: "solid", color }, rop: 8 },
  }),
);

describe("what a client sees is what the server drew", () => {
  it.each<[string, TestClientOptions]>([
    ["spice-gtk, automatic compression", {}],
    ["spice-gtk, no compression, full headers", { compression: 1, miniHeader: false }],
    ["spice-gtk, LZ", { compression: 6 }],
    ["spice-gtk, QUIC", { compression: 4 }],
    ["spice-gtk, GLZ", { compression: 5 }],
    ["spice-gtk, GLZ on a slow line", { compression: 5, lowBandwidth: true }],
    ["spice-gtk, LZ4", { compression: 7 }],
    ["spice-html5", { caps: spiceHtml5Caps }],
  ])("%s", async (_name, options) => {
    await fc.assert(
      fc.asyncProperty(
        arbitraryCommands,
        arbitraryCommands,
        async (early, late) => void (await play(options, {}, early, late)),
      ),
      runs,
    );
  });

  it("also with the codecs in WebAssembly", async () => {
    const modes = fc.constantFrom(2, 4, 5, 6, 7);
    const heap = new SurfaceHeap();
    const codecs = createCodecs(heap, await loadImageModuleFromFile(heap));
    await fc.assert(
      fc.asyncProperty(modes, arbitraryCommands, arbitraryCommands, async (compression, early, late) => {
        await play({ compression, pixmapCache: 6 * SIDE * SIDE }, { codecs }, early, late);
      }),
      runs,
    );
  });

  it("also for a client that falls behind and catches up, whatever it missed", async () => {
    await fc.assert(fc.asyncProperty(arbitraryCommands, manyCommands, arbitraryCommands, fallBehind), runs);
  });

  it("also for all surfaces, once drawings need them", async () => {
    await fc.assert(
      fc.asyncProperty(arbitraryCommands, async (commands) => {
        using red = new TestRedWorker();
        const client = red.join();
        await red.run([...createAll, ...commands], batchData);
        // A new primary: what is copied to it now cannot hide behind pixels of it that are still to be sent.
        await red.run([createAll[0]]);
        await red.settle(client);
        await red.run([copyWhole(1), copyWhole(2)]);
        await red.settle(client);
        for (const id of client.surfaces.keys()) {
          if (!red.worker.inspect().surfaces.some((surface) => surface.id === id)) continue;
          // Those just drawn from; others are sent when a drawing needs them.
          if (id < 3) expect(client.rgb(id)).toEqual(await red.rgb(id));
        }
      }),
      runs,
    );
  });
});

describe("what a client with caches sees is what the server drew", () => {
  it.each<[string, TestClientOptions]>([
    ["automatic compression", {}],
    ["no compression", { compression: 1 }],
    ["LZ", { compression: 6 }],
    ["QUIC", { compression: 4 }],
    ["GLZ", { compression: 5 }],
    ["LZ4", { compression: 7 }],
    ["spice-html5", { caps: spiceHtml5Caps }],
  ])("%s, in caches of all sizes", async (_name, options) => {
    const size = fc.constantFrom(-1, 1000, 2000, 5000, 7000, 10_000, 20_971_520);
    const seen = { hits: 0, invalidated: 0, palettes: 0 };
    await fc.assert(
      fc.asyncProperty(
        size,
        arbitraryCachingCommands,
        arbitraryCachingCommands,
        async (pixmapCache, early, late) => {
          for (const { pixmaps, palettes } of await play({ ...options, pixmapCache }, {}, early, late)) {
            seen.hits += pixmaps.hits;
            seen.invalidated += pixmaps.invalidated;
            seen.palettes += palettes.hits;
          }
        },
      ),
      runs,
    );
    const used = Object.values(seen).map((count) => count > 0);
    expect(used).toEqual(options.caps === undefined ? [true, true, true] : [false, false, false]);
  });

  it("also if it falls behind and catches up", async () => {
    const property = fc.asyncProperty(
      arbitraryCachingCommands,
      manyCachingCommands,
      arbitraryCachingCommands,
      fallBehind,
    );
    await fc.assert(property, runs);
  });
});

/** Copies a whole surface to the primary. */
function copyWhole(surfaceId: number): RedCommand {
  const bbox = { top: 0, left: 0, bottom: SIDE, right: SIDE };
  const src = { kind: "surface", surfaceId, width: SIDE, height: SIDE } as const;
  const operation = { type: "copy", src, srcArea: bbox, rop: 8, scaleMode: 0 } as const;
  return { type: "draw", surfaceId: 0, effect: 1, mmTime: 0, bbox, operation };
}
