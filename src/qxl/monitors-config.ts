import { QXLHead, QXLMonitorsConfig } from "../protocol/index.ts";
import type { RedHead, RedMonitorsConfig } from "../protocol/red-command.ts";
import { QxlGuestError } from "./errors.ts";
import { MAX_HEADS } from "../protocol/limits.ts";
import type { MemorySlots } from "./memory-slots.ts";

/** Largest side of a head: Linux rejects more, and the protocol's clients cannot show it. */
const MAX_HEAD_SIDE = 8192;

/**
 * Parses the operand of MONITORS_CONFIG_ASYNC. The count is copied once, so that it cannot change between check and use.
 * @throws QxlGuestError
 */
export function parseMonitorsConfig(slots: MemorySlots, address: bigint): RedMonitorsConfig {
  const { name, offset } = QXLMonitorsConfig;
  const header = slots.copy(address, QXLMonitorsConfig.size, name);
  const count = header.u16(offset.count);
  const allowed = header.u16(offset.maxAllowed);
  if (count < 1 || count > MAX_HEADS || (allowed !== 0 && count > allowed)) {
    throw new QxlGuestError(`${name}.count`, `${count} heads, ${allowed || MAX_HEADS} are allowed`);
  }
  const qxl = slots.copy(address + BigInt(QXLMonitorsConfig.size), count * QXLHead.size, QXLHead.name);
  const heads = Array.from({ length: count }, (_, i): RedHead => {
    const at = i * QXLHead.size;
    return {
      id: qxl.u32(at + QXLHead.offset.id),
      surfaceId: qxl.u32(at + QXLHead.offset.surfaceId),
      width: qxl.u32(at + QXLHead.offset.width),
      height: qxl.u32(at + QXLHead.offset.height),
      x: qxl.u32(at + QXLHead.offset.x),
      y: qxl.u32(at + QXLHead.offset.y),
      flags: qxl.u32(at + QXLHead.offset.flags),
    };
  });
  for (const { width, height } of heads) {
    if (width > MAX_HEAD_SIDE || height > MAX_HEAD_SIDE) {
      throw new QxlGuestError(QXLHead.name, `a head of ${width}x${height} pixels`);
    }
  }
  return { type: "monitorsConfig", maxAllowed: allowed || count, heads };
}
