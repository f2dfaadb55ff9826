import { expect, test } from "vitest";
import { GuestBuildError } from "../errors.ts";
import { flattenKernel, makeStub, unpackBzImage } from "./bzimage.ts";

/** A kernel's ELF file with two segments and a gap between them. */
function vmlinux(): Buffer {
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

test("segments lie where they lie in memory", () => {
  const { address, entry, image } = flattenKernel(vmlinux());
  expect(address).toBe(0x1000000);
  expect(entry).toBe(0x1000004);
  expect(Buffer.from(image).toString("latin1")).toBe(`kernel!!${"\0".repeat(8)}datas\0\0\0`);
});

test("the stub's addresses: source and target end at their last dword, and the entry is jumped to", () => {
  const stub = makeStub(0x1000000, 0x1000004, 0x2000, 512);
  const view = new DataView(stub.buffer);
  expect(stub).toHaveLength(512);
  // The pop is at 12, so lea's displacement counts from there: the image begins at 512.
  expect(stub[12]).toBe(0x5b);
  expect(view.getUint32(15, true)).toBe(512 - 12 + 0x2000 - 4);
  expect(view.getUint32(20, true)).toBe(0x1000000 + 0x2000 - 4);
  expect(view.getUint32(25, true)).toBe(0x2000 / 4);
  const jump = stub.lastIndexOf(0xe0);
  expect(stub[jump - 1]).toBe(0xff);
  expect(view.getUint32(jump - 5, true)).toBe(0x1000004);
});

test("what is not a bzImage is refused", async () => {
  await expect(unpackBzImage(Buffer.alloc(4096))).rejects.toThrow(GuestBuildError);
  const old = Buffer.alloc(4096);
  old.write("HdrS", 0x202);
  old.writeUInt16LE(0x207, 0x206);
  await expect(unpackBzImage(old)).rejects.toThrow(/too old/);
});
