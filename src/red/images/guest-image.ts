import type { ImageSource } from "../../image/index.ts";
import { ImageFlags } from "../../protocol/index.ts";
import type { RedBitmap } from "../../protocol/red-command.ts";
import type { CostMeter } from "../../raster/index.ts";
import { Picture } from "./picture.ts";
import type { PixelHasher } from "./pixel-hasher.ts";

/**
 * A whole bitmap that the guest wants its viewers to keep (QXL_IMAGE_CACHE). The picture with its encodings and the fingerprint are
 * made once for all clients.
 */
export class GuestImage {
  /** The guest's id of it. */
  readonly id: bigint;
  /** SpiceImageFlags the guest set beside CACHE_ME. */
  readonly flags: number;
  readonly picture: Picture;
  #fingerprint: string | undefined;

  /** @param source all of the bitmap. */
  constructor(bitmap: RedBitmap, source: ImageSource) {
    this.id = bitmap.id;
    this.flags = bitmap.highBitsSet === true ? ImageFlags.HighBitsSet : 0;
    this.picture = new Picture(source, bitmap.palette?.unique);
  }

  get pixels(): number {
    return this.picture.width * this.picture.height;
  }

  /** Equal for images that look the same. */
  fingerprint(hasher: PixelHasher, meter: CostMeter): string {
    if (this.#fingerprint !== undefined) return this.#fingerprint;
    meter.spend(this.pixels * hasher.pixelCost);
    // HIGH_BITS_SET changes what the client keeps.
    this.#fingerprint = `${this.flags} ${hasher.fingerprint(this.picture.source)}`;
    return this.#fingerprint;
  }
}
