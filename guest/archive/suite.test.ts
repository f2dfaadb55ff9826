import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { PrivateKey } from "openpgp";
import { afterEach, beforeEach, expect, test } from "vitest";
import { sha256 } from "../files.ts";
import { MAX_RELEASE_BYTES } from "../limits.ts";
import { allowing, archiveKey, clearSign, releaseDate, TestMirror } from "./archive.testing.ts";
import { HttpClient } from "./http.ts";
import { readSuite, type Suite } from "./suite.ts";

const DAY_MS = 86_400_000;
const MADE = Date.UTC(2026, 6, 11);
const BASE = "/debian/dists/bookworm";
const FOLDER = "main/binary-i386";
const stanza = (name: string) =>
  Buffer.from(`Package: ${name}\nVersion: 1\nFilename: pool/x.deb\nSize: 1\nSHA256: ${"0".repeat(64)}\n`);

const mirror = new TestMirror();
let folder: string;
let key: PrivateKey;
let notes: string[];
let client: HttpClient;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "suite-"));
  const archive = await archiveKey("Archive", { date: new Date(MADE - DAY_MS) });
  key = archive.privateKey;
  await writeFile(join(folder, "keyring.gpg"), archive.keyring);
  notes = [];
  client = new HttpClient();
  await mirror.open();
  mirror.files.clear();
});

afterEach(async () => {
  await client.close();
  await mirror.close();
  await rm(folder, { recursive: true });
});

/** Signs a Release that names these files, and puts it up. */
async function release(files: Record<string, Buffer>, dateMs = MADE, extra = ""): Promise<void> {
  const list = Object.entries(files).map(([path, data]) => ` ${sha256(data)} ${data.length} ${path}`);
  const text = `Codename: bookworm\nDate: ${releaseDate(dateMs)}\n${extra}SHA256:\n${list.join("\n")}\n`;
  mirror.files.set(`${BASE}/InRelease`, Buffer.from(await clearSign(text, key, new Date(dateMs))));
}

function read(root = `${mirror.origin}/debian`, lockedMs?: number): Promise<Suite> {
  const source = {
    client,
    mirror: { main: root, security: undefined },
    cacheDir: join(folder, "cache"),
    onBytes: () => {},
    onNote: (text: string) => notes.push(text),
  };
  const { exceptions } = allowing();
  const keyrings = [join(folder, "keyring.gpg")];
  const request = { root, suite: "bookworm", archive: "main", keyrings, nowMs: MADE + DAY_MS } as const;
  return readSuite(source, { ...request, lockedMs, exceptions });
}

const names = (suite: Suite) => suite.records.map(({ name }) => name);
const byHash = (data: Buffer) => `${BASE}/${FOLDER}/by-hash/SHA256/${sha256(data)}`;

test("of the files that the signed text names, the one that fits is found: by hash, by name, in any compression", async () => {
  const plain = stanza("fits");
  const packed = gzipSync(plain);
  const gone = Buffer.from("an .xz that no mirror has");
  await release({
    [`${FOLDER}/Packages`]: plain,
    [`${FOLDER}/Packages.gz`]: packed,
    [`${FOLDER}/Packages.xz`]: gone,
  });
  for (const [path, data] of [
    [byHash(plain), plain],
    [`${BASE}/${FOLDER}/Packages`, plain],
    [byHash(packed), packed],
    [`${BASE}/${FOLDER}/Packages.gz`, packed],
  ] as const) {
    // The names that do not fit hold the index of another day.
    for (const extension of [".xz", ".gz", ""])
      mirror.files.set(`${BASE}/${FOLDER}/Packages${extension}`, gzipSync(stanza("other")));
    mirror.files.set(path, data);
    await rm(join(folder, "cache"), { recursive: true, force: true });
    expect(names(await read()), path).toEqual(["fits"]);
    mirror.files.delete(path);
  }
  expect(notes).toEqual([]);
});

test("a mirror in the middle of its update: the last good index is used, with a note", async () => {
  const old = stanza("old");
  await release({ [`${FOLDER}/Packages`]: old });
  mirror.files.set(byHash(old), old);
  await read();
  await release({ [`${FOLDER}/Packages`]: stanza("new") }, MADE + 1000);
  expect(names(await read())).toEqual(["old"]);
  expect(notes).toEqual([
    expect.stringMatching(/no index of bookworm that fits.*last good index, of 2026-07-11/),
  ]);
  // Not when the lock file knows of a newer one.
  await expect(read(undefined, MADE + 500)).rejects.toMatchObject({ code: "mirror" });
});

test("with the mirror out of reach the last good index is used; what was kept is checked again", async () => {
  const old = stanza("old");
  const root = `${mirror.origin}/debian`;
  await release({ [`${FOLDER}/Packages`]: old });
  mirror.files.set(byHash(old), old);
  await read();
  await mirror.close();
  expect(names(await read(root))).toEqual(["old"]);
  expect(notes).toEqual([expect.stringMatching(/cannot be reached/)]);
  const indexes = join(folder, "cache/indexes");
  await writeFile(join(indexes, sha256(old)), stanza("forged"));
  await expect(read(root)).rejects.toMatchObject({ code: "mirror" });
  await mirror.open();
});

test("an inconsistent mirror with nothing kept says what was tried", async () => {
  await release({ [`${FOLDER}/Packages`]: stanza("new") });
  mirror.files.set(`${BASE}/${FOLDER}/Packages`, stanza("other"));
  await expect(read()).rejects.toMatchObject({
    code: "mirror",
    message: expect.stringMatching(/by-hash.*404.*Packages: it has \d+ bytes instead of/) as string,
  });
});

test("an index that unpacks to another text than the signed one, or to a bomb, is not read", async () => {
  const packed = gzipSync(stanza("forged"));
  await release({
    [`${FOLDER}/Packages`]: stanza("signed, and longer than the other"),
    [`${FOLDER}/Packages.gz`]: packed,
  });
  mirror.files.set(byHash(packed), packed);
  await expect(read()).rejects.toThrow(/unpacks to another file/);

  // Cut off at the size that the signed text gives the plain file.
  const bomb = gzipSync(Buffer.alloc(1 << 20));
  await release({ [`${FOLDER}/Packages`]: Buffer.from("x"), [`${FOLDER}/Packages.gz`]: bomb });
  mirror.files.set(byHash(bomb), bomb);
  await expect(read()).rejects.toThrow(/larger than 1 bytes/);
});

test("an InRelease without an end is cut off", async () => {
  let closed: Promise<unknown> | undefined;
  mirror.files.set(`${BASE}/InRelease`, (_request, response) => {
    closed = once(response, "close");
    const piece = Buffer.alloc(64 << 10, "a");
    const more = () => {
      while (!response.destroyed && response.write(piece));
    };
    response.on("drain", more);
    more();
  });
  await expect(read()).rejects.toThrow(`larger than the ${MAX_RELEASE_BYTES} bytes`);
  // From our side, while it was still sending.
  await closed;
});

test("the InRelease of another suite is refused, though the archive signed it", async () => {
  const text = `Codename: bookworm-proposed-updates\nDate: ${releaseDate(MADE)}\nSHA256:\n ${"0".repeat(64)} 1 x\n`;
  mirror.files.set(`${BASE}/InRelease`, Buffer.from(await clearSign(text, key, new Date(MADE))));
  await expect(read()).rejects.toMatchObject({ code: "signature" });
});
