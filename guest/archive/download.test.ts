import { statSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { sha256 } from "../files.ts";
import { download } from "./download.ts";
import { HttpClient } from "./http.ts";

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
    await download(new HttpClient(), url(), path, EXPECTED, (count) => (bytes += count));
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
  await download(new HttpClient(), url(), path, EXPECTED);
  expect(DATA.equals(await readFile(path))).toBe(true);
  expect(requests[1].headers.range).toBe("bytes=2000-");
});

test("a resume on wrong bytes starts over", async () => {
  await download(new HttpClient(), url(), path, EXPECTED);
  await rm(path);
  await writeFile(`${path}.part`, Buffer.alloc(100, 7));
  await download(new HttpClient(), url(), path, EXPECTED);
  expect(DATA.equals(await readFile(path))).toBe(true);
});

test("a file that is not there fails at once, with the status", async () => {
  answer = (_request, response) => response.writeHead(404, "Not Found").end();
  await expect(download(new HttpClient(), url(), path, EXPECTED)).rejects.toThrow(/404 Not Found/);
  expect(requests).toHaveLength(1);
});

test("another file, or a longer one, is refused", async () => {
  answer = (_request, response) => response.end(Buffer.alloc(DATA.length));
  await expect(download(new HttpClient(), url(), path, EXPECTED)).rejects.toThrow(/SHA-256/);
  answer = (_request, response) => response.end(Buffer.alloc(DATA.length + 1));
  await expect(download(new HttpClient(), url(), path, EXPECTED)).rejects.toThrow(/larger/);
});

test("redirects are followed, a proxy is given the whole address", async () => {
  const whole = answer;
  answer = (request, response) => {
    if (request.url === "/file") response.writeHead(302, { location: "/other" }).end();
    else whole(request, response);
  };
  await download(new HttpClient(), url(), path, EXPECTED);
  await rm(path);
  const { host } = new URL(url());
  await download(
    new HttpClient({ "http:": `http://${host}` }),
    "http://mirror.example/debian/x.deb",
    path,
    EXPECTED,
  );
  expect(requests.at(-1)?.url).toBe("http://mirror.example/debian/x.deb");
  expect(requests.at(-1)?.headers.host).toBe("mirror.example");
});
