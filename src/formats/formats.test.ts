import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { closeReason } from "./close-reason.ts";
import { connectionFile } from "./connection-file.ts";
import { UnrepresentableError } from "./errors.ts";
import { keyFileGroup, keyFileValue } from "./key-file.ts";
import { shellCommand, shellWord } from "./shell-word.ts";
import { spiceUrl } from "./spice-url.ts";
import { terminalLine, terminalText } from "./terminal-text.ts";

/** What people and attackers put into names and passwords. */
const NASTY = [
  "",
  " ",
  "  two before and after  ",
  "\ttab",
  "a;b;c",
  "#no comment",
  "[not a group]",
  "x=y",
  String.raw`back\slash\n\s`,
  "new\nline=1\n[virt-viewer]\nproxy=http://evil.example",
  "carriage\r\nreturn\r",
  `quotes ' " \` $HOME $(id) !!`,
  "-rf",
  "~",
  "*",
  "pässwörd 密码 🔑",
  "\u001b[31mred\u0007",
  "a\u202eb",
  "\u0085\u2028\u2029",
  "%41%00",
  "trailing\\",
];
const texts = fc.oneof(
  fc.constantFrom(...NASTY),
  fc.string({ unit: "grapheme" }),
  fc.string({ unit: fc.constantFrom(..." \t\n\r\f\v\\;#=[]'\"`$s") }),
  fc.string({ unit: "binary" }),
);
const writable = texts.filter((text) => !text.includes("\0") && text.isWellFormed());
const sample = (arbitrary: fc.Arbitrary<string>, seed: number) => [
  ...NASTY,
  ...fc.sample(arbitrary, { numRuns: 1_000, seed }),
];

/** The interpreter that Debian's python3-gi belongs to. */
const PYTHON = "/usr/bin/python3";
const hasGlib = existsSync(PYTHON) && spawnSync(PYTHON, ["-c", "import gi"]).status === 0;

test.skipIf(!hasGlib)("GLib itself reads back every value of a key file (needs python3-gi)", () => {
  const values = sample(
    writable.filter((text) => !text.startsWith("\f")),
    1,
  );
  const file = keyFileGroup(
    "virt-viewer",
    values.map((value, i) => [`k${i}`, value]),
  );
  const program = `
import sys, json, gi
from gi.repository import GLib
data = sys.stdin.buffer.read().decode("utf-8")
keys = GLib.KeyFile()
keys.load_from_data(data, len(data.encode()), 0)
groups, _ = keys.get_groups()
names, _ = keys.get_keys("virt-viewer")
print(json.dumps([list(groups), [keys.get_string("virt-viewer", name) for name in names]]))`;
  const output = execFileSync(PYTHON, ["-c", program], { input: file, maxBuffer: 1 << 28 });
  const [groups, read] = JSON.parse(output.toString()) as [string[], string[]];
  expect(groups).toEqual(["virt-viewer"]);
  expect(read).toEqual(values);
});

test("a value stays on its line, whatever is in it", () => {
  fc.assert(
    fc.property(writable, (text) => {
      fc.pre(!text.startsWith("\f"));
      const value = keyFileValue(text);
      expect(value).not.toMatch(/[\n\r]|^[ \t\f]|[ \t]$/);
      const names: Record<string, string> = { s: " ", t: "\t", n: "\n", r: "\r", "\\": "\\" };
      expect(value.replace(/\\(.)/gs, (_, letter: string) => names[letter])).toBe(text);
    }),
  );
});

test.each(["a\0b", "\ud800", "\fx"])("%j cannot be in a key file, and that is said", (text) => {
  expect(() => keyFileValue(text)).toThrow(UnrepresentableError);
});

test("a connection file holds the password when it can, and is then to be deleted", () => {
  const lines = (password?: string) => connectionFile({ host: "::1", port: 5900, password }).split("\n");
  expect(lines(" a;b ")).toEqual([
    "[virt-viewer]",
    "type=spice",
    "host=::1",
    "port=5900",
    "title=spicetab",
    String.raw`password=\sa;b\s`,
    "delete-this-file=1",
    "",
  ]);
  for (const password of [undefined, "", "\fx"]) {
    expect(lines(password)).toContain("delete-this-file=0");
    expect(lines(password).join()).not.toContain("password");
  }
});

test("a shell hands on every word as it was, and runs nothing", () => {
  const words = sample(
    texts.filter((text) => !text.includes("\0")),
    2,
  ).map((word) => word.toWellFormed());
  for (const shell of ["/bin/sh", "/bin/bash", "/bin/zsh"].filter((path) => existsSync(path))) {
    const done = spawnSync(shell, ["-c", `printf '%s\\0' ${shellCommand(...words)}`], { maxBuffer: 1 << 28 });
    expect(done.stderr.toString()).toBe("");
    expect(done.stdout.toString().split("\0").slice(0, -1)).toEqual(words);
  }
  expect(() => shellWord("a\0")).toThrow(UnrepresentableError);
});

test("plain words are not quoted, what any shell would expand is", () => {
  expect(shellCommand("remote-viewer", spiceUrl("127.0.0.1", 5900))).toBe(
    "remote-viewer spice://127.0.0.1:5900",
  );
  expect(shellCommand("remote-viewer", spiceUrl("::1", 5900))).toBe("remote-viewer 'spice://[::1]:5900'");
});

test("a URL parser finds the host and the port that were meant", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.ipV4(),
        fc.ipV6(),
        fc.domain(),
        writable.filter((host) => host !== "" && !host.includes(":")),
      ),
      fc.integer({ min: 1, max: 65_535 }),
      (host, port) => {
        const url = new URL(spiceUrl(host, port));
        expect(url.protocol).toBe("spice:");
        expect(Number(url.port)).toBe(port);
        expect([url.username, url.password, url.pathname, url.search, url.hash].join("")).toBe("");
        const found = decodeURIComponent(url.hostname.replace(/^\[|\]$/g, ""));
        // A URL parser writes IPv6 in its shortest form.
        if (host.includes(":")) expect(new URL(`http://[${host}]`).hostname).toBe(`[${found}]`);
        else expect(found).toBe(host);
      },
    ),
  );
  expect(spiceUrl("fe80::1%eth0", 1)).toBe("spice://[fe80::1%25eth0]:1");
});

test("a close reason fits its frame, is cut between characters, and arrives", async () => {
  fc.assert(
    fc.property(fc.oneof(texts, fc.string({ unit: "grapheme", minLength: 100, maxLength: 300 })), (text) => {
      const reason = closeReason(text);
      expect(Buffer.byteLength(reason)).toBeLessThanOrEqual(123);
      expect(reason.isWellFormed()).toBe(true);
      expect(text.toWellFormed().startsWith(reason)).toBe(true);
      // Nothing is cut that had room: the next character would not have fitted.
      const [next = "x".repeat(124)] = text.toWellFormed().slice(reason.length);
      expect(Buffer.byteLength(reason + next)).toBeGreaterThan(123);
    }),
  );
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  await new Promise((resolve) => server.once("listening", resolve));
  const address = server.address() as { port: number };
  for (const text of ["🔑".repeat(40), "ü".repeat(100), "a\nb"]) {
    server.once("connection", (socket) => socket.close(1000, closeReason(text)));
    const socket = new WebSocket(`ws://127.0.0.1:${address.port}`);
    const reason = await new Promise((resolve) =>
      socket.on("close", (_, bytes) => resolve(bytes.toString())),
    );
    expect(text.startsWith(String(reason))).toBe(true);
    expect(String(reason)).not.toBe("");
  }
  server.close();
});

test("nothing that a terminal obeys is left in a line, and the rest is as it was", () => {
  fc.assert(
    fc.property(texts, (text) => {
      const line = terminalLine(text);
      // oxlint-disable-next-line no-control-regex
      expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/);
      expect(line.isWellFormed()).toBe(true);
    }),
  );
  expect(terminalLine("\u001b]0;title\u0007 \u009b2J a\nb\u202e")).toBe(
    String.raw`\x1b]0;title\x07 \x9b2J a\nb\u202e`,
  );
  expect(terminalLine("päßwort 密码 🔑 C:\\x")).toBe("päßwort 密码 🔑 C:\\x");
  expect(terminalText("one\n\u001btwo")).toBe(`one\n${String.raw`\x1b`}two`);
});
