import type { GlzDictionary } from "../../image/index.ts";
import { isPalette } from "../../image/index.ts";
import type { MessageDef, SpiceImage } from "../../protocol/index.ts";
import {
  BitmapFlags,
  ImageCompression,
  ImageFlags,
  ResourceType,
  displayChannel,
} from "../../protocol/index.ts";
import { BYTES_PER_UNIT } from "../../raster/index.ts";
import type { CostMeter } from "../../raster/index.ts";
import type { MessageSink, PictureWire } from "./draw-messages.ts";
import type { GuestImage } from "../images/guest-image.ts";
import type { EncodedImage, ImageEncoders } from "../images/image-encoders.ts";
import { MAX_CACHED_IMAGE_PIXELS, MAX_CACHE_OVERDRAW } from "../limits.ts";
import { PaletteCache } from "../images/palette-cache.ts";
import type { Picture } from "../images/picture.ts";
import type { PixelHasher } from "../images/pixel-hasher.ts";
import { PixmapCache } from "../images/pixmap-cache.ts";
import type { WirePalette } from "../images/wire-image.ts";
import { cachedImage, wireImage } from "../images/wire-image.ts";

/** What making images takes of the channel. */
export interface ImageTools {
  readonly encoders: ImageEncoders;
  readonly hasher: PixelHasher;
  /** The channel's SpiceImageCompression; a client's own wish overrides it. */
  readonly compression: number;
  /** What encoding costs is taken from it. */
  readonly meter: CostMeter;
}

/** What a client's INIT and link say of its images. */
export interface ClientImages {
  /** i64 of INIT, in pixels. */
  readonly pixmapCacheSize: bigint;
  readonly glzDictionaryId: number;
  /** In pixels. */
  readonly glzDictionaryWindowSize: number;
  /** Capability LZ4_COMPRESSION. */
  readonly lz4: boolean;
  /** As measured by the main channel: it changes what is worth the time to compress. */
  readonly lowBandwidth: boolean;
}

const server = displayChannel.server;

/**
 * The images of one display client as they go on its wire (fill_bits and compress of spice-server's dcc): encoded as that client
 * wants them, or named where it has them.
 *
 * The caches change only here, while a message is made that is written at once. So they always are what the client has after the
 * last message that was written, and what is dropped from a pipe changes nothing.
 */
export class DccImages implements PictureWire {
  /** SpiceImageCompression that the client asks for. */
  compression: number | undefined;
  readonly #sink: MessageSink;
  readonly #tools: ImageTools;
  readonly #client: ClientImages;
  readonly #pixmaps: PixmapCache;
  readonly #palettes = new PaletteCache();
  #dictionary: GlzDictionary | undefined;
  #imageId = 0n;

  constructor(sink: MessageSink, tools: ImageTools, client: ClientImages) {
    this.#sink = sink;
    this.#tools = tools;
    this.#client = client;
    // A client names its cache in INIT, and spice-gtk gives all its display channels the same one: only the first of them uses it.
    this.#pixmaps = new PixmapCache(client.pixmapCacheSize);
  }

  send<T>(definition: MessageDef<T>, value: T): void {
    this.#sink.send(definition, value);
  }

  /** A picture that is sent once: the client does not keep it, and its id only has to differ. */
  image(picture: Picture): SpiceImage {
    return this.#fill(picture, this.#encode(picture), ++this.#imageId, 0);
  }

  /**
   * The guest's image by way of the client's pixmap cache: its id alone if the client has it, else the whole image to be kept.
   * Undefined if it is not worth that; then the drawn part goes out by itself. Worth it is what fits the cache and is not far
   * larger than the `drawn` pixels: nobody knows whether the rest will ever be shown.
   *
   * Where the id is taken by other pixels, INVAL_LIST frees it first. CACHE_REPLACE_ME would do the same in spice-gtk, but only for
   * a lossless image and without our knowing the size; spice-html5 does not know it.
   */
  cached(image: GuestImage, drawn: number): SpiceImage | undefined {
    const { id, flags, pixels, picture } = image;
    if (pixels > MAX_CACHED_IMAGE_PIXELS) return undefined;
    const worthwhile = this.#pixmaps.fits(pixels) && pixels <= drawn * MAX_CACHE_OVERDRAW;
    if (!worthwhile && !this.#pixmaps.has(id)) return undefined;
    const fingerprint = image.fingerprint(this.#tools.hasher, this.#tools.meter);
    if (this.#pixmaps.hit(id, fingerprint)) return cachedImage({ id, flags }, picture.width, picture.height);
    if (!worthwhile) return undefined;
    const encoded = this.#encode(picture);
    const gone = this.#pixmaps.add(id, pixels, fingerprint);
    if (gone.length > 0) {
      const resources = gone.map((old) => ({ type: ResourceType.Pixmap, id: old }));
      this.#sink.send(server.invalList, { resources });
    }
    return this.#fill(picture, encoded, id, flags | ImageFlags.CacheMe);
  }

  /**
   * Empties both caches, here and at the client.
   * @param unknown the client may have cached what is not known here
   */
  invalidate(unknown = false): void {
    this.#palettes.clear();
    this.#sink.send(server.invalAllPalettes, {});
    if (this.#pixmaps.clear() || unknown) this.#sink.send(server.invalAllPixmaps, { waitList: [] });
  }

  /** Of the client's GLZ dictionary; 0 while it has none. */
  get lastGlzImageId(): bigint {
    return BigInt(this.#dictionary?.lastImageId ?? 0);
  }

  #fill(picture: Picture, encoded: EncodedImage, id: bigint, flags: number): SpiceImage {
    this.#tools.meter.spend(encoded.data.length / BYTES_PER_UNIT);
    return wireImage(encoded, { id, flags }, this.#palette(picture, encoded));
  }

  #palette({ paletteId }: Picture, { format, palette: colors }: EncodedImage): WirePalette | undefined {
    if (colors === undefined || !isPalette(format)) return undefined;
    const palette = { unique: paletteId, ents: Array.from(colors) };
    if (paletteId === 0n) return { flags: 0, palette };
    const use = this.#palettes.use(paletteId, colors);
    if (use.cached) return { flags: BitmapFlags.PalFromCache, paletteId };
    if (use.evicted !== undefined) this.#sink.send(server.invalPalette, { id: use.evicted });
    return { flags: BitmapFlags.PalCacheMe, palette };
  }

  #encode(picture: Picture): EncodedImage {
    const { encoders } = this.#tools;
    const compression = this.compression ?? this.#tools.compression;
    if (compression === ImageCompression.Glz) {
      const image = this.#encodeGlz(picture);
      if (image !== undefined) return image;
    }
    return picture.encode(encoders, { compression, lz4: this.#client.lz4 }, this.#tools.meter);
  }

  /** Only for a client that asks for GLZ by name: such a stream is of use to nobody else. */
  #encodeGlz(picture: Picture): EncodedImage | undefined {
    const { encoders, meter } = this.#tools;
    const { glzDictionaryId, glzDictionaryWindowSize, lowBandwidth } = this.#client;
    this.#dictionary ??= encoders.openDictionary(glzDictionaryId, glzDictionaryWindowSize);
    if (this.#dictionary === undefined) return undefined;
    meter.spend(picture.width * picture.height * encoders.pixelCost);
    return encoders.encodeGlz(picture.source, this.#dictionary, lowBandwidth);
  }

  [Symbol.dispose](): void {
    this.#dictionary?.[Symbol.dispose]();
    this.#dictionary = undefined;
    this.#pixmaps.clear();
    this.#palettes.clear();
  }
}
