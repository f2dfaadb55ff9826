import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createCleartextMessage, generateKey, sign } from "openpgp";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parseRelease, signedText, verifyRelease } from "./release.ts";

const TEXT = `Origin: Debian
Codename: bookworm
MD5Sum:
 00000000000000000000000000000000 5 main/binary-i386/Packages.gz
SHA256:
 ${"a".repeat(64)}       12 main/binary-i386/Packages.xz
 ${"B".repeat(64)} 34 main/binary-i386/Packages.gz
`;

let folder: string;
let keyring: string;
let signed: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "release-"));
  keyring = join(folder, "keyring.gpg");
  const { privateKey, publicKey } = await generateKey({ userIDs: [{ name: "Archive" }], format: "object" });
  await writeFile(keyring, publicKey.write());
  signed = await sign({ message: await createCleartextMessage({ text: TEXT }), signingKeys: privateKey });
});

afterAll(() => rm(folder, { recursive: true }));

test("reads codename and SHA256 list of the signed text", () => {
  const release = parseRelease(signedText(signed));
  expect(release.codename).toBe("bookworm");
  expect(release.files.get("main/binary-i386/Packages.xz")).toEqual({ size: 12, sha256: "a".repeat(64) });
  expect(release.files.get("main/binary-i386/Packages.gz")).toEqual({ size: 34, sha256: "b".repeat(64) });
});

test("a page that is no InRelease is refused", () => {
  expect(() => parseRelease("<html>Not here</html>")).toThrow(/Debian mirror/);
});

test("a good signature passes", async () => {
  const notes: string[] = [];
  const text = await verifyRelease(signed, "bookworm", (note) => notes.push(note), keyring);
  expect(parseRelease(text).files.size).toBe(2);
  expect(notes).toEqual([]);
});

test("a changed text fails", async () => {
  const changed = signed.replace("12 main", "13 main");
  await expect(verifyRelease(changed, "bookworm", () => {}, keyring)).rejects.toThrow(/not signed/);
});

test("another key's signature fails", async () => {
  const { privateKey } = await generateKey({ userIDs: [{ name: "Stranger" }], format: "object" });
  const forged = await sign({
    message: await createCleartextMessage({ text: TEXT }),
    signingKeys: privateKey,
  });
  await expect(verifyRelease(forged, "bookworm", () => {}, keyring)).rejects.toThrow(/not signed/);
});

test("without a keyring there is a note", async () => {
  const notes: string[] = [];
  await verifyRelease(signed, "bookworm", (note) => notes.push(note), join(folder, "absent.gpg"));
  expect(notes).toHaveLength(1);
});
