import { expect, test } from "vitest";
import { GuestBuildError } from "../errors.ts";
import { flattenKernel, makeStub, unpackBzImage } from "./bzimage.ts";
import { bzImage, vmlinux } from "./kernel.testing.ts";

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

test("a packed kernel becomes a plain one behind its stub", async () => {
  const plain = Buffer.from(await unpackBzImage(bzImage()));
  expect(plain).toHaveLength(1024 + 512 + 24);
  expect(plain.subarray(1024 + 512).toString("latin1")).toBe(`kernel!!${"\0".repeat(8)}datas\0\0\0`);
});
