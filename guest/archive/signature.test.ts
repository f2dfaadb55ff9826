import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { type PrivateKey, readCleartextMessage } from "openpgp";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Allowance } from "../allowances.ts";
import { sha256 } from "../files.ts";
import { MAX_RELEASE_SIGNATURES } from "../limits.ts";
import { allowing, archiveKey, clearSign, releaseText } from "./archive.testing.ts";
import { parseRelease } from "./release.ts";
import { verifyRelease } from "./signature.ts";

const DAY_MS = 86_400_000;
const NOW = Date.UTC(2026, 6, 12);
const SIGNED = NOW - DAY_MS;
const INDEX = Buffer.from("Package: honest\n");
const { text: TEXT } = releaseText("bookworm", INDEX, SIGNED);
/** What an attacker wants to be read: the hash of his own index. */
const FORGED = `Codename: bookworm\nSHA256:\n ${"ab".repeat(32)} 1234 main/binary-i386/Packages.gz`;
const BEGIN = "-----BEGIN PGP SIGNED MESSAGE-----";
const SIGNATURE = "-----BEGIN PGP SIGNATURE-----";
const END = "-----END PGP SIGNATURE-----";

let folder: string;
let keyring: string;
let key: PrivateKey;
let signed: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "signature-"));
  const archive = await archiveKey("Archive", { date: new Date(SIGNED - DAY_MS) });
  key = archive.privateKey;
  keyring = await keyringFile(archive.keyring);
  signed = await clearSign(TEXT, key, new Date(SIGNED));
});

afterAll(() => rm(folder, { recursive: true }));

async function keyringFile(...keys: Buffer[]): Promise<string> {
  const bytes = Buffer.concat(keys);
  const path = join(folder, `${sha256(bytes)}.gpg`);
  await writeFile(path, bytes);
  return path;
}

/** The text that the builder would parse. */
function read(
  file: string | Uint8Array,
  { keyrings = [keyring], nowMs = NOW, allow = [] as Allowance[] } = {},
): Promise<string> {
  const { exceptions } = allowing(...allow);
  return verifyRelease(Buffer.from(file), { suite: "bookworm", keyrings, nowMs, exceptions });
}

test("a good signature passes, and the text is the signed one", async () => {
  expect(await read(signed)).toBe(TEXT);
  expect(parseRelease(await read(signed)).files.get("main/binary-i386/Packages")).toEqual({
    size: INDEX.length,
    sha256: sha256(INDEX),
  });
});

test("the tolerance for the end: one line feed or none", async () => {
  const bare = signed.replace(/\n+$/, "");
  expect(await read(bare)).toBe(TEXT);
  expect(await read(`${bare}\n`)).toBe(TEXT);
  for (const end of ["\n\n", " ", "\n ", "\r\n", "\0", "\nx"])
    await expect(read(bare + end), JSON.stringify(end)).rejects.toMatchObject({ code: "signature" });
});

/** The genuine message with something hostile done to it. */
const attacks: Record<string, (message: string) => string> = {
  // Each of these was taken for the signed text once: a regular expression found another text than the verifier.
  ...Object.fromEntries(
    Object.entries({
      space: " ",
      tab: "\t",
      "no-break space": "\u00a0",
      "form feed": "\f",
      "em space": "\u2003",
    }).map(([name, blank]) => [
      `a ${name} in the empty line, forged text behind`,
      (message: string) =>
        `${message.replace(/^(.*\n(?:Hash: .*\n)+)\n/, `$1${blank}\n`)}${FORGED}\n${SIGNATURE}\n`,
    ]),
  ),
  "a forged message first, with a blank in its first line": (message) =>
    `${BEGIN} \nHash: SHA256\n\n${FORGED}\n${SIGNATURE}\n\n${message}`,
  "forged text in a junk head": (message) => `x\n${BEGIN}x\n\n${FORGED}\n${SIGNATURE}\n${message}`,
  "text before": (message) => `${FORGED}\n${message}`,
  "text behind": (message) => `${message}${FORGED}\n`,
  "an empty line before": (message) => `\n${message}`,
  "the message twice": (message) => message + message,
  "a forged message behind, unsigned": (message) => `${message}${message.replace(TEXT.trim(), FORGED)}`,
  "a message inside the message": (message) => message.replace("\n\n", `\n\n${BEGIN}\nHash: SHA256\n\n`),
  "a second signature block": (message) => `${message}${message.slice(message.indexOf(SIGNATURE))}`,
  "a public key behind": (message) =>
    `${message}-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n-----END PGP PUBLIC KEY BLOCK-----\n`,
  "a changed text": (message) => message.replace(sha256(INDEX), "ab".repeat(32)),
  "a text with one line more": (message) => message.replace(`\n${SIGNATURE}`, `\n x\n${SIGNATURE}`),
  "a dash-escaped line": (message) => message.replace("\nCodename", "\n- Codename"),
  "a dash-escaped armour line": (message) => message.replace("\nCodename", `\n- ${SIGNATURE}\nCodename`),
  "CRLF line ends": (message) => message.replaceAll("\n", "\r\n"),
  "a carriage return in the text": (message) => message.replace("\nCodename", "\r\nCodename"),
  "a lone carriage return": (message) => message.replace("bookworm", "book\rworm"),
  "a NUL": (message) => message.replace("bookworm", "bookworm\0"),
  "a line separator": (message) => message.replace("bookworm", "bookworm\u2028"),
  "a byte order mark": (message) => `\ufeff${message}`,
  "no Hash header": (message) => message.replace(/^Hash: .*\n/m, ""),
  "a Hash header of MD5": (message) => message.replace(/^Hash: .*$/m, "Hash: MD5"),
  "a Hash header of SHA-1": (message) => message.replace(/^Hash: .*$/m, "Hash: SHA1"),
  "a Hash header of another SHA-2": (message) =>
    message.replace(/^Hash: (.*)$/m, (_, name) => `Hash: ${name === "SHA384" ? "SHA256" : "SHA384"}`),
  "a Hash header with two blanks": (message) => message.replace("Hash: ", "Hash:  "),
  "a Hash header with a tab": (message) => message.replace("Hash: ", "Hash:\t"),
  "a Hash header with a blank before it": (message) => message.replace("Hash: ", " Hash: "),
  "a Hash header with a blank behind it": (message) => message.replace(/^(Hash: .*)$/m, "$1 "),
  "another header": (message) => message.replace("Hash: ", "Comment: x\nHash: "),
  "two empty lines": (message) => message.replace("\n\n", "\n\n\n"),
  "no empty line": (message) => message.replace("\n\n", "\n"),
  "an unknown header of the signature": (message) =>
    message.replace(`${SIGNATURE}\n`, `${SIGNATURE}\nSuite: x\n`),
  "a blank behind the first line": (message) => message.replace(`${BEGIN}\n`, `${BEGIN} \n`),
  "a blank behind the signature's first line": (message) =>
    message.replace(`${SIGNATURE}\n`, `${SIGNATURE} \n`),
  "no end line": (message) => message.replace(`${END}\n`, ""),
  "another end line": (message) => message.replace(END, "-----END PGP MESSAGE-----"),
  "a signature without signatures": (message) =>
    `${message.slice(0, message.indexOf(SIGNATURE))}${SIGNATURE}\n\n=twTO\n${END}\n`,
  "a web page": () => "<html>Not here</html>",
  nothing: () => "",
};

test.each(Object.keys(attacks))("%s is refused", async (name) => {
  const file = attacks[name](signed);
  expect(file).not.toBe(signed);
  await expect(read(file)).rejects.toMatchObject({ name: "GuestBuildError", code: "signature" });
});

test("bytes that are no UTF-8 are refused", async () => {
  const file = Buffer.from(signed);
  file[file.indexOf("Codename")] = 0xff;
  await expect(read(file)).rejects.toThrow(/not UTF-8/);
});

test("whatever is put in, taken out or moved, what is parsed is the signed text or nothing", async () => {
  const lines = signed.split("\n");
  const piece = fc.oneof(
    fc.constantFrom(
      BEGIN,
      SIGNATURE,
      END,
      "",
      " ",
      "\t",
      "\r",
      "- ",
      "-",
      "Hash: SHA256",
      "Hash: SHA512",
      FORGED,
      "\u00a0",
    ),
    fc.string({ maxLength: 20 }),
    fc.constantFrom(...lines),
  );
  const edit = fc.record({
    at: fc.nat(lines.length),
    column: fc.option(fc.nat(80), { nil: undefined }),
    drop: fc.nat(2),
    pieces: fc.array(piece, { maxLength: 4 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 3 }), async (edits) => {
      const file = [...lines];
      for (const { at, column, drop, pieces } of edits) {
        if (column === undefined) file.splice(at, drop, ...pieces);
        else if (at < file.length)
          file[at] = file[at].slice(0, column) + pieces.join("") + file[at].slice(column + drop);
      }
      const text = await read(file.join("\n")).catch((error: unknown) => {
        expect(error).toMatchObject({ name: "GuestBuildError", code: "signature" });
      });
      if (text !== undefined) expect(text).toBe(TEXT);
    }),
    { numRuns: 400 },
  );
});

test("blanks at line ends, which the signature does not cover, are not in what is parsed", async () => {
  const file = signed.replace("Codename: bookworm", "Codename: bookworm \t ");
  expect(await read(file)).toBe(TEXT);
});

test("another key's signature is refused, and counts for nothing beside a good one", async () => {
  const stranger = await archiveKey("Stranger", { date: new Date(SIGNED - DAY_MS) });
  const date = new Date(SIGNED);
  await expect(read(await clearSign(TEXT, stranger.privateKey, date))).rejects.toThrow(/not in the keyring/);
  expect(await read(await clearSign(TEXT, [stranger.privateKey, key], date))).toBe(TEXT);
  // Two strangers are no better than one.
  await expect(read(await clearSign(TEXT, [stranger.privateKey, stranger.privateKey], date))).rejects.toThrow(
    /not in the keyring/,
  );
});

test("a key that has expired by now is refused, though the signature claims an earlier day", async () => {
  const old = await archiveKey("Old", {
    date: new Date(SIGNED - 2 * DAY_MS),
    keyExpirationTime: (2.5 * DAY_MS) / 1000,
  });
  const keyrings = [await keyringFile(old.keyring)];
  const file = await clearSign(TEXT, old.privateKey, new Date(SIGNED));
  expect(await read(file, { keyrings, nowMs: SIGNED + 1000 })).toBe(TEXT);
  await expect(read(file, { keyrings })).rejects.toThrow(/not valid today.*expired.*2026-07-12/);
});

test("a revoked key is refused", async () => {
  const revoked = await archiveKey("Revoked", { date: new Date(SIGNED - DAY_MS) });
  const file = await clearSign(TEXT, revoked.privateKey, new Date(SIGNED));
  expect(await read(file, { keyrings: [await keyringFile(revoked.keyring)] })).toBe(TEXT);
  await expect(read(file, { keyrings: [await keyringFile(await revoked.revoked())] })).rejects.toThrow(
    /revoked/,
  );
});

test("more signatures than an archive makes are not looked at", async () => {
  const keys = Array.from({ length: MAX_RELEASE_SIGNATURES + 1 }, () => key);
  const file = await clearSign(TEXT, keys, new Date(SIGNED));
  expect((await readCleartextMessage({ cleartextMessage: file })).getSigningKeyIDs()).toHaveLength(
    keys.length,
  );
  await expect(read(file)).rejects.toThrow(/17 signatures/);
});

test("a clock that is days behind is named as what is wrong", async () => {
  await expect(read(signed, { nowMs: SIGNED - 30 * DAY_MS })).rejects.toMatchObject({
    code: "clock",
    message: expect.stringMatching(/clock says 2026-06-11.*is of 2026-07-11.*Set the clock/) as string,
  });
});

test("without a keyring nothing is taken, unless that is allowed; even then only one plain message", async () => {
  const keyrings = [join(folder, "absent.gpg")];
  await expect(read(signed, { keyrings })).rejects.toMatchObject({
    code: "signature",
    allowedBy: "missing-keyring",
    message: expect.stringMatching(/debian-archive-keyring.*--allow-missing-keyring/) as string,
  });
  expect(await read(signed, { keyrings, allow: ["missing-keyring"] })).toBe(TEXT);
  await expect(read(`${FORGED}\n${signed}`, { keyrings, allow: ["missing-keyring"] })).rejects.toThrow(
    /line 1/,
  );
});

test("a keyring that is none is an error, not a missing one", async () => {
  const path = join(folder, "broken.gpg");
  await writeFile(path, "not a keyring");
  await expect(read(signed, { keyrings: [path], allow: ["missing-keyring"] })).rejects.toMatchObject({
    code: "signature",
  });
  await expect(read(signed, { keyrings: [folder], allow: ["missing-keyring"] })).rejects.toThrow(
    /not a file/,
  );
});
