import type { Log } from "../log/index.ts";
import type { RasterSource } from "../raster/index.ts";
import type { QxlBar, QxlBus, QxlSink } from "./bus.ts";
import type { ProcessorStats } from "./command-processor.ts";
import type { QxlMode } from "./state.ts";

/** What a device is made of. */
export interface QxlDeviceOptions {
  readonly bus: QxlBus;
  readonly sink: QxlSink;
  /** BAR0 and BAR1: a guest names memory slots by guest-physical addresses. */
  readonly ram: QxlBar;
  readonly vram: QxlBar;
  /** Bytes of the draw area at the start of BAR0, and the most that a primary may take. */
  readonly vgamemSize: number;
  /** PCI revision; below 4 clients cannot speak to the driver. Default 4. */
  readonly revision?: number;
  /** ROM id: the number of the device, for several. Default 0. */
  readonly id?: number;
  /** Whether it is the VGA device, too; of several only the first is. Default true. */
  readonly hasVga?: boolean;
  /** Heads that the driver may show on this device (QEMU's max_outputs). Default: as many as there may be. */
  readonly maxHeads?: number;
  readonly nSurfaces?: number;
  /** Decodes QUIC images that a guest draws with. Without it they are passed on but not drawn here. */
  readonly quic?: RasterSource["quic"];
  /** Runs a task when the thread has done what else there is. */
  later(task: () => void): void;
  /** Cost units of a slice, and of the largest piece of a drawing; default DEVICE_SLICE_COST and BAND_COST. */
  readonly sliceCost?: number;
  readonly bandCost?: number;
  /** Cost units that a synchronous I/O command draws at most; default MAX_FORCED_COST. */
  readonly forcedCost?: number;
  /** Milliseconds, for drawables' mm_time. */
  readonly now?: () => number;
  readonly onModeChange?: (mode: QxlMode) => void;
  /** The driver's own log (IO LOG), and what this device has against the guest. */
  readonly log?: Log;
}

/** Counts since the device was made. */
export interface QxlStats extends Readonly<ProcessorStats> {
  readonly released: number;
  readonly releasesPending: number;
  readonly surfaces: number;
  readonly interrupts: number;
  readonly guestBug: boolean;
}
