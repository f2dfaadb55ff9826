import { layout } from "./layout.ts";
import { QXLPHYSICAL, QXLRect, QXLURect } from "./qxl-draw.ts";
import {
  QXL_CLIENT_MONITORS_MAX,
  QXL_COMMAND_RING_SIZE,
  QXL_CURSOR_RING_SIZE,
  QXL_LOG_BUF_SIZE,
  QXL_RELEASE_RING_SIZE,
} from "./qxl-enums.ts";
import { array, bytes, i32, padding, u16, u32, u64, u8 } from "./schema.ts";

/** `heads` are the monitors a client wants; the CRC over all 1028 bytes is beside it in the ROM. */
export const QXLClientMonitorsConfig = layout("QXLClientMonitorsConfig", {
  count: u16,
  padding: u16,
  heads: array(QXLURect, QXL_CLIENT_MONITORS_MAX),
});

/** What the device tells the driver; the mode list follows at `modesOffset`. */
export const QXLRom = layout("QXLRom", {
  magic: u32,
  id: u32,
  updateId: u32,
  compressionLevel: u32,
  logLevel: u32,
  mode: u32,
  modesOffset: u32,
  numPages: u32,
  pagesOffset: u32,
  drawAreaOffset: u32,
  surface0AreaSize: u32,
  ramHeaderOffset: u32,
  mmClock: u32,
  nSurfaces: u32,
  flags: u64,
  slotsStart: u8,
  slotsEnd: u8,
  slotGenBits: u8,
  slotIdBits: u8,
  slotGeneration: u8,
  clientPresent: u8,
  clientCapabilities: bytes(58),
  clientMonitorsConfigCrc: u32,
  clientMonitorsConfig: QXLClientMonitorsConfig,
});

/** A u32 count, then so many QXLMode. */
export const QXLModes = layout("QXLModes", { nModes: u32 });

/** One mode of the old COMPAT interface. */
export const QXLMode = layout("QXLMode", {
  id: u32,
  xRes: u32,
  yRes: u32,
  bits: u32,
  stride: u32,
  xMili: u32,
  yMili: u32,
  orientation: u32,
});

/** Item of the command and cursor rings. */
export const QXLCommand = layout("QXLCommand", { data: QXLPHYSICAL, type: u32, padding: padding(4) });

/** Free-running indices of a ring; the items follow, item i at index i mod numItems. */
export const SpiceRing = layout("SpiceRing", {
  numItems: u32,
  prod: u32,
  notifyOnProd: u32,
  cons: u32,
  notifyOnCons: u32,
});

/** The guest produces, the device consumes. */
export const QXLCommandRing = layout("QXLCommandRing", {
  ring: SpiceRing,
  items: array(QXLCommand, QXL_COMMAND_RING_SIZE),
});
/** The guest produces, the device consumes. */
export const QXLCursorRing = layout("QXLCursorRing", {
  ring: SpiceRing,
  items: array(QXLCommand, QXL_CURSOR_RING_SIZE),
});
/** The device produces heads of release lists, the guest consumes. */
export const QXLReleaseRing = layout("QXLReleaseRing", {
  ring: SpiceRing,
  items: array(u64, QXL_RELEASE_RING_SIZE),
});

/** Operand of MEMSLOT_ADD. */
export const QXLMemSlot = layout("QXLMemSlot", { memStart: u64, memEnd: u64 });

/** Operand of CREATE_PRIMARY. */
export const QXLSurfaceCreate = layout("QXLSurfaceCreate", {
  width: u32,
  height: u32,
  stride: i32,
  format: u32,
  position: u32,
  mouseMode: u32,
  flags: u32,
  type: u32,
  mem: QXLPHYSICAL,
});

/** The RAM header: rings, interrupts, operands of I/O commands. */
export const QXLRam = layout("QXLRam", {
  magic: u32,
  intPending: u32,
  intMask: u32,
  logBuf: bytes(QXL_LOG_BUF_SIZE),
  cmdRing: QXLCommandRing,
  cursorRing: QXLCursorRing,
  releaseRing: QXLReleaseRing,
  updateArea: QXLRect,
  updateSurface: u32,
  memSlot: QXLMemSlot,
  createSurface: QXLSurfaceCreate,
  flags: u64,
  monitorsConfig: QXLPHYSICAL,
});

/** One monitor of QXLMonitorsConfig. */
export const QXLHead = layout("QXLHead", {
  id: u32,
  surfaceId: u32,
  width: u32,
  height: u32,
  x: u32,
  y: u32,
  flags: u32,
});

/** Operand of MONITORS_CONFIG_ASYNC; `count` QXLHead follow. */
export const QXLMonitorsConfig = layout("QXLMonitorsConfig", { count: u16, maxAllowed: u16 });
