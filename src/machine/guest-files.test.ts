import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { GuestFilesError } from "./errors.ts";
import { GuestFiles, parseManifest } from "./guest-files.ts";
import type { FetchFile, GuestManifest } from "./guest-files.ts";

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const file = (name: string, ...bytes: number[]) => ({
  file: name,
  size: bytes.length,
  sha256: sha256(Uint8Array.from(bytes)),
});
const manifest: GuestManifest = {
  format: 1,
  level: "console",
  buildId: "b",
  memoryMiB: 256,
  cmdline: "console=tty0",
  kernel: file("bzimage", 1, 2, 3, 4),
  initrd: file("initrd.cpio", 5, 6, 7),
  bios: file("bios.bin", 8),
  vgaBios: file("vgabios.bin", 9),
};

/** Serves bytes in pieces of two. */
const serve =
  (files: Record<string, Uint8Array>): FetchFile =>
  async (url) => {
    const bytes = files[url];
    if (!bytes) throw new Error("the server answers 404");
    return new ReadableStream({
      start(controller) {
        for (let at = 0; at < bytes.length; at += 2) controller.enqueue(bytes.subarray(at, at + 2));
        controller.close();
      },
    });
  };

const text = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

test("files come whole and in order, with progress over all of them", async () => {
  const files = new GuestFiles(
    "/guest/console",
    serve({
      "/guest/console/manifest.json": text(manifest),
      "/guest/console/bzimage": Uint8Array.of(1, 2, 3, 4),
      "/guest/console/initrd.cpio": Uint8Array.of(5, 6, 7),
    }),
  );
  expect(await files.manifest()).toEqual(manifest);
  const progress: number[][] = [];
  const buffers = await files.files(
    [manifest.kernel, manifest.initrd],
    (...step) => void progress.push(step),
  );
  expect(buffers.map((buffer) => [...new Uint8Array(buffer)])).toEqual([
    [1, 2, 3, 4],
    [5, 6, 7],
  ]);
  expect(progress).toEqual([
    [2, 7],
    [4, 7],
    [6, 7],
    [7, 7],
  ]);
});

test.each([
  ["missing", {}, /bzimage: the server answers 404/],
  ["short", { "/g/bzimage": Uint8Array.of(1, 2, 3) }, /ends after 3 of 4 bytes/],
  ["changed", { "/g/bzimage": Uint8Array.of(1, 2, 3, 5) }, /not the file that the manifest names/],
  ["long", { "/g/bzimage": Uint8Array.of(1, 2, 3, 4, 5) }, /longer than its 4 bytes/],
])("a %s file is named with the reason", async (_, served, message) => {
  const failing = new GuestFiles("/g/", serve(served as Record<string, Uint8Array>)).files([manifest.kernel]);
  await expect(failing).rejects.toThrow(GuestFilesError);
  await expect(failing).rejects.toThrow(message);
});

test("a page instead of a manifest is told as such", async () => {
  const files = new GuestFiles(
    "/g",
    serve({ "/g/manifest.json": new TextEncoder().encode("<!doctype html>") }),
  );
  await expect(files.manifest()).rejects.toThrow(/not JSON: is the guest built/);
});

test.each([
  [null],
  [{ ...manifest, format: 2 }],
  [{ ...manifest, buildId: undefined }],
  [{ ...manifest, memoryMiB: "256" }],
  [{ ...manifest, kernel: { ...manifest.kernel, size: -1 } }],
  [{ ...manifest, kernel: { ...manifest.kernel, sha256: "00" } }],
  [{ ...manifest, kernel: { ...manifest.kernel, file: "../../etc/passwd" } }],
])("manifest %# is refused", (value) => {
  expect(() => parseManifest(value)).toThrow(GuestFilesError);
});
