import { filterX86 } from "./bcj.ts";
import { crc32 } from "./crc32.ts";
import { writeVli } from "./xz.ts";

/** LZMA2 data of uncompressed chunks (control 1, size - 1 big endian), which needs no encoder. */
export function lzma2(data: Uint8Array): Buffer {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < data.length; at += 0x10000) {
    const chunk = data.subarray(at, at + 0x10000);
    parts.push(Uint8Array.of(at === 0 ? 1 : 2, (chunk.length - 1) >> 8, (chunk.length - 1) & 0xff), chunk);
  }
  return Buffer.concat([...parts, Uint8Array.of(0)]);
}

/** An .xz stream as the kernel's build writes it: x86 filter, LZMA2, CRC-32 check. */
export function kernelXz(data: Uint8Array, check = crc32(data)): Buffer {
  const filtered = data.slice();
  filterX86(filtered, "encode");
  const packed = lzma2(filtered);
  const withCrc = (bytes: number[]) => {
    const crc = Buffer.alloc(4);
    crc.writeUInt32LE(crc32(Uint8Array.from(bytes)));
    return Buffer.concat([Uint8Array.from(bytes), crc]);
  };
  const checkBytes = Buffer.alloc(4);
  checkBytes.writeUInt32LE(check);
  const header = [2, 1, 0x04, 0, 0x21, 1, 0x16, 0];
  const index = [0, 1, ...writeVli(12 + packed.length + 4), ...writeVli(data.length)];
  while (index.length % 4 !== 0) index.push(0);
  const footer = Buffer.alloc(12);
  footer.writeUInt32LE((index.length + 4) / 4 - 1, 4);
  footer.set([0, 1], 8);
  footer.writeUInt32LE(crc32(footer.subarray(4, 10)), 0);
  footer.write("YZ", 10);
  return Buffer.concat([
    Uint8Array.of(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0),
    withCrc([0, 1]),
    withCrc(header),
    packed,
    Buffer.alloc(-packed.length & 3),
    checkBytes,
    withCrc(index),
    footer,
  ]);
}

/** A kernel's ELF file with two segments and a gap between them. */
export function vmlinux(): Buffer {
  const file = Buffer.alloc(52 + 2 * 32 + 16);
  file.set([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1]);
  file.writeUInt32LE(0x1000004, 24);
  file.writeUInt32LE(52, 28);
  file.writeUInt16LE(32, 42);
  file.writeUInt16LE(2, 44);
  const segment = (i: number, offset: number, physical: number, fileSize: number, memorySize: number) =>
    [1, offset, 0xc0000000 + physical, physical, fileSize, memorySize].forEach((value, field) =>
      file.writeUInt32LE(value, 52 + i * 32 + field * 4),
    );
  segment(0, 116, 0x1000000, 8, 8);
  segment(1, 124, 0x1000010, 6, 4096);
  Buffer.from("kernel!!datas").copy(file, 116);
  return file;
}

/** A bzImage whose payload is that kernel, packed. */
export function bzImage(): Buffer {
  const kernel = vmlinux();
  const payload = kernelXz(kernel);
  const setup = Buffer.alloc(1024);
  setup[0x1f1] = 1;
  setup.write("HdrS", 0x202);
  setup.writeUInt16LE(0x208, 0x206);
  setup.writeUInt32LE(payload.length + 4, 0x24c);
  const size = Buffer.alloc(4);
  size.writeUInt32LE(kernel.length);
  return Buffer.concat([setup, payload, size]);
}
