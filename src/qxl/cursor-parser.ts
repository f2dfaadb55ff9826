import {
  QXLCursor,
  QXLCursorCmd,
  QXLCursorHeader,
  QXLCursorSet,
  QXLCursorTrail,
  QxlCursor,
} from "../protocol/index.ts";
import type { RedCursorCmd, RedCursorShape } from "../protocol/red-command.ts";
import type { QxlSink } from "./bus.ts";
import { chunksLength, copyChunks } from "./data-chunks.ts";
import { QxlGuestError } from "./errors.ts";
import { MAX_CURSOR_SIDE } from "../protocol/limits.ts";
import type { MemorySlots } from "./memory-slots.ts";

/**
 * Copies QXL_CMD_CURSOR with its shape out of the guest.
 * @throws QxlGuestError
 */
export function parseCursorCmd(slots: MemorySlots, sink: QxlSink, address: bigint): RedCursorCmd {
  const qxl = slots.copy(address, QXLCursorCmd.size, QXLCursorCmd.name);
  const at = QXLCursorCmd.offset.u;
  const type = qxl.u8(QXLCursorCmd.offset.type);
  switch (type) {
    case QxlCursor.Set: {
      const { offset } = QXLCursorSet;
      return {
        type: "cursorSet",
        position: qxl.point16(at + offset.position),
        visible: qxl.u8(at + offset.visible) !== 0,
        shape: parseShape(slots, sink, qxl.u64(at + offset.shape)),
      };
    }
    case QxlCursor.Move:
      return { type: "cursorMove", position: qxl.point16(at) };
    case QxlCursor.Hide:
      return { type: "cursorHide" };
    case QxlCursor.Trail: {
      const { offset } = QXLCursorTrail;
      return {
        type: "cursorTrail",
        length: qxl.u16(at + offset.length),
        frequency: qxl.u16(at + offset.frequency),
      };
    }
    default:
      throw new QxlGuestError("QXLCursorCmd.type", `${type} is unknown`);
  }
}

function parseShape(slots: MemorySlots, sink: QxlSink, address: bigint): RedCursorShape {
  const qxl = slots.copy(address, QXLCursor.size, QXLCursor.name);
  const { offset } = QXLCursorHeader;
  const width = qxl.u16(offset.width);
  const height = qxl.u16(offset.height);
  if (width < 1 || height < 1 || width > MAX_CURSOR_SIDE || height > MAX_CURSOR_SIDE) {
    throw new QxlGuestError("QXLCursorHeader", `a cursor of ${width}x${height} pixels`);
  }
  const cursorType = qxl.u16(offset.type);
  const length = cursorBytes(cursorType, width, height);
  if (length === undefined) throw new QxlGuestError("QXLCursorHeader.type", `${cursorType} is unknown`);
  // Chunks may hold more than the shape; none holds more than twice of what the largest needs.
  const chunk = address + BigInt(QXLCursor.offset.chunk);
  const present = chunksLength(slots, chunk, 8 * MAX_CURSOR_SIDE * MAX_CURSOR_SIDE, "QXLCursor.chunk");
  const claimed = qxl.u32(QXLCursor.offset.dataSize);
  if (Math.min(claimed, present) < length) {
    throw new QxlGuestError(
      "QXLCursor.data_size",
      `${Math.min(claimed, present)} bytes, the shape needs ${length}`,
    );
  }
  const data = sink.allocate(length);
  copyChunks(slots, chunk, 0, length, present, sink.data, data.offset, "QXLCursor.chunk");
  return {
    unique: qxl.u64(offset.unique),
    cursorType,
    width,
    height,
    hotX: qxl.u16(offset.hotSpotX),
    hotY: qxl.u16(offset.hotSpotY),
    data,
  };
}

/** Bytes of a shape by SpiceCursorType: pixels, palette, then a 1 bit AND mask for all but ALPHA; undefined for no type. */
function cursorBytes(type: number, width: number, height: number): number | undefined {
  const mask = ((width + 7) >> 3) * height;
  const pixels = width * height;
  switch (type) {
    case 0:
      return 4 * pixels;
    case 1:
      return 2 * mask;
    case 2:
      return ((width + 1) >> 1) * height + 4 * 16 + mask;
    case 3:
      return pixels + 4 * 256 + mask;
    case 4:
      return 2 * pixels + mask;
    case 5:
      return 3 * pixels + mask;
    case 6:
      return 4 * pixels + mask;
    default:
      return undefined;
  }
}
