import { assert, constantFrom, integer, nat, oneof, property, record, uint8Array, array } from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import {
  QXLClip,
  QXLCopy,
  QXLCursor,
  QXLCursorCmd,
  QXLCursorHeader,
  QXLCursorSet,
  QXLDataChunk,
  QXLDrawable,
  QXLRam,
  QXLSurface,
  QXLSurfaceCmd,
  QxlCmd,
  QxlDraw,
  QxlIo,
  SpiceRing,
} from "../protocol/index.ts";
import type { Rect } from "../protocol/red-command.ts";
import { MAX_CLIP_RECTS } from "./limits.ts";
import { TEST_RAM, TEST_VRAM, TestDriver, TestMachine, rect } from "./driver.testing.ts";

let driver: TestDriver;
beforeEach(() => {
  driver = new TestDriver();
  driver.load();
  driver.flushReleases();
});

/** Does something bad with one command, and checks that it alone is lost, given back, and that the device goes on. */
function expectLost(bad: () => void, count = 1): void {
  const before = driver.machine.device.stats;
  bad();
  const after = driver.machine.device.stats;
  expect({ lost: after.lost - before.lost, last: after.lastError }).toEqual({
    lost: count,
    last: after.lastError,
  });
  expect(after.guestBug).toBe(false);
  driver.flushReleases();
  driver.machine.flush();
  driver.machine.replica.take();
  driver.drawFill(rect(1, 1, 2, 2), 0xc0ffee);
  // What was lost may have used up the slice.
  while (driver.machine.turn());
  driver.machine.flush();
  expect(driver.machine.replica.take().map(({ type }) => type)).toEqual(["draw"]);
}

const image = () => driver.bitmap(4, 4, new Uint8Array(64));
const copy = (picture: number) => driver.copyOf(picture, rect(0, 0, 4, 4), rect(0, 0, 4, 4));

describe("guest addresses", () => {
  const slotEnd = () => driver.header;

  it.each([
    ["of slot 0", 0x10n],
    ["of the slot behind the last", 8n << 56n],
    ["of a slot beyond all", 255n << 56n],
    ["of a slot that was never added", (5n << 56n) + 0x1000n],
    ["of another generation", (1n << 56n) + (1n << 48n)],
    ["far beyond the slot", (1n << 56n) + 0xffff_ffff_ffffn],
    ["that wrap", 0xffff_ffff_ffff_ffffn],
  ])("%s lose the command that uses them", (_name, address) => {
    expectLost(() => driver.push(QxlCmd.Draw, address));
    for (const at of [QXLCopy.offset.srcBitmap, QXLCopy.offset.mask + 9]) {
      const command = copy(image());
      driver.ram.setBigUint64(command + QXLDrawable.offset.u + at, address, true);
      expectLost(() => driver.push(QxlCmd.Draw, command));
      expect(driver.live.size).toBe(1);
    }
    const command = driver.drawable(QxlDraw.Blackness, rect(0, 0, 4, 4));
    driver.ram.setUint32(command + QXLDrawable.offset.clip, 1, true);
    driver.ram.setBigUint64(command + QXLDrawable.offset.clip + QXLClip.offset.data, address, true);
    expectLost(() => driver.push(QxlCmd.Draw, command));
  });

  it("may reach the last byte of a slot and not the one behind", () => {
    const size = QXLDrawable.size;
    for (const [end, lost] of [
      [slotEnd(), 0],
      [slotEnd() + 1, 1],
    ] as const) {
      const before = driver.machine.device.stats.lost;
      driver.push(QxlCmd.Draw, driver.address(end - size));
      // A drawable of zero bytes is a NOP on surface 0.
      expect(driver.machine.device.stats.lost - before).toBe(lost);
    }
  });

  it("of slots outside the BARs are never made", () => {
    for (const [id, start, end] of [
      [0, TEST_RAM.base, TEST_RAM.base + 4096],
      [8, TEST_RAM.base, TEST_RAM.base + 4096],
      [3, TEST_RAM.base + 4096, TEST_RAM.base + 4096],
      [3, TEST_RAM.base - 1, TEST_RAM.base + 4096],
      [3, TEST_VRAM.base, TEST_VRAM.base + TEST_VRAM.size + 1],
      [3, 0, 2 ** 40],
    ]) {
      driver.addSlot(id, start, end);
      expect(driver.machine.device.stats.guestBug).toBe(true);
      driver.load();
      expect(driver.machine.device.stats.guestBug).toBe(false);
    }
  });
});

describe("pictures", () => {
  it.each([
    ["no pixels", { x: 0 }],
    ["a width beyond all", { x: 0x7fff_ffff }],
    ["a stride too short", { stride: 15 }],
    ["a height that overflows", { y: 0x4000_0001 }],
    ["a stride that overflows", { stride: 0xffff_fffc }],
    ["an unknown format", { format: 11 }],
    ["no format", { format: 0 }],
    ["a palette format without palette", { format: 5 }],
  ])("with %s are not drawn", (_name, change) => {
    expectLost(() => {
      const picture = image();
      const { format = 8, x = 4, y = 4, stride = 16 } = change as Partial<Record<string, number>>;
      const { ram } = driver;
      ram.setUint8(picture + 18, format);
      ram.setUint32(picture + 20, x, true);
      ram.setUint32(picture + 24, y, true);
      ram.setUint32(picture + 28, stride, true);
      driver.push(QxlCmd.Draw, copy(picture));
    });
  });

  it("of a kind that guests may not send are not drawn", () => {
    for (const type of [2, 100, 101, 103, 105, 255]) {
      expectLost(() => {
        const picture = image();
        driver.ram.setUint8(picture + 8, type);
        driver.push(QxlCmd.Draw, copy(picture));
      });
    }
  });

  it("whose chunks hold more or less than they should are not drawn", () => {
    for (const size of [0, 63, 65, 0xffff_ffff]) {
      expectLost(() => {
        const picture = image();
        const chunk = Number(driver.ram.getBigUint64(picture + 40, true) & 0xffff_ffff_ffffn);
        driver.ram.setUint32(chunk, size, true);
        driver.push(QxlCmd.Draw, copy(picture));
      });
    }
  });

  it("whose chunks go in circles are not drawn", () => {
    for (const size of [0, 1, 8]) {
      expectLost(() => {
        const picture = image();
        const chunk = Number(driver.ram.getBigUint64(picture + 40, true) & 0xffff_ffff_ffffn);
        driver.ram.setUint32(chunk, size, true);
        driver.ram.setBigUint64(chunk + QXLDataChunk.offset.nextChunk, driver.address(chunk), true);
        driver.push(QxlCmd.Draw, copy(picture));
      });
    }
  });

  it("are copied from inside only", () => {
    for (const area of [rect(-1, 0, 4, 4), rect(0, -1, 4, 4), rect(1, 0, 4, 4), rect(0, 1, 4, 4)]) {
      expectLost(() => driver.push(QxlCmd.Draw, driver.copyOf(image(), area, rect(0, 0, 4, 4))));
    }
  });

  it("that are surfaces which died are not drawn from", () => {
    driver.surfaceCreate(3, 4, 4, 0x20_0000);
    driver.surfaceDestroy(3);
    const picture = image();
    driver.ram.setUint8(picture + 8, 104);
    driver.ram.setUint32(picture + 18, 3, true);
    driver.push(QxlCmd.Draw, copy(picture));
    driver.machine.flush();
    expect(driver.machine.device.stats.guestBug).toBe(false);
  });
});

describe("drawables", () => {
  it.each([1, 1023, 1024, 0xffff_ffff])("for surface %i, which is not there, are lost", (id) => {
    expectLost(() => driver.drawFill(rect(0, 0, 4, 4), 1, id));
  });

  it("of an unknown type are lost, of one that is not implemented counted", () => {
    expectLost(() => driver.push(QxlCmd.Draw, driver.drawable(15, rect(0, 0, 4, 4))));
    expectLost(() => driver.push(QxlCmd.Draw, driver.drawable(255, rect(0, 0, 4, 4))));
    driver.push(QxlCmd.Draw, driver.drawable(QxlDraw.Stroke, rect(0, 0, 4, 4)));
    expect([...driver.machine.device.stats.unsupported]).toEqual([["stroke", 1]]);
    expectLost(() => driver.push(77, driver.drawable(QxlDraw.Nop, rect(0, 0, 4, 4))));
  });

  it("reach no pixel outside the surface, wherever their box lies", () => {
    const far = 0x7fff_ffff;
    const boxes: Rect[] = [
      { top: -far, left: -far, bottom: far, right: far },
      { top: 190, left: 250, bottom: 400, right: 400 },
      { top: -10, left: -10, bottom: 5, right: 5 },
      { top: 1000, left: 0, bottom: 1001, right: 10 },
    ];
    const { vram, ram } = driver.machine.memory;
    const primary = 256 * 192 * 4;
    const rest = vram.slice(primary);
    const low = ram.slice(0, 0x1000);
    for (const box of boxes) driver.drawFill(box, 0xffff);
    expect(Buffer.compare(vram.subarray(primary), rest)).toBe(0);
    expect(Buffer.compare(ram.subarray(0, 0x1000), low)).toBe(0);
    expect(driver.machine.device.stats.lost).toBe(0);
    expectLost(() => driver.drawFill({ top: 5, left: 5, bottom: 4, right: 9 }, 1));
  });

  it("with a clip that is not what it says are lost", () => {
    for (const [count, bytes] of [
      [2 ** 28, 32],
      [3, 32],
      [1, 32],
      [2, 31],
      [MAX_CLIP_RECTS + 1, 16 * (MAX_CLIP_RECTS + 1)],
    ]) {
      expectLost(() => {
        const clip = driver.clipRects([rect(0, 0, 1, 1), rect(2, 2, 1, 1)]);
        driver.ram.setUint32(clip, count, true);
        driver.ram.setUint32(clip + 4, bytes, true);
        const at = driver.drawable(QxlDraw.Blackness, rect(0, 0, 9, 9));
        driver.ram.setUint32(at + QXLDrawable.offset.clip, 1, true);
        driver.ram.setBigUint64(at + QXLDrawable.offset.clip + 4, driver.address(clip), true);
        driver.push(QxlCmd.Draw, at);
      });
    }
  });
});

describe("surfaces", () => {
  it.each([
    ["id 0", { id: 0 }],
    ["id 1024", { id: 1024 }],
    ["the largest id", { id: 0xffff_ffff }],
    ["no width", { width: 0 }],
    ["a width beyond its stride", { width: 9 }],
    ["a height that overflows", { height: 0x2000_0000 }],
    ["a stride of -2^31", { stride: -(2 ** 31) }],
    ["a stride of 0", { stride: 0 }],
    ["an unknown format", { format: 33 }],
    ["a type of neither", { type: 2 }],
    ["memory beyond the slot", { data: TEST_VRAM.size - 255 }],
  ])("with %s are not made", (_name, change) => {
    const given = change as Partial<Record<string, number>>;
    const { id = 9, width = 8, height = 8, stride = 32, format = 32, type = 0, data = 0x30_0000 } = given;
    expectLost(() => {
      const at = driver.surfaceCommand(id, type);
      const surface = at + QXLSurfaceCmd.offset.u;
      driver.ram.setUint32(surface + QXLSurface.offset.format, format, true);
      driver.ram.setUint32(surface + QXLSurface.offset.width, width, true);
      driver.ram.setUint32(surface + QXLSurface.offset.height, height, true);
      driver.ram.setInt32(surface + QXLSurface.offset.stride, stride, true);
      driver.ram.setBigUint64(surface + QXLSurface.offset.data, driver.surfaceAddress(data), true);
      driver.push(QxlCmd.Surface, at);
    });
    expect(driver.machine.device.stats.surfaces).toBe(1);
  });

  it("cannot take all memory of the red worker", () => {
    // The same 2 MiB of VRAM again and again.
    for (let id = 1; id <= 200; id++) driver.surfaceCreate(id, 1024, 512, 0x10_0000);
    expect(driver.machine.device.stats.lastError).toContain("all surfaces together");
    expect(driver.machine.device.stats.surfaces).toBeLessThan(130);
  });

  it.each([
    ["a stride of no words", { stride: 1026 }],
    ["more than vgamem", { height: 2000 }],
    ["a stride that overflows", { stride: 0x7fff_fffc }],
    ["a stride of -2^31", { stride: -(2 ** 31) }],
    ["an unknown format", { format: 7 }],
    ["no height", { height: 0 }],
    ["a width beyond its stride", { width: 300, stride: 1024 }],
  ])("with %s are no primary: the driver has a bug until it resets", (_name, change) => {
    driver.out(QxlIo.DestroyPrimaryAsync);
    driver.createPrimary(256, 192, { stride: 1024, ...change });
    expect(driver.machine.device.stats.guestBug).toBe(true);
    expect(driver.machine.device.mode).toBe("undefined");
    driver.load();
    expect(driver.machine.device.stats.guestBug).toBe(false);
    expect(driver.machine.device.mode).toBe("native");
  });
});

describe("cursors", () => {
  it.each([
    ["0xffff x 0xffff", 0xffff, 0xffff, 0, 64],
    ["0 x 4", 0, 4, 0, 64],
    ["4 x 0", 4, 0, 0, 64],
    ["an unknown type", 4, 4, 7, 64],
    ["too few bytes", 4, 4, 0, 63],
    ["more bytes claimed than there are", 5, 4, 0, 0xffff_ffff],
  ])("of %s are lost", (_name, width, height, type, bytes) => {
    expectLost(() => {
      const at = driver.cursorSet(4, 4, { x: 0, y: 0 });
      driver.flushReleases();
      const set = at + QXLCursorCmd.offset.u + QXLCursorSet.offset.shape;
      const shape = Number(driver.ram.getBigUint64(set, true) & 0xffff_ffff_ffffn);
      driver.ram.setUint16(shape + QXLCursorHeader.offset.width, width, true);
      driver.ram.setUint16(shape + QXLCursorHeader.offset.height, height, true);
      driver.ram.setUint16(shape + QXLCursorHeader.offset.type, type, true);
      driver.ram.setUint32(shape + QXLCursor.offset.dataSize, bytes, true);
      driver.push(QxlCmd.Cursor, at, QXLRam.offset.cursorRing, QxlIo.NotifyCursor);
    });
  });
});

describe("monitors", () => {
  it("must be as many as they say, and no more than allowed", () => {
    driver.machine.flush();
    driver.machine.replica.take();
    const before = driver.completions;
    driver.monitorsConfig([[0, 0, 100, 100]], 4, 0);
    driver.monitorsConfig([[0, 0, 100, 100]], 4, 5);
    driver.monitorsConfig([[0, 0, 100, 100]], 0, 65);
    driver.monitorsConfig([[0, 0, 9000, 100]]);
    driver.ram.setBigUint64(
      driver.header + QXLRam.offset.monitorsConfig,
      driver.address(driver.header - 5),
      true,
    );
    driver.out(QxlIo.MonitorsConfigAsync);
    driver.machine.flush();
    expect(driver.machine.replica.take()).toEqual([]);
    expect(driver.completions).toBe(before + 5);
    expect(driver.machine.device.stats.guestBug).toBe(false);
  });
});

describe("rings and ports", () => {
  it.each([
    ["cmdRing", SpiceRing.offset.prod, 0x8000_0000],
    ["cmdRing", SpiceRing.offset.prod, 0xffff_ffff],
    ["cmdRing", SpiceRing.offset.cons, 0x1234_5678],
    ["cursorRing", SpiceRing.offset.prod, 0xdead_beef],
  ] as const)(
    "with an impossible index (%s + %i = %i) lose what was in them, and nothing else",
    (name, field, value) => {
      const { lost: before, interrupts } = driver.machine.device.stats;
      driver.ram.setUint32(driver.header + QXLRam.offset[name] + field, value, true);
      driver.machine.flush();
      driver.machine.replica.take();
      driver.out(name === "cmdRing" ? QxlIo.NotifyCmd : QxlIo.NotifyCursor);
      // A driver that waits for room in the ring is woken.
      expect(driver.machine.device.stats.interrupts).toBe(interrupts + 1);
      expect(driver.machine.device.stats).toMatchObject({ guestBug: false, lost: before + 1 });
      driver.drawFill(rect(0, 0, 1, 1), 1);
      driver.machine.flush();
      expect(driver.machine.replica.take().map(({ type }) => type)).toEqual(["draw"]);
      expect(driver.machine.device.stats.lost).toBe(before + 1);
    },
  );

  it("give back what comes after the guest destroyed the release ring's indices", () => {
    driver.ram.setUint32(
      driver.header + QXLRam.offset.releaseRing + SpiceRing.offset.cons,
      0x7000_0000,
      true,
    );
    const before = driver.machine.device.stats.releasesPending;
    driver.drawFill(rect(0, 0, 1, 1), 1);
    expect(driver.machine.device.stats.releasesPending).toBe(before + 1);
    driver.out(QxlIo.FlushRelease);
    expect(driver.machine.device.stats.releasesPending).toBe(0);
  });

  it("survive a surface that lies over the rings", () => {
    driver.addSlot(3, TEST_RAM.base, TEST_RAM.base + TEST_RAM.size);
    const at = driver.surfaceCommand(4, 0);
    const surface = at + QXLSurfaceCmd.offset.u;
    driver.ram.setUint32(surface + QXLSurface.offset.format, 32, true);
    driver.ram.setUint32(surface + QXLSurface.offset.width, 1024, true);
    driver.ram.setUint32(surface + QXLSurface.offset.height, 2, true);
    driver.ram.setInt32(surface + QXLSurface.offset.stride, 4096, true);
    driver.ram.setBigUint64(surface + QXLSurface.offset.data, (3n << 56n) + BigInt(driver.header), true);
    driver.ram.setUint32(at + QXLSurfaceCmd.offset.flags, 1, true);
    driver.push(QxlCmd.Surface, at);
    // Paints prod and cons of its own ring over and over.
    for (const color of [0, 31, 0xffff_ffff, 0x0101_0101]) {
      pushRaw(driver, QxlCmd.Draw, driver.address(driver.fill(rect(0, 0, 1024, 2), color, 4)));
    }
    driver.load();
    expect(driver.machine.device.stats.guestBug).toBe(false);
  });

  it.each([25, 31, 200])("have no port %i", (port) => {
    driver.out(port, 1);
    expect(driver.machine.device.stats.guestBug).toBe(true);
  });

  it("take CREATE_PRIMARY and DESTROY_PRIMARY with value 0 only", () => {
    driver.out(QxlIo.DestroyPrimaryAsync, 1);
    expect(driver.machine.device.stats.guestBug).toBe(true);
    driver.load();
    driver.out(QxlIo.CreatePrimaryAsync, 0);
    expect(driver.machine.log.entries.at(-1)?.message).toContain("CREATE_PRIMARY");
  });

  it("release without anything to release", () => {
    const fresh = new TestDriver();
    for (const port of [QxlIo.NotifyOom, QxlIo.FlushRelease]) fresh.out(port);
    fresh.reset();
    for (const port of [QxlIo.NotifyOom, QxlIo.FlushRelease]) fresh.out(port);
    expect(fresh.released).toEqual([]);
  });
});

/** Memory that another CPU changes between two reads. */
class RacingMemory extends Uint8Array {
  race: ((start: number, end: number) => void) | undefined;

  override slice(start?: number, end?: number): Uint8Array<ArrayBuffer> {
    const copied = Uint8Array.from(this.subarray(start, end));
    this.race?.(start ?? 0, end ?? this.length);
    return copied;
  }
}

describe("a guest that changes what was checked", () => {
  let racing: RacingMemory;
  beforeEach(() => {
    const machine = new TestMachine();
    racing = new RacingMemory(TEST_RAM.size);
    racing.set(machine.memory.ram);
    machine.memory.ram = racing;
    driver = new TestDriver(machine);
    driver.load();
    driver.flushReleases();
    machine.flush();
    machine.replica.take();
  });

  it("changes nothing: cursor header", () => {
    const pixels = new Uint8Array(64).fill(3);
    const shapeAt = driver.allocate(0);
    racing.race = (start) => {
      if (start !== shapeAt) return;
      driver.ram.setUint16(shapeAt + QXLCursorHeader.offset.width, 0xffff, true);
      driver.ram.setUint16(shapeAt + QXLCursorHeader.offset.height, 0xffff, true);
    };
    driver.cursorSet(4, 4, { x: 1, y: 1 }, pixels);
    driver.machine.flush();
    const [command] = driver.machine.replica.take();
    expect(command).toMatchObject({
      type: "cursorSet",
      shape: { width: 4, height: 4, data: { length: 64 } },
    });
  });

  it("changes nothing: count of heads", () => {
    const at = driver.allocate(0);
    racing.race = (start) => {
      if (start === at) driver.ram.setUint16(at, 0xffff, true);
    };
    driver.monitorsConfig([[0, 0, 10, 10]]);
    driver.machine.flush();
    const [command] = driver.machine.replica.take();
    expect(command).toMatchObject({ type: "monitorsConfig", heads: [{ width: 10, height: 10 }] });
  });

  it("changes nothing: size of a picture and of its chunk", () => {
    const picture = driver.bitmap(4, 4, new Uint8Array(64).fill(8));
    const chunk = Number(driver.ram.getBigUint64(picture + 40, true) & 0xffff_ffff_ffffn);
    racing.race = (start) => {
      if (start === picture) driver.ram.setUint32(picture + 24, 0x7fff_ffff, true);
      if (start === chunk) driver.ram.setUint32(chunk, 0x7fff_ffff, true);
    };
    driver.push(QxlCmd.Draw, driver.copyOf(picture, rect(0, 0, 4, 4), rect(0, 0, 4, 4)));
    driver.machine.flush();
    expect(driver.machine.replica.take()).toMatchObject([
      { operation: { src: { height: 4, data: { length: 64 } } } },
    ]);
    expect(driver.machine.device.stats.lost).toBe(0);
  });
});

describe("random bytes", () => {
  const GUARD = 4096;

  /** Device memory between guards that must stay as they are. */
  class GuardedMachine extends TestMachine {
    readonly guarded: Uint8Array[] = [];

    constructor() {
      super();
      for (const name of ["ram", "vram", "rom"] as const) {
        const inner = this.memory[name];
        const outer = new Uint8Array(inner.length + 2 * GUARD).fill(0xa5);
        outer.set(inner, GUARD);
        this.guarded.push(outer);
        this.memory[name] = outer.subarray(GUARD, GUARD + inner.length);
      }
    }

    get guardsHold(): boolean {
      return this.guarded.every(
        (outer) =>
          outer.subarray(0, GUARD).every((byte) => byte === 0xa5) &&
          outer.subarray(outer.length - GUARD).every((byte) => byte === 0xa5),
      );
    }
  }

  const machine = new GuardedMachine();
  const fuzzed = new TestDriver(machine);

  const smallBytes = uint8Array({ minLength: 1, maxLength: 200 });
  const place = oneof(nat(4096), nat(TEST_RAM.size - 1));
  const step = oneof(
    record({ kind: constantFrom("write" as const), at: place, bytes: smallBytes }),
    record({ kind: constantFrom("header" as const), at: nat(5400), bytes: uint8Array({ maxLength: 8 }) }),
    record({ kind: constantFrom("port" as const), port: integer({ min: 0, max: 24 }), value: nat(8) }),
    record({ kind: constantFrom("command" as const), type: nat(6), at: nat(64), bytes: smallBytes }),
    record({
      kind: constantFrom("sane" as const),
      type: constantFrom(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13),
      bytes: smallBytes,
    }),
  );

  it("never throw and never reach outside", { timeout: 120_000 }, () => {
    assert(
      property(array(step, { minLength: 4, maxLength: 40 }), (steps) => {
        fuzzed.load();
        for (const one of steps) {
          const room = machine.memory.ram.length;
          if (one.kind === "write") {
            machine.memory.ram.set(one.bytes.subarray(0, Math.max(0, room - one.at)), one.at);
          } else if (one.kind === "header") machine.memory.ram.set(one.bytes, fuzzed.header + one.at);
          else if (one.kind === "port") machine.device.ioWrite(one.port, one.value);
          else if (one.kind === "command") {
            const at = fuzzed.allocate(256);
            machine.memory.ram.set(one.bytes, at);
            pushRaw(fuzzed, one.type, fuzzed.address(at + one.at));
          } else {
            // A drawable for the primary whose addresses lead somewhere, the rest is noise.
            const at = fuzzed.drawable(one.type, rect(one.bytes[0] - 20, 3, 40, 40));
            const u = at + QXLDrawable.offset.u;
            machine.memory.ram.set(one.bytes.subarray(0, 60), u);
            fuzzed.ram.setBigUint64(u, fuzzed.address(fuzzed.bitmap(8, 8, new Uint8Array(256))), true);
            pushRaw(fuzzed, QxlCmd.Draw, fuzzed.address(at));
          }
        }
        machine.flush();
        machine.replica.take();
        expect(machine.guardsHold).toBe(true);
      }),
      { numRuns: 400 },
    );
  });
});

/** Pushes without looking whether there is room. */
function pushRaw(target: TestDriver, type: number, address: bigint): void {
  const at = target.header + QXLRam.offset.cmdRing;
  const { ram } = target;
  const prod = ram.getUint32(at + SpiceRing.offset.prod, true);
  ram.setBigUint64(at + SpiceRing.size + (prod % 32) * 16, address, true);
  ram.setUint32(at + SpiceRing.size + (prod % 32) * 16 + 8, type, true);
  ram.setUint32(at + SpiceRing.offset.prod, prod + 1, true);
  target.machine.device.ioWrite(QxlIo.NotifyCmd, 0);
}
