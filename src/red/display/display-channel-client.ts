import { RedChannelClient } from "../../channel/index.ts";
import type { PipeItem, RedChannelClientOptions } from "../../channel/index.ts";
import type { ChannelResume, SurfaceAtClient } from "../../dispatch/messages.ts";
import type { MessageDef, ParsedMessage } from "../../protocol/index.ts";
import {
  DisplayCap,
  ImageCompression,
  MIGRATE_DATA_VERSION,
  MigrateMagic,
  SurfaceFlags,
  decodeBody,
  displayChannel,
  displayMigrateData,
  encodeStruct,
} from "../../protocol/index.ts";
import type { Rect, RedHead } from "../../protocol/red-command.ts";
import { BYTES_PER_UNIT, Region, SurfaceFmt } from "../../raster/index.ts";
import { DirtyRegion } from "./dirty-region.ts";
import type { ClientProfile } from "./draw-plan.ts";
import type { Drawable, PlacedPicture } from "./drawable.ts";
import { DccImages } from "./dcc-images.ts";
import type { ClientImages, ImageTools } from "./dcc-images.ts";
import { sendCopies, sendDrawable, sendPicture, sendSurface } from "./draw-messages.ts";
import type { PictureWire } from "./draw-messages.ts";
import {
  FIRST_PICTURE_PIXELS,
  MAX_PIPE_BYTES,
  MAX_PIPE_SIZE,
  MAX_SNAPSHOT_PIXELS,
  MESSAGE_COST,
  STAGING_SURFACE,
} from "../limits.ts";
import { Picture } from "../images/picture.ts";
import { RedClientError } from "../red-error.ts";
import { areaOf, strips } from "./strips.ts";
import type { RedSurface } from "./surface.ts";

/** What a display client needs of its channel. */
export interface DisplaySource extends ImageTools {
  readonly maxAllowedHeads: number;
  readonly heads: readonly RedHead[];
  surface(id: number): RedSurface | undefined;
  /** The slice is used up while this client has something to send: to be {@link DisplayChannelClient.push}ed in the next one. */
  awaitTurn(client: DisplayChannelClient): void;
}

/** What a client says of its caches. */
type DisplayInit = Omit<ClientImages, "lz4" | "lowBandwidth"> & { readonly pixmapCacheId: number };

/** Incarnation of the surfaces that a client has from the time of an earlier red worker. */
const INHERITED = -1;

/** A pipe item; `damage` tells which pixels the client lacks if the item is dropped. */
interface DisplayItem extends PipeItem {
  readonly damage?: { readonly surface: RedSurface; readonly region: Region };
}

/** A surface as the client will have it once its pipe is empty. */
interface ClientSurface {
  readonly surface: RedSurface;
  /** Pixels that differ from ours. While there are any, drawing on the surface only adds to them. */
  readonly dirty: DirtyRegion;
  /** It was sent pixels of a drawing that was half done. */
  torn: boolean;
}

/**
 * The display channel of one client (spice-server's DisplayChannelClient). Two ways lead a drawing to it:
 *
 * - As a pipe item, in order, while the client keeps up.
 * - As dirty pixels. When the pipe grows too long the channel {@link collapse}s it: every drawable in it becomes a dirty region of
 *   its surface, and the pipe is rebuilt from the difference between what the client was sent and what is there now. Dirty pixels
 *   of the primary surface are sent, piece by piece, as they are at that moment; those of other surfaces when the surface is
 *   needed next.
 *
 * So the memory of a client that does not read is bounded by the surfaces, and what it sees next is never older than it must be.
 */
export class DisplayChannelClient extends RedChannelClient<DisplayItem> {
  readonly profile: ClientProfile;
  readonly #source: DisplaySource;
  /** As measured by the main channel: it changes what is worth the time to compress. */
  readonly #lowBandwidth: boolean;
  readonly #ownsCaches: boolean;
  /** Surfaces the client has, or will have by items in the pipe. */
  readonly #held = new Map<number, ClientSurface>();
  /** Surfaces that were really created at the client: id to incarnation. */
  readonly #sent = new Map<number, number>();
  /** What it asked for before its INIT. */
  #earlyCompression: number | undefined;
  #init: DisplayInit | undefined;
  /** Exists from the client's INIT on. */
  #images: DccImages | undefined;
  #resetPending = false;
  #monitorsPending = false;
  #syncing = false;
  /** Incarnation of the primary surface whose MARK was sent. */
  #marked = 0;
  readonly #resume: ChannelResume | undefined;
  /** The primary surface that the client shows, from the time of an earlier red worker, until there is one here. */
  #inherited: SurfaceAtClient | undefined;
  /** A PING is under way: it waits for nobody's drawing. */
  #pinging = false;

  constructor(
    source: DisplaySource,
    options: Omit<RedChannelClientOptions, "schema" | "handleAcks" | "resume"> & {
      readonly lowBandwidth?: boolean;
      readonly resume?: ChannelResume;
      /** Whether the client's image cache and GLZ window are this channel's: all its display channels have the same ones. @default true */
      readonly ownsCaches?: boolean;
    },
  ) {
    super({ ...options, schema: displayChannel, handleAcks: true });
    this.#source = source;
    this.#lowBandwidth = options.lowBandwidth ?? false;
    this.#resume = options.resume;
    this.#ownsCaches = options.ownsCaches ?? true;
    // Whoever knows surfaces of alpha alone knows them all; spice-html5 says neither.
    const knowsSurfaces = [DisplayCap.Composite, DisplayCap.A8Surface].some((cap) => this.hasCapability(cap));
    this.profile = knowsSurfaces ? "full" : "limited";
  }

  /** Sends SET_ACK, then waits for the client's INIT before anything else. */
  override open(): void {
    super.open();
    this.pushSetAck();
    if (this.#resume && this.connected) this.#goOn(this.#resume);
  }

  /** Another red worker had this channel: what the client was sent is there still, what it cached is not to be trusted. */
  #goOn({ init, compression, surfaces, marked }: ChannelResume): void {
    this.#earlyCompression = compression;
    for (const surface of surfaces) {
      // The primary stays and is painted over if the new one is like it.
      if (surface.surfaceId === 0 && marked) this.#inherited = surface;
      else this.#addDestroy(surface.surfaceId);
      this.#sent.set(surface.surfaceId, INHERITED);
    }
    // Its dictionary at the client has images of the old worker.
    if (init) this.#start({ ...decodeBody(displayChannel.client.init, init), glzDictionaryWindowSize: 0 });
  }

  /** Whether the client's INIT came. */
  get started(): boolean {
    return this.#images !== undefined;
  }

  /** Whether this client's pipe holds up the guest (spice-server's MAX_PIPE_SIZE). */
  get isBehind(): boolean {
    return !this.migrating && (this.pipe.length > MAX_PIPE_SIZE || this.pipe.bytes > MAX_PIPE_BYTES);
  }

  /** Sending takes its share of the slice: encoding is what costs most. */
  protected override canSend(): boolean {
    if (!super.canSend()) return false;
    if (this.#pinging || !this.#source.meter.isSpent) return true;
    this.#source.awaitTurn(this);
    return false;
  }

  override ping(filler?: Uint8Array): number | undefined {
    this.#pinging = true;
    try {
      return super.ping(filler);
    } finally {
      this.#pinging = false;
    }
  }

  override send<T>(definition: MessageDef<T>, value: T): void {
    this.#source.meter.spend(MESSAGE_COST);
    super.send(definition, value);
  }

  protected override handleMessage(message: ParsedMessage): void {
    const { client } = displayChannel;
    const init = message.as(client.init);
    if (init !== undefined) return this.#start(init);
    const wish = message.as(client.preferredCompression);
    const compression = wish?.imageCompression ?? ImageCompression.Invalid;
    if (compression >= ImageCompression.Off && compression <= ImageCompression.Lz4) {
      if (this.#images) this.#images.compression = compression;
      else this.#earlyCompression = compression;
    }
    // Reports and codec wishes concern video streams, of which there are none: tolerated, as all clients may send them.
  }

  /** dcc_start: palettes, the primary surface and its picture, monitors, MARK. */
  #start(init: DisplayInit): void {
    if (this.started) throw new RedClientError("a second INIT; a display client sends it once");
    this.#init = init;
    this.#images = new DccImages(this, this.#source, {
      ...init,
      lz4: this.hasCapability(DisplayCap.Lz4Compression),
      lowBandwidth: this.#lowBandwidth,
      // spice-html5 draws the whole image whatever the source area is, folds 64-bit ids to 32 bits and ignores INVAL_ALL_PIXMAPS.
      pixmapCacheSize: this.profile === "limited" || !this.#ownsCaches ? 0n : init.pixmapCacheSize,
      ...(!this.#ownsCaches && { glzDictionaryWindowSize: 0 }),
    });
    if (this.#earlyCompression !== undefined) this.#images.compression = this.#earlyCompression;
    // spice-html5 has no cache to speak of, and does not know the message.
    this.#images.invalidate(this.#resume !== undefined && this.#ownsCaches && this.profile === "full");
    this.#pushPrimary();
    this.push();
  }

  /** A surface exists now. Only the primary is sent at once; others when a drawing needs them. */
  surfaceCreated(surface: RedSurface): void {
    if (!this.started || surface.id !== 0) return;
    this.#pushPrimary();
    this.push();
  }

  /** The surface is gone from the channel; pending drawings of the primary go with it. */
  surfaceDestroyed(id: number): void {
    if (id === 0 && this.#inherited) {
      this.#inherited = undefined;
      this.#addDestroy(0);
      return this.push();
    }
    const held = this.#held.get(id);
    if (held === undefined) return;
    if (id === 0) return this.collapse();
    this.#held.delete(id);
    this.#addDestroy(id);
    this.push();
  }

  monitorsConfigChanged(): void {
    if (!this.started || !this.#held.has(0)) return;
    this.#addMonitorsConfig();
    this.push();
  }

  /** Takes a drawable that was just rendered, before the next one is. */
  add(drawable: Drawable): void {
    const target = this.#held.get(drawable.surface.id);
    if (target === undefined) return;
    if (!target.dirty.isEmpty || target.torn || this.#isTooLarge(drawable)) {
      // Of a drawing that was half done the client has a part already, and doing that again may undo it.
      target.torn = false;
      this.#addDirty(target, drawable.region);
    } else if (!this.#addDrawable(drawable)) {
      target.dirty.add(drawable.region);
      if (drawable.surface.id === 0) this.collapse();
    }
    this.push();
  }

  /** Pixels of a surface differ from what this client has or will have by its pipe. */
  lacks(surface: RedSurface, region: Region): void {
    const held = this.#held.get(surface.id);
    if (held === undefined) return;
    held.torn = false;
    this.#addDirty(held, region);
    this.push();
  }

  #addDirty(held: ClientSurface, region: Region): void {
    held.dirty.add(region);
    if (held.surface.id === 0) this.#addSync();
  }

  /** Whether the pixels that a drawable left behind are too many to copy them now. */
  #isTooLarge(drawable: Drawable): boolean {
    return drawable.plan(this.profile) === "pixels" && areaOf(drawable.pieces) > MAX_SNAPSHOT_PIXELS;
  }

  /** False if the client cannot follow because it lacks pixels that the drawable reads. */
  #addDrawable(drawable: Drawable): boolean {
    const { surface, region } = drawable;
    const damage = { surface, region };
    const plan = drawable.plan(this.profile);
    if (plan === "pixels") {
      this.#source.meter.spend((4 * areaOf(drawable.pieces)) / BYTES_PER_UNIT);
      for (const placed of drawable.pixels(this.profile)) this.#addPicture(surface, placed);
      return true;
    }
    if (plan === "copyBitmap") {
      let index = 0;
      this.pipe.add({
        damage,
        bytes: drawable.bytes,
        send: () => sendCopies(this.#wire, drawable, index++),
      });
      return true;
    }
    const { operation } = drawable.command;
    if (plan === "copySurface" && operation.type === "copy" && operation.src.kind === "surface") {
      if (!this.#need(operation.src.surfaceId)) return false;
    }
    this.pipe.add({
      damage,
      bytes: drawable.bytes,
      send: () => sendDrawable(this.#wire, drawable, plan),
    });
    return true;
  }

  /** Makes sure that the client will have surface `id` with all its pixels. */
  #need(id: number): boolean {
    let held = this.#held.get(id);
    if (held === undefined) {
      const surface = this.#source.surface(id);
      if (surface === undefined) return false;
      held = this.#addCreate(surface);
    }
    // The primary's dirty pixels may be many; they are sent as they are later, which is too late for this drawing.
    if (id === 0) return held.dirty.isEmpty;
    const area = areaOf(held.dirty.rects);
    if (area > MAX_SNAPSHOT_PIXELS) return false;
    this.#source.meter.spend((4 * area) / BYTES_PER_UNIT);
    for (const rect of strips(held.dirty.take())) {
      this.#addPicture(held.surface, { rect, picture: new Picture(held.surface.snapshot(rect)) });
    }
    return true;
  }

  #addPicture(surface: RedSurface, placed: PlacedPicture): void {
    this.pipe.add({
      damage: { surface, region: Region.rect(placed.rect) },
      bytes: placed.picture.bytes,
      send: () => sendPicture(this.#wire, surface.id, placed.rect, placed.picture),
    });
  }

  /** Where drawings go. They come only behind INIT. */
  get #wire(): PictureWire {
    if (this.#images === undefined) throw new TypeError("nothing is drawn before INIT");
    return this.#images;
  }

  protected override migrateData(): Uint8Array {
    const { pixmapCacheId = 0, pixmapCacheSize = 0n, glzDictionaryId = 0 } = this.#init ?? {};
    return encodeStruct("DisplayMigrateData", displayMigrateData, {
      magic: MigrateMagic.Display,
      version: MIGRATE_DATA_VERSION,
      messageSerial: this.serial + 1n,
      lowBandwidth: this.#lowBandwidth ? 1 : 0,
      pixmapCacheFreezer: this.#ownsCaches ? 1 : 0,
      pixmapCacheId,
      pixmapCacheSize,
      pixmapCacheClients: [this.#ownsCaches ? this.serial : 0n, 0n, 0n, 0n],
      glzDictionaryId,
      glzDictionarySize: Math.max(0, this.#init?.glzDictionaryWindowSize ?? 0),
      glzMaxEncoders: 1,
      glzLastImageId: this.#images?.lastGlzImageId ?? 0n,
      surfaces: [...this.#sent.keys()],
    });
  }

  protected override released(): void {
    this.#images?.[Symbol.dispose]();
  }

  /** SURFACE_CREATE; the client's surface starts black, so only what was drawn on ours is dirty. */
  #addCreate(surface: RedSurface): ClientSurface {
    const held: ClientSurface = { surface, dirty: new DirtyRegion(), torn: false };
    if (surface.drawn !== undefined) held.dirty.addRect(surface.drawn);
    this.#held.set(surface.id, held);
    const { id: surfaceId, width, height } = surface;
    const primary = surfaceId === 0;
    this.pipe.add({
      bytes: 0,
      send: () => {
        this.#sent.set(surfaceId, surface.incarnation);
        const format = this.#wireFormat(surface);
        this.send(displayChannel.server.surfaceCreate, {
          surfaceId,
          width,
          height,
          format,
          flags: primary ? SurfaceFlags.Primary : 0,
        });
      },
    });
    return held;
  }

  #addDestroy(surfaceId: number): void {
    this.pipe.add({
      bytes: 0,
      send: () => {
        this.#sent.delete(surfaceId);
        this.send(displayChannel.server.surfaceDestroy, { surfaceId });
      },
    });
  }

  /** Everything that announces the primary surface, in the order clients expect. */
  #pushPrimary(): void {
    const primary = this.#source.surface(0);
    if (primary === undefined || this.#held.get(0)?.surface === primary) return;
    const inherited = this.#inherited;
    this.#inherited = undefined;
    if (inherited && this.#isLike(inherited, primary)) return this.#takeOver(primary);
    if (inherited) this.#addDestroy(0);
    this.#addFirstPicture(this.#addCreate(primary));
  }

  #isLike({ width, height, format }: SurfaceAtClient, primary: RedSurface): boolean {
    return width === primary.width && height === primary.height && format === this.#wireFormat(primary);
  }

  /** The client goes on to show its surface, and is sent all pixels of ours. */
  #takeOver(primary: RedSurface): void {
    const held: ClientSurface = { surface: primary, dirty: new DirtyRegion(), torn: false };
    held.dirty.addRect(primary.bounds);
    this.#held.set(0, held);
    this.#sent.set(0, primary.incarnation);
    this.#marked = primary.incarnation;
    this.#addSync();
    this.#addMonitorsConfig();
  }

  #wireFormat(surface: RedSurface): number {
    return this.profile === "limited" ? SurfaceFmt.Xrgb32 : surface.format;
  }

  #addFirstPicture(held: ClientSurface): void {
    // Clients take the first picture for the whole: a screenshot tool stops after it.
    held.dirty.addRect(held.surface.bounds);
    const { width, height } = held.surface;
    if (width * height <= FIRST_PICTURE_PIXELS)
      this.pipe.add({ bytes: 0, send: () => this.#sendWhole(held) });
    else if (this.profile === "full") this.#addStagedPicture(held);
    else this.#addSync();
    this.#addMonitorsConfig();
    this.pipe.add({
      bytes: 0,
      send: () => {
        this.#marked = held.surface.incarnation;
        this.send(displayChannel.server.mark, {});
      },
    });
  }

  /** The whole surface in one picture, as it is now. */
  #sendWhole(held: ClientSurface): void {
    held.dirty.clear();
    this.#sendCurrent(held, held.surface.bounds);
  }

  /**
   * The whole surface, too large to encode it in one go: collected at the client in a surface that is not shown, then copied. What is
   * drawn meanwhile is dirty and comes behind.
   */
  #addStagedPicture(held: ClientSurface): void {
    const { width, height, format, bounds, incarnation } = held.surface;
    const surfaceId = STAGING_SURFACE;
    const rest = strips([bounds]);
    let begun = false;
    this.pipe.add({
      bytes: 0,
      send: () => {
        if (!begun) {
          begun = true;
          this.#sent.set(surfaceId, incarnation);
          const flags = 0;
          this.send(displayChannel.server.surfaceCreate, { surfaceId, width, height, format, flags });
          return true;
        }
        const rect = rest.shift();
        if (rect !== undefined) {
          held.dirty.remove(rect);
          this.#sendCurrent(held, rect, surfaceId);
          return true;
        }
        sendSurface(this, surfaceId, held.surface.id, bounds);
        this.#sent.delete(surfaceId);
        this.send(displayChannel.server.surfaceDestroy, { surfaceId });
        return false;
      },
    });
  }

  /** The pixels of `rect` as they are now. */
  #sendCurrent(held: ClientSurface, rect: Rect, surfaceId: number = held.surface.id): void {
    const { surface } = held;
    if (surface.isUnderWay) held.torn = true;
    const as32 = this.profile === "limited" && surface.format !== SurfaceFmt.Xrgb32;
    sendPicture(this.#wire, surfaceId, rect, new Picture(as32 ? surface.read32(rect) : surface.view(rect)));
  }

  #addMonitorsConfig(): void {
    if (this.#monitorsPending || !this.hasCapability(DisplayCap.MonitorsConfig)) return;
    this.#monitorsPending = true;
    this.pipe.add({
      bytes: 0,
      send: () => {
        this.#monitorsPending = false;
        const heads = this.#source.heads.filter((head) => head.width > 0 && head.height > 0);
        this.send(displayChannel.server.monitorsConfig, {
          maxAllowed: this.#source.maxAllowedHeads,
          heads: heads.map((head) => ({
            id: head.id,
            surfaceId: head.surfaceId,
            width: head.width,
            height: head.height,
            x: head.x,
            y: head.y,
            flags: head.flags,
          })),
        });
      },
    });
  }

  /**
   * Puts the primary's dirty pixels into the pipe: one round over the pixels that are dirty when it begins, so that a guest which
   * never stops drawing cannot starve what follows in the pipe.
   */
  #addSync(): void {
    if (this.#syncing) return;
    this.#syncing = true;
    let round: Rect[] | undefined;
    this.pipe.add({
      bytes: 0,
      send: () => {
        const held = this.#held.get(0);
        round ??= held === undefined ? [] : strips(held.dirty.rects);
        const rect = round.shift();
        if (rect !== undefined && held !== undefined) {
          held.dirty.remove(rect);
          this.#sendCurrent(held, rect);
        }
        if (round.length > 0) return true;
        this.#syncing = false;
        if (held !== undefined && !held.dirty.isEmpty) this.#addSync();
        return false;
      },
    });
  }

  /** The device was reset: the surfaces are gone already, and images and palettes go by other names from now on. */
  reset(): void {
    if (!this.started) return;
    this.#resetPending = true;
    this.collapse();
  }

  /** What it has to get before still goes by the old names. */
  resetImageCache(): void {
    if (!this.started) return;
    this.#resetPending = true;
    this.#addReset();
    this.push();
  }

  #addReset(): void {
    this.pipe.add({
      bytes: 0,
      send: () => {
        this.#resetPending = false;
        this.#images?.invalidate();
      },
    });
  }

  /**
   * Gives up the order of what waits: drops all drawables, marks what they changed as dirty, and rebuilds the pipe from the
   * difference between the surfaces the client was sent and those there are.
   */
  collapse(): void {
    // What a client that migrates lacks its next server paints.
    if (!this.started || this.migrating) return;
    const monitors = this.#monitorsPending;
    this.#monitorsPending = this.#syncing = false;
    for (const { damage } of this.pipe.clear()) {
      if (damage === undefined) continue;
      const held = this.#held.get(damage.surface.id);
      if (held?.surface === damage.surface) held.dirty.add(damage.region);
    }
    for (const [id, held] of this.#held) {
      const living = this.#source.surface(id) === held.surface;
      if (!living || this.#sent.get(id) !== held.surface.incarnation) this.#held.delete(id);
    }
    for (const id of this.#sent.keys()) {
      if (!this.#held.has(id) && !(id === 0 && this.#inherited)) this.#addDestroy(id);
    }
    if (this.#resetPending) this.#addReset();
    const primary = this.#held.get(0);
    if (primary === undefined) this.#pushPrimary();
    else if (this.#marked !== primary.surface.incarnation) this.#addFirstPicture(primary);
    else {
      if (!primary.dirty.isEmpty) this.#addSync();
      if (monitors) this.#addMonitorsConfig();
    }
    this.push();
  }
}
