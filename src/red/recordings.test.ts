import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { decompress } from "fzstd";
import { PNG } from "pngjs";
import { describe, expect, it } from "vitest";
import { SurfaceHeap, createCodecs } from "../image/index.ts";
import { loadImageModuleFromFile } from "../image/load.node.ts";
import { ImageCompression } from "../protocol/index.ts";
import { readRecording } from "../recording/recording.ts";
import type { TestDisplayClient } from "./display/display-client.testing.ts";
import { spiceHtml5Caps } from "./display/display-client.testing.ts";
import { TestRedWorker } from "./worker/red-worker.testing.ts";
import { eventually } from "../waiting.testing.ts";

const folder = join(import.meta.dirname, "../../../shared/recordings");
const present = existsSync(join(folder, "goldens.json"));
const goldens: { recording: string; event: number; png: string }[] = present
  ? JSON.parse(readFileSync(join(folder, "goldens.json"), "utf8"))
  : [];

/** Events that are drawn before the clients have to be up to date; keeps the memory of the test small. */
const EVENTS_AT_ONCE = 200;

/** Small enough that these recordings evict. */
const SMALL_CACHE = 300_000;

/** One client with spice-gtk's cache, one with a small one, one with none; and so on. */
type Clients = Record<"full" | "small" | "none" | "raw" | "rawNone" | "html5", TestDisplayClient>;

/** 0x00RRGGBB words of a picture. */
function rgbOf({ data }: PNG): Uint32Array {
  return Uint32Array.from({ length: data.length / 4 }, (_, i) => data.readUIntBE(4 * i, 3));
}

function expectSame(a: Uint32Array, b: Uint32Array): void {
  expect(Buffer.compare(Buffer.from(a.buffer), Buffer.from(b.buffer))).toBe(0);
}

/**
 * Replays a recording to clients of all kinds, and compares what they show with the server's surface and the golden pictures. In
 * recordings with COMPOSITE, which is left out, it shows something else than was recorded, so there are none.
 */
async function replay(name: string, pictures: boolean): Promise<Clients> {
  const heap = new SurfaceHeap();
  const codecs = createCodecs(heap, await loadImageModuleFromFile(heap));
  // Without a stall nothing collapses, and all that is drawn is sent.
  using red = new TestRedWorker({ codecs, pipeStallMs: 60_000 });
  const clients = {
    full: red.join(),
    small: red.join({ pixmapCache: SMALL_CACHE }),
    none: red.join({ pixmapCache: 0 }),
    raw: red.join({ compression: ImageCompression.Off }),
    rawNone: red.join({ compression: ImageCompression.Off, pixmapCache: 0 }),
    html5: red.join({ caps: spiceHtml5Caps }),
  };
  const all = Object.values(clients);
  const wanted = new Map(
    goldens.filter(({ recording }) => pictures && recording === name).map(({ event, png }) => [event, png]),
  );
  let posted = 0;
  const drawn = async (): Promise<void> => {
    await eventually(() => red.credit >= posted);
    for (const client of all) await red.settle(client);
  };
  for (const { event, commands, data } of readRecording(
    decompress(readFileSync(join(folder, `${name}.spicerec.zst`))),
  )) {
    if (commands.length > 0) posted += red.post(commands, data);
    const png = wanted.get(event);
    if (event % EVENTS_AT_ONCE === 0 || png !== undefined) await drawn();
    if (png === undefined) continue;
    const picture = rgbOf(PNG.sync.read(readFileSync(join(folder, png))));
    for (const client of all) expectSame(client.rgb(0), picture);
    wanted.delete(event);
  }
  expect(wanted.size).toBe(0);
  await drawn();
  const server = await red.rgb();
  for (const client of all) expectSame(client.rgb(0), server);
  return clients;
}

describe.skipIf(!present)(
  "recordings of guests that cache images (skipped where ../shared/recordings is absent)",
  () => {
    // The images that the first two use again are drawn on surfaces which no client needs.
    it.each([
      ["d-images", 0, false],
      ["h-surfaces", 0, false],
      ["b-xterm-scroll", 2700, true],
    ] as const)(
      "%s: clients with and without a cache show the same, at least %i images out of it",
      { timeout: 300_000 },
      async (name, hits, pictures) => {
        const { full, small, none, raw, rawNone, html5 } = await replay(name, pictures);
        expect(full.pixmaps.hits).toBeGreaterThanOrEqual(hits);
        expect(raw.pixmaps.hits).toBe(full.pixmaps.hits);
        expect(small.pixmaps.hits).toBeLessThanOrEqual(full.pixmaps.hits);
        expect(small.pixmaps.peak).toBeLessThanOrEqual(SMALL_CACHE);
        expect([none, rawNone, html5].map(({ pixmaps }) => pixmaps.hits)).toEqual([0, 0, 0]);
        if (hits === 0) return;
        expect(small.pixmaps.invalidated).toBeGreaterThan(0);
        expect(full.bytes).toBeLessThan(none.bytes);
        expect(raw.bytes).toBeLessThan(rawNone.bytes);
      },
    );
  },
);
