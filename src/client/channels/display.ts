import type { ParsedMessage, SpiceHead } from "../../protocol/index.ts";
import { DisplayCap, ResourceType, capsToWords, displayChannel } from "../../protocol/index.ts";
import type { RedDrawable } from "../../protocol/red-command.ts";
import type { RasterSurface } from "../../raster/index.ts";
import { ClientChannel, valueOf } from "../channel.ts";
import type { ChannelOptions } from "../channel.ts";
import type { ImageMemory } from "../display/image-reader.ts";
import { ImageReader, createImageMemory } from "../display/image-reader.ts";
import { drawOperation } from "../display/draw-operation.ts";
import type { SurfaceShape } from "../display/surfaces.ts";
import { Surfaces } from "../display/surfaces.ts";
import { GLZ_WINDOW_PIXELS, PIXMAP_CACHE_PIXELS } from "../limits.ts";

/** What this client draws: STROKE, TEXT, COMPOSITE and video streams it does not. */
export const DISPLAY_CAPS: readonly number[] = capsToWords([
  DisplayCap.MonitorsConfig,
  DisplayCap.A8Surface,
  DisplayCap.Lz4Compression,
]);

/** How a display channel is opened. */
export interface DisplayOptions {
  /** Pixels of the image cache as INIT announces them. @default {@link PIXMAP_CACHE_PIXELS} */
  readonly pixmapCachePixels?: number;
  /** Pixels of the GLZ window as INIT announces them, 0 for none. @default {@link GLZ_WINDOW_PIXELS} */
  readonly glzWindowPixels?: number;
  /** ImageCompression that the client would like; sent where the server takes it. @default the server's own */
  readonly compression?: number;
  /** Caches and decoders. @default new ones of that size */
  readonly memory?: ImageMemory;
}

/** What a display channel tells of. */
export interface DisplayEvents {
  surfaceCreated(surface: SurfaceShape): void;
  surfaceDestroyed(surfaceId: number): void;
  /** Drawn, with everything that it may have changed: the box of the drawable, within its clip. */
  drawn(drawable: RedDrawable): void;
  /** The primary surface is complete and may be shown. */
  marked(): void;
  /** How the surfaces are laid out on heads. */
  monitorsChanged(heads: readonly SpiceHead[], maxAllowed: number): void;
  /** RESET: the primary is black again. */
  reset(): void;
  /** A message that this client does not carry out; nothing of it is shown. */
  unsupported(message: ParsedMessage): void;
}

const { server, client } = displayChannel;

/**
 * The display channel: keeps the server's surfaces as pixels and carries out what it draws. Each channel has caches and a GLZ window of
 * its own, under its own ids, so none ever waits for another's images.
 */
export class DisplayChannel extends ClientChannel<typeof displayChannel> {
  readonly images: ImageReader;
  readonly on: Partial<DisplayEvents> = {};
  readonly #options: DisplayOptions;
  readonly #surfaces = new Surfaces();
  #heads: readonly SpiceHead[] = [];
  #marked = false;

  constructor(options: ChannelOptions & DisplayOptions) {
    super(displayChannel, options);
    this.#options = options;
    const { pixmapCachePixels = PIXMAP_CACHE_PIXELS, memory } = options;
    this.images = new ImageReader(memory ?? createImageMemory(pixmapCachePixels));
  }

  /** Begins to read, and announces the caches: without INIT a server sends nothing. */
  override start(): void {
    super.start();
    this.init();
  }

  /** INIT, and the compression that is wished for. */
  init(): void {
    const { glzWindowPixels = GLZ_WINDOW_PIXELS, compression } = this.#options;
    this.send(client.init, {
      pixmapCacheId: this.id + 1,
      pixmapCacheSize: BigInt(this.images.memory.pixmaps.size),
      glzDictionaryId: this.id + 1,
      glzDictionaryWindowSize: glzWindowPixels,
    });
    if (compression !== undefined) this.preferCompression(compression);
  }

  /** PREFERRED_COMPRESSION: an ImageCompression. */
  preferCompression(imageCompression: number): void {
    this.send(client.preferredCompression, { imageCompression });
  }

  /** By their ids; 0 is the primary. They are as the server has drawn them so far. */
  get surfaces(): ReadonlyMap<number, RasterSurface> {
    return this.#surfaces.all;
  }

  get heads(): readonly SpiceHead[] {
    return this.#heads;
  }

  /** Whether the primary surface was complete once. */
  get marked(): boolean {
    return this.#marked;
  }

  protected override handle(message: ParsedMessage): void {
    switch (message.def) {
      case server.surfaceCreate: {
        const shape = valueOf(message, server.surfaceCreate);
        this.#surfaces.create(shape);
        return this.on.surfaceCreated?.(shape);
      }
      case server.surfaceDestroy:
        return this.#destroy(valueOf(message, server.surfaceDestroy).surfaceId);
      case server.monitorsConfig: {
        const { heads, maxAllowed } = valueOf(message, server.monitorsConfig);
        this.#heads = heads;
        return this.on.monitorsChanged?.(heads, maxAllowed);
      }
      case server.mark:
        this.#marked = true;
        return this.on.marked?.();
      case server.reset:
        return this.#reset();
      case server.invalList:
        return this.#invalidate(message);
      case server.invalAllPixmaps:
        return this.images.memory.pixmaps.clear();
      case server.invalPalette:
        return this.images.memory.palettes.drop(valueOf(message, server.invalPalette).id);
      case server.invalAllPalettes:
        return this.images.memory.palettes.clear();
      default:
        return this.#draw(message);
    }
  }

  protected override disposed(): void {
    this.images.memory.pixmaps.clear();
    this.images.memory.palettes.clear();
  }

  #draw(message: ParsedMessage): void {
    const found = drawOperation(message, this.images);
    if (found === undefined) return this.on.unsupported?.(message);
    this.#surfaces.draw(found);
    this.on.drawn?.(found.drawable);
  }

  #destroy(surfaceId: number): void {
    this.#surfaces.destroy(surfaceId);
    if (surfaceId === 0) this.#marked = false;
    this.on.surfaceDestroyed?.(surfaceId);
  }

  #reset(): void {
    this.#surfaces.all.get(0)?.bytes.fill(0);
    this.images.memory.palettes.clear();
    this.#marked = false;
    this.on.reset?.();
  }

  #invalidate(message: ParsedMessage): void {
    for (const { type, id } of valueOf(message, server.invalList).resources)
      if (type === ResourceType.Pixmap) this.images.memory.pixmaps.drop(id);
  }
}
