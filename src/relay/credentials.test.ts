import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parseCliOptions, UsageError } from "./cli-options.ts";
import { readCredentials } from "./credentials.ts";
import { readPasswordEnd } from "./password-end.ts";
import { isSecret } from "../formats/index.ts";
import { isSameSecret, makeSecret } from "./secret.ts";

let folder: string;
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), "spicetab-credentials-"))));
afterAll(() => rmSync(folder, { recursive: true }));

function file(words: string, mode = 0o600): string {
  const path = join(folder, "words");
  writeFileSync(path, words);
  chmodSync(path, mode);
  return path;
}

const read = (args: string[], environment: NodeJS.ProcessEnv = {}) =>
  readCredentials(parseCliOptions(args), environment);

test("without anything there is no password, and a new secret at each start", () => {
  const { password, secret, notes } = read([]);
  expect({ password, notes }).toEqual({ password: "", notes: [] });
  expect(isSecret(secret)).toBe(true);
  expect(read([]).secret).not.toBe(secret);
});

test("a password on the command line works, with a word about who sees it and what is better", () => {
  const { password, notes } = read(["--password", "open sesame"]);
  expect(password).toBe("open sesame");
  expect(notes).toHaveLength(1);
  expect(notes[0]).toMatch(/list of processes.*--password-file.*SPICETAB_PASSWORD/);
  expect(notes[0]).not.toContain("sesame");
});

test("a file's first line is the password, whatever ends it; a file that others may read is told", () => {
  for (const words of ["open sesame", "open sesame\n", "open sesame\r\n", "open sesame\nnotes\n"]) {
    expect(read(["--password-file", file(words)])).toMatchObject({ password: "open sesame", notes: [] });
  }
  expect(read(["--password-file", file(" open ")]).password).toBe(" open ");
  const [note] = read(["--password-file", file("x", 0o644)]).notes;
  expect(note).toContain("chmod 600");
});

test("the environment gives password and secret, and is cleared of them for the programs that we start", () => {
  const secret = makeSecret();
  const environment: NodeJS.ProcessEnv = {
    SPICETAB_PASSWORD: "open sesame",
    SPICETAB_SECRET: secret,
    HOME: "/",
  };
  expect(read([], environment)).toEqual({ password: "open sesame", secret, notes: [] });
  expect(environment).toEqual({ HOME: "/" });
});

test("a password may end after a while or at a point in time, which the terminal is told", () => {
  const before = Date.now();
  for (const [when, ms] of [
    ["90s", 90_000],
    ["30m", 1_800_000],
    ["2h", 7_200_000],
    ["7d", 604_800_000],
  ] as const) {
    const { passwordValidUntil, notes } = read(["--password-expires", when], { SPICETAB_PASSWORD: "x" });
    expect(passwordValidUntil! - before - ms, when).toBeGreaterThanOrEqual(0);
    expect(passwordValidUntil!, when).toBeLessThanOrEqual(Date.now() + ms);
    expect(notes).toEqual([expect.stringMatching(/lets nobody in from .* GMT[+-]\d{4} on/)]);
  }
  expect(read([], { SPICETAB_PASSWORD: "x" }).passwordValidUntil).toBeUndefined();
  const now = Date.parse("2030-01-01T00:00:00Z");
  expect(readPasswordEnd("2030-12-31T18:00Z", now)).toBe(Date.UTC(2030, 11, 31, 18));
  expect(readPasswordEnd("2030-12-31T18:00:30+02:00", now)).toBe(Date.UTC(2030, 11, 31, 16, 0, 30));
  expect(readPasswordEnd("2032-02-29T18:00Z", now)).toBe(Date.UTC(2032, 1, 29, 18));
  expect(readPasswordEnd("2030-12-31T18:00", now)).toBe(new Date(2030, 11, 31, 18).getTime());
});

test.each([
  ["", /must be a while like/],
  ["0s", /must be a while like/],
  ["-1h", /must be a while like/],
  ["2", /must be a while like/],
  ["2h30m", /must be a while like/],
  ["1e3s", /must be a while like/],
  ["tomorrow", /must be a while like/],
  ["2030-12-31", /must be a while like/],
  ["2030-13-31T18:00", /must be a while like/],
  ["2030-02-31T00:00", /must be a while like/],
  ["2030-02-29T00:00Z", /must be a while like/],
  ["2030-04-31T00:00+02:00", /must be a while like/],
  ["2001-01-01T00:00Z", /is in the past: .* 2001/],
])("a password that ends %j is a usage error", (when, words) => {
  const reading = () => read([`--password-expires=${when}`], { SPICETAB_PASSWORD: "x" });
  expect(reading).toThrow(UsageError);
  expect(reading).toThrow(words);
});

test("an end of no password is a usage error", () => {
  expect(() => read(["--password-expires", "2h"])).toThrow(/needs a password/);
});

test("a secret file is the same secret at each start", () => {
  const secret = makeSecret();
  expect(read(["--secret-file", file(`${secret}\n`)], { SPICETAB_SECRET: makeSecret() }).secret).toBe(secret);
});

test.each([
  [["--password", ""], {}, "--password must not be empty"],
  [["--password", "ü".repeat(31)], {}, "--password must have at most 60 bytes"],
  [[], { SPICETAB_PASSWORD: "" }, "SPICETAB_PASSWORD must not be empty"],
  [["--password", "x", "--password-file", "y"], {}, "exclude each other"],
  [["--password-file", "/nowhere/words"], {}, "--password-file: cannot read /nowhere/words"],
  [["--secret-file", "/nowhere/words"], {}, "--secret-file: cannot read /nowhere/words"],
  [[], { SPICETAB_SECRET: "short" }, "SPICETAB_SECRET must hold 22 to 200"],
  [[], { SPICETAB_SECRET: "has spaces & more than 22 characters" }, "SPICETAB_SECRET must hold"],
] as [string[], NodeJS.ProcessEnv, string][])("%j with %j is refused", (args, environment, words) => {
  expect(() => read(args, environment)).toThrow(UsageError);
  expect(() => read(args, environment)).toThrow(words);
});

test("secrets are compared whole", () => {
  const secret = makeSecret();
  expect(isSameSecret(secret, secret)).toBe(true);
  for (const other of ["", secret.slice(1), `${secret}=`, `${secret.slice(0, -1)}.`, makeSecret()]) {
    expect(isSameSecret(other, secret)).toBe(false);
  }
});
