import { describe, expect, it } from "vitest";
import { createCodecs } from "../codecs.ts";
import { BitmapFmt } from "../formats.ts";
import { PlatformJpegEncoder } from "./platform-jpeg.ts";

describe("the platform's JPEG encoder (e2e tests it in Chromium)", () => {
  it("is not there without OffscreenCanvas, and says so", async () => {
    expect(PlatformJpegEncoder.supported).toBe(false);
    expect(createCodecs().platformJpeg).toBeUndefined();
    const bytes = new Uint8Array(512 * 512 * 4);
    const common = {
      format: BitmapFmt.Bit32,
      width: 512,
      height: 512,
      stride: 2048,
      offset: 0,
      topDown: true,
    };
    const encoder = new PlatformJpegEncoder();
    expect(encoder.accepts({ ...common, bytes })).toBe(false);
    expect(await encoder.encodeAsync({ ...common, bytes })).toBeUndefined();
  });
});
