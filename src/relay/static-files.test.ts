import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, rename, rm, stat, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, test } from "vitest";
import { CompressedCopies } from "./compressed-copies.ts";
import { ProxyFront } from "./proxy.ts";
import { serveFile } from "./static-files.ts";
import { ask } from "./web-server.testing.ts";

let folder: string;
let root: string;
let server: Server;
let copies: CompressedCopies;
const never = new AbortController().signal;
const page = Buffer.from("spice ".repeat(1_000));

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "spicetab-files-"));
  root = join(folder, "root");
  await mkdir(join(root, "sub"), { recursive: true });
  await mkdir(join(root, ".hidden"));
  await mkdir(join(folder, "root-beside"));
  for (const secret of ["secret", "root-beside/secret", "root/.dot", "root/.hidden/secret"]) {
    await writeFile(join(folder, secret), "secret");
  }
  await writeFile(join(root, "page.js"), page);
  await writeFile(join(root, "sub/x.wasm"), page);
  await writeFile(join(root, "sub/b c#?%.bin"), "odd name");
  await writeFile(join(root, "small.css"), "a{}");
  copies = new CompressedCopies(join(folder, "copies"));
  const front = new ProxyFront({ trusted: ["loopback"] });
  server = createServer((request, response) => {
    void front.receive(request);
    const { pathname } = new URL(request.url ?? "/", "http://x");
    const options = { immutable: () => false, copies };
    void serveFile(root, pathname, request, response, options).then((served) => {
      if (!served) response.writeHead(404, { "Content-Type": "text/plain" }).end("nothing");
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
});

afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await rm(folder, { recursive: true });
});

const get = (path: string, headers: Record<string, string> = {}, method = "GET") =>
  ask((server.address() as AddressInfo).port, path, headers, method);

/** As from another machine: the proxy in front is believed. */
const far = { "x-forwarded-for": "192.0.2.1", "accept-encoding": "br, gzip" };

test("a file comes whole with its type and length, is revalidated, and HEAD has no body", async () => {
  const whole = await get("/page.js");
  expect(whole).toMatchObject({ status: 200, bytes: page });
  expect(whole.headers).toMatchObject({
    "content-type": "text/javascript; charset=utf-8",
    "content-length": String(page.length),
    "accept-ranges": "bytes",
    "cache-control": "no-cache",
  });
  expect((await get("/sub/x.wasm")).headers["content-type"]).toBe("application/wasm");
  expect((await get("/sub/b%20c%23%3F%25.bin")).body).toBe("odd name");
  const again = await get("/page.js", { "if-none-match": String(whole.headers.etag) });
  expect(again).toMatchObject({ status: 304, bytes: Buffer.alloc(0) });
  const head = await get("/page.js", {}, "HEAD");
  expect(head).toMatchObject({ status: 200, bytes: Buffer.alloc(0) });
  expect(head.headers["content-length"]).toBe(String(page.length));
  expect((await get("/page.js", {}, "POST")).status).toBe(404);
});

test.each([
  ["bytes=0-4", 206, 0, 5],
  ["bytes=5990-", 206, 5_990, 6_000],
  ["bytes=-7", 206, 5_993, 6_000],
  ["bytes=5999-9999", 206, 5_999, 6_000],
  ["bytes=0-1,3-4", 200, 0, 6_000],
  ["nonsense", 200, 0, 6_000],
])("%s is %i", async (range, status, from, to) => {
  const answer = await get("/page.js", { range });
  expect(answer).toMatchObject({ status, bytes: page.subarray(from, to) });
  if (status === 206) expect(answer.headers["content-range"]).toBe(`bytes ${from}-${to - 1}/6000`);
});

test("a range behind the end is refused with the size", async () => {
  const answer = await get("/page.js", { range: "bytes=6000-" });
  expect(answer.status).toBe(416);
  expect(answer.headers["content-range"]).toBe("bytes */6000");
  expect(answer.body.length).toBe(0);
});

test("a part of a file that changed meanwhile is the whole new one", async () => {
  const { etag } = (await get("/page.js")).headers;
  await writeFile(join(root, "page.js"), "new");
  const answer = await get("/page.js", { range: "bytes=1-2", "if-range": String(etag) });
  expect(answer).toMatchObject({ status: 200, bytes: Buffer.from("new") });
});

test.each([
  "/../secret",
  "/%2e%2e/secret",
  "/..%2fsecret",
  "/sub/..%2f..%2fsecret",
  "/../root-beside/secret",
  "/.dot",
  "/.hidden/secret",
  "/%2ehidden/secret",
  "/link",
  "/linked/secret",
  "/hidden-link",
  "/loop",
  "/%00",
  "/page.js%00.css",
  "/%",
  "/%E0%A4%A",
  "/a%5cb",
  "/sub",
  "/sub/",
  "/page.js/",
  "/nowhere",
  "/",
])("%s leads nowhere", async (path) => {
  await symlink(join(folder, "secret"), join(root, "link"));
  await symlink(join(folder, "root-beside"), join(root, "linked"));
  await symlink(join(root, ".dot"), join(root, "hidden-link"));
  await symlink(join(root, "loop"), join(root, "loop"));
  for (const headers of [{}, far]) {
    const answer = await get(path, headers as Record<string, string>);
    // A slash behind a file's name is no other file.
    if (path === "/page.js/") expect(answer.bytes).toEqual(page);
    else expect(answer).toMatchObject({ status: 404, bytes: Buffer.from("nothing") });
    expect(answer.headers["content-encoding"]).toBeUndefined();
  }
});

test("whoever is further away gets the compressed copy, with the original's type; this machine the file", async () => {
  expect((await get("/page.js", far)).headers["content-encoding"]).toBeUndefined();
  await copies.make([root], never);
  const copy = await get("/page.js", far);
  expect(copy.headers).toMatchObject({
    "content-encoding": "gzip",
    "content-type": "text/javascript; charset=utf-8",
    vary: "Accept-Encoding",
  });
  expect(copy.bytes.length).toBeLessThan(page.length / 10);
  expect(gunzipSync(copy.bytes)).toEqual(page);
  const part = await get("/page.js", { ...far, range: "bytes=3-8" });
  expect(part).toMatchObject({ status: 206, bytes: copy.bytes.subarray(3, 9) });
  expect(part.headers["content-encoding"]).toBe("gzip");
  expect((await get("/page.js", { ...far, "if-none-match": String(copy.headers.etag) })).status).toBe(304);

  for (const headers of [
    { "accept-encoding": "gzip" },
    { ...far, "accept-encoding": "br" },
    { ...far, "accept-encoding": "gzip;q=0, br" },
    { ...far, "accept-encoding": "" },
  ]) {
    const plain = await get("/page.js", headers);
    expect(plain.bytes).toEqual(page);
    expect(plain.headers["content-encoding"]).toBeUndefined();
    expect(plain.headers.vary).toBe("Accept-Encoding");
    expect(plain.headers.etag).not.toBe(copy.headers.etag);
  }
  expect((await get("/small.css", far)).headers["content-encoding"]).toBeUndefined();
});

test("a copy of an older file is never sent for a newer one, and is dropped", async () => {
  await copies.make([root], never);
  const before = await readdir(join(folder, "copies"));
  const newer = randomBytes(3_000).toString("hex");
  await writeFile(join(root, "new"), newer);
  await rename(join(root, "new"), join(root, "page.js"));
  expect((await get("/page.js", far)).body).toBe(newer);
  await copies.make([root], never);
  expect(gunzipSync((await get("/page.js", far)).bytes).toString()).toBe(newer);
  const after = await readdir(join(folder, "copies"));
  expect(after.length).toBe(before.length);
  expect(after).not.toEqual(before);
});

test("copies that are there are not made again, and a stop leaves no half ones", async () => {
  await copies.make([root], never);
  const made = async () => {
    const names = await readdir(join(folder, "copies"));
    return Promise.all(names.map(async (name) => (await stat(join(folder, "copies", name))).mtimeMs));
  };
  const before = await made();
  await copies.make([root], never);
  expect(await made()).toEqual(before);
  await writeFile(join(root, "big.bin"), randomBytes(1 << 20));
  const stop = new AbortController();
  const making = copies.make([root], stop.signal);
  stop.abort();
  await making.catch(() => {});
  expect(await made()).toEqual(before);
});
