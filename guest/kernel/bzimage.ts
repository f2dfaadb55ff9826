import { GuestBuildError, reasonOf } from "../errors.ts";
import { readEntry, readLoads } from "../image/elf.ts";
import { MAX_KERNEL_BYTES } from "../limits.ts";
import { unpackXzX86 } from "./xz.ts";

/** Fields of the setup header (Linux x86 boot protocol), as offsets in the file. */
const SETUP_SECTS = 0x1f1;
const SYSSIZE = 0x1f4;
const MAGIC = 0x202;
const PROTOCOL = 0x206;
const PAYLOAD_OFFSET = 0x248;
const PAYLOAD_LENGTH = 0x24c;
const SECTOR = 512;
/** Payload fields exist since protocol 2.08. */
const MIN_PROTOCOL = 0x208;
/** Where the stub's stack ends: conventional memory that the boot loader left alone. */
const STACK_TOP = 0x90000;

/**
 * The 32-bit code that is entered at 0x100000 with ESI = boot_params: it moves the image that follows it up to where
 * the kernel was linked and jumps there. Backwards, because source and target overlap and the target is higher.
 * It is `size` bytes with its padding.
 */
export function makeStub(target: number, entry: number, imageSize: number, size: number): Uint8Array {
  const u32 = (value: number) => [
    value & 0xff,
    (value >>> 8) & 0xff,
    (value >>> 16) & 0xff,
    (value >>> 24) & 0xff,
  ];
  const beforePop = 12;
  const instructions = [
    [0xfa], // cli
    [0xbc, ...u32(STACK_TOP)], // mov esp, STACK_TOP
    [0x56], // push esi
    [0xe8, ...u32(0)], // call next
    [0x5b], // next: pop ebx, its own address
    [0x8d, 0xb3, ...u32(size - beforePop + imageSize - 4)], // lea esi, [ebx + last dword of the image]
    [0xbf, ...u32(target + imageSize - 4)], // mov edi, last dword of the target
    [0xb9, ...u32(imageSize / 4)], // mov ecx, dwords
    [0xfd, 0xf3, 0xa5, 0xfc], // std; rep movsd; cld
    [0x5e], // pop esi
    [0x31, 0xdb, 0x31, 0xff, 0x31, 0xed], // xor ebx, ebx; xor edi, edi; xor ebp, ebp: the boot protocol wants zeros
    [0xb8, ...u32(entry)], // mov eax, entry
    [0xff, 0xe0], // jmp eax
  ];
  const padded = new Uint8Array(size);
  padded.set(instructions.flat());
  return padded;
}

/** Lays the loadable segments of a vmlinux out as they lie in memory; the tail that is zeroed at start is not stored. */
export function flattenKernel(vmlinux: Uint8Array): { address: number; entry: number; image: Uint8Array } {
  const loads = readLoads(vmlinux).filter(({ fileSize }) => fileSize > 0);
  if (loads.length === 0) throw new Error("the kernel has no loadable segment");
  const address = Math.min(...loads.map(({ physicalAddress }) => physicalAddress));
  const end = Math.max(...loads.map(({ physicalAddress, fileSize }) => physicalAddress + fileSize));
  if (end - address > MAX_KERNEL_BYTES) throw new Error(`the kernel has ${end - address} bytes`);
  const image = new Uint8Array((end - address + 3) & ~3);
  for (const { physicalAddress, offset, fileSize } of loads)
    image.set(vmlinux.subarray(offset, offset + fileSize), physicalAddress - address);
  return { address, entry: readEntry(vmlinux), image };
}

/**
 * Turns a packed bzImage into one whose payload is plain: unpacking XZ inside the guest is the largest cost of a boot.
 * The result needs `nokaslr`, because nothing relocates it.
 */
export async function unpackBzImage(bzImage: Uint8Array): Promise<Uint8Array> {
  try {
    const view = new DataView(bzImage.buffer, bzImage.byteOffset, bzImage.byteLength);
    if (
      bzImage.length < 0x300 ||
      Buffer.from(bzImage.subarray(MAGIC, MAGIC + 4)).toString("latin1") !== "HdrS"
    )
      throw new Error("it is not a bzImage");
    if (view.getUint16(PROTOCOL, true) < MIN_PROTOCOL) throw new Error("its boot protocol is too old");
    const setupSize = ((bzImage[SETUP_SECTS] || 4) + 1) * SECTOR;
    const payload = setupSize + view.getUint32(PAYLOAD_OFFSET, true);
    // The last four bytes of the payload are the unpacked size, not part of the stream.
    const payloadEnd = payload + view.getUint32(PAYLOAD_LENGTH, true) - 4;
    const vmlinux = await unpackXzX86(bzImage.subarray(payload, payloadEnd));
    if (vmlinux.length !== view.getUint32(payloadEnd, true))
      throw new Error("its payload unpacks to another size");

    const { address, entry, image } = flattenKernel(vmlinux);
    const stub = makeStub(address, entry, image.length, SECTOR);
    const result = Buffer.concat([bzImage.subarray(0, setupSize), stub, image]);
    result.writeUInt32LE(Math.ceil((stub.length + image.length) / 16), SYSSIZE);
    result.writeUInt32LE(0, PAYLOAD_OFFSET);
    result.writeUInt32LE(0, PAYLOAD_LENGTH);
    return result;
  } catch (error) {
    throw new GuestBuildError(
      "image",
      `The kernel image cannot be turned into a plain one: ${reasonOf(error)}.`,
      {
        cause: error,
      },
    );
  }
}
