import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ACK_WINDOWS_IN_FLIGHT, CLIENT_ACK_WINDOW } from "../channel/index.ts";
import { SurfaceHeap, createCodecs } from "../image/index.ts";
import { loadImageModuleFromFile } from "../image/load.node.ts";
import type { RedCommand } from "../protocol/red-command.ts";
import { spiceHtml5Caps } from "./display-client.testing.ts";
import type { TestClientOptions, TestDisplayClient } from "./display-client.testing.ts";
import { MAX_PIPE_SIZE } from "./limits.ts";
import { SIDE, arbitraryCommands, batchData, createAll, manyCommands } from "./red-commands.testing.ts";
import { TestRedWorker } from "./red-worker.testing.ts";

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
): Promise<void> {
  using red = new TestRedWorker(worker);
  await red.run(createAll);
  const client = red.join(options);
  await red.run(early, batchData);
  // A second one joins in the middle, and the first stays.
  const other = red.join(options);
  await red.run(late, batchData);
  await expectEqual(red, client);
  await expectEqual(red, other);
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
    ["spice-gtk, LZ4", { compression: 7 }],
    ["spice-html5", { caps: spiceHtml5Caps }],
  ])("%s", async (_name, options) => {
    await fc.assert(
      fc.asyncProperty(arbitraryCommands, arbitraryCommands, (early, late) => play(options, {}, early, late)),
      runs,
    );
  });

  it("also with the codecs in WebAssembly", async () => {
    const modes = fc.constantFrom(2, 4, 5, 6, 7);
    const heap = new SurfaceHeap();
    const codecs = createCodecs(heap, await loadImageModuleFromFile(heap));
    await fc.assert(
      fc.asyncProperty(modes, arbitraryCommands, arbitraryCommands, (compression, early, late) =>
        play({ compression }, { codecs }, early, late),
      ),
      runs,
    );
  });

  it("also for a client that falls behind and catches up, whatever it missed", async () => {
    await fc.assert(
      fc.asyncProperty(arbitraryCommands, manyCommands, arbitraryCommands, async (early, missed, late) => {
        using red = new TestRedWorker({ pipeStallTime: 0 });
        await red.run([...createAll, ...early, createAll[0]], batchData);
        const client = red.join({ silent: true });
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
      }),
      runs,
    );
  });

  it("also for all surfaces, once drawings need them", async () => {
    await fc.assert(
      fc.asyncProperty(arbitraryCommands, async (commands) => {
        using red = new TestRedWorker();
        const client = red.join();
        await red.run([...createAll, ...commands], batchData);
        // Creating them again keeps their ids, so that only the ones just drawn from are compared.
        await red.run([createAll[0], createAll[2], ...commands, copyWhole(1), copyWhole(2)], batchData);
        await red.settle(client);
        for (const id of client.surfaces.keys()) {
          if (!red.worker.inspect().surfaces.some((surface) => surface.id === id)) continue;
          if (id < 3) expect(client.rgb(id)).toEqual(await red.rgb(id));
        }
      }),
      runs,
    );
  });
});

/** Copies a whole surface to the primary. */
function copyWhole(surfaceId: number): RedCommand {
  const bbox = { top: 0, left: 0, bottom: SIDE, right: SIDE };
  const src = { kind: "surface", surfaceId, width: SIDE, height: SIDE } as const;
  const operation = { type: "copy", src, srcArea: bbox, rop: 8, scaleMode: 0 } as const;
  return { type: "draw", surfaceId: 0, effect: 1, mmTime: 0, bbox, operation };
}
