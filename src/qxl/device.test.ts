import { LOG_BURST } from "../log/limits.ts";
import { beforeEach, describe, expect, it } from "vitest";
import {
  QXLBitmap,
  QXLImage,
  QXLImageDescriptor,
  QXLPalette,
  QXLRam,
  QXLRom,
  QxlCmd,
  QxlImageFlags,
  QxlIo,
  SpiceRing,
} from "../protocol/index.ts";
import { TEST_RAM, TEST_VRAM, TestDriver, TestMachine, rect } from "./driver.testing.ts";

/** Pixel of the driver's primary at (x, y), as the driver would read it back. */
function pixel(driver: TestDriver, x: number, y: number, width = 256): number {
  const { vram } = driver.machine.memory;
  return new DataView(vram.buffer).getUint32((y * width + x) * 4, true);
}

/** The red worker's copy of a surface is what the guest's memory shows. */
function expectInStep({ machine }: TestDriver, offset = 0): void {
  machine.flush();
  const copy = machine.replica.surfaces.get(0);
  expect(copy).toBeDefined();
  const bytes = copy?.bytes ?? new Uint8Array(0);
  expect(Buffer.compare(machine.memory.vram.subarray(offset, offset + bytes.length), bytes)).toBe(0);
}

let driver: TestDriver;
beforeEach(() => {
  driver = new TestDriver();
});

describe("loading Linux's driver", () => {
  it("takes the whole sequence, first draws larger than the first primary", () => {
    driver.load();
    expect(driver.machine.modes).toEqual(["undefined", "native", "undefined", "native"]);
    expect(driver.completions).toBe(6);
    expect(driver.machine.device.stats).toMatchObject({ lost: 0, guestBug: false, surfaces: 1 });
    expect(driver.machine.device.primarySize).toEqual({ width: 256, height: 192 });
    driver.machine.flush();
    const types = driver.machine.replica.take().map(({ type }) => type);
    expect(types).toEqual([
      "reset",
      "reset",
      "surfaceCreate",
      "draw",
      "monitorsConfig",
      "surfaceDestroy",
      "cursorReset",
      "surfaceCreate",
    ]);
  });

  it("cuts the pixels that it copies to the surface", () => {
    driver.reset();
    driver.createPrimary(64, 64);
    driver.machine.flush();
    const before = driver.machine.replica.bytes;
    driver.drawCopy({ bbox: rect(0, 0, 200, 100), color: 0xabcdef });
    driver.machine.flush();
    expect(driver.machine.replica.bytes - before).toBeLessThan(200 * 64 * 4 + 1024);
    expect(pixel(driver, 63, 63, 64)).toBe(0xabcdef);
  });

  it("gives ROM and RAM header their magic, and nothing by reading ports", () => {
    const { rom, ram } = driver.machine.memory;
    expect(String.fromCharCode(...rom.subarray(0, 4))).toBe("QXRO");
    expect(String.fromCharCode(...ram.subarray(driver.header, driver.header + 4))).toBe("QXRA");
    expect(driver.machine.device.ioRead(QxlIo.NotifyCmd)).toBe(0xff);
    expect(driver.machine.vga).toBe(1);
  });
});

describe("drawing", () => {
  beforeEach(() => driver.load());

  it("draws into guest memory at once and passes the same on", () => {
    driver.drawFill(rect(0, 0, 256, 192), 0x112233);
    driver.drawFill(rect(10, 10, 100, 100), 0x445566, 0, [rect(20, 20, 5, 5), rect(40, 40, 9, 9)]);
    const pixels = Uint8Array.from({ length: 40 * 30 * 4 }, (_, i) => (i * 37) & 255);
    driver.drawCopy({ bbox: rect(100, 50, 40, 30), pixels, chunkBytes: 999 });
    driver.copyBits(rect(105, 52, 60, 60), { x: 100, y: 50 });
    expect(pixel(driver, 0, 0)).toBe(0x112233);
    expect(pixel(driver, 20, 20)).toBe(0x445566);
    expect(pixel(driver, 30, 30)).toBe(0x112233);
    expectInStep(driver);
    expect(driver.machine.device.stats.lost).toBe(0);
  });

  it("copies only the rows that a part of a picture needs", () => {
    const pixels = Uint8Array.from({ length: 64 * 64 * 4 }, (_, i) => (i >> 4) & 255);
    const image = driver.bitmap(64, 64, pixels, { chunkBytes: 1000 });
    driver.machine.flush();
    for (const [bottomUp, flags] of [
      [false, 4],
      [true, 0],
    ] as const) {
      driver.ram.setUint8(image + 19, flags);
      const before = driver.machine.replica.bytes;
      driver.push(QxlCmd.Draw, driver.copyOf(image, rect(3, 10, 20, 5), rect(50, 60, 20, 5)));
      driver.machine.flush();
      expect(driver.machine.replica.bytes - before).toBeLessThan(64 * 4 * 5 + 64);
      const row = bottomUp ? 63 - 12 : 12;
      const view = new DataView(pixels.buffer);
      expect(pixel(driver, 55, 62)).toBe(view.getUint32((row * 64 + 8) * 4, true));
    }
    expectInStep(driver);
  });

  it("passes on what the guest wants cached, whole, with the names of image and palette", () => {
    const { ram } = driver;
    const image = driver.bitmap(16, 8, new Uint8Array(16 * 8 * 4).fill(1));
    ram.setBigUint64(image + QXLImageDescriptor.offset.id, 2n ** 64n - 3n, true);
    ram.setUint8(image + QXLImageDescriptor.offset.flags, QxlImageFlags.Cache | QxlImageFlags.HighBitsSet);
    const bitmap = image + QXLImage.offset.u;
    const palette = driver.allocate(QXLPalette.size + 4 * 256);
    ram.setBigUint64(palette + QXLPalette.offset.unique, 2n ** 63n + 1n, true);
    ram.setUint16(palette + QXLPalette.offset.numEnts, 256, true);
    ram.setUint8(bitmap + QXLBitmap.offset.format, 5);
    ram.setBigUint64(bitmap + QXLBitmap.offset.palette, driver.address(palette), true);
    driver.machine.flush();
    driver.machine.replica.take();
    driver.push(QxlCmd.Draw, driver.copyOf(image, rect(3, 2, 5, 1), rect(0, 0, 5, 1)));
    driver.machine.flush();
    const src = { id: 2n ** 64n - 3n, cacheMe: true, highBitsSet: true, width: 16, height: 8 };
    expect(driver.machine.replica.take()).toMatchObject([
      { type: "draw", operation: { src: { ...src, palette: { unique: 2n ** 63n + 1n } } } },
    ]);
  });

  it("takes pixels that lie flat", () => {
    const pixels = Uint8Array.from({ length: 8 * 8 * 4 }, (_, i) => i & 255);
    const image = driver.bitmap(8, 8, pixels, { flags: 5 });
    driver.push(QxlCmd.Draw, driver.copyOf(image, rect(0, 0, 8, 8), rect(0, 0, 8, 8)));
    expect(pixel(driver, 1, 0)).toBe(0x07060504);
  });

  it("forgets views of memory that was replaced", () => {
    driver.machine.growMemory();
    driver.drawFill(rect(0, 0, 8, 8), 0x99);
    expect(pixel(driver, 3, 3)).toBe(0x99);
    expectInStep(driver);
  });

  it("shows nothing of what memory held before", () => {
    driver.drawFill(rect(0, 0, 256, 192), 0x777777);
    driver.out(QxlIo.DestroyPrimaryAsync);
    driver.createPrimary(128, 100);
    expect(pixel(driver, 5, 5, 128)).toBe(0);
    expectInStep(driver);
    driver.out(QxlIo.DestroyPrimaryAsync);
    driver.machine.memory.vram.fill(0x42, 0, 100);
    driver.createPrimary(128, 100, { flags: 1 });
    expect(pixel(driver, 5, 0, 128)).toBe(0x42424242);
    expectInStep(driver);
  });
});

describe("releases", () => {
  beforeEach(() => {
    driver.load();
    driver.flushReleases();
    driver.released.length = 0;
  });

  it("come back once each, oldest first, in bunches of 32", () => {
    const first = 40;
    for (let i = 0; i < first; i++) driver.drawFill(rect(i, 0, 1, 1), i);
    driver.collect();
    expect(driver.released.length).toBe(32);
    expect(driver.machine.device.stats.releasesPending).toBe(8);
    driver.flushReleases();
    expect(driver.released.length).toBe(40);
    expect(driver.released).toEqual(driver.released.toSorted((a, b) => Number(a - b)));
    expect(driver.live.size).toBe(0);
  });

  it("equal the commands after more than a thousand, whatever the ring does", () => {
    for (let i = 0; i < 1500; i++) {
      driver.drawFill(rect(i % 200, 3, 4, 4), i);
      if (i % 700 === 699) driver.collect();
    }
    driver.flushReleases();
    driver.flushReleases();
    expect(driver.released.length).toBe(1500);
    expect(new Set(driver.released).size).toBe(1500);
    expect(driver.live.size).toBe(0);
  });

  it("are handed over when the guest is out of memory, but not while it has some to collect", () => {
    driver.handlesInterrupts = false;
    for (let i = 0; i < 5; i++) driver.drawFill(rect(0, 0, 1, 1), i);
    driver.out(QxlIo.NotifyOom);
    driver.drawFill(rect(0, 0, 1, 1), 9);
    driver.out(QxlIo.NotifyOom);
    driver.collect();
    expect(driver.released.length).toBe(5);
    expect(driver.machine.device.stats.releasesPending).toBe(1);
  });

  it("raise DISPLAY when the guest waits for them", () => {
    driver.collect();
    for (let i = 0; i < 32; i++) driver.drawFill(rect(0, 0, 1, 1), i);
    expect(driver.released.length).toBe(32);
  });

  it("of a surface's CREATE wait until it dies or is made anew", () => {
    driver.surfaceCreate(5, 16, 16, 0x10_0000);
    driver.drawFill(rect(0, 0, 16, 16), 0xff, 5);
    driver.flushReleases();
    const created = [...driver.live.keys()];
    expect(created.length).toBe(1);
    driver.surfaceCreate(5, 32, 16, 0x10_0000);
    driver.flushReleases();
    expect(driver.live.has(created[0])).toBe(false);
    expect(driver.live.size).toBe(1);
    driver.surfaceDestroy(5);
    driver.flushReleases();
    expect(driver.live.size).toBe(0);
    expect(driver.machine.device.stats.surfaces).toBe(1);
  });

  it("of surfaces come with DESTROY_SURFACE and DESTROY_ALL_SURFACES", () => {
    for (const id of [1, 2, 3]) driver.surfaceCreate(id, 8, 8, 0x10_0000 + id * 4096);
    driver.out(QxlIo.DestroySurfaceAsync, 2);
    driver.flushReleases();
    expect(driver.live.size).toBe(2);
    driver.out(QxlIo.DestroyAllSurfacesAsync);
    driver.flushReleases();
    expect(driver.live.size).toBe(0);
    expect(driver.machine.device.mode).toBe("undefined");
  });

  it("are forgotten with a reset", () => {
    for (let i = 0; i < 5; i++) driver.drawFill(rect(0, 0, 1, 1), i);
    driver.reset();
    driver.flushReleases();
    expect(driver.released.length).toBe(0);
  });
});

describe("surfaces", () => {
  beforeEach(() => driver.load());

  it("may lie bottom row first and be drawn from", () => {
    driver.surfaceCreate(3, 16, 8, 0x20_0000, 32, true);
    driver.drawFill(rect(0, 0, 16, 1), 0xaa, 3);
    const { vram } = driver.machine.memory;
    expect(vram[0x20_0000 + 7 * 64]).toBe(0xaa);
    const image = driver.allocate(48);
    driver.ram.setUint8(image + 8, 104);
    driver.ram.setUint32(image + 10, 16, true);
    driver.ram.setUint32(image + 14, 8, true);
    driver.ram.setUint32(image + 18, 3, true);
    driver.push(QxlCmd.Draw, driver.copyOf(image, rect(0, 0, 16, 8), rect(100, 100, 16, 8)));
    expect(pixel(driver, 100, 100)).toBe(0xaa);
    expect(pixel(driver, 100, 101)).toBe(0);
    expectInStep(driver);
  });
});

describe("interrupts and ports", () => {
  it("hold a level until the guest takes the bits", () => {
    driver.load();
    driver.handlesInterrupts = false;
    driver.out(QxlIo.FlushSurfacesAsync);
    expect(driver.machine.irq).toBe(true);
    driver.ram.setUint32(driver.header + QXLRam.offset.intPending, 0, true);
    expect(driver.machine.irq).toBe(true);
    driver.out(QxlIo.UpdateIrq);
    expect(driver.machine.irq).toBe(false);
  });

  it("complete asynchronous commands in VGA mode, so that nobody waits for them", () => {
    driver.reset();
    const before = driver.completions;
    driver.out(QxlIo.UpdateAreaAsync);
    driver.out(QxlIo.DestroyPrimaryAsync);
    expect(driver.completions).toBe(before + 2);
    driver.out(QxlIo.UpdateArea);
    expect(driver.machine.device.stats.guestBug).toBe(false);
  });

  it("give VGA back when its registers are written", () => {
    driver.load();
    driver.machine.flush();
    driver.machine.replica.take();
    driver.machine.device.vgaWrite();
    expect(driver.machine.device.mode).toBe("vga");
    expect(driver.machine.device.primarySize).toBeUndefined();
    driver.machine.device.vgaWrite();
    driver.machine.flush();
    expect(driver.machine.replica.take().map(({ type }) => type)).toEqual(["surfaceDestroy", "cursorReset"]);
  });

  it("log what the driver says and does wrong, whatever else it says and however fast", () => {
    driver.load();
    const text = new TextEncoder().encode("hello\n\0rest");
    driver.machine.memory.ram.set(text, driver.header + QXLRam.offset.logBuf);
    for (let i = 0; i < 1000; i++) driver.out(QxlIo.Log);
    driver.machine.memory.ram.set(text.subarray(1), driver.header + QXLRam.offset.logBuf);
    for (let i = 0; i < 1000; i++) driver.out(QxlIo.Log);
    driver.out(QxlIo.DestroyPrimaryAsync, 1);
    const said = driver.machine.log.entries.map(({ domain, message, count }) => [domain, message, count]);
    expect(said).toEqual([
      ["qxl-driver", "hello", LOG_BURST],
      ["qxl-driver", "more was said than is kept", 2000 - LOG_BURST],
      ["qxl", "guest bug: DESTROY_PRIMARY with value 1", 1],
    ]);
  });

  it("set a mode for old drivers: bottom row first in the draw area, guest-physical addresses", () => {
    driver.out(QxlIo.SetMode, 200);
    expect(driver.machine.device.stats.guestBug).toBe(true);
    const machine = new TestMachine({ vgamemSize: 2 * 1024 * 1024 });
    machine.device.ioWrite(QxlIo.SetMode, 1);
    expect(machine.device.mode).toBe("compat");
    expect(machine.device.primarySize).toEqual({ width: 640, height: 480 });
    const view = new DataView(machine.memory.ram.buffer);
    const at = 2 * 1024 * 1024;
    view.setBigUint64(at, 1n, true);
    view.setUint8(at + 9, 1);
    for (const [i, edge] of [0, 0, 1, 640].entries()) view.setInt32(at + 28 + 4 * i, edge, true);
    view.setUint32(at + 60, 1, true);
    view.setUint32(at + 64, 0xfedcba, true);
    view.setUint16(at + 80, 8, true);
    const ring = TEST_RAM.size - 8192 + QXLRam.offset.cmdRing;
    view.setBigUint64(ring + SpiceRing.size, BigInt(TEST_RAM.base + at), true);
    view.setUint32(ring + SpiceRing.size + 8, QxlCmd.Draw, true);
    view.setUint32(ring + SpiceRing.offset.prod, 1, true);
    machine.device.ioWrite(QxlIo.NotifyCmd, 0);
    expect(machine.device.stats).toMatchObject({ commands: 1, lost: 0 });
    expect(view.getUint32(479 * 640 * 4, true)).toBe(0xfedcba);
  });
});

describe("clients", () => {
  it("tell the driver what they can do, also after its reset", () => {
    driver.load();
    const capabilities = Uint8Array.from({ length: 58 }, (_, i) => i);
    driver.ram.setUint32(driver.header + QXLRam.offset.intMask, 0x3f, true);
    driver.machine.device.setClientCapabilities(true, capabilities);
    driver.serviceInterrupts();
    expect(driver.clientChanges).toBe(1);
    driver.reset();
    expect(driver.machine.memory.rom[69]).toBe(1);
    expect(driver.machine.memory.rom.subarray(70, 128)).toEqual(capabilities);
  });

  it("ask for monitors only when a driver listens", () => {
    const heads = [{ x: 10, y: 20, width: 800, height: 600 }];
    const { device, memory } = driver.machine;
    expect(device.clientMonitorsConfig(heads)).toBe(false);
    driver.load();
    expect(device.clientMonitorsConfig([])).toBe(true);
    expect(driver.clientMonitorsChanges).toBe(0);
    expect(device.clientMonitorsConfig(heads)).toBe(true);
    driver.serviceInterrupts();
    expect(driver.clientMonitorsChanges).toBe(1);
    const view = new DataView(memory.rom.buffer);
    expect([0, 4, 8, 12].map((at) => view.getUint32(136 + at, true))).toEqual([20, 10, 620, 810]);
    // Linux: crc32(0, heads) over 1028 bytes, the reflected CRC without inversions.
    let crc = 0;
    for (const byte of memory.rom.subarray(132, 132 + 1028)) {
      crc ^= byte;
      for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
    }
    expect(view.getUint32(128, true)).toBe(crc >>> 0);
    driver.ram.setUint32(driver.header + QXLRam.offset.intMask, 0xffff_ffff, true);
    expect(device.clientMonitorsConfig(heads)).toBe(false);
  });
});

describe("a device that is one of several", () => {
  const one = new TestDriver(new TestMachine({ id: 1, hasVga: false, maxHeads: 1 }));

  it("is in no mode before its driver comes and after a reset, and has its number in the ROM", () => {
    expect(one.machine.device.mode).toBe("undefined");
    expect(one.machine.vga).toBe(0);
    one.load();
    expect(one.machine.device.mode).toBe("native");
    one.machine.device.reset();
    expect(one.machine.device.mode).toBe("undefined");
    expect(one.machine.vga).toBe(0);
    expect(one.machine.memory.rom[QXLRom.offset.id]).toBe(1);
  });

  it("has as many heads as it may, whatever driver and client say", () => {
    one.load();
    one.machine.replica.take();
    one.monitorsConfig([
      [0, 0, 64, 64],
      [64, 0, 64, 64],
    ]);
    one.machine.flush();
    const [config] = one.machine.replica.take().filter((command) => command.type === "monitorsConfig");
    expect(config).toMatchObject({ maxAllowed: 1, heads: [{ id: 0, width: 64 }] });
    expect(one.machine.device.heads.length).toBe(1);
    const heads = [800, 640].map((width) => ({ x: 0, y: 0, width, height: 600 }));
    expect(one.machine.device.clientMonitorsConfig(heads)).toBe(true);
    const view = new DataView(one.machine.memory.rom.buffer);
    expect(view.getUint16(QXLRom.offset.clientMonitorsConfig, true)).toBe(1);
  });
});

describe("back-pressure", () => {
  const pixels = new Uint8Array(64 * 64 * 4).fill(9);

  it("leaves the ring full, and wakes the driver when it drains", () => {
    driver = new TestDriver(new TestMachine({ credit: 64 * 1024 }));
    driver.load();
    driver.machine.flush();
    driver.machine.autoCredit = false;
    const image = driver.bitmap(64, 64, pixels);
    let pushed = 0;
    while (!driver.isRingFull()) {
      driver.push(QxlCmd.Draw, driver.copyOf(image, rect(0, 0, 64, 64), rect(pushed, 0, 64, 64)));
      pushed++;
    }
    driver.machine.flush();
    expect(pushed).toBeLessThan(40);
    expect(driver.machine.device.stats.commands).toBeLessThan(pushed);
    expect(driver.isRingFull()).toBe(true);
    driver.handlesInterrupts = false;
    driver.machine.giveCredit();
    expect(driver.machine.irq).toBe(true);
    expect(driver.isRingFull()).toBe(false);
    for (let i = 0; i < 20; i++) {
      driver.machine.flush();
      driver.machine.giveCredit();
    }
    expect(driver.machine.device.stats.commands).toBe(pushed + 1);
    expectInStep(driver);
  });

  it("lets UPDATE_AREA_ASYNC wait until all before it is drawn", () => {
    driver = new TestDriver(new TestMachine({ credit: 32 * 1024 }));
    driver.load();
    driver.machine.flush();
    driver.machine.autoCredit = false;
    for (let i = 0; i < 6; i++) driver.drawCopy({ bbox: rect(0, 0, 64, 64), color: 0x100 + i });
    const before = driver.completions;
    driver.out(QxlIo.UpdateAreaAsync);
    expect(driver.completions).toBe(before);
    driver.out(QxlIo.UpdateAreaAsync);
    expect(driver.machine.device.stats.guestBug).toBe(true);
  });

  it("completes the waiting command with the last drawable", () => {
    driver = new TestDriver(new TestMachine({ credit: 32 * 1024 }));
    driver.load();
    driver.machine.flush();
    driver.machine.autoCredit = false;
    for (let i = 0; i < 6; i++) driver.drawCopy({ bbox: rect(0, 0, 64, 64), color: 0x100 + i });
    const before = driver.completions;
    driver.out(QxlIo.UpdateAreaAsync);
    while (driver.machine.batcher.pendingBytes > 0) {
      driver.machine.flush();
      driver.machine.giveCredit();
      driver.serviceInterrupts();
    }
    expect(driver.completions).toBe(before + 1);
    expect(pixel(driver, 1, 1)).toBe(0x105);
  });

  it("ends with another red worker", () => {
    driver = new TestDriver(new TestMachine({ credit: 32 * 1024 }));
    driver.load();
    driver.machine.flush();
    driver.machine.autoCredit = false;
    for (let i = 0; i < 6; i++) driver.drawCopy({ bbox: rect(0, 0, 64, 64), color: 0x100 + i });
    const { device, batcher } = driver.machine;
    const before = device.stats.commands;
    driver.machine.autoCredit = true;
    batcher.restart();
    device.resync();
    for (let i = 0; i < 10; i++) driver.machine.flush();
    expect(device.stats.commands).toBeGreaterThan(before);
    expect(pixel(driver, 1, 1)).toBe(0x105);
    expectInStep(driver);
  });

  it("draws everything before a synchronous UPDATE_AREA returns", () => {
    driver = new TestDriver(new TestMachine({ credit: 32 * 1024 }));
    driver.load();
    driver.machine.flush();
    driver.machine.autoCredit = false;
    for (let i = 0; i < 6; i++) driver.drawCopy({ bbox: rect(0, 0, 64, 64), color: 0x100 + i });
    expect(pixel(driver, 1, 1)).not.toBe(0x105);
    driver.out(QxlIo.UpdateArea);
    expect(pixel(driver, 1, 1)).toBe(0x105);
  });
});

describe("saved states", () => {
  it("go on where they were: surfaces, cursor, monitors, releases, half-drained rings", () => {
    driver = new TestDriver(new TestMachine({ credit: 48 * 1024 }));
    driver.load();
    driver.surfaceCreate(7, 32, 32, 0x20_0000, 96);
    driver.drawFill(rect(0, 0, 32, 32), 0x80112233, 7);
    driver.cursorSet(
      4,
      4,
      { x: 9, y: 8 },
      Uint8Array.from({ length: 64 }, (_, i) => i),
    );
    driver.monitorsConfig([[0, 0, 256, 192]]);
    driver.machine.flush();
    driver.machine.autoCredit = false;
    for (let i = 0; i < 5; i++) driver.drawCopy({ bbox: rect(i, 0, 64, 64), color: 0x700 + i });
    const state = JSON.parse(JSON.stringify(driver.machine.device.saveState()));
    const saved = driver.machine;
    expect(saved.device.stats.commands).toBeLessThan(10);

    const machine = new TestMachine();
    for (const name of ["ram", "vram", "rom"] as const) machine.memory[name].set(saved.memory[name]);
    machine.device.restoreState(state);
    const resumed = Object.assign(driver, { machine });
    machine.flush();
    const types = machine.replica.take().map(({ type }) => type);
    expect(types.slice(1, 7)).toEqual([
      "reset",
      "surfaceCreate",
      "surfaceCreate",
      "monitorsConfig",
      "cursorSet",
      "draw",
    ]);
    expect(pixel(resumed, 5, 5)).toBe(0x704);
    expectInStep(resumed);
    expect(machine.replica.surfaces.get(7)?.bytes.subarray(0, 4)).toEqual(
      Uint8Array.of(0x33, 0x22, 0x11, 0x80),
    );
    resumed.drawFill(rect(0, 0, 3, 3), 0xabc);
    resumed.surfaceDestroy(7);
    resumed.flushReleases();
    expect(resumed.live.size).toBe(0);
    expect(machine.device.mode).toBe("native");
    expectInStep(resumed);
  });

  it("announce the interrupt level that the memory says", () => {
    driver.load();
    driver.handlesInterrupts = false;
    driver.out(QxlIo.FlushSurfacesAsync);
    const state = driver.machine.device.saveState();
    const machine = new TestMachine();
    machine.memory.ram.set(driver.machine.memory.ram);
    machine.device.restoreState(state);
    expect(machine.irq).toBe(true);
  });

  it.each([
    ["another version", { version: 2 }],
    ["an unknown mode", { mode: "turbo" }],
    ["slots beyond the BARs", { slots: [null, { bank: 0, start: 0, size: 2 ** 40, addressBase: 0 }] }],
    ["a surface beyond the memory", { surfaces: [surfaceBeyondMemory()] }],
    ["a release list elsewhere", { releases: { last: { bank: 3, offset: 0 }, count: 1 } }],
    ["a missing part", { cursor: undefined }],
  ])("are refused with %s, and the device stands reset", (_name, change) => {
    driver.load();
    const state = { ...driver.machine.device.saveState(), ...change } as never;
    const machine = new TestMachine();
    expect(() => machine.device.restoreState(state)).toThrow(/^saved QXL state: /);
    expect(machine.device.mode).toBe("vga");
  });

  it("are sent again to a new red worker", () => {
    driver.load();
    driver.drawFill(rect(0, 0, 50, 50), 0x123456);
    driver.machine.flush();
    const { replica, device, batcher } = driver.machine;
    replica.surfaces.clear();
    batcher.restart();
    device.resync();
    expectInStep(driver);
    expect(replica.surfaces.size).toBe(1);
  });
});

function surfaceBeyondMemory(): object {
  const geometry = { format: 32, width: 4096, height: 4096, stride: 16384 };
  return { id: 0, ...geometry, bank: 1, offset: TEST_VRAM.size - 10, mouseMode: 1, created: null };
}
