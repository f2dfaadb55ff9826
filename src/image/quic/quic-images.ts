import { ImageDecodeError } from "../error.ts";
import { QuicDecoder } from "./quic-decode.ts";
import type { DecodedImage } from "../source.ts";

/**
 * The decoder for QUIC images that a guest draws with, for the rasteriser of whichever thread draws them; yields the pixels it has
 * done, row by row. A stream that cannot be decoded gives nothing, and so is not drawn: that is the guest's own doing and no reason
 * to stop.
 */
export function quicImages(): (
  image: unknown,
  stream: Uint8Array,
) => Generator<number, DecodedImage | undefined> {
  const decoder = new QuicDecoder();
  return function* rows(_image, stream) {
    try {
      return yield* decoder.rows(stream);
    } catch (error) {
      if (error instanceof ImageDecodeError) return undefined;
      throw error;
    }
  };
}
