import type { DecodedImage, ImageDecoder } from "../../image/index.ts";
import { ImageDecodeError, createDecoders, isPalette } from "../../image/index.ts";
import type { SpiceImage, SpicePalette } from "../../protocol/index.ts";
import { BitmapFlags, ImageFlags, ImageType } from "../../protocol/index.ts";
import type { RedPalette } from "../../protocol/red-command.ts";
import { ClientError } from "../errors.ts";
import type { ClientImage } from "./client-image.ts";
import { PaletteCache } from "./palette-cache.ts";
import { PixmapCache } from "./pixmap-cache.ts";

const NO_BYTES = new Uint8Array(0);
const LOSSY: ReadonlySet<number> = new Set([ImageType.Jpeg, ImageType.JpegAlpha]);

/** What images are decoded from beside their own bytes. */
export interface ImageMemory {
  readonly pixmaps: PixmapCache;
  readonly palettes: PaletteCache;
  /** By SpiceImageType; those of GLZ share a window. */
  readonly decoders: ReadonlyMap<number, ImageDecoder>;
}

/** Caches of that size, and the decoders of src/image. */
export function createImageMemory(pixmapCachePixels: number): ImageMemory {
  return {
    pixmaps: new PixmapCache(pixmapCachePixels),
    palettes: new PaletteCache(),
    decoders: createDecoders(),
  };
}

/** Makes of a SpiceImage something that can be drawn: decodes it, takes it from the cache, keeps it there if it says so. */
export class ImageReader {
  readonly memory: ImageMemory;
  /** Told of each image, before it is read; for statistics. */
  onImage: ((descriptor: SpiceImage["descriptor"]) => void) | undefined;

  constructor(memory: ImageMemory) {
    this.memory = memory;
  }

  /** @throws ClientError `IMAGE_DECODE`, `SERVER_MISSING`, `SERVER_LIMIT` */
  read(image: SpiceImage): ClientImage {
    const { pixmaps } = this.memory;
    const { id, width, height, type, flags } = image.descriptor;
    this.onImage?.(image.descriptor);
    if (type === ImageType.FromCache) return pixmaps.get(id, width, height);
    if (type === ImageType.FromCacheLossless) return pixmaps.get(id, width, height, true);
    if ("surface" in image) {
      const { surfaceId } = image.surface;
      return { image: { kind: "surface", surfaceId, width, height }, bytes: NO_BYTES };
    }
    const own = this.#own(image);
    if ((flags & (ImageFlags.CacheMe | ImageFlags.CacheReplaceMe)) !== 0)
      pixmaps.put(id, own, LOSSY.has(type));
    return own;
  }

  #own(image: SpiceImage): ClientImage {
    const { id, width, height, type } = image.descriptor;
    const common = { kind: "bitmap", id, cacheMe: false, width, height } as const;
    if ("bitmap" in image) {
      const { x, y, format, stride, data, flags } = image.bitmap;
      if (x !== width || y !== height)
        throw new ClientError(
          "IMAGE_DECODE",
          `a bitmap of ${x} x ${y} pixels is said to have ${width} x ${height}`,
        );
      const palette = this.#palette(image.bitmap);
      const topDown = (flags & BitmapFlags.TopDown) !== 0;
      const span = { offset: 0, length: data.length };
      return { image: { ...common, format, stride, topDown, palette, data: span }, bytes: data };
    }
    const decoded = this.#decode(image);
    if (decoded.width !== width || decoded.height !== height) {
      const problem = `a stream of ${decoded.width} x ${decoded.height} pixels is said to have ${width} x ${height}`;
      throw new ClientError("IMAGE_DECODE", `image type ${type}: ${problem}`);
    }
    const { format, stride, topDown, offset, bytes } = decoded;
    const palette = "lzPlt" in image ? this.#palette(image.lzPlt) : undefined;
    if (palette === undefined && isPalette(format))
      throw new ClientError("IMAGE_DECODE", "a stream of indices comes without its palette");
    const data = { offset, length: bytes.length - offset };
    return { image: { ...common, format, stride, topDown, palette, data }, bytes };
  }

  #decode(image: SpiceImage): DecodedImage {
    const { width, height, type } = image.descriptor;
    const { data, innerBytes } = streamOf(image);
    const decoder = this.memory.decoders.get(type);
    if (data === undefined || decoder === undefined)
      throw new ClientError("IMAGE_DECODE", `nobody here decodes images of type ${type}`);
    try {
      return decoder.decode(data, { width, height, innerBytes });
    } catch (cause) {
      if (!(cause instanceof ImageDecodeError)) throw cause;
      throw new ClientError("IMAGE_DECODE", cause.message, { cause });
    }
  }

  #palette(data: {
    readonly flags: number;
    readonly paletteId?: bigint;
    readonly palette?: SpicePalette | null;
  }): RedPalette | undefined {
    const { flags, paletteId, palette } = data;
    const { palettes } = this.memory;
    if (paletteId !== undefined) return palettes.get(paletteId);
    // The 1 bit image of a mask has none.
    if (palette === undefined || palette === null) return undefined;
    const own = { unique: palette.unique, entries: palette.ents };
    if ((flags & BitmapFlags.PalCacheMe) !== 0) palettes.put(own);
    return own;
  }
}

/** The stream of an image, and the size that some types have beside it. */
function streamOf(image: SpiceImage): { data?: Uint8Array; innerBytes?: number } {
  if ("quic" in image) return image.quic;
  if ("lzRgb" in image) return image.lzRgb;
  if ("lzPlt" in image) return image.lzPlt;
  if ("lz4" in image) return image.lz4;
  if ("jpeg" in image) return image.jpeg;
  if ("zlibGlz" in image) return { data: image.zlibGlz.data, innerBytes: image.zlibGlz.glzDataSize };
  if ("jpegAlpha" in image) return { data: image.jpegAlpha.data, innerBytes: image.jpegAlpha.jpegSize };
  return {};
}
