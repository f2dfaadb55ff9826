import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { decompress } from "fzstd";
import { PNG } from "pngjs";
import { describe, expect, it } from "vitest";
import type { RasterSurface } from "../raster/index.ts";
import { drawDrawable, surfaceBits } from "../raster/index.ts";
import { RecordingError } from "./recording-reader.ts";
import { readRecording } from "./recording.ts";

interface Golden {
  readonly recording: string;
  readonly event: number;
  readonly width: number;
  readonly height: number;
  readonly png: string;
}

const folder = join(import.meta.dirname, "../../../shared/recordings");
const present = existsSync(join(folder, "goldens.json"));
const goldens: Golden[] = present ? JSON.parse(readFileSync(join(folder, "goldens.json"), "utf8")) : [];

/** Surfaces as a plain map: what a recording draws on. */
class Screen {
  readonly surfaces = new Map<number, RasterSurface>();

  create(id: number, width: number, height: number, format: number, rows?: Uint8Array, rowStride = 0): void {
    const stride = Math.ceil((width * surfaceBits(format)) / 32) * 4;
    const bytes = new Uint8Array(stride * height);
    if (rows !== undefined) {
      for (let y = 0; y < height; y++) {
        bytes.set(rows.subarray(y * rowStride, y * rowStride + Math.min(stride, rowStride)), y * stride);
      }
    }
    this.surfaces.set(id, { bytes, offset: 0, stride, width, height, format });
  }

  /** Pixels of the primary that differ from the picture. */
  differences(png: PNG): number {
    const primary = this.surfaces.get(0);
    if (primary?.width !== png.width || primary.height !== png.height) return Infinity;
    let count = 0;
    for (let i = 0; i < png.width * png.height; i++) {
      const at = 4 * i;
      const { bytes } = primary;
      const same =
        bytes[at] === png.data[at + 2] &&
        bytes[at + 1] === png.data[at + 1] &&
        bytes[at + 2] === png.data[at];
      if (!same) count++;
    }
    return count;
  }
}

/** Draws the recording and calls `at` after each of the wanted events. Stops at the first operation out of our set. */
function replay(name: string, wanted: readonly Golden[], at: (golden: Golden, screen: Screen) => void): void {
  const bytes = decompress(readFileSync(join(folder, `${name}.spicerec.zst`)));
  const screen = new Screen();
  const left = new Map(wanted.map((golden) => [golden.event, golden]));
  for (const event of readRecording(bytes)) {
    if (event.unsupported !== undefined) break;
    const source = { data: event.data, surface: (id: number) => screen.surfaces.get(id) };
    for (const command of event.commands) {
      if (command.type === "surfaceCreate") {
        const { data } = command;
        const rows = data && event.data.subarray(data.offset, data.offset + data.length);
        screen.create(command.surfaceId, command.width, command.height, command.format, rows, command.stride);
      } else if (command.type === "surfaceDestroy") screen.surfaces.delete(command.surfaceId);
      else if (command.type === "draw") {
        const target = screen.surfaces.get(command.surfaceId);
        if (target) drawDrawable(target, command, source);
      }
    }
    const golden = left.get(event.event);
    if (golden) at(golden, screen);
    left.delete(event.event);
    if (left.size === 0) break;
  }
}

describe.skipIf(!present)(
  "recordings of the reference server (skipped where ../shared/recordings is absent)",
  () => {
    // The others need COMPOSITE before their first picture, and the last picture of s-synthetic-allops STROKE and TEXT.
    it.each([
      ["b-xterm-scroll", 4],
      ["s-synthetic-allops", 4],
    ] as const)(
      "%s: %i pictures are the reference's, to the pixel",
      { timeout: 300_000 },
      (name, expected) => {
        const wanted = goldens.filter((golden) => golden.recording === name);
        const seen: string[] = [];
        replay(name, wanted, (golden, screen) => {
          const png = PNG.sync.read(readFileSync(join(folder, golden.png)));
          expect({ png: golden.png, differing: screen.differences(png) }).toEqual({
            png: golden.png,
            differing: 0,
          });
          seen.push(golden.png);
        });
        expect(seen.length).toBe(expected);
      },
    );
  },
);

describe("readRecording", () => {
  it("says where a file is no recording", () => {
    expect(() => [...readRecording(new TextEncoder().encode("SPICE_REPLAY 2\n"))]).toThrow(RecordingError);
    expect(() => [...readRecording(new TextEncoder().encode("SPICE_REPLAY 1\nevent 0 0 9 1\n"))]).toThrow(
      "recording: unknown command type 9 (at byte 15)",
    );
    expect(() => [
      ...readRecording(new TextEncoder().encode("SPICE_REPLAY 1\nevent 0 0 4 1\nbinary 0 message 9:ab")),
    ]).toThrow("has no end");
  });
});
