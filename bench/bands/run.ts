/** How long one command of a guest keeps the red worker's thread to itself, and what its cost units are in nanoseconds. */
import { parseArgs } from "node:util";
import { SurfaceHeap, createCodecs } from "../../src/image/index.ts";
import { loadImageModuleFromFile } from "../../src/image/load.node.ts";
import type { Rect, RedCommand, RedDrawOperation } from "../../src/protocol/red-command.ts";
import { SLICE_COST } from "../../src/red/index.ts";
import { TestRedWorker, bitmap, createSurface } from "../../src/red/worker/red-worker.testing.ts";
import { turns } from "../../src/waiting.testing.ts";

const [WIDTH, HEIGHT] = [8192, 4096];
const SCREEN = 0;
const LARGE = 1;

interface Case {
  readonly name: string;
  readonly commands: readonly RedCommand[];
}

const box = (right: number, bottom: number): Rect => ({ top: 0, left: 0, bottom, right });

function draw(
  surfaceId: number,
  bbox: Rect,
  operation: RedDrawOperation,
  clip?: readonly Rect[],
): RedCommand {
  return { type: "draw", surfaceId, effect: 1, mmTime: 0, bbox, clip, operation };
}

function lattice(width: number, height: number): Rect[] {
  return [
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
}

function cases(): Case[] {
  const src = bitmap(8, 2, 2, 8);
  const srcArea = box(2, 2);
  const solid = { type: "solid", color: 0x12_34_56 } as const;
  const fill: RedDrawOperation = { type: "fill", brush: solid, rop: 8 };
  const all = box(WIDTH, HEIGHT);
  const screen = box(1024, 768);
  const large = { kind: "surface", surfaceId: LARGE, width: WIDTH, height: HEIGHT } as const;
  const half = { top: 0, left: 0, bottom: HEIGHT / 2, right: WIDTH };
  const tile = { type: "pattern", image: bitmap(8, 1, 1, 4), pos: { x: 0, y: 0 } } as const;
  return [
    {
      name: "100 fills of 1024 x 768",
      commands: Array.from({ length: 100 }, () => draw(SCREEN, screen, fill)),
    },
    { name: "fill through a lattice of 896", commands: [draw(SCREEN, screen, fill, lattice(1024, 768))] },
    {
      name: "the same through 6144, 8192 x 4096",
      commands: [draw(LARGE, all, fill, lattice(WIDTH, HEIGHT))],
    },
    {
      name: "a new surface",
      commands: [createSurface(2, WIDTH, HEIGHT / 2), { type: "surfaceDestroy", surfaceId: 2 }],
    },
    { name: "fill", commands: [draw(LARGE, all, fill)] },
    { name: "fill with a tile", commands: [draw(LARGE, all, { type: "fill", brush: tile, rop: 9 })] },
    {
      name: "copy, interpolated",
      commands: [draw(LARGE, all, { type: "copy", src, srcArea, rop: 8, scaleMode: 0 })],
    },
    {
      name: "copy, nearest",
      commands: [draw(LARGE, all, { type: "copy", src, srcArea, rop: 8, scaleMode: 1 })],
    },
    {
      name: "copy of itself, scaled",
      commands: [draw(LARGE, all, { type: "copy", src: large, srcArea: half, rop: 8, scaleMode: 1 })],
    },
    {
      name: "copy of itself, interpolated",
      commands: [draw(LARGE, all, { type: "copy", src: large, srcArea: half, rop: 8, scaleMode: 0 })],
    },
    {
      name: "fill with itself",
      commands: [draw(LARGE, all, { type: "fill", brush: { ...tile, image: large }, rop: 9 })],
    },
    {
      name: "rop3",
      commands: [draw(LARGE, all, { type: "rop3", src, srcArea, brush: solid, rop3: 0x5a, scaleMode: 0 })],
    },
    {
      name: "alpha blend",
      commands: [draw(LARGE, all, { type: "alphaBlend", flags: 0, alpha: 128, src, srcArea })],
    },
    {
      name: "copy bits, down and right",
      commands: [draw(LARGE, { ...all, top: 3, left: 3 }, { type: "copyBits", src: { x: 0, y: 0 } })],
    },
  ];
}

interface Row {
  readonly name: string;
  /** Milliseconds of CPU of all of it. */
  readonly ms: number;
  readonly slices: number;
  /** Milliseconds of CPU between two turns of the event loop, the most; of several rounds the least, as the collector runs, too. */
  readonly longestMs: number;
  /** Nanoseconds to a cost unit, roughly: all of the time by all of the slices. */
  readonly nsPerUnit: number;
}

/** CPU time of this process: other programs do not count. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

async function round(red: TestRedWorker, one: Case): Promise<Row> {
  const before = red.worker.slices.count;
  const begun = cpuMs();
  let last = begun;
  let longestMs = 0;
  const cost = red.credit + red.post(one.commands, new Uint8Array(64).fill(77));
  while (red.credit < cost) {
    await turns(1);
    const now = cpuMs();
    longestMs = Math.max(longestMs, now - last);
    last = now;
  }
  const ms = last - begun;
  const slices = red.worker.slices.count - before;
  return { name: one.name, ms, slices, longestMs, nsPerUnit: (ms * 1e6) / (slices * SLICE_COST) };
}

/** Prints a table, or JSON. */
export async function runBands(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      rounds: { type: "string", default: "3" },
      json: { type: "boolean" },
      client: { type: "boolean" },
    },
  });
  const heap = new SurfaceHeap();
  const codecs = createCodecs(heap, await loadImageModuleFromFile(heap));
  using red = new TestRedWorker({ codecs });
  await red.run([createSurface(SCREEN, 1024, 768), createSurface(LARGE, WIDTH, HEIGHT)]);
  if (values.client) red.join();
  const rows: Row[] = [];
  for (const one of cases()) {
    let best: Row | undefined;
    for (let i = 0; i < Number(values.rounds); i++) {
      const row = await round(red, one);
      if (best === undefined || row.longestMs < best.longestMs) best = row;
    }
    if (best !== undefined) rows.push(best);
  }
  if (values.json) {
    process.stdout.write(`${JSON.stringify(rows, undefined, 2)}\n`);
    return;
  }
  process.stdout.write(`${"".padEnd(36)}      ms  slices  longest ms  ns per unit\n`);
  for (const { name, ms, slices, longestMs, nsPerUnit } of rows) {
    const numbers = [
      ms.toFixed(1).padStart(8),
      String(slices).padStart(8),
      longestMs.toFixed(1).padStart(12),
    ];
    process.stdout.write(`${name.padEnd(36)}${numbers.join("")}${nsPerUnit.toFixed(2).padStart(13)}\n`);
  }
}
