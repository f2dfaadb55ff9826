import { afterEach, describe, expect, it } from "vitest";
import { ImageCompression, ImageType } from "../protocol/index.ts";
import type { Rect, RedBitmap, RedCommand, RedPalette } from "../protocol/red-command.ts";
import { spiceHtml5Caps } from "./display/display-client.testing.ts";
import type { TestClientOptions, TestDisplayClient } from "./display/display-client.testing.ts";
import { MAX_CACHE_OVERDRAW, PALETTE_CACHE_SIZE } from "./limits.ts";
import { TestRedWorker, bitmap, createSurface } from "./worker/red-worker.testing.ts";

const WIDTH = 96;
const HEIGHT = 64;
const SIZE = 32;
const PIXELS = SIZE * SIZE;
const noise = new Uint8Array(65_536).map((_, i) => Math.imul(i + 1, 2_654_435_761) >>> 24);

const open: Disposable[] = [];
afterEach(() => {
  for (const item of open.splice(0)) item[Symbol.dispose]();
});

type Client = TestDisplayClient & { readonly clientId: number };

/** A worker with a screen, and a client that has seen it. */
async function start(
  options: TestClientOptions & { channelId?: number } = {},
): Promise<{ red: TestRedWorker; client: Client }> {
  const red = new TestRedWorker({ pipeStallMs: 60_000 });
  open.push(red);
  await red.run([createSurface(0, WIDTH, HEIGHT)]);
  const client = red.join(options);
  await red.settle(client);
  forget(client);
  return { red, client };
}

function forget(client: Client): void {
  client.names.length = client.imageTypes.length = 0;
}

/** An image of 32 x 32 that the guest wants cached. */
function cached(id: bigint, offset = 0, more: Partial<RedBitmap> = {}): RedBitmap {
  return { ...bitmap(8, SIZE, SIZE, SIZE * 4, offset), id, cacheMe: true, ...more };
}

function copy(src: RedBitmap, left = 0, top = 0, area?: Rect, clip?: readonly Rect[]): RedCommand {
  const srcArea = area ?? { top: 0, left: 0, bottom: src.height, right: src.width };
  const bbox = {
    top,
    left,
    bottom: top + srcArea.bottom - srcArea.top,
    right: left + srcArea.right - srcArea.left,
  };
  const operation = { type: "copy", src, srcArea, rop: 8, scaleMode: 0 } as const;
  return { type: "draw", surfaceId: 0, effect: 1, mmTime: 0, bbox, clip, operation };
}

/** Draws and compares. @returns the bytes it took. */
async function draw(red: TestRedWorker, client: Client, ...commands: readonly RedCommand[]): Promise<number> {
  const before = client.bytes;
  await red.run(commands, noise);
  await red.settle(client);
  expect(client.rgb(0)).toEqual(await red.rgb());
  return client.bytes - before;
}

describe("the pixmap cache of a client", () => {
  it.each([
    ["off", ImageCompression.Off, ImageType.Bitmap],
    ["QUIC", ImageCompression.Quic, ImageType.Quic],
    ["LZ", ImageCompression.Lz, ImageType.LzRgb],
    ["GLZ", ImageCompression.Glz, ImageType.GlzRgb],
    ["LZ4", ImageCompression.Lz4, ImageType.Lz4],
  ])("compression %s: an image goes out once, then its id alone", async (_name, compression, type) => {
    const { red, client } = await start({ compression });
    const flat = cached(2n ** 63n + 5n, 0, { data: { offset: 0, length: PIXELS * 4 } });
    const data = new Uint8Array(PIXELS * 4).map((_, i) => (i >> 5) & 0x30);
    await red.run([copy(flat)], data);
    await red.run([copy(flat, 40, 20), copy(flat, 60, -5)], data);
    await red.settle(client);
    expect(client.rgb(0)).toEqual(await red.rgb());
    expect(client.imageTypes).toEqual([type, ImageType.FromCache, ImageType.FromCache]);
    expect(client.pixmaps).toMatchObject({ count: 1, hits: 2, invalidated: 0 });
  });

  it("saves all the pixels of a second use", async () => {
    const { red, client } = await start({ compression: ImageCompression.Off });
    const first = await draw(red, client, copy(cached(1n)));
    const second = await draw(red, client, copy(cached(1n), 50, 10));
    expect(first).toBeGreaterThan(PIXELS * 4);
    expect(second).toBeLessThan(120);
  });

  it("makes room before it is needed: INVAL_LIST, least recently used first", async () => {
    const { red, client } = await start({ pixmapCache: 3 * PIXELS });
    const images = [0, 1, 2, 3].map((i) => cached(BigInt(i), i * 8192));
    await draw(red, client, ...images.slice(0, 3).map((image) => copy(image)), copy(images[0]));
    forget(client);
    await draw(red, client, copy(images[3], 10));
    expect(client.names).toEqual(["invalList", "drawCopy"]);
    await draw(red, client, copy(images[0]), copy(images[2], 20), copy(images[1], 30));
    // The first was used again, so the second had to go.
    const hits = client.imageTypes.map((type) => type === ImageType.FromCache);
    expect(hits).toEqual([false, true, true, false]);
    expect(client.pixmaps).toMatchObject({ count: 3, invalidated: 2, peak: 3 * PIXELS });
  });

  it.each([
    ["pixels", cached(9n, 4)],
    ["one pixel", cached(9n, 0, { stride: SIZE * 4, topDown: false })],
    ["width", { ...bitmap(8, 31, SIZE, SIZE * 4), id: 9n, cacheMe: true }],
    ["height", { ...bitmap(8, SIZE, 31, SIZE * 4), id: 9n, cacheMe: true }],
    ["format", cached(9n, 0, { format: 9 })],
    ["depth", { ...bitmap(6, SIZE, SIZE, SIZE * 4), id: 9n, cacheMe: true }],
    ["flags", cached(9n, 0, { highBitsSet: true })],
  ])("shows what the guest draws when it uses an id again with other %s", async (_name, other) => {
    const { red, client } = await start({ compression: ImageCompression.Off });
    await draw(red, client, copy(cached(9n)));
    forget(client);
    await draw(red, client, copy(other, 40));
    expect(client.names).toEqual(["invalList", "drawCopy"]);
    await draw(red, client, copy(other, 20, 20));
    expect(client.imageTypes).toEqual([ImageType.Bitmap, ImageType.FromCache]);
    await draw(red, client, copy(cached(9n), 30));
    expect(client.imageTypes).toEqual([ImageType.Bitmap, ImageType.FromCache, ImageType.Bitmap]);
    expect(client.pixmaps.count).toBe(1);
  });

  it.each([
    ["larger than the cache", { pixmapCache: PIXELS - 1 }],
    ["for a client without a cache", { pixmapCache: 0 }],
    ["for a client with nonsense for a size", { pixmapCache: -5 }],
    ["for spice-html5", { caps: spiceHtml5Caps }],
  ])("sends an image uncached: %s", async (_name, options) => {
    const { red, client } = await start(options);
    await draw(red, client, copy(cached(1n)));
    await draw(red, client, copy(cached(1n), 9, 9), copy(cached(1n, 8), 3, 3));
    expect(client.imageTypes).not.toContain(ImageType.FromCache);
    expect(client.names).toEqual(["drawCopy", "drawCopy", "drawCopy"]);
    expect(client.pixmaps.count).toBe(0);
  });

  it("bounds a boundless wish", async () => {
    const { red, client } = await start({ pixmapCache: Number.MAX_SAFE_INTEGER });
    await draw(red, client, copy(cached(1n)), copy(cached(1n)));
    expect(client.pixmaps.hits).toBe(1);
  });

  it("does not cache what the guest does not ask to", async () => {
    const { red, client } = await start();
    const once = cached(1n, 0, { cacheMe: false });
    await draw(red, client, copy(once), copy(once), copy(once));
    expect(client.pixmaps.count).toBe(0);
  });

  it("sends the whole image for a large part of it, with one message for all rectangles of a clip", async () => {
    const { red, client } = await start({ compression: ImageCompression.Off });
    const clip = [
      { top: 0, left: 0, bottom: 30, right: 20 },
      { top: 4, left: 22, bottom: 12, right: 40 },
    ];
    await draw(red, client, copy(cached(1n), 2, 2, undefined, clip));
    expect(client.names).toEqual(["drawCopy"]);
    await draw(red, client, copy(cached(1n), 50, 20, { top: 3, left: 5, bottom: 30, right: 32 }));
    await draw(red, client, copy(cached(1n), -10, 40));
    expect(client.imageTypes).toEqual([ImageType.Bitmap, ImageType.FromCache, ImageType.FromCache]);
  });

  it("sends a small part alone, until the client has the image anyway", async () => {
    const { red, client } = await start({ compression: ImageCompression.Off });
    const side = Math.floor(Math.sqrt(PIXELS / MAX_CACHE_OVERDRAW)) - 1;
    const part = { top: 1, left: 2, bottom: 1 + side, right: 2 + side };
    const small = await draw(red, client, copy(cached(1n), 0, 0, part));
    expect(small).toBeLessThan(PIXELS * 2);
    expect(client.pixmaps.count).toBe(0);
    await draw(red, client, copy(cached(1n)));
    await draw(red, client, copy(cached(1n), 40, 40, part));
    expect(client.imageTypes.at(-1)).toBe(ImageType.FromCache);
    // A small part of other pixels under the id is no reason to send the rest of them.
    await draw(red, client, copy(cached(1n, 4), 50, 40, part));
    expect(client.imageTypes.at(-1)).toBe(ImageType.Bitmap);
    await draw(red, client, copy(cached(1n), 60, 10));
    expect(client.imageTypes.at(-1)).toBe(ImageType.FromCache);
  });

  it("encodes and hashes once for equal clients, whenever they joined", async () => {
    const { red, client } = await start();
    await draw(red, client, copy(cached(1n)));
    const late = red.join();
    await red.settle(late);
    let encodings = 0;
    let hashes = 0;
    const { encoders, hasher } = red.worker.display;
    const encode = encoders.encode.bind(encoders);
    encoders.encode = (...args) => (encodings++, encode(...args));
    const fingerprint = hasher.fingerprint.bind(hasher);
    hasher.fingerprint = (...args) => (hashes++, fingerprint(...args));
    await draw(red, client, copy(cached(1n), 30), copy(cached(2n, 512), 40));
    await red.settle(late);
    // The early client needs no pixels of the first.
    expect({ encodings, hashes }).toEqual({ encodings: 2, hashes: 2 });
    expect(late.rgb(0)).toEqual(await red.rgb());
    expect(late.pixmaps.count).toBe(2);
  });

  it("is emptied by a device reset", async () => {
    const { red, client } = await start();
    await draw(red, client, copy(cached(1n)));
    forget(client);
    await red.run([{ type: "reset" }]);
    await red.settle(client);
    expect(client.names).toEqual(["surfaceDestroy", "invalAllPalettes", "invalAllPixmaps"]);
    await draw(red, client, createSurface(0, WIDTH, HEIGHT), copy(cached(1n)));
    await draw(red, client, copy(cached(1n), 30));
    expect(client.pixmaps).toMatchObject({ count: 1, hits: 1 });
    forget(client);
    await red.run([{ type: "reset" }, { type: "reset" }]);
    await red.settle(client);
    expect(client.names.filter((name) => name === "invalAllPixmaps")).toHaveLength(1);
  });

  it("outlives its surfaces and changes of the resolution", async () => {
    const { red, client } = await start();
    await draw(red, client, copy(cached(1n)));
    await draw(red, client, createSurface(0, 70, 70));
    await draw(red, client, copy(cached(1n), 5, 5));
    expect(client.imageTypes.at(-1)).toBe(ImageType.FromCache);
  });
});

describe("a pipe that collapses", () => {
  /** Fills until the silent client takes no more, then adds the commands to its pipe. */
  async function behind(commands: readonly RedCommand[]): Promise<{ red: TestRedWorker; client: Client }> {
    const { red, client } = await start({ silent: true });
    const fill = (color: number): RedCommand => ({
      type: "draw",
      surfaceId: 0,
      effect: 1,
      mmTime: 0,
      bbox: { top: 0, left: color, bottom: 9, right: 90 },
      operation: { type: "fill", brush: { type: "solid", color }, rop: 8 },
    });
    await red.run([copy(cached(1n)), ...Array.from({ length: 45 }, (_, i) => fill(i))], noise);
    await red.run(commands, noise);
    return { red, client };
  }

  it("forgets no image and believes none sent that was dropped", async () => {
    const { red, client } = await behind([copy(cached(2n, 512)), copy(cached(1n, 4), 50), copy(cached(1n))]);
    for (const one of red.worker.display.clients) one.collapse();
    client.release();
    await red.settle(client);
    expect(client.pixmaps).toMatchObject({ count: 1, invalidated: 0 });
    await draw(red, client, copy(cached(2n, 512), 40));
    expect(client.imageTypes.at(-1)).not.toBe(ImageType.FromCache);
    await draw(red, client, copy(cached(1n), 40, 30));
    expect(client.imageTypes.at(-1)).toBe(ImageType.FromCache);
    expect(client.pixmaps).toMatchObject({ count: 2, hits: 1 });
  });

  it("does not lose a reset", async () => {
    const { red, client } = await behind([{ type: "reset" }, createSurface(0, WIDTH, HEIGHT)]);
    for (const one of red.worker.display.clients) one.collapse();
    client.release();
    await draw(red, client, copy(cached(1n), 7));
    expect(client.names.filter((name) => name === "invalAllPixmaps")).toHaveLength(1);
    expect(client.pixmaps).toMatchObject({ count: 1, hits: 0 });
  });
});

describe("the palette cache of a client", () => {
  const colors = (seed: number): number[] => Array.from({ length: 256 }, (_, i) => i * 0x010203 + seed);

  function indexed(palette: RedPalette, offset = 0): RedBitmap {
    return { ...bitmap(5, SIZE, SIZE, SIZE, offset), palette };
  }

  it.each([
    ["raw", ImageCompression.Off, ImageType.Bitmap],
    ["LZ_PLT", ImageCompression.Lz, ImageType.LzPlt],
  ])("%s: a palette goes out once, then its id alone", async (_name, compression, type) => {
    const { red, client } = await start({ compression });
    const flat = new Uint8Array(PIXELS).map((_, i) => i >> 6);
    const palette = { unique: 2n ** 64n - 1n, entries: colors(3) };
    const sizes = [];
    for (const left of [0, 20, 40]) {
      const before = client.bytes;
      await red.run([copy(indexed(palette), left)], flat);
      await red.settle(client);
      expect(client.rgb(0)).toEqual(await red.rgb());
      sizes.push(client.bytes - before);
    }
    expect(client.imageTypes).toEqual([type, type, type]);
    // 256 entries of four bytes; a PING may come between.
    expect(sizes[0] - sizes[1]).toBeGreaterThan(1000);
    expect(sizes[0] - sizes[2]).toBeGreaterThan(1000);
    expect(client.palettes).toMatchObject({ count: 1, hits: 2 });
  });

  it("is replaced when its colours change under the same id", async () => {
    const { red, client } = await start();
    await draw(red, client, copy(indexed({ unique: 1n, entries: colors(0) })));
    forget(client);
    await draw(red, client, copy(indexed({ unique: 1n, entries: colors(9) }), 40));
    expect(client.names).toEqual(["invalPalette", "drawCopy"]);
    expect(client.palettes).toMatchObject({ count: 1, hits: 0 });
  });

  it("does not cache a palette without a name", async () => {
    const { red, client } = await start();
    const image = indexed({ unique: 0n, entries: colors(0) });
    await draw(red, client, copy(image), copy(image, 9));
    expect(client.palettes).toMatchObject({ count: 0, hits: 0 });
  });

  it("makes room: INVAL_PALETTE of the least recently used", async () => {
    const { red, client } = await start();
    const palettes = Array.from({ length: PALETTE_CACHE_SIZE + 1 }, (_, i) => ({
      unique: BigInt(i + 1),
      entries: colors(i),
    }));
    for (const palette of palettes.slice(0, -1)) await draw(red, client, copy(indexed(palette)));
    expect(client.names).not.toContain("invalPalette");
    await draw(red, client, copy(indexed(palettes[0])));
    forget(client);
    await draw(red, client, copy(indexed(palettes[PALETTE_CACHE_SIZE])));
    expect(client.names).toEqual(["invalPalette", "drawCopy"]);
    await draw(red, client, copy(indexed(palettes[0]), 5));
    expect(client.palettes).toMatchObject({ count: PALETTE_CACHE_SIZE, hits: 2 });
  });

  it("goes with a cached image, whose colours belong to its pixels", async () => {
    const { red, client } = await start();
    const image = (seed: number): RedBitmap => ({
      ...indexed({ unique: 7n, entries: colors(seed) }),
      id: 4n,
      cacheMe: true,
    });
    await draw(red, client, copy(image(0)), copy(image(0), 30));
    forget(client);
    await draw(red, client, copy(image(1), 60));
    expect(client.names).toEqual(["invalList", "invalPalette", "drawCopy"]);
    expect(client.pixmaps).toMatchObject({ count: 1, hits: 1 });
  });

  it("is emptied by a device reset", async () => {
    const { red, client } = await start();
    const image = indexed({ unique: 7n, entries: colors(1) });
    await draw(red, client, copy(image));
    await draw(red, client, { type: "reset" }, createSurface(0, WIDTH, HEIGHT), copy(image));
    await draw(red, client, copy(image, 20));
    expect(client.palettes).toMatchObject({ count: 1, hits: 1 });
  });
});

describe("a further display channel of a client", () => {
  it("leaves the client's image cache and GLZ window to the first", async () => {
    const { red, client } = await start({ channelId: 1, compression: ImageCompression.Glz });
    for (let times = 0; times < 3; times++) await draw(red, client, copy(cached(7n), 8 * times, 8));
    expect([client.pixmaps.peak, client.pixmaps.hits]).toEqual([0, 0]);
    expect(client.imageTypes).not.toContain(ImageType.FromCache);
    expect(client.imageTypes).not.toContain(ImageType.GlzRgb);
    await red.run([{ type: "reset" }, createSurface(0, WIDTH, HEIGHT)]);
    await red.settle(client);
    // That would empty what the first channel counts on.
    expect(client.names).not.toContain("invalAllPixmaps");
  });
});
