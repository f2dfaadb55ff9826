import type { ImageSource } from "../../image/index.ts";
import { sourceBytes } from "../../image/index.ts";
import type { CostMeter } from "../../raster/index.ts";
import type { EncodedImage, ImageEncoders, ImagePreference } from "./image-encoders.ts";

/**
 * Pixels on their way to clients, encoded at most once per preference: equal clients get the same bytes. The source must not
 * change while the picture lives.
 */
export class Picture {
  /** Bytes of the pixels without padding. */
  readonly bytes: number;
  readonly width: number;
  readonly height: number;
  readonly source: ImageSource;
  /** The guest's unique id of the palette; 0 if there is none, or it has no name. */
  readonly paletteId: bigint;
  readonly #encoded = new Map<string, EncodedImage>();

  constructor(source: ImageSource, paletteId = 0n) {
    this.source = source;
    this.paletteId = paletteId;
    this.bytes = sourceBytes(source);
    this.width = source.width;
    this.height = source.height;
  }

  /** The picture as this client wants it. */
  encode(encoders: ImageEncoders, preference: ImagePreference, meter: CostMeter): EncodedImage {
    const key = `${preference.compression}/${preference.lz4}`;
    let image = this.#encoded.get(key);
    if (image === undefined) {
      image = encoders.encode(this.source, preference);
      meter.spend(this.width * this.height * encoders.pixelCost);
      this.#encoded.set(key, image);
    }
    return image;
  }
}
