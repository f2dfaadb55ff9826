import { QxlIo } from "../protocol/index.ts";

/** Asynchronous I/O commands and what they do. */
export const ASYNC_PORTS = new Map<number, number>([
  [QxlIo.UpdateAreaAsync, QxlIo.UpdateArea],
  [QxlIo.MemslotAddAsync, QxlIo.MemslotAdd],
  [QxlIo.CreatePrimaryAsync, QxlIo.CreatePrimary],
  [QxlIo.DestroyPrimaryAsync, QxlIo.DestroyPrimary],
  [QxlIo.DestroySurfaceAsync, QxlIo.DestroySurfaceWait],
  [QxlIo.DestroyAllSurfacesAsync, QxlIo.DestroyAllSurfaces],
  [QxlIo.FlushSurfacesAsync, QxlIo.FlushSurfacesAsync],
  [QxlIo.MonitorsConfigAsync, QxlIo.MonitorsConfigAsync],
]);

/** Commands that take effect behind everything in the rings. */
export const DRAINING_PORTS: ReadonlySet<number> = new Set([
  QxlIo.UpdateArea,
  QxlIo.DestroyPrimary,
  QxlIo.DestroySurfaceWait,
  QxlIo.DestroyAllSurfaces,
  QxlIo.FlushSurfacesAsync,
]);

/** Commands that change surfaces: where no drawing may be half done. */
export const SETTLING_PORTS: ReadonlySet<number> = new Set([
  QxlIo.SetMode,
  QxlIo.CreatePrimary,
  QxlIo.DestroyPrimary,
  QxlIo.DestroySurfaceWait,
  QxlIo.DestroyAllSurfaces,
]);

/** Commands that mean something in VGA mode; the others are ignored there. */
export const VGA_PORTS: ReadonlySet<number> = new Set([
  QxlIo.Reset,
  QxlIo.SetMode,
  QxlIo.MemslotAdd,
  QxlIo.MemslotDel,
  QxlIo.CreatePrimary,
  QxlIo.UpdateIrq,
  QxlIo.Log,
]);
