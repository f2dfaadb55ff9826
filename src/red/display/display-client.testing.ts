import { DisplayChannel, GLZ_WINDOW_PIXELS, PIXMAP_CACHE_PIXELS } from "../../client/index.ts";
import { createDecoders } from "../../image/index.ts";
import type { ParsedMessage, SpiceImage } from "../../protocol/index.ts";
import {
  DisplayCap,
  ImageFlags,
  ImageType,
  ResourceType,
  Ropd,
  baseServer,
  capsToWords,
  displayChannel,
} from "../../protocol/index.ts";
import type { Rect, RedDrawable, RedImage } from "../../protocol/red-command.ts";
import type { RedStream } from "../../transport/index.ts";
import { openRedStream } from "../../transport/index.ts";
import { StrictPaletteCache, StrictPixmapCache } from "../client-caches.testing.ts";

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

/** Drawings that the server sends; it makes pixels of all others. */
const SENT: readonly string[] = ["copy", "fill", "copyBits", "blackness", "whiteness", "invers"];
const KNOWN_TO_HTML5: readonly string[] = ["copy", "fill", "copyBits"];

/** Our display client on one end of a stream, as strict as no stock client is: it fails at whatever one of them could not do. */
export class TestDisplayClient extends DisplayChannel {
  /** The server's end. */
  readonly port: MessagePort;
  readonly capabilities: { readonly common: readonly number[]; readonly channel: readonly number[] };
  /** Messages in their order; without PINGs, which come when it is time. */
  readonly names: string[] = [];
  readonly imageTypes: number[] = [];
  /** Pixels of the largest image that came with pixels of its own. */
  largestImage = 0;
  /** Pixels of the box of each copy onto the primary surface. */
  readonly onPrimary: number[] = [];
  readonly pixmaps: StrictPixmapCache;
  readonly palettes: StrictPaletteCache;
  readonly #stream: RedStream;
  readonly #limited: boolean;
  readonly #withoutInit: boolean;

  constructor(options: TestClientOptions = {}) {
    const { caps = spiceGtkCaps, miniHeader = true, compression, silent: holdsAcks } = options;
    const limited = caps === spiceHtml5Caps;
    const { port1, port2 } = new MessageChannel();
    const transport = openRedStream(port2);
    const pixmaps = new StrictPixmapCache(options.pixmapCache ?? PIXMAP_CACHE_PIXELS);
    const palettes = new StrictPaletteCache();
    const memory = { pixmaps, palettes, decoders: createDecoders() };
    const glzWindowPixels = limited ? 0 : GLZ_WINDOW_PIXELS;
    super({ transport, miniHeader, holdsAcks, compression, memory, glzWindowPixels });
    this.port = port1;
    this.capabilities = { common: [], channel: caps };
    this.pixmaps = pixmaps;
    this.palettes = palettes;
    this.#stream = transport;
    this.#limited = limited;
    this.#withoutInit = options.withoutInit ?? false;
    this.#judge();
    if (options.deaf === true) this.init();
    else this.start();
  }

  override init(): void {
    if (!this.#withoutInit) super.init();
  }

  write(bytes: Uint8Array): void {
    this.#stream.write(bytes);
  }

  /** A silent client acknowledges what it owes, and everything from now on. */
  release(): void {
    this.releaseAcks();
  }

  /** Messages received so far. */
  get messages(): number {
    return Number(this.received);
  }

  get bytes(): number {
    return this.receivedBytes;
  }

  get closed(): string | undefined {
    return this.end?.reason;
  }

  /** What was wrong with what the server sent. */
  get failure(): unknown {
    return this.end?.error;
  }

  /** RGB of a surface as 0x00RRGGBB words. */
  rgb(id: number): Uint32Array {
    const surface = this.surfaces.get(id);
    if (surface === undefined) throw new Error(`the client was sent nothing of surface ${id}`);
    const words = new Uint32Array(surface.bytes.buffer, 0, surface.width * surface.height);
    return words.map((word) => word & 0xffffff);
  }

  #judge(): void {
    this.onMessage = (message) => this.#judgeMessage(message);
    this.onUnknown = (type) => {
      throw new Error(`unexpected message of type ${type}`);
    };
    this.images.onImage = (descriptor) => this.#judgeImage(descriptor);
    Object.assign(this.on, {
      unsupported: ({ name }: ParsedMessage) => {
        throw new Error(`unexpected ${name}`);
      },
      surfaceCreated: ({ surfaceId, format }: { surfaceId: number; format: number }) => {
        if (this.#limited && (surfaceId !== 0 || format !== 32))
          throw new Error("spice-html5 cannot hold this surface");
      },
      drawn: (drawable: RedDrawable) => this.#judgeDrawing(drawable),
    });
  }

  #judgeMessage(message: ParsedMessage): void {
    const { invalList, invalAllPixmaps, reset } = displayChannel.server;
    if (message.serial !== undefined && message.serial !== this.received)
      throw new Error(`serial ${message.serial}, expected ${this.received}`);
    if (message.def !== baseServer.ping) this.names.push(message.name);
    if (message.def === reset) throw new Error("unexpected reset");
    const waits = message.as(invalAllPixmaps)?.waitList ?? [];
    if (waits.length > 0) throw new Error("there is no other channel to wait for");
    for (const { type } of message.as(invalList)?.resources ?? [])
      if (type !== ResourceType.Pixmap) throw new Error(`INVAL_LIST of type ${type}`);
  }

  #judgeImage({ type, flags, width, height }: SpiceImage["descriptor"]): void {
    this.imageTypes.push(type);
    if (type !== ImageType.Surface && type !== ImageType.FromCache)
      this.largestImage = Math.max(this.largestImage, width * height);
    if (this.#limited && (flags !== 0 || type === ImageType.FromCache))
      throw new Error("spice-html5 does not cache right");
    if ((flags & ImageFlags.CacheReplaceMe) !== 0) throw new Error("nothing lossy is ever replaced");
  }

  #judgeDrawing({ surfaceId, bbox, clip, operation }: RedDrawable): void {
    if (!SENT.includes(operation.type)) throw new Error(`unexpected ${operation.type}`);
    if (operation.type === "fill" && operation.brush.type !== "solid")
      throw new Error("only solid fills are sent");
    if (operation.type === "copy" && surfaceId === 0)
      this.onPrimary.push((bbox.bottom - bbox.top) * (bbox.right - bbox.left));
    if (!this.#limited) return;
    if (!KNOWN_TO_HTML5.includes(operation.type))
      throw new Error(`spice-html5 does not know ${operation.type}`);
    if (clip !== undefined) throw new Error("spice-html5 cannot clip");
    if (operation.type === "fill" && operation.rop !== Ropd.OpPut)
      throw new Error("spice-html5 cannot draw this fill");
    if (operation.type === "copy") checkHtml5Copy(bbox, operation.srcArea, operation.src);
  }
}

/** What spice-html5 does with a DRAW_COPY: puts the whole image at the box's corner. */
function checkHtml5Copy(box: Rect, srcArea: Rect, image: RedImage): void {
  const width = box.right - box.left;
  const height = box.bottom - box.top;
  const whole = srcArea.left === 0 && srcArea.top === 0 && image.width === width && image.height === height;
  if (!whole || image.kind !== "bitmap" || ![8, 9].includes(image.format))
    throw new Error("spice-html5 cannot draw this copy");
}
