/** Numbers of `spice/qxl_dev.h`. Guests may write others: never assume. */

/** "QXRO" as a little-endian u32. */
export const QXL_ROM_MAGIC = 0x4f525851;
/** "QXRA" as a little-endian u32. */
export const QXL_RAM_MAGIC = 0x41525851;
/** PCI vendor of the QXL function. */
export const REDHAT_PCI_VENDOR_ID = 0x1b36;
/** PCI device of the QXL function. */
export const QXL_DEVICE_ID_STABLE = 0x0100;
/** PCI revision 0.12: client capabilities and monitors config; Linux KMS refuses less. */
export const QXL_REVISION_STABLE_V12 = 4;
/** Commands that the command ring holds. */
export const QXL_COMMAND_RING_SIZE = 32;
/** Commands that the cursor ring holds. */
export const QXL_CURSOR_RING_SIZE = 32;
/** Release lists that the release ring holds. */
export const QXL_RELEASE_RING_SIZE = 8;
/** Bytes of the text that QXL_IO_LOG prints. */
export const QXL_LOG_BUF_SIZE = 4096;
/** Heads in QXLRom.client_monitors_config. */
export const QXL_CLIENT_MONITORS_MAX = 64;

/** QXL_IO_*: offsets in the I/O port BAR. */
export const QxlIo = {
  NotifyCmd: 0,
  NotifyCursor: 1,
  UpdateArea: 2,
  UpdateIrq: 3,
  NotifyOom: 4,
  Reset: 5,
  SetMode: 6,
  Log: 7,
  MemslotAdd: 8,
  MemslotDel: 9,
  DetachPrimary: 10,
  AttachPrimary: 11,
  CreatePrimary: 12,
  DestroyPrimary: 13,
  DestroySurfaceWait: 14,
  DestroyAllSurfaces: 15,
  UpdateAreaAsync: 16,
  MemslotAddAsync: 17,
  CreatePrimaryAsync: 18,
  DestroyPrimaryAsync: 19,
  DestroySurfaceAsync: 20,
  DestroyAllSurfacesAsync: 21,
  FlushSurfacesAsync: 22,
  FlushRelease: 23,
  MonitorsConfigAsync: 24,
} as const;
export type QxlIo = (typeof QxlIo)[keyof typeof QxlIo];

/** Ports in the I/O BAR that mean something. */
export const QXL_IO_RANGE_SIZE = 25;

/** QXL_INTERRUPT_*: bits of int_pending and int_mask. */
export const QxlInterrupt = {
  Display: 1,
  Cursor: 2,
  IoCmd: 4,
  Error: 8,
  Client: 16,
  ClientMonitorsConfig: 32,
} as const;

/** QXLCmdType: what a ring item points to. */
export const QxlCmd = { Nop: 0, Draw: 1, Update: 2, Cursor: 3, Message: 4, Surface: 5 } as const;

/** QXL_DRAW_* and QXL_COPY_BITS: which member of QXLDrawable's union counts. */
export const QxlDraw = {
  Nop: 0,
  Fill: 1,
  Opaque: 2,
  Copy: 3,
  CopyBits: 4,
  Blend: 5,
  Blackness: 6,
  Whiteness: 7,
  Invers: 8,
  Rop3: 9,
  Stroke: 10,
  Text: 11,
  Transparent: 12,
  AlphaBlend: 13,
  Composite: 14,
} as const;

/** QXLEffectType: what an older drawable under this one still shows. */
export const QxlEffect = {
  Blend: 0,
  Opaque: 1,
  RevertOnDup: 2,
  BlacknessOnDup: 3,
  WhitenessOnDup: 4,
  NopOnDup: 5,
  Nop: 6,
  OpaqueBrush: 7,
} as const;

/** QXL_CURSOR_*: type of a QXLCursorCmd. */
export const QxlCursor = { Set: 0, Move: 1, Hide: 2, Trail: 3 } as const;

/** QXLSurfaceCmdType. */
export const QxlSurfaceCmdType = { Create: 0, Destroy: 1 } as const;

/** QXL_SURF_FLAG_*. */
export const QxlSurfFlag = { KeepData: 1 } as const;

/** QXLImageFlags. */
export const QxlImageFlags = { Cache: 1, HighBitsSet: 2 } as const;

/** QXLBitmapFlags. */
export const QxlBitmapFlags = { Direct: 1, Unstable: 2, TopDown: 4 } as const;

/** QXL_COMMAND_FLAG_*: bits of QXLCommandExt.flags. */
export const QxlCommandFlag = { Compat: 1, Compat16Bpp: 2 } as const;
