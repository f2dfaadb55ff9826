import type { Log } from "../log/index.ts";
import { QXLReleaseInfo, QxlCmd } from "../protocol/index.ts";
import type { RedDrawable } from "../protocol/red-command.ts";
import type { RasterSource, RasterSurface, Steps } from "../raster/index.ts";
import {
  BYTES_PER_UNIT,
  CostMeter,
  drawSmall,
  drawableArea,
  drawing,
  hasSimpleClip,
  simpleArea,
} from "../raster/index.ts";
import type { QxlSink } from "./bus.ts";
import { parseCursorCmd } from "./cursor-parser.ts";
import { CursorState } from "./cursor-state.ts";
import type { DeviceMemory } from "./device-memory.ts";
import type { DrawableContext } from "./drawable-parser.ts";
import { UnsupportedDrawError, parseDrawable } from "./drawable-parser.ts";
import { QxlGuestError } from "./errors.ts";
import {
  COPY_COST,
  DEVICE_SLICE_COST,
  MAX_FORCED_COST,
  MAX_SURFACES_BYTES,
  RING_COMMAND_COST,
} from "./limits.ts";
import type { MemorySlots } from "./memory-slots.ts";
import type { GuestResource, ReleaseList } from "./release-list.ts";
import { parseSurfaceCmd } from "./surface-parser.ts";
import type { DeviceSurface } from "./surface-table.ts";
import { SurfaceTable, surfaceBytes } from "./surface-table.ts";

/** Counts since the device was made. */
export interface ProcessorStats {
  /** Ring commands taken. */
  commands: number;
  /** Of these: what was built wrongly and lost. */
  lost: number;
  /** Of these: drawing operations that are not implemented, by name. */
  readonly unsupported: Map<string, number>;
  /** What was wrong with the last lost command. */
  lastError: string | undefined;
}

export interface ProcessorOptions {
  readonly memory: DeviceMemory;
  readonly slots: MemorySlots;
  readonly sink: QxlSink;
  readonly releases: ReleaseList;
  readonly nSurfaces: number;
  readonly quic: RasterSource["quic"];
  /** Cost units of a slice, and of the largest piece of a drawing; default {@link DEVICE_SLICE_COST} and BAND_COST. */
  readonly sliceCost?: number;
  readonly bandCost?: number;
  /** Default {@link MAX_FORCED_COST}. */
  readonly forcedCost?: number;
  readonly log?: Log;
}

/** A drawable whose slice was used up before it was finished. */
interface LaidAside {
  readonly steps: Steps;
  readonly drawable: RedDrawable;
  readonly resource: GuestResource;
  /** What the drawable's spans point into. */
  readonly data: Uint8Array<ArrayBuffer>;
}

/**
 * Carries out ring commands: copies them out of the guest, draws them into the guest's own surfaces (so that what UPDATE_AREA
 * and saved states show is always complete), passes them on, and gives them back. A command that makes no sense is lost alone.
 *
 * A drawing that costs more than is left of the slice is laid aside: no other command is taken from the ring before it is finished, and
 * only then it is passed on and given back.
 */
export class CommandProcessor {
  readonly surfaces: SurfaceTable;
  readonly cursor = new CursorState();
  readonly stats: ProcessorStats = { commands: 0, lost: 0, unsupported: new Map(), lastError: undefined };
  /** COMPAT mode: old drawables, and with `compat16` colours of 16 bits. */
  compat = false;
  compat16 = false;
  /** What drawing costs is taken from it. */
  readonly meter: CostMeter;
  readonly #options: ProcessorOptions;
  #laidAside: LaidAside | undefined;

  constructor(options: ProcessorOptions) {
    this.#options = options;
    this.meter = new CostMeter(options.sliceCost ?? DEVICE_SLICE_COST, options.bandCost);
    this.surfaces = new SurfaceTable(options.memory);
  }

  /** Whether a drawing is laid aside. */
  get isUnderWay(): boolean {
    return this.#laidAside !== undefined;
  }

  /** Another slice may be used up; a long one, if what waits for it cannot wait otherwise. */
  refill(forced = false): void {
    const { sliceCost = DEVICE_SLICE_COST, forcedCost = MAX_FORCED_COST } = this.#options;
    this.meter.left = forced ? forcedCost : sliceCost;
  }

  /** Goes on with what is laid aside. @returns whether nothing is any more */
  goOn(): boolean {
    const current = this.#laidAside;
    if (current === undefined) return true;
    if (!this.#paint(current)) return false;
    this.#end(current, true);
    return true;
  }

  /** @returns whether it is finished */
  #paint({ steps }: LaidAside): boolean {
    while (!this.meter.isSpent) if (steps.next().done === true) return true;
    return false;
  }

  #end({ drawable, data, resource }: LaidAside, passOn: boolean): void {
    const { sink, releases } = this.#options;
    this.#laidAside = undefined;
    if (passOn) sink.pushDetached(drawable, data);
    releases.release(resource);
  }

  /**
   * Finishes what is laid aside now; what is beyond {@link MAX_FORCED_COST} is left as it is.
   * @param passOn false for a red worker that is sent the surfaces as they are then
   */
  settle(passOn = true): void {
    const current = this.#laidAside;
    if (current === undefined) return;
    this.refill(true);
    if (!this.#paint(current)) this.lose("a drawing was given up: it costs too much for what cannot wait");
    this.#end(current, passOn);
    this.meter.left = 0;
  }

  process(address: bigint, type: number): void {
    this.stats.commands++;
    this.meter.spend(RING_COMMAND_COST);
    const resource = this.#resource(address);
    if (resource === undefined) {
      this.lose("ring item: an address in no memory slot");
      return;
    }
    let keep = false;
    const { slots } = this.#options;
    const { copies } = slots;
    try {
      keep = this.#carryOut(address, type, resource);
    } catch (error) {
      this.#options.sink.discard();
      if (error instanceof QxlGuestError) this.lose(error.message);
      else if (error instanceof UnsupportedDrawError) {
        this.stats.unsupported.set(error.message, (this.stats.unsupported.get(error.message) ?? 0) + 1);
      } else throw error;
    }
    this.meter.spend((slots.copies - copies) * COPY_COST);
    if (!keep) this.#options.releases.release(resource);
  }

  /** Takes a surface out of the world: its CREATE command goes back to the guest. */
  destroySurface(id: number): void {
    const surface = this.surfaces.delete(id);
    if (surface === undefined) return;
    this.#options.sink.push({ type: "surfaceDestroy", surfaceId: id });
    if (surface.created) this.#options.releases.release(surface.created);
  }

  /** Puts a surface into the world, in the place of one with its id. Without `keepData` it begins black. */
  createSurface(surface: DeviceSurface, keepData: boolean): void {
    const { sink } = this.#options;
    this.destroySurface(surface.id);
    this.meter.spend(surfaceBytes(surface) / BYTES_PER_UNIT);
    if (!keepData) this.surfaces.erase(surface);
    this.surfaces.add(surface);
    sink.push(this.surfaces.createCommand(surface, sink, keepData));
  }

  /** As at a device reset: the guest has forgotten its commands, nothing is released. */
  reset(): void {
    this.#laidAside = undefined;
    this.surfaces.clear();
    this.cursor.reset();
    this.compat = false;
    this.compat16 = false;
  }

  /** Where a command's QXLReleaseInfo is and what the guest wrote there; undefined when it cannot be reached. */
  #resource(address: bigint): GuestResource | undefined {
    try {
      const { slots, memory } = this.#options;
      const info = slots.resolve(address, QXLReleaseInfo.size, "ring item");
      return { info, id: memory.view(info.bank).getBigUint64(info.offset, true) };
    } catch (error) {
      if (error instanceof QxlGuestError) return undefined;
      throw error;
    }
  }

  /** @returns whether the command stays with us */
  #carryOut(address: bigint, type: number, resource: GuestResource): boolean {
    switch (type) {
      case QxlCmd.Draw:
        return this.#draw(address, resource);
      case QxlCmd.Surface:
        return this.#surface(address, resource);
      case QxlCmd.Cursor:
        this.#cursor(address);
        return false;
      case QxlCmd.Nop:
      case QxlCmd.Update:
      case QxlCmd.Message:
        // UPDATE is obsolete (the I/O command replaced it), MESSAGE is a driver's debug text.
        return false;
      default:
        throw new QxlGuestError("QXLCommand.type", `${type} is unknown`);
    }
  }

  /** @returns whether it is laid aside */
  #draw(address: bigint, resource: GuestResource): boolean {
    const { slots, sink, quic } = this.#options;
    const { compat, compat16, surfaces } = this;
    const context: DrawableContext = { slots, sink, compat, compat16, surfaceSize: (id) => surfaces.get(id) };
    const drawable = parseDrawable(context, address);
    this.meter.spend(dataBytes(drawable) / BYTES_PER_UNIT);
    const surface = surfaces.get(drawable.surfaceId);
    const { bbox, operation } = drawable;
    if (
      surface === undefined ||
      operation.type === "nop" ||
      Math.max(0, bbox.left) >= Math.min(surface.width, bbox.right) ||
      Math.max(0, bbox.top) >= Math.min(surface.height, bbox.bottom)
    ) {
      sink.discard();
      return false;
    }
    const find = (id: number) => {
      const other = surfaces.get(id);
      return other && surfaces.raster(other);
    };
    const source = { data: sink.data, surface: find, quic };
    const target = surfaces.raster(surface);
    if (hasSimpleClip(drawable)) {
      const area = simpleArea(drawable, target);
      if (area === undefined || drawSmall(target, drawable, source, area, this.meter)) {
        sink.push(drawable);
        return false;
      }
    }
    const steps = this.#steps(drawable, target, source);
    if (steps.next().done === true) {
      sink.push(drawable);
      return false;
    }
    this.#laidAside = { steps, drawable, resource, data: sink.detach() };
    return true;
  }

  *#steps(drawable: RedDrawable, target: RasterSurface, source: RasterSource): Steps {
    const area = yield* drawableArea(drawable, target, this.meter, source.data);
    if (area !== undefined) yield* drawing(target, drawable, source, area, this.meter);
  }

  #surface(address: bigint, resource: GuestResource): boolean {
    const command = parseSurfaceCmd(this.#options.slots, address, this.#options.nSurfaces);
    if (command.type === "destroy") {
      this.destroySurface(command.id);
      return false;
    }
    const { surface, keepData } = command;
    const old = this.surfaces.get(surface.id);
    const others = this.surfaces.bytes - (old ? surfaceBytes(old) : 0);
    if (others + surfaceBytes(surface) > MAX_SURFACES_BYTES) {
      throw new QxlGuestError(
        "QXLSurfaceCmd",
        `all surfaces together would exceed ${MAX_SURFACES_BYTES} bytes`,
      );
    }
    this.createSurface({ ...surface, created: resource }, keepData);
    return true;
  }

  #cursor(address: bigint): void {
    const { slots, sink } = this.#options;
    const command = parseCursorCmd(slots, sink, address);
    this.cursor.apply(command, sink.data);
    sink.push(command);
  }

  /** Counts a command that made no sense. */
  lose(problem: string): void {
    this.stats.lost++;
    this.stats.lastError = problem;
    this.#options.log?.log("warning", "qxl", `a command is lost: ${problem}`);
  }
}

/** Bytes that were copied out of the guest for a drawable. */
function dataBytes({ operation, clipData }: RedDrawable): number {
  const picture = "srcArea" in operation && operation.src.kind !== "surface" ? operation.src.data.length : 0;
  return picture + (clipData?.length ?? 0);
}
