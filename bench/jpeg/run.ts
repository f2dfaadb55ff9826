import { parseArgs } from "node:util";
import { benchPictures } from "../codecs/pictures.ts";
import { cut } from "../codecs/tiles.ts";
import { withJpegPage } from "./page.ts";

const SIDES = [32, 64, 128, 192, 256, 384, 512];
const BGRX = 8;

/** `npm run bench -- jpeg`: from which size on the browser's own JPEG encoder pays, in Chromium. Medians of wall-clock time. */
export async function runJpeg(args: string[]): Promise<void> {
  const { values } = parseArgs({ args, options: { rounds: { type: "string", default: "31" } } });
  await withJpegPage(async (call) => {
    for (const picture of await benchPictures()) {
      const sizes = SIDES.filter((side) => side <= picture.width && side <= picture.height);
      const pieces = sizes.map((side) => cut(picture, side, side)[0]);
      for (const { width, height, pixels } of [...pieces, picture]) {
        const task = {
          format: BGRX,
          width,
          height,
          stride: width * 4,
          topDown: true,
          rounds: Number(values.rounds),
        };
        const { ours, platform, taken } = await call("compare", {
          ...task,
          pixels: Buffer.from(pixels).toString("base64"),
        });
        // A page's clock has steps of 0.1 ms.
        const ratio = ours < 0.1 ? "many" : (platform / ours).toFixed(1);
        console.log(
          `${picture.name.padEnd(6)} ${`${width}x${height}`.padEnd(9)} ours ${ours.toFixed(2)} ms, platform ${platform.toFixed(2)} ms (${ratio} times ours; ${taken.toFixed(2)} ms of it to take the pixels)`,
        );
      }
    }
  });
}
