import type { RedMonitorsConfig } from "../protocol/red-command.ts";
import type { CursorState } from "./cursor-state.ts";
import type { Bank, DeviceAddress } from "./device-memory.ts";
import { QxlStateError } from "./errors.ts";
import { MAX_CURSOR_SIDE, MAX_HEADS } from "../protocol/limits.ts";
import type { MemorySlot } from "./memory-slots.ts";
import type { DeviceSurface } from "./surface-table.ts";

/** Of the format below. */
export const QXL_STATE_VERSION = 1;

export type QxlMode = "vga" | "undefined" | "native" | "compat";

/** A DeviceSurface in plain JSON; `created` is the retained CREATE command, its id in decimal. */
export interface QxlSurfaceState extends Omit<DeviceSurface, "created" | "mouseMode"> {
  readonly mouseMode: number | null;
  readonly created: { readonly bank: Bank; readonly offset: number; readonly id: string } | null;
}

export interface QxlCursorShapeState {
  /** In decimal. */
  readonly unique: string;
  readonly cursorType: number;
  readonly width: number;
  readonly height: number;
  readonly hotX: number;
  readonly hotY: number;
  readonly bytes: readonly number[];
}

/** What of the device is not guest memory, as plain JSON. */
export interface QxlState {
  readonly version: number;
  readonly mode: QxlMode;
  readonly guestBug: boolean;
  readonly compat16: boolean;
  readonly slots: readonly (MemorySlot | null)[];
  readonly surfaces: readonly QxlSurfaceState[];
  readonly releases: { readonly last: DeviceAddress | null; readonly count: number };
  readonly cursor: {
    readonly x: number;
    readonly y: number;
    readonly visible: boolean;
    readonly shape: QxlCursorShapeState | null;
  };
  readonly monitors: RedMonitorsConfig | null;
  /** An asynchronous I/O command that waits for the ring to be drained. */
  readonly pendingAsync: { readonly port: number; readonly value: number } | null;
}

export function surfaceState({ created, mouseMode, ...surface }: DeviceSurface): QxlSurfaceState {
  return {
    ...surface,
    mouseMode: mouseMode ?? null,
    created: created ? { ...created.info, id: created.id.toString() } : null,
  };
}

/** The surface of a saved one; whether it fits the memory is for the caller to check. */
export function surfaceFromState({ created, mouseMode, ...surface }: QxlSurfaceState): DeviceSurface {
  return {
    ...surface,
    mouseMode: mouseMode ?? undefined,
    created: created
      ? { info: { bank: created.bank, offset: created.offset }, id: parseId(created.id) }
      : undefined,
  };
}

export function cursorState({ position, visible, shape }: CursorState): QxlState["cursor"] {
  return {
    ...position,
    visible,
    shape: shape
      ? { ...shape.shape, unique: shape.shape.unique.toString(), bytes: Array.from(shape.bytes) }
      : null,
  };
}

export function restoreCursor(cursor: CursorState, state: QxlState["cursor"]): void {
  cursor.reset();
  cursor.position = { x: state.x, y: state.y };
  cursor.visible = state.visible;
  if (state.shape === null) return;
  const { bytes, unique, ...shape } = state.shape;
  if (!(shape.width <= MAX_CURSOR_SIDE && shape.height <= MAX_CURSOR_SIDE)) {
    throw new QxlStateError(`a cursor of ${shape.width}x${shape.height} pixels`);
  }
  cursor.shape = { shape: { ...shape, unique: parseId(unique) }, bytes: Uint8Array.from(bytes) };
}

/**
 * Checks the outline of a saved state; the parts check themselves when they are restored.
 * @throws QxlStateError
 */
export function assertState(state: QxlState): void {
  if (state.version !== QXL_STATE_VERSION) {
    throw new QxlStateError(`version ${state.version}, this device reads ${QXL_STATE_VERSION}`);
  }
  if (!["vga", "undefined", "native", "compat"].includes(state.mode)) {
    throw new QxlStateError(`mode ${String(state.mode)} is unknown`);
  }
  if (state.monitors !== null && state.monitors.heads.length > MAX_HEADS) {
    throw new QxlStateError(`${state.monitors.heads.length} heads`);
  }
}

function parseId(text: string): bigint {
  if (!/^\d{1,20}$/.test(text)) throw new QxlStateError(`"${text}" is no id`);
  return BigInt.asUintN(64, BigInt(text));
}
