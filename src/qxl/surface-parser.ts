import {
  QXLSurface,
  QXLSurfaceCmd,
  QXLSurfaceCreate,
  QxlSurfFlag,
  QxlSurfaceCmdType,
} from "../protocol/index.ts";
import { MAX_RASTER_SIDE, surfaceBits } from "../raster/index.ts";
import { QxlGuestError } from "./errors.ts";
import type { MemorySlots } from "./memory-slots.ts";
import type { StructReader } from "./struct-reader.ts";
import type { DeviceSurface } from "./surface-table.ts";

/** QXL_CMD_SURFACE after parsing. */
export type ParsedSurfaceCmd =
  | { readonly type: "create"; readonly surface: DeviceSurface; readonly keepData: boolean }
  | { readonly type: "destroy"; readonly id: number };

/**
 * Parses QXL_CMD_SURFACE. Surface 0 is not the ring's business but CREATE_PRIMARY's.
 * @throws QxlGuestError
 */
export function parseSurfaceCmd(slots: MemorySlots, address: bigint, nSurfaces: number): ParsedSurfaceCmd {
  const qxl = slots.copy(address, QXLSurfaceCmd.size, QXLSurfaceCmd.name);
  const { offset } = QXLSurfaceCmd;
  const id = qxl.u32(offset.surfaceId);
  if (id === 0 || id >= nSurfaces) {
    throw new QxlGuestError("QXLSurfaceCmd.surface_id", `${id} is not in 1..${nSurfaces - 1}`);
  }
  const type = qxl.u8(offset.type);
  if (type === QxlSurfaceCmdType.Destroy) return { type: "destroy", id };
  if (type !== QxlSurfaceCmdType.Create) throw new QxlGuestError("QXLSurfaceCmd.type", `${type} is unknown`);
  const at = offset.u;
  const surface = checkSurface(
    slots,
    {
      id,
      format: qxl.u32(at + QXLSurface.offset.format),
      width: qxl.u32(at + QXLSurface.offset.width),
      height: qxl.u32(at + QXLSurface.offset.height),
      stride: qxl.i32(at + QXLSurface.offset.stride),
    },
    qxl.u64(at + QXLSurface.offset.data),
    QXLSurface.name,
  );
  return { type: "create", surface, keepData: (qxl.u32(offset.flags) & QxlSurfFlag.KeepData) !== 0 };
}

/**
 * Checks the operand of CREATE_PRIMARY. Its memory may lie in any slot, not only in the draw area: Linux puts it in BAR1.
 * @throws QxlGuestError
 */
export function parsePrimary(
  slots: MemorySlots,
  qxl: StructReader,
  vgamemSize: number,
): { readonly surface: DeviceSurface; readonly keepData: boolean } {
  const { offset, name } = QXLSurfaceCreate;
  const stride = qxl.i32(offset.stride);
  const height = qxl.u32(offset.height);
  if (stride % 4 !== 0) throw new QxlGuestError(`${name}.stride`, `${stride} is no multiple of 4`);
  if (Math.abs(stride) * height > vgamemSize) {
    throw new QxlGuestError(name, `${Math.abs(stride) * height} bytes, vgamem has ${vgamemSize}`);
  }
  const surface = checkSurface(
    slots,
    { id: 0, format: qxl.u32(offset.format), width: qxl.u32(offset.width), height, stride },
    qxl.u64(offset.mem),
    name,
  );
  // QEMU forces the mouse mode too: the driver always has a hardware cursor.
  const keepData = (qxl.u32(offset.flags) & QxlSurfFlag.KeepData) !== 0;
  return { surface: { ...surface, mouseMode: 1 }, keepData };
}

function checkSurface(
  slots: MemorySlots,
  geometry: Pick<DeviceSurface, "id" | "format" | "width" | "height" | "stride">,
  address: bigint,
  name: string,
): DeviceSurface {
  const { format, width, height, stride } = geometry;
  const bits = surfaceBits(format);
  if (bits === 0) throw new QxlGuestError(`${name}.format`, `${format} is unknown`);
  if (width < 1 || height < 1 || width > MAX_RASTER_SIDE || height > MAX_RASTER_SIDE) {
    throw new QxlGuestError(name, `a surface of ${width}x${height} pixels`);
  }
  if (Math.abs(stride) < Math.ceil((width * bits) / 8)) {
    throw new QxlGuestError(`${name}.stride`, `${stride} bytes for ${width} pixels of ${bits} bits`);
  }
  const { bank, offset } = slots.resolve(address, Math.abs(stride) * height, `${name}.data`);
  return { ...geometry, bank, offset: stride < 0 ? offset - (height - 1) * stride : offset };
}
