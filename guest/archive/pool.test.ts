import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { sha256 } from "../files.ts";
import { TestMirror } from "./archive.testing.ts";
import { HttpClient } from "./http.ts";
import type { PackageFile } from "./packages.ts";
import { fetchPackages, PackageGoneError } from "./pool.ts";

const mirror = new TestMirror();
let folder: string;
let client: HttpClient;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "pool-"));
  client = new HttpClient();
  await mirror.open();
  mirror.files.clear();
});

afterEach(async () => {
  await client.close();
  await mirror.close();
  await rm(folder, { recursive: true });
});

/** A package with this content; `up` puts it on the mirror. */
function file(name: string, content: Buffer, up = true): PackageFile {
  const filename = `pool/main/${name}_1_i386.deb`;
  if (up) mirror.files.set(`/debian/${filename}`, content);
  return { name, version: "1", archive: "main", filename, size: content.length, sha256: sha256(content) };
}

const fetch = (files: PackageFile[], onBytes: (done: number, total: number) => void = () => {}) =>
  fetchPackages(
    {
      client,
      mirror: { main: `${mirror.origin}/debian`, security: undefined },
      cacheDir: join(folder, "cache"),
      onBytes,
      onNote: () => {},
    },
    files,
  );

test("packages come in the order they were asked for, and progress ends at the whole", async () => {
  const files = Array.from({ length: 20 }, (_, i) => file(`p${i}`, Buffer.alloc(1000 + i, i)));
  let last: number[] = [];
  const fetched = await fetch(files, (done, total) => (last = [done, total]));
  expect(fetched.map(({ file: { name } }) => name)).toEqual(files.map(({ name }) => name));
  for (const [i, { deb }] of fetched.entries()) expect(deb.equals(Buffer.alloc(1000 + i, i))).toBe(true);
  const total = files.reduce((sum, { size }) => sum + size, 0);
  expect(last).toEqual([total, total]);
});

test("the first failure ends the other transfers, however long they would take", async () => {
  const slow = file("slow", Buffer.alloc(5000));
  const gone = file("gone", Buffer.alloc(10), false);
  let started = () => {};
  const trickles = new Promise<void>((resolve) => (started = resolve));
  let closed: Promise<unknown> | undefined;
  mirror.files.set(`/debian/${slow.filename}`, (_request, response) => {
    closed = once(response, "close");
    response.writeHead(200, { "content-length": 5000 });
    response.write("a little, and then nothing", () => started());
  });
  mirror.files.set(`/debian/${gone.filename}`, (_request, response) => {
    void trickles.then(() => response.writeHead(404).end());
  });
  await expect(fetch([slow, gone])).rejects.toThrow(PackageGoneError);
  await closed;
});
