import { expect, test } from "vitest";
import { releaseText } from "./archive.testing.ts";
import { parseRelease } from "./release.ts";

const DATE = Date.UTC(2026, 6, 11, 10, 16, 37);
const { text } = releaseText("bookworm", Buffer.from("index"), DATE, DATE + 1000);

test("codename, dates and the SHA256 list", () => {
  const release = parseRelease(
    `Codename: bookworm\nDate: Sat, 11 Jul 2026 10:16:37 UTC\nMD5Sum:\n ${"0".repeat(32)} 5 main/x\n` +
      `SHA256:\n ${"a".repeat(64)}       12 main/binary-i386/Packages.xz\n ${"B".repeat(64)} 34 main/binary-i386/Packages.gz\n`,
  );
  expect(release).toMatchObject({ codename: "bookworm", dateMs: DATE, validUntilMs: undefined });
  expect([...release.files]).toEqual([
    ["main/binary-i386/Packages.xz", { size: 12, sha256: "a".repeat(64) }],
    ["main/binary-i386/Packages.gz", { size: 34, sha256: "b".repeat(64) }],
  ]);
  expect(parseRelease(text).validUntilMs).toBe(DATE + 1000);
});

test.each([
  ["a web page", "<html>Not here</html>", /0 paragraphs/],
  ["a list that is empty", text.replace(/^ .*\n/gm, ""), /no SHA256 list/],
  ["two paragraphs", `${text}\nCodename: bookworm\nSHA256:\n`, /2 paragraphs/],
  ["a file named twice", `${text} ${"0".repeat(64)} 1 main/binary-i386/Packages\n`, /names main.* twice/],
  ["a size that is none", text.replace(/ \d+ main/, " 1e3 main"), /SHA256 list/],
  ["a hash that is short", text.replace(/ [0-9a-f]{64} /, " abcd "), /SHA256 list/],
  ["no date", text.replace(/^Date: .*\n/m, ""), /no date/],
  ["a date in another form", text.replace(/^Date: .*$/m, "Date: 2026-07-11"), /no date/],
  ["a Valid-Until that is no date", text.replace(/^Valid-Until: .*$/m, "Valid-Until: never"), /Valid-Until/],
])("%s is refused", (_what, changed, words) => {
  expect(() => parseRelease(changed)).toThrow(words);
});
