import { QXLDataChunk } from "../protocol/index.ts";
import { QxlGuestError } from "./errors.ts";
import { MAX_DATA_CHUNKS } from "./limits.ts";
import type { MemorySlots } from "./memory-slots.ts";

/**
 * Copies bytes [from, to) of the data of a QXLDataChunk chain that must hold `total` bytes to `target` at `targetOffset`. Each
 * chunk's header is copied once and then believed; empty chunks are skipped; loops end at a limit.
 * @throws QxlGuestError
 */
export function copyChunks(
  slots: MemorySlots,
  head: bigint,
  from: number,
  to: number,
  total: number,
  target: Uint8Array,
  targetOffset: number,
  field: string,
): void {
  let address = head;
  let at = 0;
  for (let count = 0; address !== 0n; count++) {
    if (count === MAX_DATA_CHUNKS) throw new QxlGuestError(field, `more than ${MAX_DATA_CHUNKS} chunks`);
    const chunk = slots.copy(address, QXLDataChunk.size, field);
    const size = chunk.u32(QXLDataChunk.offset.dataSize);
    if (at + size > total) throw new QxlGuestError(field, `its chunks hold more than ${total} bytes`);
    const start = Math.max(from, at);
    const end = Math.min(to, at + size);
    const data = address + BigInt(QXLDataChunk.size);
    if (start < end) {
      slots.copyTo(target, targetOffset + start - from, data + BigInt(start - at), end - start, field);
    } else if (size > 0) slots.resolve(data, size, field);
    at += size;
    address = chunk.u64(QXLDataChunk.offset.nextChunk);
  }
  if (at !== total) throw new QxlGuestError(field, `its chunks hold ${at} bytes instead of ${total}`);
}

/**
 * Bytes that a chain holds, at most `limit`: for structures that do not tell their size.
 * @throws QxlGuestError when it holds more
 */
export function chunksLength(slots: MemorySlots, head: bigint, limit: number, field: string): number {
  let address = head;
  let length = 0;
  for (let count = 0; address !== 0n; count++) {
    if (count === MAX_DATA_CHUNKS) throw new QxlGuestError(field, `more than ${MAX_DATA_CHUNKS} chunks`);
    const chunk = slots.copy(address, QXLDataChunk.size, field);
    length += chunk.u32(QXLDataChunk.offset.dataSize);
    if (length > limit) throw new QxlGuestError(field, `its chunks hold more than ${limit} bytes`);
    address = chunk.u64(QXLDataChunk.offset.nextChunk);
  }
  return length;
}
