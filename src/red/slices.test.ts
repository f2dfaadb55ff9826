import * as fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import type { RedWorkerMessages } from "../dispatch/index.ts";
import type { NoMessages } from "../dispatch/index.ts";
import { Dispatcher } from "../dispatch/index.ts";
import { SurfaceHeap, createCodecs } from "../image/index.ts";
import { loadImageModuleFromFile } from "../image/load.node.ts";
import type { Rect, RedCommand, RedDrawOperation } from "../protocol/red-command.ts";
import { BAND_COST } from "../raster/index.ts";
import { spiceHtml5Caps } from "./display/display-client.testing.ts";
import {
  CURSOR_PIXEL_COST,
  ENCODE_COST,
  FIRST_PICTURE_PIXELS,
  SLICE_COST,
  SYNC_STRIP_PIXELS,
} from "./limits.ts";
import { arbitraryCommands, batchData, createAll } from "./red-commands.testing.ts";
import { TestRedWorker, bitmap, createSurface } from "./worker/red-worker.testing.ts";
import { eventually, turns } from "../waiting.testing.ts";

const open: Disposable[] = [];
afterEach(() => {
  for (const item of open.splice(0)) item[Symbol.dispose]();
});

function start(options: ConstructorParameters<typeof TestRedWorker>[0] = {}): TestRedWorker {
  const red = new TestRedWorker(options);
  open.push(red);
  return red;
}

/** Slices in which a thousandth of a screen is drawn. */
const tiny = { sliceCost: 2000, bandCost: 500 };
const [WIDTH, HEIGHT] = [64, 48];
const all: Rect = { top: 0, left: 0, bottom: HEIGHT, right: WIDTH };

function draw(operation: RedDrawOperation, bbox = all, surfaceId = 0, clip?: readonly Rect[]): RedCommand {
  return { type: "draw", surfaceId, effect: 1, mmTime: 0, bbox, clip, operation };
}

const fill = (color: number, bbox = all): RedCommand =>
  draw({ type: "fill", brush: { type: "solid", color }, rop: 8 }, bbox);
const invers = draw({ type: "invers" });
const scroll = draw({ type: "copyBits", src: { x: 0, y: 5 } });
/** A picture on the screen that differs at every pixel, so that each must be drawn once and in order. */
const picture = draw({
  type: "copy",
  src: bitmap(8, WIDTH, HEIGHT, WIDTH * 4),
  srcArea: all,
  rop: 8,
  scaleMode: 0,
});
const pixels = new Uint8Array(WIDTH * HEIGHT * 4).map((_, i) => Math.imul(i + 1, 2_654_435_761) >>> 24);

/** Too many pixels to compare them one by one. */
function expectSame(a: Uint32Array, b: Uint32Array): void {
  expect(Buffer.compare(Buffer.from(a.buffer), Buffer.from(b.buffer))).toBe(0);
}

/** Until the command is begun and has been laid aside `times` times. @returns false if it is finished before */
async function laidAside(red: TestRedWorker, times: number): Promise<boolean> {
  await eventually(() => red.worker.isUnderWay);
  const { count } = red.worker.slices;
  while (red.worker.slices.count < count + times - 1) {
    if (!red.worker.isUnderWay) return false;
    await turns(1);
  }
  return red.worker.isUnderWay;
}

describe("commands in slices", () => {
  it("draw the same, and clients that come at any time see the same", async () => {
    let slices = 0;
    await fc.assert(
      fc.asyncProperty(
        arbitraryCommands,
        arbitraryCommands,
        fc.constantFrom(300, 5000, 60_000),
        fc.nat(12),
        async (early, late, sliceCost, delay) => {
          using red = new TestRedWorker({ sliceCost, bandCost: sliceCost / 4 });
          using atOnce = new TestRedWorker();
          await atOnce.run([...createAll, ...early, ...late], batchData);
          const first = red.join();
          const limited = red.join({ caps: spiceHtml5Caps });
          await red.run([...createAll, ...early], batchData);
          const done = red.run(late, batchData);
          await turns(delay);
          const inTheMiddle = red.join();
          await done;
          for (const client of [first, limited, inTheMiddle]) await red.settle(client);
          const { surfaces } = red.worker.inspect();
          expect(surfaces).toEqual(atOnce.worker.inspect().surfaces);
          for (const { id } of surfaces) expect(await red.rgb(id)).toEqual(await atOnce.rgb(id));
          if (surfaces.some(({ id }) => id === 0)) {
            for (const client of [first, limited, inTheMiddle])
              expect(client.rgb(0)).toEqual(await atOnce.rgb());
          }
          slices += red.worker.slices.count;
        },
      ),
      { numRuns: 25 },
    );
    expect(slices).toBeGreaterThan(400);
  });

  it.each([
    ["invers", invers],
    ["copyBits", scroll],
    ["fill", fill(0x123456)],
  ])(
    "%s: a client that is sent the screen while it is half drawn has it right in the end",
    async (_name, command) => {
      for (let times = 1; ; times++) {
        using red = new TestRedWorker(tiny);
        await red.run([createSurface(0, WIDTH, HEIGHT), picture], pixels);
        const stale = red.join({ silent: true });
        await red.settle(stale);
        red.post([command]);
        const inTheMiddle = await laidAside(red, times);
        const client = red.join();
        const server = await red.rgb();
        await red.settle(client);
        await red.settle(stale);
        expect(client.rgb(0)).toEqual(server);
        expect(stale.rgb(0)).toEqual(server);
        if (inTheMiddle) continue;
        expect(times).toBeGreaterThan(2);
        return;
      }
    },
  );

  it("answers clients, and is asked by core, between two pieces of one command", async () => {
    const red = start({ sliceCost: 20_000, bandCost: 5000 });
    await red.run([createSurface(0, 1024, 768)]);
    const client = red.join();
    await red.settle(client);
    const { port1, port2 } = new MessageChannel();
    open.push(
      new Dispatcher<NoMessages, RedWorkerMessages>(port1, {
        peer: "core",
        handlers: red.worker.handlers,
        concurrent: ["readSurface"],
      }),
    );
    const core = new Dispatcher<RedWorkerMessages>(port2, { peer: "red" });
    open.push(core);
    const screen = { top: 0, left: 0, bottom: 768, right: 1024 };
    red.post([draw({ type: "invers" }, screen)]);
    expect(await laidAside(red, 1)).toBe(true);
    const before = red.worker.slices.count;
    // A picture behind the command, asked for first.
    const settled = core.call("readSurface", { surfaceId: 0 });
    // A ping of ours and its pong; a client that comes, is there, and goes.
    const [display] = red.worker.display.clients;
    expect(display.ping()).toBe(1);
    await eventually(() => display.latencyMs !== undefined);
    const other = red.join();
    expect((await core.call("inspect", {})).clients).toHaveLength(2);
    await core.call("disconnectClient", { clientId: other.clientId, channelType: 2 });
    expect(red.worker.inspect().clients).toHaveLength(1);
    expect(red.worker.isUnderWay).toBe(true);
    expect(red.worker.slices.count - before).toBeLessThan(100);
    expect((await settled).pixels.every((byte, i) => i % 4 === 3 || byte === 255)).toBe(true);
    expect(red.worker.slices.count - before).toBeGreaterThan(100);
  });

  it("a client that goes in the middle of a command leaves nothing behind, and the command is finished", async () => {
    const red = start({ ...tiny, pipeStallMs: 60_000 });
    await red.run([createSurface(0, WIDTH, HEIGHT), picture], pixels);
    const client = red.join({ silent: true });
    const witness = red.join();
    await red.settle(witness);
    const cost = red.credit + red.post([invers, scroll, fill(7, { top: 3, left: 3, bottom: 9, right: 9 })]);
    expect(await laidAside(red, 2)).toBe(true);
    red.worker.disconnectClient(client.clientId, 2);
    expect(red.worker.inspect().clients.map(({ clientId }) => clientId)).toEqual([witness.clientId]);
    await eventually(() => client.closed !== undefined);
    await eventually(() => red.credit >= cost);
    await red.settle(witness);
    expect(witness.rgb(0)).toEqual(await red.rgb());
  });

  it.each<readonly [string, readonly RedCommand[]]>([
    ["a reset", [{ type: "reset" }]],
    ["the end of the surface", [{ type: "surfaceDestroy", surfaceId: 0 }]],
    [
      "another surface of that number",
      [createSurface(0, 40, 30), fill(0x44, { top: 2, left: 2, bottom: 20, right: 20 })],
    ],
  ])("%s comes behind the command it was sent behind", async (_name, behind) => {
    const red = start(tiny);
    await red.run([createSurface(0, WIDTH, HEIGHT), picture], pixels);
    const client = red.join();
    await red.settle(client);
    red.post([invers]);
    expect(await laidAside(red, 2)).toBe(true);
    const inverted = red.rgb();
    await red.run(behind);
    expect((await inverted)[0]).toBe(~(pixels[0] | (pixels[1] << 8) | (pixels[2] << 16)) & 0xffffff);
    const late = red.join();
    const { surfaces } = red.worker.inspect();
    if (surfaces.length === 0) {
      await eventually(() => client.surfaces.size === 0);
      await expect(red.worker.readSurface(0)).rejects.toThrow(/surface 0/);
      return;
    }
    for (const one of [client, late]) {
      await red.settle(one);
      expect(one.rgb(0)).toEqual(await red.rgb());
    }
  });

  it("count cursor shapes and surfaces that come and go, too", async () => {
    const red = start();
    const side = 256;
    const data = { offset: 0, length: 4 * side * side };
    const shape = { unique: 0n, cursorType: 0, width: side, height: side, hotX: 0, hotY: 0, data };
    const set: RedCommand = { type: "cursorSet", position: { x: 1, y: 1 }, visible: true, shape };
    const before = red.worker.slices.count;
    await red.run(
      Array.from({ length: 40 }, () => set),
      new Uint8Array(data.length),
    );
    const shapes = red.worker.slices.count - before;
    expect(shapes).toBeGreaterThan(10);
    await red.run(Array.from({ length: 1000 }, (_, i) => createSurface(1 + (i & 3), 8, 8)));
    const surfaces = red.worker.slices.count - before - shapes;
    expect(surfaces).toBeGreaterThan(8);
    expect(red.worker.slices.largest).toBeLessThan(SLICE_COST + side * side * CURSOR_PIXEL_COST);
    expect(red.worker.droppedCommands).toBe(0);
  });

  it("is disposed of in the middle of a command, and who waits for it is told", async () => {
    const red = start(tiny);
    await red.run([createSurface(0, WIDTH, HEIGHT)]);
    red.post([invers]);
    expect(await laidAside(red, 2)).toBe(true);
    const answer = red.worker.readSurface(0);
    red.worker[Symbol.dispose]();
    await expect(answer).rejects.toThrow(/surface 0/);
  });

  it("lets clients that have much to get take turns", async () => {
    const heap = new SurfaceHeap();
    const codecs = createCodecs(heap, await loadImageModuleFromFile(heap));
    const red = start({ codecs });
    await red.run([createSurface(0, 1600, 1000)]);
    const clients = Array.from({ length: 3 }, () => red.join({ compression: 4 }));
    const order: number[] = [];
    const seen = clients.map(() => 0);
    await eventually(() => {
      for (const [i, client] of clients.entries()) {
        const images = client.imageTypes.length;
        for (; seen[i] < images; seen[i]++) order.push(i);
      }
      return order.length >= 12;
    }, "twelve strips");
    // Each has its strips in the same slices as the others, not one behind the other.
    expect(new Set(order.slice(0, 6)).size).toBe(3);
    for (const client of clients) await red.settle(client);
  });
});

describe("large pictures", () => {
  const [width, height] = [1300, 900];
  const screen = { top: 0, left: 0, bottom: height, right: width };
  const src = bitmap(8, 2, 2, 8);
  const blend = draw(
    { type: "alphaBlend", flags: 0, alpha: 90, src, srcArea: { top: 0, left: 0, bottom: 2, right: 2 } },
    screen,
  );
  const lattice = [
    ...Array.from({ length: width / 2 }, (_, i) => ({
      top: 0,
      left: 2 * i,
      bottom: height,
      right: 2 * i + 1,
    })),
    ...Array.from({ length: height / 2 }, (_, i) => ({
      top: 2 * i,
      left: 0,
      bottom: 2 * i + 1,
      right: width,
    })),
  ];
  const colors = new Uint8Array(64).map((_, i) => i * 37);

  async function fast(): Promise<TestRedWorker> {
    const heap = new SurfaceHeap();
    return start({ codecs: createCodecs(heap, await loadImageModuleFromFile(heap)) });
  }

  it("are sent in strips, and the first one shows all at once", async () => {
    const red = await fast();
    expect(width * height).toBeGreaterThan(FIRST_PICTURE_PIXELS);
    await red.run([createSurface(0, width, height), { ...fill(0x8899aa), bbox: screen } as RedCommand]);
    const client = red.join();
    const limited = red.join({ caps: spiceHtml5Caps });
    for (const one of [client, limited]) {
      await red.settle(one);
      expectSame(one.rgb(0), await red.rgb());
      expect(one.largestImage).toBeLessThanOrEqual(SYNC_STRIP_PIXELS);
      expect([...one.surfaces.keys()]).toEqual([0]);
    }
    // What shows is one picture: the strips went elsewhere.
    expect(client.onPrimary[0]).toBe(width * height);
    await red.run([blend], colors);
    await red.run([draw({ type: "invers" }, screen, 0, lattice)]);
    for (const one of [client, limited]) {
      await red.settle(one);
      expectSame(one.rgb(0), await red.rgb());
      expect(one.largestImage).toBeLessThanOrEqual(SYNC_STRIP_PIXELS);
    }
  });

  it("are given up in the middle when their surface goes", async () => {
    const red = await fast();
    await red.run([createSurface(0, width, height), { ...fill(0x8899aa), bbox: screen } as RedCommand]);
    const client = red.join({ compression: 4 });
    await eventually(() => client.imageTypes.length > 0);
    await red.run([createSurface(0, WIDTH, HEIGHT), fill(0x112233)]);
    await red.settle(client);
    expectSame(client.rgb(0), await red.rgb());
    expect([...client.surfaces.keys()]).toEqual([0]);
  });

  it("cost a slice and no more than one band or strip beyond it, whatever is drawn", async () => {
    const red = await fast();
    await red.run([createSurface(0, width, height)]);
    const client = red.join({ compression: 4 });
    await red.settle(client);
    const two = { top: 0, left: 0, bottom: 2, right: 2 };
    const large: RedCommand[] = [
      createSurface(1, 2048, 2048),
      { ...fill(0x8899aa), bbox: screen } as RedCommand,
      draw({ type: "copy", src, srcArea: two, rop: 8, scaleMode: 0 }, screen),
      blend,
      draw(
        { type: "rop3", src, srcArea: two, brush: { type: "solid", color: 1 }, rop3: 0x5a, scaleMode: 0 },
        screen,
      ),
      draw({ type: "fill", brush: { type: "pattern", image: src, pos: { x: 0, y: 0 } }, rop: 9 }, screen),
      draw({ type: "copyBits", src: { x: 0, y: 9 } }, screen),
      draw({ type: "invers" }, screen, 0, lattice),
      draw(
        {
          type: "copy",
          src: { kind: "surface", surfaceId: 0, width, height },
          srcArea: screen,
          rop: 8,
          scaleMode: 0,
        },
        screen,
        1,
      ),
      draw(
        {
          type: "copy",
          src: { kind: "surface", surfaceId: 0, width, height },
          srcArea: two,
          rop: 8,
          scaleMode: 1,
        },
        screen,
      ),
    ];
    await red.run(large, colors);
    await red.settle(client);
    expectSame(client.rgb(0), await red.rgb());
    const { largest } = red.worker.slices;
    expect(largest).toBeLessThan(SLICE_COST + Math.max(BAND_COST, 2 * SYNC_STRIP_PIXELS * ENCODE_COST));
  });
});
