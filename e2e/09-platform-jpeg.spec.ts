import { expect, test } from "@playwright/test";
import { withJpegPage } from "../bench/jpeg/page.ts";
import type { ImageSource } from "../src/image/index.ts";
import { BitmapFmt, JpegDecoder, PLATFORM_JPEG_MIN_PIXELS, rowBytes } from "../src/image/index.ts";

const WIDTH = 400;
const HEIGHT = 360;

/** Gentle slopes, which JPEG keeps closely: a mixed-up channel, row or orientation stands out. */
function slope(x: number, y: number): [blue: number, green: number, red: number] {
  return [240 - (x >> 1), 40 + (y >> 1), 30 + ((x + y) >> 2)];
}

function picture(format: number, topDown: boolean): ImageSource {
  const stride = rowBytes(format, WIDTH) + 4;
  const bytes = new Uint8Array(stride * HEIGHT);
  for (let y = 0; y < HEIGHT; y++) {
    const row = (topDown ? y : HEIGHT - 1 - y) * stride;
    for (let x = 0; x < WIDTH; x++) {
      const [b, g, r] = slope(x, y);
      const word = ((r >> 3) << 10) | ((g >> 3) << 5) | (b >> 3);
      if (format === BitmapFmt.Bit16) bytes.set([word & 255, word >> 8], row + 2 * x);
      else bytes.set([b, g, r], row + (format === BitmapFmt.Bit24 ? 3 : 4) * x);
    }
  }
  return { format, width: WIDTH, height: HEIGHT, stride, offset: 0, bytes, topDown };
}

/** Root mean square of what our decoder makes of the stream, against the slopes. */
function error(stream: string | undefined, height: number): number {
  const image = new JpegDecoder().decode(new Uint8Array(Buffer.from(stream ?? "", "base64")));
  expect([image.width, image.height]).toEqual([WIDTH, height]);
  let sum = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < WIDTH; x++) {
      slope(x, y).forEach((value, c) => (sum += (image.bytes[(y * WIDTH + x) * 4 + c] - value) ** 2));
    }
  }
  return Math.sqrt(sum / (WIDTH * height * 3));
}

test("Chromium's own JPEG encoder makes of large pictures what our decoder reads", async () => {
  expect(WIDTH * HEIGHT).toBeGreaterThanOrEqual(PLATFORM_JPEG_MIN_PIXELS);
  await withJpegPage(async (call) => {
    const task = ({ bytes, ...source }: ImageSource) => ({
      ...source,
      pixels: Buffer.from(bytes).toString("base64"),
    });
    for (const format of [BitmapFmt.Bit16, BitmapFmt.Bit24, BitmapFmt.Bit32, BitmapFmt.Rgba]) {
      for (const topDown of [true, false]) {
        const stream = await call("encode", task(picture(format, topDown)));
        // Five bits of a colour are up to seven away from eight.
        expect(error(stream, HEIGHT)).toBeLessThan(format === BitmapFmt.Bit16 ? 6 : 2.5);
      }
    }
    const [whole, half] = await call("encodeTwo", task(picture(BitmapFmt.Bit32, true)));
    expect(error(whole, HEIGHT)).toBeLessThan(2.5);
    expect(error(half, HEIGHT >> 1)).toBeLessThan(2.5);
    // What is small, or has no colours, is for others.
    expect(
      await call("encode", task({ ...picture(BitmapFmt.Bit32, true), width: 64, height: 64 })),
    ).toBeUndefined();
    expect(
      await call("encode", task({ ...picture(BitmapFmt.Bit32, true), format: BitmapFmt.Bit8 })),
    ).toBeUndefined();
  });
});
