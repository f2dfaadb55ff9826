import type { ChannelConnect, SurfacePixels } from "../../dispatch/messages.ts";
import type { ImageCodecs } from "../../image/index.ts";
import { HeapLimitError, createCodecs, quicImages } from "../../image/index.ts";
import { ImageCompression } from "../../protocol/index.ts";
import { CLIENT_OVERSHOOT, openRedStream } from "../../transport/index.ts";
import type { Turns } from "../../transport/index.ts";
import type {
  RedDrawable,
  RedHead,
  RedMonitorsConfig,
  RedSurfaceCreate,
} from "../../protocol/red-command.ts";
import type { DrawArea, RasterSource, RasterSurface, Region, Steps } from "../../raster/index.ts";
import {
  CostMeter,
  drawSmall,
  drawableArea,
  drawing,
  hasSimpleClip,
  simpleArea,
  surfaceBits,
} from "../../raster/index.ts";
import { DisplayChannelClient } from "./display-channel-client.ts";
import type { DisplaySource } from "./display-channel-client.ts";
import { Drawable } from "./drawable.ts";
import { ImageEncoders } from "../images/image-encoders.ts";
import {
  CHANNEL_RECEIVE_BUFFER,
  DISPLAY_INIT_TIMEOUT_MS,
  MAX_SURFACE_BYTES,
  MAX_SURFACE_SIDE,
  NUM_SURFACES,
  SLICE_COST,
} from "../limits.ts";
import { MAX_HEADS } from "../../protocol/limits.ts";
import { NoSuchSurface, RedCommandError } from "../red-error.ts";
import { PixelHasher } from "../images/pixel-hasher.ts";
import { RedSurface } from "./surface.ts";

/** Something that shows the primary surface in this very tab: it takes pixels, not messages. */
export interface PixelClient extends Disposable {
  /** The primary surface was created, or is gone. */
  surfaceChanged(surface: RedSurface | undefined): void;
  /** These pixels of it changed. */
  damaged(region: Region): void;
}

/** Timeouts that tests shorten. */
export interface DisplayTimeouts {
  readonly stallMs?: number;
  readonly initMs?: number;
}

/**
 * The display of one QXL device (spice-server's DisplayChannel): its surfaces, rendered at once in command order, and the clients
 * that watch them. Owns both.
 */
export class DisplayChannel implements DisplaySource, Disposable {
  readonly encoders: ImageEncoders;
  readonly hasher: PixelHasher;
  readonly clients = new Set<DisplayChannelClient>();
  compression: number = ImageCompression.AutoGlz;
  maxAllowedHeads = 1;
  heads: readonly RedHead[] = [];
  /** What drawing and encoding cost is taken from it; whoever runs the channel refills it. */
  readonly meter: CostMeter;
  /** Called when a client has something to send and the meter is spent: {@link pushWaiting} is to be called once it is refilled. */
  onWaiting: (() => void) | undefined;
  /** Called when the primary surface came or went. */
  onPrimaryChanged: ((surface: RedSurface | undefined, mouseMode: number) => void) | undefined;
  readonly #codecs: ImageCodecs;
  readonly #timeouts: DisplayTimeouts;
  readonly #turns: Turns | undefined;
  readonly #surfaces = new Map<number, RedSurface>();
  readonly #quic = quicImages();
  /** Clients that wait for their turn, the longest waiting first. */
  readonly #waiting = new Set<DisplayChannelClient>();
  #surfaceBytes = 0;
  #pixelClient: PixelClient | undefined;

  constructor(
    options: { codecs?: ImageCodecs; timeouts?: DisplayTimeouts; meter?: CostMeter; turns?: Turns } = {},
  ) {
    this.meter = options.meter ?? new CostMeter(SLICE_COST);
    this.#codecs = options.codecs ?? createCodecs();
    this.encoders = new ImageEncoders(this.#codecs);
    this.hasher = new PixelHasher(this.#codecs);
    this.#timeouts = options.timeouts ?? {};
    this.#turns = options.turns;
  }

  surface(id: number): RedSurface | undefined {
    return this.#surfaces.get(id);
  }

  get surfaces(): Iterable<RedSurface> {
    return this.#surfaces.values();
  }

  /** Replaces the tab's own screen. */
  set pixelClient(client: PixelClient | undefined) {
    this.#pixelClient?.[Symbol.dispose]();
    this.#pixelClient = client;
    client?.surfaceChanged(this.#surfaces.get(0));
  }

  /** Joins a client; it gets nothing until its INIT arrived. */
  connect(
    message: ChannelConnect,
    onGone: (reason: string) => void,
    onProgress: () => void,
  ): DisplayChannelClient {
    const client = new DisplayChannelClient(this, {
      stream: openRedStream(message.port, { overshoot: CLIENT_OVERSHOOT }),
      miniHeader: message.miniHeader,
      capabilities: message.capabilities,
      lowBandwidth: message.lowBandwidth,
      receiveBuffer: CHANNEL_RECEIVE_BUFFER,
      stallTimeoutMs: this.#timeouts.stallMs,
      turns: this.#turns,
      resume: message.resume,
      // They are the client's, not the channel's, and other channels run on other threads: the first one has them to itself.
      ownsCaches: message.channelId === 0,
    });
    const init = setTimeout(() => {
      if (!client.started) client.disconnect("no INIT from the display client in time");
    }, this.#timeouts.initMs ?? DISPLAY_INIT_TIMEOUT_MS);
    client.onDisconnect = (reason) => {
      clearTimeout(init);
      this.clients.delete(client);
      this.#waiting.delete(client);
      onGone(reason);
    };
    client.onProgress = onProgress;
    this.clients.add(client);
    client.open();
    return client;
  }

  awaitTurn(client: DisplayChannelClient): void {
    this.#waiting.add(client);
    this.onWaiting?.();
  }

  /** Lets those send that have waited, one after the other, until the meter is spent again. */
  pushWaiting(): void {
    if (this.#waiting.size === 0) return;
    for (const client of this.#waiting) {
      if (this.meter.isSpent) return this.onWaiting?.();
      this.#waiting.delete(client);
      client.push();
    }
  }

  /**
   * Renders a drawing and hands it to every client, once it is finished. Until then the clients are sent what they have to get
   * anyway; one that is sent pixels of this surface meanwhile gets the drawing's pixels, not its message.
   * @returns what is still to be done of it; undefined when it is finished, as small ones are
   * @throws RedCommandError if it makes no sense; nothing was drawn then.
   */
  draw(command: RedDrawable, data: Uint8Array): Steps | undefined {
    const surface = this.#surfaces.get(command.surfaceId);
    if (surface === undefined)
      throw new RedCommandError(`drawing on surface ${command.surfaceId}, which does not exist`);
    if (command.operation.type === "nop") return undefined;
    const source: RasterSource = { data, surface: this.#rasterOf, quic: this.#quic };
    if (!hasSimpleClip(command)) return this.#drawFine(surface, command, source);
    const area = simpleArea(command, surface);
    if (area === undefined) return undefined;
    surface.touch(area.bounds);
    if (!drawSmall(surface.raster, command, source, area, this.meter))
      return this.#drawLarge(surface, command, source, area);
    this.#show(new Drawable(command, data, surface, area, this.#surfaceOf));
    return undefined;
  }

  readonly #surfaceOf = (id: number): RedSurface | undefined => this.#surfaces.get(id);
  readonly #rasterOf = (id: number): RasterSurface | undefined => this.#surfaces.get(id)?.raster;

  *#drawFine(surface: RedSurface, command: RedDrawable, source: RasterSource): Steps {
    const area = yield* drawableArea(command, surface, this.meter, source.data);
    if (area === undefined) return;
    surface.touch(area.bounds);
    yield* this.#drawLarge(surface, command, source, area);
  }

  *#drawLarge(surface: RedSurface, command: RedDrawable, source: RasterSource, area: DrawArea): Steps {
    const drawable = new Drawable(command, source.data, surface, area, this.#surfaceOf);
    surface.isUnderWay = true;
    let finished = false;
    try {
      yield* drawing(surface.raster, command, source, area, this.meter);
      finished = true;
    } finally {
      surface.isUnderWay = false;
      // A fault of ours half way: what is there has to be shown all the same.
      if (!finished) for (const client of this.clients) client.lacks(surface, drawable.region);
    }
    this.#show(drawable);
  }

  #show(drawable: Drawable): void {
    for (const client of this.clients) client.add(drawable);
    if (drawable.surface.id === 0) this.#pixelClient?.damaged(drawable.region);
  }

  /** @throws RedCommandError if format, size or id are impossible. */
  *createSurface(command: RedSurfaceCreate, data: Uint8Array): Steps {
    const { surfaceId: id, format, width, height } = command;
    const bits = surfaceBits(format);
    if (bits === 0) throw new RedCommandError(`surface ${id} has unknown format ${format}`);
    if (!Number.isInteger(id) || id < 0 || id >= NUM_SURFACES)
      throw new RedCommandError(`surface id ${id} is not below ${NUM_SURFACES}`);
    if (width < 1 || height < 1 || width > MAX_SURFACE_SIDE || height > MAX_SURFACE_SIDE)
      throw new RedCommandError(`surface ${id} of ${width} x ${height}; sides are 1 to ${MAX_SURFACE_SIDE}`);
    this.destroySurface(id);
    const bytes = ((width * bits + 31) >>> 5) * 4 * height;
    if (this.#surfaceBytes + bytes > MAX_SURFACE_BYTES)
      throw new RedCommandError(
        `surface ${id} of ${bytes} bytes: all surfaces may take ${MAX_SURFACE_BYTES} together`,
      );
    const surface = this.#allocate(id, format, width, height);
    let finished = false;
    try {
      yield* surface.erase(this.meter);
      if (command.data !== undefined) {
        const { offset, length } = command.data;
        yield* surface.load(data.subarray(offset, offset + length), command.stride, this.meter);
      }
      finished = true;
    } finally {
      if (!finished) surface[Symbol.dispose]();
    }
    this.#surfaces.set(id, surface);
    this.#surfaceBytes += surface.byteLength;
    if (id === 0) {
      this.maxAllowedHeads = 1;
      this.heads = [{ id: 0, surfaceId: 0, width, height, x: 0, y: 0, flags: 0 }];
      this.onPrimaryChanged?.(surface, command.mouseMode ?? 0);
      this.#pixelClient?.surfaceChanged(surface);
    }
    for (const client of this.clients) client.surfaceCreated(surface);
  }

  #allocate(id: number, format: number, width: number, height: number): RedSurface {
    try {
      return new RedSurface(this.#codecs.heap, id, format, width, height);
    } catch (error) {
      if (error instanceof HeapLimitError) throw new RedCommandError(`surface ${id}: ${error.message}`);
      throw error;
    }
  }

  /** Destroys a surface; one that does not exist is no error, drivers destroy twice. */
  destroySurface(id: number): void {
    const surface = this.#surfaces.get(id);
    if (surface === undefined) return;
    this.#forget(surface);
    for (const client of this.clients) client.surfaceDestroyed(id);
    if (id === 0) this.#primaryGone();
  }

  /** DESTROY_SURFACES, all at once, and what the guest's images and palettes were called means nothing any more. */
  reset(): void {
    const hadPrimary = this.#surfaces.has(0);
    for (const surface of this.#surfaces.values()) this.#forget(surface);
    for (const client of this.clients) client.reset();
    if (hadPrimary) this.#primaryGone();
  }

  /** RESET_IMAGE_CACHE: on its own, in its place among what the clients have still to get. */
  resetImageCache(): void {
    for (const client of this.clients) client.resetImageCache();
  }

  setMonitorsConfig({ maxAllowed, heads }: RedMonitorsConfig): void {
    if (heads.length < 1 || heads.length > MAX_HEADS || heads.length > maxAllowed)
      throw new RedCommandError(
        `monitors config with ${heads.length} heads of ${maxAllowed} allowed (at most ${MAX_HEADS})`,
      );
    this.maxAllowedHeads = maxAllowed;
    this.heads = heads;
    for (const client of this.clients) client.monitorsConfigChanged();
  }

  /** Whether a client's pipe holds up the guest. */
  get isBlocked(): boolean {
    for (const client of this.clients) if (client.isBehind) return true;
    return false;
  }

  /** Stops holding up the guest: the pipes that are too long become dirty regions. */
  unblock(): void {
    for (const client of this.clients) if (client.isBehind) client.collapse();
  }

  /** @throws NoSuchSurface */
  *readSurface(id: number): Steps<SurfacePixels> {
    const surface = this.#surfaces.get(id);
    if (surface === undefined) throw new NoSuchSurface(id);
    const { width, height } = surface;
    return { surfaceId: id, width, height, pixels: yield* surface.readAll(this.meter) };
  }

  #forget(surface: RedSurface): void {
    this.#surfaces.delete(surface.id);
    this.#surfaceBytes -= surface.byteLength;
    surface[Symbol.dispose]();
  }

  #primaryGone(): void {
    this.heads = [];
    this.onPrimaryChanged?.(undefined, 0);
    this.#pixelClient?.surfaceChanged(undefined);
  }

  [Symbol.dispose](): void {
    for (const client of this.clients) client[Symbol.dispose]();
    this.pixelClient = undefined;
    for (const surface of this.#surfaces.values()) this.#forget(surface);
  }
}
