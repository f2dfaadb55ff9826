import type { ImageDecoder } from "../../image/index.ts";
import { createDecoders, isPalette } from "../../image/index.ts";
import type { ParsedMessage, SpiceClip, SpiceImage, SpicePalette } from "../../protocol/index.ts";
import {
  BitmapFlags,
  ClipType,
  DisplayCap,
  ImageFlags,
  ImageType,
  MessageParser,
  ResourceType,
  Ropd,
  baseClient,
  baseServer,
  capsToWords,
  displayChannel,
  encodeMessage,
} from "../../protocol/index.ts";
import type { MessageDef } from "../../protocol/index.ts";
import type { Rect, RedBitmap, RedDrawOperation, RedImage, RedPalette } from "../../protocol/red-command.ts";
import type { RasterSurface } from "../../raster/index.ts";
import { drawDrawable, surfaceBits } from "../../raster/index.ts";
import type { RedStream } from "../../transport/index.ts";
import { openRedStream } from "../../transport/index.ts";
import { ClientPaletteCache, ClientPixmapCache } from "../client-caches.testing.ts";

/** Capabilities as spice-gtk and spice-html5 announce them (clients.md). */
export const spiceGtkCaps = capsToWords([
  DisplayCap.SizedStream,
  DisplayCap.MonitorsConfig,
  DisplayCap.Composite,
  DisplayCap.A8Surface,
  DisplayCap.StreamReport,
  DisplayCap.Lz4Compression,
]);
export const spiceHtml5Caps = capsToWords([
  DisplayCap.SizedStream,
  DisplayCap.StreamReport,
  DisplayCap.MultiCodec,
]);

export interface TestClientOptions {
  readonly caps?: readonly number[];
  readonly miniHeader?: boolean;
  /** Pixels of the pixmap cache as INIT tells them; by default what spice-gtk says. */
  readonly pixmapCache?: number;
  /** Sent as PREFERRED_COMPRESSION behind INIT. */
  readonly compression?: number;
  /** Reads, but never acknowledges. */
  readonly silent?: boolean;
  /** Never even reads. */
  readonly deaf?: boolean;
  /** What the main channel would have measured. */
  readonly lowBandwidth?: boolean;
  /** Sends no INIT. */
  readonly withoutInit?: boolean;
}

/**
 * A display client on a real stream with a real parser: decodes every image, applies every message to surfaces of its own, and
 * throws at whatever a stock client could not do.
 */
export class TestDisplayClient implements Disposable {
  readonly port: MessagePort;
  readonly capabilities: { readonly common: readonly number[]; readonly channel: readonly number[] };
  readonly miniHeader: boolean;
  readonly surfaces = new Map<number, RasterSurface>();
  /** Messages in their order; without PINGs, which come when it is time. */
  readonly names: string[] = [];
  readonly imageTypes: number[] = [];
  /** Pixels of the largest image that came with pixels of its own. */
  largestImage = 0;
  /** Pixels of the box of each copy onto the primary surface. */
  readonly onPrimary: number[] = [];
  heads: readonly { width: number; height: number; surfaceId: number }[] = [];
  readonly pixmaps: ClientPixmapCache;
  readonly palettes = new ClientPaletteCache();
  bytes = 0;
  closed: string | undefined;
  failure: unknown;
  readonly #stream: RedStream;
  readonly #parser: MessageParser;
  readonly #limited: boolean;
  #silent: boolean;
  #owed = 0;
  readonly #decoders: ReadonlyMap<number, ImageDecoder> = createDecoders();
  #serial = 0n;
  #received = 0n;
  #window = 0;
  #untilAck = 0;

  constructor(options: TestClientOptions = {}) {
    const channel = options.caps ?? spiceGtkCaps;
    const { port1, port2 } = new MessageChannel();
    this.port = port1;
    this.capabilities = { common: [], channel };
    this.miniHeader = options.miniHeader ?? true;
    this.#limited = channel === spiceHtml5Caps;
    this.#silent = options.silent ?? false;
    const pixmapCacheSize = options.pixmapCache ?? 20_971_520;
    this.pixmaps = new ClientPixmapCache(pixmapCacheSize);
    this.#stream = openRedStream(port2);
    this.#parser = new MessageParser({ channel: displayChannel.server, miniHeader: this.miniHeader });
    this.#stream.onClose = (reason) => (this.closed = reason);
    if (options.deaf !== true) this.#stream.onData = (bytes) => this.#receive(bytes);
    if (options.withoutInit === true) return;
    this.send(displayChannel.client.init, {
      pixmapCacheId: 1,
      pixmapCacheSize: BigInt(pixmapCacheSize),
      glzDictionaryId: 1,
      glzDictionaryWindowSize: this.#limited ? 0 : 6_290_432,
    });
    if (options.compression !== undefined) {
      this.send(displayChannel.client.preferredCompression, { imageCompression: options.compression });
    }
  }

  send<T>(definition: MessageDef<T>, value: T): void {
    this.#stream.write(
      encodeMessage(definition, value, { miniHeader: this.miniHeader, serial: ++this.#serial }),
    );
  }

  write(bytes: Uint8Array): void {
    this.#stream.write(bytes);
  }

  /** Messages received so far. */
  get messages(): number {
    return Number(this.#received);
  }

  /** RGB of a surface as 0x00RRGGBB words. */
  rgb(id: number): Uint32Array {
    const surface = this.#surface(id);
    const words = new Uint32Array(surface.bytes.buffer, 0, surface.width * surface.height);
    return words.map((word) => word & 0xffffff);
  }

  #surface(id: number): RasterSurface {
    const surface = this.surfaces.get(id);
    if (surface === undefined) throw new Error(`the client was sent nothing of surface ${id}`);
    return surface;
  }

  #receive(bytes: Uint8Array): void {
    this.bytes += bytes.length;
    try {
      for (const message of this.#parser.push(bytes)) {
        this.#received++;
        if (message.serial !== undefined && message.serial !== this.#received)
          throw new Error(`serial ${message.serial}, expected ${this.#received}`);
        this.#acknowledge();
        this.#apply(message);
      }
    } catch (error) {
      this.failure ??= error;
    }
  }

  #acknowledge(): void {
    if (this.#window === 0 || --this.#untilAck > 0) return;
    this.#untilAck = this.#window;
    if (this.#silent) this.#owed++;
    else this.send(baseClient.ack, {});
  }

  /** A silent client acknowledges what it owes, and everything from now on. */
  release(): void {
    this.#silent = false;
    for (; this.#owed > 0; this.#owed--) this.send(baseClient.ack, {});
  }

  #apply(message: ParsedMessage): void {
    const { server } = displayChannel;
    if (message.def !== baseServer.ping) this.names.push(message.name);
    switch (message.def) {
      case baseServer.setAck: {
        const { generation, window } = must(message.as(baseServer.setAck));
        this.#window = this.#untilAck = window;
        this.send(baseClient.ackSync, { generation });
        return;
      }
      case baseServer.ping: {
        const { id, timestamp } = must(message.as(baseServer.ping));
        return this.send(baseClient.pong, { id, timestamp });
      }
      case server.surfaceCreate: {
        const { surfaceId, width, height, format } = must(message.as(server.surfaceCreate));
        if (this.surfaces.has(surfaceId)) throw new Error(`surface ${surfaceId} exists already`);
        if (this.#limited && (surfaceId !== 0 || format !== 32))
          throw new Error("spice-html5 cannot hold this surface");
        const stride = ((width * surfaceBits(format) + 31) >> 5) * 4;
        const bytes = new Uint8Array(stride * height);
        this.surfaces.set(surfaceId, { bytes, offset: 0, stride, width, height, format });
        return;
      }
      case server.surfaceDestroy: {
        const { surfaceId } = must(message.as(server.surfaceDestroy));
        this.#surface(surfaceId);
        this.surfaces.delete(surfaceId);
        return;
      }
      case server.monitorsConfig:
        this.heads = must(message.as(server.monitorsConfig)).heads;
        return;
      case server.drawCopy: {
        const { base, data } = must(message.as(server.drawCopy));
        const { image, bytes } = this.#image(must(data.srcBitmap));
        const { top, left, bottom, right } = base.box;
        if (base.surfaceId === 0) this.onPrimary.push((bottom - top) * (right - left));
        if (this.#limited) this.#checkLimited(base.box, base.clip, data.srcArea, image);
        return this.#draw(base, bytes, {
          type: "copy",
          src: image,
          srcArea: data.srcArea,
          rop: data.ropDescriptor,
          scaleMode: data.scaleMode,
        });
      }
      case server.drawFill: {
        const { base, data } = must(message.as(server.drawFill));
        if (this.#limited && (data.ropDescriptor !== Ropd.OpPut || base.clip.type !== ClipType.None))
          throw new Error("spice-html5 cannot draw this fill");
        if (!("color" in data.brush)) throw new Error("only solid fills are sent");
        const brush = { type: "solid", color: data.brush.color } as const;
        return this.#draw(base, new Uint8Array(0), { type: "fill", brush, rop: data.ropDescriptor });
      }
      case server.copyBits: {
        const { base, srcPos } = must(message.as(server.copyBits));
        if (this.#limited && base.clip.type !== ClipType.None) throw new Error("spice-html5 cannot clip");
        return this.#draw(base, new Uint8Array(0), { type: "copyBits", src: srcPos });
      }
      case server.drawBlackness:
        return this.#draw(must(message.as(server.drawBlackness)).base, new Uint8Array(0), {
          type: "blackness",
        });
      case server.drawWhiteness:
        return this.#draw(must(message.as(server.drawWhiteness)).base, new Uint8Array(0), {
          type: "whiteness",
        });
      case server.drawInvers:
        return this.#draw(must(message.as(server.drawInvers)).base, new Uint8Array(0), { type: "invers" });
      case server.invalList: {
        const { resources } = must(message.as(server.invalList));
        for (const { type, id } of resources) {
          if (type !== ResourceType.Pixmap) throw new Error(`INVAL_LIST of type ${type}`);
          this.pixmaps.drop(id);
        }
        return;
      }
      case server.invalAllPixmaps:
        if (must(message.as(server.invalAllPixmaps)).waitList.length > 0)
          throw new Error("there is no other channel to wait for");
        return this.pixmaps.clear();
      case server.invalPalette:
        return this.palettes.drop(must(message.as(server.invalPalette)).id);
      case server.invalAllPalettes:
        return this.palettes.clear();
      case server.mark:
        return;
      default:
        throw new Error(`unexpected ${message.name}`);
    }
  }

  #draw(
    base: { surfaceId: number; box: Rect; clip: SpiceClip },
    data: Uint8Array,
    operation: RedDrawOperation,
  ): void {
    if (this.#limited && !["copy", "fill", "copyBits"].includes(operation.type))
      throw new Error(`spice-html5 does not know ${operation.type}`);
    const { surfaceId, box } = base;
    const target = this.#surface(surfaceId);
    const clip = "rects" in base.clip ? base.clip.rects : undefined;
    drawDrawable(
      target,
      { type: "draw", surfaceId, effect: 1, mmTime: 0, bbox: box, clip, operation },
      { data, surface: (id) => this.#surface(id) },
    );
  }

  /** What spice-html5 does with a DRAW_COPY: puts the whole image at the box's corner. */
  #checkLimited(box: Rect, clip: SpiceClip, srcArea: Rect, image: RedImage): void {
    const width = box.right - box.left;
    const height = box.bottom - box.top;
    const whole = srcArea.left === 0 && srcArea.top === 0 && image.width === width && image.height === height;
    if (clip.type !== ClipType.None || !whole || image.kind !== "bitmap" || ![8, 9].includes(image.format))
      throw new Error("spice-html5 cannot draw this copy");
  }

  /** The image, from the cache or into it if it says so. */
  #image(image: SpiceImage): { image: RedImage; bytes: Uint8Array } {
    const { id, width, height, type, flags } = image.descriptor;
    this.imageTypes.push(type);
    if (type !== ImageType.Surface && type !== ImageType.FromCache)
      this.largestImage = Math.max(this.largestImage, width * height);
    if (this.#limited && (flags !== 0 || type === ImageType.FromCache))
      throw new Error("spice-html5 does not cache right");
    if ((flags & ImageFlags.CacheReplaceMe) !== 0) throw new Error("nothing lossy is ever replaced");
    if (type === ImageType.FromCache) return this.pixmaps.get(id, width, height);
    if ("surface" in image) {
      const { surfaceId } = image.surface;
      return { image: { kind: "surface", surfaceId, width, height }, bytes: new Uint8Array(0) };
    }
    const decoded = this.#decode(image);
    if ((flags & ImageFlags.CacheMe) !== 0) this.pixmaps.put(id, decoded);
    return decoded;
  }

  #palette(data: {
    readonly flags: number;
    readonly paletteId?: bigint;
    readonly palette?: SpicePalette | null;
  }): RedPalette | undefined {
    const { flags, paletteId, palette } = data;
    if ((flags & BitmapFlags.PalFromCache) !== 0) return this.palettes.get(must(paletteId));
    if (palette === undefined || palette === null) return undefined;
    const own = { unique: palette.unique, entries: palette.ents };
    if ((flags & BitmapFlags.PalCacheMe) !== 0) this.palettes.put(own);
    return own;
  }

  #decode(image: SpiceImage): { image: RedBitmap; bytes: Uint8Array } {
    const { id, width, height, type } = image.descriptor;
    const common = { kind: "bitmap", id, cacheMe: false, width, height } as const;
    if ("bitmap" in image) {
      const { format, stride, data, flags } = image.bitmap;
      const palette = this.#palette(image.bitmap);
      return {
        image: {
          ...common,
          format,
          stride,
          topDown: (flags & BitmapFlags.TopDown) !== 0,
          palette,
          data: { offset: 0, length: data.length },
        },
        bytes: data,
      };
    }
    const { data, innerBytes } = streamOf(image);
    const decoder = this.#decoders.get(type);
    if (data === undefined || decoder === undefined) throw new Error(`cannot decode image type ${type}`);
    const decoded = decoder.decode(data, { width, height, innerBytes });
    if (decoded.width !== width || decoded.height !== height)
      throw new Error("descriptor and stream differ in size");
    const palette = "lzPlt" in image ? this.#palette(image.lzPlt) : undefined;
    if (isPalette(decoded.format) && palette === undefined)
      throw new Error("a palette image without palette");
    return {
      image: {
        ...common,
        format: decoded.format,
        stride: decoded.stride,
        topDown: decoded.topDown,
        palette,
        data: { offset: decoded.offset, length: decoded.bytes.length - decoded.offset },
      },
      bytes: decoded.bytes,
    };
  }

  [Symbol.dispose](): void {
    this.#stream.close("the client left");
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

function must<T>(value: T | undefined | null): T {
  if (value === undefined || value === null) throw new Error("missing");
  return value;
}
