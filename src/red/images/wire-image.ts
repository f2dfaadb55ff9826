import { isPalette } from "../../image/index.ts";
import type { SpiceImage, SpicePalette } from "../../protocol/index.ts";
import { BitmapFlags, ImageType, JpegAlphaFlags } from "../../protocol/index.ts";
import type { EncodedImage } from "./image-encoders.ts";

/** How the client gets an image's palette: SpiceBitmapFlags, and by them its id in the client's cache or all of it. */
export type WirePalette =
  | { readonly flags: number; readonly paletteId: bigint }
  | { readonly flags: number; readonly palette: SpicePalette };

/** What an image is called: its id, and SpiceImageFlags that tell what to do with it. */
export interface ImageName {
  readonly id: bigint;
  readonly flags: number;
}

/** The Image of spice.proto. @param palette for a palette format only. */
export function wireImage(
  image: EncodedImage,
  name: ImageName,
  palette: WirePalette | undefined,
): SpiceImage {
  const { width, height, data } = image;
  const descriptor = { ...name, width, height };
  switch (image.imageType) {
    case ImageType.Quic:
      return { descriptor: { ...descriptor, type: ImageType.Quic }, quic: { data } };
    case ImageType.LzRgb:
      return { descriptor: { ...descriptor, type: ImageType.LzRgb }, lzRgb: { data } };
    case ImageType.GlzRgb:
      return { descriptor: { ...descriptor, type: ImageType.GlzRgb }, lzRgb: { data } };
    case ImageType.ZlibGlzRgb: {
      const zlibGlz = { glzDataSize: image.innerBytes, data };
      return { descriptor: { ...descriptor, type: ImageType.ZlibGlzRgb }, zlibGlz };
    }
    case ImageType.Jpeg:
      return { descriptor: { ...descriptor, type: ImageType.Jpeg }, jpeg: { data } };
    case ImageType.JpegAlpha: {
      const flags = image.topDown ? JpegAlphaFlags.TopDown : 0;
      const jpegAlpha = { flags, jpegSize: image.innerBytes, data };
      return { descriptor: { ...descriptor, type: ImageType.JpegAlpha }, jpegAlpha };
    }
    case ImageType.Lz4:
      return { descriptor: { ...descriptor, type: ImageType.Lz4 }, lz4: { data } };
    case ImageType.LzPlt:
      return {
        descriptor: { ...descriptor, type: ImageType.LzPlt },
        lzPlt: { ...topDown(palette ?? noPalette), data },
      };
    default: {
      const raw = { format: image.format, x: width, y: height, stride: image.stride, data };
      return {
        descriptor: { ...descriptor, type: ImageType.Bitmap },
        bitmap: isPalette(image.format)
          ? { ...raw, ...topDown(palette ?? noPalette) }
          : { ...raw, flags: BitmapFlags.TopDown, palette: null },
      };
    }
  }
}

/** The reference to an image that the client has in its pixmap cache. */
export function cachedImage(name: ImageName, width: number, height: number): SpiceImage {
  return { descriptor: { ...name, type: ImageType.FromCache, width, height } };
}

const noPalette: WirePalette = { flags: 0, palette: { unique: 0n, ents: [] } };

function topDown(palette: WirePalette): WirePalette {
  return { ...palette, flags: palette.flags | BitmapFlags.TopDown };
}
