import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { QXLRam, QxlIo } from "../protocol/index.ts";
import type { Rect } from "../protocol/red-command.ts";
import { TestDriver, TestMachine, rect } from "./driver.testing.ts";

const [WIDTH, HEIGHT] = [256, 192];

/** A device that lays everything aside that costs more than a few rows. */
function start(options: ConstructorParameters<typeof TestMachine>[0] = {}): TestDriver {
  const driver = new TestDriver(new TestMachine({ sliceCost: 10_000, bandCost: 1000, ...options }));
  driver.load();
  while (driver.machine.turn());
  driver.flushReleases();
  driver.machine.flush();
  driver.machine.replica.take();
  driver.released.length = 0;
  return driver;
}

function screen({ machine }: TestDriver): Uint8Array {
  return machine.memory.vram.slice(0, WIDTH * HEIGHT * 4);
}

/** The red worker's copy of the primary is what the guest's memory shows. */
function expectInStep(driver: TestDriver): void {
  driver.machine.flush();
  const copy = driver.machine.replica.surfaces.get(0)?.bytes ?? new Uint8Array(0);
  expect(Buffer.compare(screen(driver), copy)).toBe(0);
}

const large = rect(0, 0, WIDTH, HEIGHT);
const isWhole = (driver: TestDriver, color: number): boolean =>
  new Uint32Array(screen(driver).buffer).every((word) => word === color);

type Act =
  | { readonly what: "fill"; readonly bbox: Rect; readonly color: number; readonly clip?: readonly Rect[] }
  | { readonly what: "copy"; readonly bbox: Rect; readonly color: number }
  | { readonly what: "bits"; readonly bbox: Rect; readonly x: number; readonly y: number }
  | { readonly what: "cursor" | "update" | "updateAsync" | "save" | "grow" | "monitors" | "turn" | "credit" };

const box = fc
  .record({
    x: fc.nat(WIDTH - 1),
    y: fc.nat(HEIGHT - 1),
    w: fc.integer({ min: 1, max: WIDTH }),
    h: fc.integer({ min: 1, max: HEIGHT }),
  })
  .map(({ x, y, w, h }) => rect(x, y, Math.min(w, WIDTH - x), Math.min(h, HEIGHT - y)));
const color = fc.nat(0xff_ffff);
const type = <T extends string>(what: T): fc.Arbitrary<T> => fc.constant(what);
const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      what: type("fill"),
      bbox: box,
      color,
      clip: fc.option(fc.array(box, { maxLength: 9 }), { nil: undefined }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ what: type("copy"), bbox: box, color }) },
  { weight: 3, arbitrary: fc.record({ what: type("bits"), bbox: box, x: fc.nat(60), y: fc.nat(60) }) },
  { weight: 5, arbitrary: fc.record({ what: type("turn") }) },
  fc.record({
    what: fc.constantFrom("cursor", "update", "updateAsync", "save", "grow", "monitors", "credit"),
  }),
);

/** A driver has one asynchronous command under way at a time, and sleeps until the interrupt that says it is done. */
function asyncDone(driver: TestDriver): void {
  const { machine } = driver;
  while (machine.device.saveState().pendingAsync !== null) {
    if (!machine.turn()) machine.flush();
  }
  // Two that are done before the driver looks are one interrupt.
  driver.serviceInterrupts();
}

function perform(driver: TestDriver, one: Act): void {
  const { machine } = driver;
  switch (one.what) {
    case "fill":
      driver.drawFill(one.bbox, one.color, 0, one.clip);
      return;
    case "copy":
      driver.drawCopy({ bbox: one.bbox, color: one.color });
      return;
    case "bits":
      driver.copyBits(one.bbox, {
        x: Math.min(one.x, WIDTH - (one.bbox.right - one.bbox.left)),
        y: Math.min(one.y, HEIGHT - (one.bbox.bottom - one.bbox.top)),
      });
      return;
    case "cursor":
      driver.cursorSet(2, 2, { x: 1, y: 1 });
      return;
    case "update":
      driver.out(QxlIo.UpdateArea);
      return;
    case "updateAsync":
      asyncDone(driver);
      driver.out(QxlIo.UpdateAreaAsync);
      return;
    case "save":
      machine.device.saveState();
      return;
    case "grow":
      machine.growMemory();
      return;
    case "monitors":
      asyncDone(driver);
      driver.monitorsConfig([[0, 0, 10, 10]]);
      return;
    case "turn":
      machine.turn();
      return;
    case "credit":
      machine.flush();
      return;
  }
}

/** Until nothing is left to do. */
function finish({ machine }: TestDriver): void {
  while (machine.turn()) machine.flush();
  machine.flush();
}

describe("drawings that take more than a slice", () => {
  it("leave the guest's memory, the red worker and the releases as if there were no slices", () => {
    let turns = 0;
    fc.assert(
      fc.property(fc.array(act, { maxLength: 25 }), (acts) => {
        const [sliced, atOnce] = [start(), start({ sliceCost: 1e12, bandCost: 1e12 })];
        for (const driver of [sliced, atOnce]) {
          for (const one of acts) {
            while (driver.isRingFull() || driver.isRingFull(QXLRam.offset.cursorRing)) {
              expect(driver.machine.turn()).toBe(true);
              driver.collect();
            }
            turns += driver === sliced ? driver.machine.tasks.length : 0;
            perform(driver, one);
          }
          finish(driver);
          driver.flushReleases();
          driver.flushReleases();
        }
        expect(Buffer.compare(screen(sliced), screen(atOnce))).toBe(0);
        for (const driver of [sliced, atOnce]) {
          expectInStep(driver);
          expect(driver.live.size).toBe(0);
          expect(driver.machine.device.stats.lost).toBe(0);
          expect(driver.machine.device.stats.guestBug).toBe(false);
        }
        expect(sliced.completions).toBe(atOnce.completions);
        const drawn = (driver: TestDriver): unknown[] =>
          driver.machine.replica.commands
            .filter((command) => command.type === "draw")
            .map(({ bbox }) => bbox);
        expect(drawn(sliced)).toEqual(drawn(atOnce));
      }),
      { numRuns: 80 },
    );
    expect(turns).toBeGreaterThan(20);
  });

  it("let the cursor and other I/O pass, and are given back and passed on only when they are done", () => {
    const driver = start();
    const { machine } = driver;
    driver.drawFill(large, 0x0b0b0b);
    driver.drawFill(rect(3, 3, 4, 4), 0x123456);
    expect(machine.tasks).toHaveLength(1);
    expect(isWhole(driver, 0x0b0b0b)).toBe(false);
    driver.cursorSet(2, 2, { x: 5, y: 5 });
    driver.monitorsConfig([[0, 0, 64, 64]]);
    driver.out(QxlIo.Log);
    machine.turn();
    driver.flushReleases();
    machine.flush();
    expect(machine.replica.take().map((command) => command.type)).toEqual(["monitorsConfig"]);
    expect(driver.released).toEqual([]);
    let turns = 1;
    while (machine.turn()) turns++;
    expect(turns).toBeGreaterThan(3);
    machine.flush();
    expect(machine.replica.take().map((command) => command.type)).toEqual(["draw", "draw", "cursorSet"]);
    driver.flushReleases();
    expect(driver.released).toHaveLength(3);
    expectInStep(driver);
  });

  it("hold up an asynchronous UPDATE_AREA until they are done, and the thread never", () => {
    const driver = start();
    const before = driver.completions;
    driver.drawFill(large, 0x0c0c0c);
    driver.out(QxlIo.UpdateAreaAsync);
    expect(driver.completions).toBe(before);
    expect(isWhole(driver, 0x0c0c0c)).toBe(false);
    let turns = 0;
    while (driver.machine.turn()) {
      turns++;
      driver.serviceInterrupts();
      expect(driver.completions).toBe(isWhole(driver, 0x0c0c0c) ? before + 1 : before);
    }
    expect(turns).toBeGreaterThan(3);
    expect(driver.completions).toBe(before + 1);
  });

  it("through a clip of twenty thousand rectangles are exact here and at the red worker", () => {
    const driver = start();
    const clip = Array.from({ length: 20_000 }, (_, i) =>
      rect((i * 7) % WIDTH, (i * 13) % HEIGHT, 1 + (i % 3), 1),
    );
    driver.drawFill(large, 0);
    driver.drawFill(large, 0xc1c2c3, 0, clip);
    finish(driver);
    const shown = new Uint32Array(screen(driver).buffer);
    const wanted = new Uint32Array(WIDTH * HEIGHT);
    for (const { top, left, right } of clip) {
      for (let x = left; x < Math.min(right, WIDTH); x++) wanted[top * WIDTH + x] = 0xc1c2c3;
    }
    expect(Buffer.compare(Buffer.from(shown.buffer), Buffer.from(wanted.buffer))).toBe(0);
    expectInStep(driver);
    // They travel as numbers, which are counted, and not as so many objects.
    const [drawn] = driver.machine.replica.commands.slice(-1);
    expect(drawn).toMatchObject({ type: "draw", clipData: { length: 16 * clip.length } });
  });

  it("are done before a synchronous UPDATE_AREA returns", () => {
    const driver = start();
    driver.drawFill(large, 0x0d0d0d);
    driver.drawFill(rect(3, 3, 4, 4), 0x123456);
    driver.copyBits(rect(0, 50, WIDTH, 100), { x: 0, y: 0 });
    driver.out(QxlIo.UpdateArea);
    const now = screen(driver);
    finish(driver);
    expect(Buffer.compare(screen(driver), now)).toBe(0);
    expectInStep(driver);
  });

  it("hold the CPU in a synchronous UPDATE_AREA no longer than the limit", () => {
    const driver = start({ forcedCost: 20_000 });
    driver.drawFill(large, 0x0e0e0e);
    driver.out(QxlIo.UpdateArea);
    // What is left is drawn later, and nothing is lost.
    expect(isWhole(driver, 0x0e0e0e)).toBe(false);
    finish(driver);
    expect(isWhole(driver, 0x0e0e0e)).toBe(true);
    expectInStep(driver);
    expect(driver.machine.device.stats.lost).toBe(0);
    // What cannot wait, the end of the surface, does not wait: the drawing is given up, and given back.
    driver.drawFill(large, 0x0f0f0f);
    driver.out(QxlIo.DestroyPrimary);
    expect(driver.machine.device.stats.lost).toBe(1);
    finish(driver);
    driver.flushReleases();
    driver.flushReleases();
    expect(driver.live.size).toBe(0);
    expect(driver.machine.replica.surfaces.has(0)).toBe(false);
  });

  it.each(["reset", "VGA registers"] as const)("are forgotten with a %s", (how) => {
    const driver = start();
    driver.drawFill(large, 0x0e0e0e);
    expect(driver.machine.tasks).toHaveLength(1);
    if (how === "reset") driver.reset();
    else driver.machine.device.vgaWrite();
    const { length } = driver.machine.replica.commands;
    while (driver.machine.turn());
    driver.machine.flush();
    const later = driver.machine.replica.commands.slice(length).map((command) => command.type);
    expect(later).not.toContain("draw");
    driver.load();
    driver.drawFill(large, 0x0a0a0a);
    finish(driver);
    expect(isWhole(driver, 0x0a0a0a)).toBe(true);
    expectInStep(driver);
  });

  it("are whole in a saved state, and what waits behind them in the ring is drawn after a restore", () => {
    const driver = start();
    const { machine } = driver;
    driver.drawFill(large, 0x0e0e0e);
    machine.turn();
    driver.drawFill(rect(0, 0, WIDTH, 20), 0x111111);
    expect(new Uint32Array(screen(driver).buffer)[0]).toBe(0x0e0e0e);
    expect(isWhole(driver, 0x0e0e0e)).toBe(false);
    machine.device.settle();
    expect(isWhole(driver, 0x0e0e0e)).toBe(true);
    const memory = {
      ram: machine.memory.ram.slice(),
      vram: machine.memory.vram.slice(),
      rom: machine.memory.rom.slice(),
    };
    const state = JSON.parse(JSON.stringify(machine.device.saveState()));
    expect(Buffer.compare(machine.memory.vram, memory.vram)).toBe(0);
    expect(Buffer.compare(machine.memory.ram, memory.ram)).toBe(0);
    const other = new TestMachine({ sliceCost: 10_000, bandCost: 1000 });
    other.memory = memory;
    other.device.restoreState(state);
    while (other.turn()) other.flush();
    other.flush();
    finish(driver);
    expect(Buffer.compare(other.memory.vram, machine.memory.vram)).toBe(0);
    const copy = other.replica.surfaces.get(0)?.bytes;
    expect(Buffer.compare(copy ?? new Uint8Array(0), screen(driver))).toBe(0);
  });

  it("are sent whole to a red worker that comes in the middle", () => {
    const driver = start();
    driver.drawFill(large, 0x0e0e0e);
    expect(driver.machine.tasks).toHaveLength(1);
    driver.machine.batcher.restart();
    driver.machine.replica.surfaces.clear();
    driver.machine.device.resync();
    finish(driver);
    expectInStep(driver);
    expect(isWhole(driver, 0x0e0e0e)).toBe(true);
  });
});
