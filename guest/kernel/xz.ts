import { MAX_KERNEL_BYTES } from "../limits.ts";
import { unpackXz } from "../unxz.ts";
import { filterX86 } from "./bcj.ts";
import { crc32 } from "./crc32.ts";

const HEADER_MAGIC = Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]);
const FOOTER_MAGIC = Buffer.from("YZ");
const FILTER_X86 = 0x04;
const FILTER_LZMA2 = 0x21;
const CHECK_NONE = 0;
const CHECK_CRC32 = 1;
/** Bytes of a check by its id (.xz format 2.1.1.2). */
const CHECK_SIZES = [0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64];

interface Filter {
  id: number;
  properties: Uint8Array;
}

/** One block of an .xz stream, taken apart. */
export interface XzBlock {
  filters: Filter[];
  /** The compressed data, without padding and check. */
  packed: Uint8Array;
  /** Bytes when unpacked, from the index. */
  unpackedSize: number;
  /** Stored CRC-32 of the unpacked data; undefined with another kind of check. */
  check: number | undefined;
}

function padded(length: number): number {
  return (length + 3) & ~3;
}

function readVli(data: Uint8Array, at: number): { value: number; next: number } {
  let value = 0;
  for (let i = 0; i < 9; i++) {
    const byte = data[at + i];
    if (byte === undefined) break;
    value += (byte & 0x7f) * 2 ** (7 * i);
    if ((byte & 0x80) === 0) return { value, next: at + i + 1 };
  }
  throw new Error("bad number in the XZ stream");
}

/** Encodes a multibyte integer (.xz format 1.2). */
export function writeVli(value: number): number[] {
  const bytes: number[] = [];
  for (; value >= 0x80; value = Math.floor(value / 128)) bytes.push((value % 128) | 0x80);
  return [...bytes, value];
}

/** Takes an .xz stream of one block apart: the form that the kernel's build writes. */
export function readXzBlock(stream: Uint8Array): XzBlock {
  const view = new DataView(stream.buffer, stream.byteOffset, stream.byteLength);
  if (!HEADER_MAGIC.equals(stream.subarray(0, 6))) throw new Error("not an XZ stream");
  const end = stream.length;
  if (!FOOTER_MAGIC.equals(stream.subarray(end - 2))) throw new Error("the XZ stream has no footer");
  const checkId = stream[7] & 0x0f;

  const indexSize = (view.getUint32(end - 8, true) + 1) * 4;
  const index = end - 12 - indexSize;
  if (index < 12 || stream[index] !== 0) throw new Error("the XZ stream has no index");
  const records = readVli(stream, index + 1);
  if (records.value !== 1) throw new Error(`the XZ stream has ${records.value} blocks instead of one`);
  const unpadded = readVli(stream, records.next);
  const unpackedSize = readVli(stream, unpadded.next).value;

  const headerSize = (stream[12] + 1) * 4;
  const flags = stream[13];
  let at = 14;
  if (flags & 0x40) at = readVli(stream, at).next;
  if (flags & 0x80) at = readVli(stream, at).next;
  const filters: Filter[] = [];
  for (let i = 0; i <= (flags & 3); i++) {
    const id = readVli(stream, at);
    const size = readVli(stream, id.next);
    filters.push({ id: id.value, properties: stream.subarray(size.next, size.next + size.value) });
    at = size.next + size.value;
  }
  const packedSize = unpadded.value - headerSize - CHECK_SIZES[checkId];
  const start = 12 + headerSize;
  if (packedSize <= 0 || start + packedSize > index) throw new Error("the XZ block is cut short");
  return {
    filters,
    packed: stream.subarray(start, start + packedSize),
    unpackedSize,
    check: checkId === CHECK_CRC32 ? view.getUint32(start + padded(packedSize), true) : undefined,
  };
}

function withCrc(bytes: number[]): Buffer {
  const buffer = Buffer.alloc(bytes.length + 4);
  buffer.set(bytes);
  buffer.writeUInt32LE(crc32(buffer.subarray(0, bytes.length)), bytes.length);
  return buffer;
}

/** Puts LZMA2 data back into an .xz stream of one block with no other filter and no check. */
export function writeXzBlock(packed: Uint8Array, unpackedSize: number, properties: Uint8Array): Buffer {
  const filter = [...writeVli(FILTER_LZMA2), ...writeVli(properties.length), ...properties];
  const headerSize = padded(2 + filter.length) + 4;
  const header = [headerSize / 4 - 1, 0, ...filter];
  while (header.length < headerSize - 4) header.push(0);
  const index = [0, 1, ...writeVli(headerSize + packed.length), ...writeVli(unpackedSize)];
  while (index.length % 4 !== 0) index.push(0);
  const footer = Buffer.alloc(12);
  footer.writeUInt32LE((index.length + 4) / 4 - 1, 4);
  footer.set([0, CHECK_NONE], 8);
  footer.writeUInt32LE(crc32(footer.subarray(4, 10)), 0);
  FOOTER_MAGIC.copy(footer, 10);
  const flags = withCrc([0, CHECK_NONE]);
  const padding = Buffer.alloc(padded(packed.length) - packed.length);
  return Buffer.concat([HEADER_MAGIC, flags, withCrc(header), packed, padding, withCrc(index), footer]);
}

/**
 * Unpacks an .xz stream that has the x86 filter before LZMA2, which the decoder in use does not know: it is given the
 * same LZMA2 data in a stream without that filter, and the filter is undone here. Also takes plain LZMA2.
 */
export async function unpackXzX86(stream: Uint8Array): Promise<Buffer> {
  const block = readXzBlock(stream);
  const lzma2 = block.filters.at(-1);
  const others = block.filters.slice(0, -1);
  if (
    lzma2?.id !== FILTER_LZMA2 ||
    others.length > 1 ||
    others.some(({ id, properties }) => id !== FILTER_X86 || properties.length > 0)
  )
    throw new Error(
      `the XZ stream has filters ${block.filters.map(({ id }) => id).join(", ")}, which are not known here`,
    );
  const plainStream = writeXzBlock(block.packed, block.unpackedSize, lzma2.properties);
  const unpacked = await unpackXz(plainStream, MAX_KERNEL_BYTES);
  if (others.length > 0) filterX86(unpacked, "decode");
  if (block.check !== undefined && crc32(unpacked) !== block.check)
    throw new Error("the unpacked data has another CRC-32");
  return unpacked;
}
