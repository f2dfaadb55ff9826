import { describe, expect, test } from "vitest";
import { GUEST_DEADLINE_MS, readBuiltGuest, whyNoGuest } from "./built-guest.testing.ts";
import { graphicsFloppy } from "./vga/graphics-floppy.testing.ts";
import { Machine } from "./machine.ts";
import { RecordingRed, silentEvents } from "./machine.testing.ts";
import { eventually } from "../waiting.testing.ts";

const reason = whyNoGuest("console");
if (reason) console.log(`skipped: ${reason}`);

const ENTER = [0x1c, 0x9c];

/** VGA's first 16 colours; DAC values 0, 21, 42, 63 as v86 widens them to 8 bits. */
const COLOURS = [
  0x000000, 0x0000a8, 0x00a800, 0x00a8a8, 0xa80000, 0xa800a8, 0xa85700, 0xa8a8a8, 0x575757, 0x5757ff,
  0x57ff57, 0x57ffff, 0xff5757, 0xff57ff, 0xffff57, 0xffffff,
];

describe.skipIf(reason)("graphics before any driver, with the real firmware", () => {
  test("VBE, 256 colours, planar and text are all shown", async () => {
    const red = new RecordingRed();
    const { options } = readBuiltGuest("console");
    await using machine = await Machine.create({
      ...options,
      kernel: undefined,
      floppy: graphicsFloppy(),
      sink: red.sink,
      events: silentEvents(),
    });
    machine.run();

    // The boot sector's words go up by 0x0101; a pixel is three bytes B, G, R of them.
    const byteAt = (at: number) => (((at >> 1) * 0x101) >> (at & 1 ? 8 : 0)) & 0xff;
    const vbePixel = (index: number) =>
      byteAt(3 * index) | (byteAt(3 * index + 1) << 8) | (byteAt(3 * index + 2) << 16);
    const written = Math.floor(65536 / 3);
    await eventually(
      () => machine.scanoutMode?.kind === "vbe" && red.pixels[written - 1] === vbePixel(written - 1),
      "a picture",
      GUEST_DEADLINE_MS,
    );
    expect([red.width, red.height]).toEqual([640, 480]);
    expect([...red.pixels.subarray(0, written)].findIndex((pixel, index) => pixel !== vbePixel(index))).toBe(
      -1,
    );
    expect(red.pixels.subarray(written + 1).every((pixel) => pixel === 0)).toBe(true);

    machine.keyboard.push(ENTER);
    await eventually(
      () => red.width === 320 && red.pixels[15] === 0xffffff && red.pixels[63744 + 15] === 0xffffff,
      "a picture",
      GUEST_DEADLINE_MS,
    );
    expect([red.width, red.height]).toEqual([320, 200]);
    expect([...red.pixels.subarray(256, 272)]).toEqual(COLOURS);
    expect(red.pixels.subarray(63744, 64000)).toEqual(red.pixels.subarray(0, 256));

    machine.keyboard.push(ENTER);
    const cellOf = (index: number) => COLOURS[((index / 8) >> 10) & 15];
    await eventually(
      () => red.width === 640 && red.height === 480 && red.pixels[307199] === cellOf(307199),
      "mode 12h",
      GUEST_DEADLINE_MS,
    );
    expect([...red.pixels].every((pixel, index) => pixel === cellOf(index))).toBe(true);

    machine.keyboard.push(ENTER);
    await eventually(
      () => machine.scanout.text.text()[0]?.startsWith("all modes done") === true && red.width === 720,
      "a picture",
      GUEST_DEADLINE_MS,
    );
    expect([red.width, red.height]).toEqual([720, 400]);
    expect(machine.scanoutMode).toEqual({ kind: "text", width: 720, height: 400 });
    expect(red.pixels.includes(COLOURS[7])).toBe(true);
  }, 120_000);
});
