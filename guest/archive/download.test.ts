import { once } from "node:events";
import { statSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { sha256 } from "../files.ts";
import { TestMirror } from "./archive.testing.ts";
import { download, downloadUnverified } from "./download.ts";
import { HttpClient } from "./http.ts";
import { RedirectError } from "./redirect.ts";

const DATA = Buffer.from(Array.from({ length: 5000 }, (_, i) => i & 0xff));
const EXPECTED = { size: DATA.length, sha256: sha256(DATA) };

let folder: string;
let path: string;
let answer: (request: IncomingMessage, response: ServerResponse) => void;
const requests: IncomingMessage[] = [];
const server = createServer((request, response) => {
  requests.push(request);
  answer(request, response);
});
const url = (name = "file") => `http://127.0.0.1:${(server.address() as AddressInfo).port}/${name}`;

beforeEach(async () => {
  requests.length = 0;
  folder = await mkdtemp(join(tmpdir(), "download-"));
  path = join(folder, "cache", "file");
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  answer = (request, response) => {
    const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);
    response.writeHead(from > 0 ? 206 : 200);
    response.end(DATA.subarray(from));
  };
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => {
    server.close(resolve);
  });
  await rm(folder, { recursive: true });
});

test("fetches once, then takes the cache", async () => {
  let bytes = 0;
  for (let i = 0; i < 2; i++)
    await download(new HttpClient(), url(), path, EXPECTED, { onBytes: (count) => (bytes += count) });
  expect(DATA.equals(await readFile(path))).toBe(true);
  expect(bytes).toBe(2 * DATA.length);
  expect(requests).toHaveLength(1);
});

test("goes on where a broken transfer stopped", async () => {
  const whole = answer;
  answer = (_request, response) => {
    response.writeHead(200, { "content-length": DATA.length });
    response.write(DATA.subarray(0, 2000));
    answer = whole;
    // The line breaks once these bytes are on the disk: what was on its way may be lost, and then there is nothing to go on from.
    const watch = setInterval(() => {
      const size = statSync(`${path}.part`, { throwIfNoEntry: false })?.size ?? 0;
      if (size < 2000) return;
      clearInterval(watch);
      response.destroy();
    }, 5);
  };
  await download(new HttpClient(), url(), path, EXPECTED, { wait });
  expect(DATA.equals(await readFile(path))).toBe(true);
  expect(requests[1].headers.range).toBe("bytes=2000-");
});

test("a resume on wrong bytes starts over", async () => {
  await download(new HttpClient(), url(), path, EXPECTED, { wait });
  await rm(path);
  await writeFile(`${path}.part`, Buffer.alloc(100, 7));
  await download(new HttpClient(), url(), path, EXPECTED, { wait });
  expect(DATA.equals(await readFile(path))).toBe(true);
});

test("a file that is not there fails at once, with the status, and leaves nothing", async () => {
  answer = (_request, response) => response.writeHead(404, "Not Found").end();
  await expect(download(new HttpClient(), url(), path, EXPECTED)).rejects.toThrow(/404 Not Found/);
  expect(requests).toHaveLength(1);
  expect(await readdir(dirname(path))).toEqual([]);
});

const wait = () => Promise.resolve();

test("another file, or one of another size, is refused at the second look", async () => {
  const length = (count: number) => (_request: IncomingMessage, response: ServerResponse) =>
    response.end(Buffer.alloc(count));
  for (const [other, words] of [
    [length(DATA.length), /SHA-256/],
    [length(DATA.length + 1), /5001 bytes instead of 5000/],
    [length(DATA.length - 1), /4999 bytes instead of 5000/],
  ] as const) {
    requests.length = 0;
    answer = other;
    await expect(download(new HttpClient(), url(), path, EXPECTED, { wait })).rejects.toThrow(words);
    expect(requests).toHaveLength(2);
  }
  expect(await readdir(dirname(path))).toEqual([]);
});

/** Sends for as long as somebody takes it; tells how much it wrote. */
function endless(response: ServerResponse): { written: number } {
  const state = { written: 0 };
  const piece = Buffer.alloc(16 << 10);
  const more = () => {
    do state.written += piece.length;
    while (response.write(piece) && !response.destroyed);
  };
  response.on("drain", more);
  more();
  return state;
}

test("a body without an end is cut off at the expected size", async () => {
  const ended: Promise<unknown>[] = [];
  answer = (_request, response) => {
    ended.push(once(response, "close"));
    endless(response);
  };
  await expect(download(new HttpClient(), url(), path, EXPECTED, { wait })).rejects.toThrow(
    /larger than the 5000/,
  );
  // The connection is ended from our side: the server sees each of its answers closed.
  await Promise.all(ended);
  await expect(downloadUnverified(new HttpClient(), url(), 1000)).rejects.toThrow(/larger than the 1000/);
});

test("a body that ends early is not the file; the next try goes on behind it", async () => {
  const whole = answer;
  // No length and no chunks: the end of the connection is the end of the body.
  answer = (_request, response) => {
    response.socket?.end("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nonly this");
  };
  await expect(download(new HttpClient(), url(), path, EXPECTED, { wait })).rejects.toThrow(
    /SHA-256|9 of 5000 bytes/,
  );
  answer = whole;
  expect((await download(new HttpClient(), url(), path, EXPECTED, { wait })).equals(DATA)).toBe(true);
});

test("several builds at once at one cache all get the file", async () => {
  const all = await Promise.all(
    Array.from({ length: 4 }, () => download(new HttpClient(), url(), path, EXPECTED, { wait })),
  );
  for (const bytes of all) expect(bytes.equals(DATA)).toBe(true);
  expect(DATA.equals(await readFile(path))).toBe(true);
  expect(await readdir(dirname(path))).toEqual(["file"]);
});

test("a trickle is given up by the average, not held for ever by its idle timeout", async () => {
  let clock = 0;
  answer = (_request, response) => {
    response.writeHead(200);
    response.write(DATA.subarray(0, 10));
  };
  // Each look at the clock is an hour later.
  const now = () => (clock += 3_600_000);
  await expect(download(new HttpClient(), url(), path, EXPECTED, { now, wait })).rejects.toThrow(
    /too slowly/,
  );
});

test("the bytes are the verified ones, whatever becomes of the file in the cache", async () => {
  const bytes = await download(new HttpClient(), url(), path, EXPECTED, { wait });
  await writeFile(path, Buffer.alloc(DATA.length));
  expect(bytes.equals(DATA)).toBe(true);
  // The next use finds the change, and fetches.
  expect((await download(new HttpClient(), url(), path, EXPECTED)).equals(DATA)).toBe(true);
  expect(requests).toHaveLength(2);
});

test("a link in the place of the part file is not written through", async () => {
  const victim = join(folder, "victim");
  await writeFile(victim, "mine");
  await mkdir(dirname(path));
  await symlink(victim, `${path}.part`);
  await expect(download(new HttpClient(), url(), path, EXPECTED, { wait })).rejects.toThrow(/ELOOP/);
  expect(await readFile(victim, "utf8")).toBe("mine");
});

test("a redirect elsewhere is followed and changes nothing about what is accepted", async () => {
  const elsewhere = new TestMirror();
  await elsewhere.open();
  elsewhere.files.set("/file", DATA);
  elsewhere.files.set("/other", Buffer.alloc(DATA.length));
  answer = (request, response) =>
    response.writeHead(302, { location: `${elsewhere.origin}${request.url}` }).end();
  await expect(download(new HttpClient(), url("other"), path, EXPECTED, { wait })).rejects.toThrow(/SHA-256/);
  expect((await download(new HttpClient(), url("file"), path, EXPECTED, { wait })).equals(DATA)).toBe(true);
  await elsewhere.close();
});

test("redirects without an end, or to another scheme, are refused", async () => {
  answer = (_request, response) => response.writeHead(302, { location: "/again" }).end();
  await expect(downloadUnverified(new HttpClient(), url(), 100)).rejects.toThrow(/more than 5 redirects/);
  answer = (_request, response) => response.writeHead(302, { location: "file:///etc/passwd" }).end();
  await expect(downloadUnverified(new HttpClient(), url(), 100)).rejects.toThrow(RedirectError);
});

test("redirects are followed, a proxy is given the whole address", async () => {
  const whole = answer;
  answer = (request, response) => {
    if (request.url === "/file") response.writeHead(302, { location: "/other" }).end();
    else whole(request, response);
  };
  await download(new HttpClient(), url(), path, EXPECTED, { wait });
  await rm(path);
  const { host } = new URL(url());
  await download(
    new HttpClient({ http: `http://${host}` }),
    "http://mirror.example/debian/x.deb",
    path,
    EXPECTED,
  );
  expect(requests.at(-1)?.url).toBe("http://mirror.example/debian/x.deb");
  expect(requests.at(-1)?.headers.host).toBe("mirror.example");
});
