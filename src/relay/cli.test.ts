import { once } from "node:events";
import { spawn } from "node:child_process";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { parseCliOptions, UsageError } from "./cli-options.ts";
import { findChromium } from "./headless.ts";

/** Runs the real command to its end; nothing here gets as far as building something. */
async function start(args: string[], environment: NodeJS.ProcessEnv = {}) {
  const child = spawn(process.execPath, ["--import", "tsx", "scripts/start.ts", ...args], {
    env: { ...process.env, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (piece) => (stdout += piece));
  child.stderr.on("data", (piece) => (stderr += piece));
  const [code] = (await once(child, "close")) as [number];
  return { code, stdout, stderr };
}

test("--help prints every option and succeeds", async () => {
  const done = await start(["--help"]);
  expect(done.code).toBe(0);
  for (const option of [
    "host",
    "http-port",
    "spice-port",
    "password",
    "password-file",
    "password-expires",
    "secret-file",
    "allow-origin",
    "guest",
    "keyboard",
    "headless",
    "profile",
    "devtools-port",
  ]) {
    expect(done.stdout).toContain(`--${option}`);
  }
});

test("an unknown option is one clear message and exit code 2", async () => {
  const done = await start(["--frobnicate"]);
  expect(done.code).toBe(2);
  expect(done.stderr.split("\n")[0]).toBe("spicetab: Unknown option '--frobnicate'");
  expect(done.stderr).not.toContain("    at ");
});

test("a busy SPICE port, and a busy page port, are exit code 2 and name the option", async () => {
  const busy = createServer().listen(0, "127.0.0.1");
  await once(busy, "listening");
  const { port } = busy.address() as AddressInfo;
  const spice = await start(["--spice-port", String(port), "--http-port", "0"]);
  expect(spice).toMatchObject({ code: 2 });
  expect(spice.stderr).toBe(
    `spicetab: SPICE: port ${port} on 127.0.0.1 is in use; end the program that has it or choose another with --spice-port\n`,
  );
  const page = await start(["--spice-port", "0", "--http-port", String(port)]);
  expect(page).toMatchObject({ code: 2 });
  expect(page.stderr).toContain(`port ${port} on 127.0.0.1 is in use`);
  expect(page.stderr).toContain("--http-port");
  busy.close();
});

test("a file as the browser's profile is told before anything is built, with exit code 2", async () => {
  const ports = ["--spice-port", "0", "--http-port", "0"];
  const done = await start(["--headless", "--profile", "package.json", ...ports], {
    SPICETAB_CHROMIUM: process.execPath,
  });
  expect(done).toMatchObject({ code: 2, stdout: "" });
  expect(done.stderr).toMatch(/^spicetab: --profile: package.json cannot hold .*: it is no folder\n/);
});

test("a missing Chromium is exit code 2 and says how to get one", async () => {
  const done = await start(["--headless", "--spice-port", "0", "--http-port", "0"], { PATH: "/nowhere" });
  expect(done.code).toBe(2);
  expect(done.stderr).toContain("apt-get install chromium");
  expect(() => findChromium({ SPICETAB_CHROMIUM: "/nowhere/chromium" })).toThrow("is no program");
});

test.each([
  [["--http-port", "80800"], "--http-port must be a port"],
  [["--spice-port", "x"], "--spice-port must be a port"],
  [["--spice-port", "-1"], "--spice-port"],
  [["--http-port", "7000", "--spice-port", "7000"], "must differ"],
  [["--guest", "windows"], 'not "windows"'],
  [["--displays", "5"], '--displays must be 1 to 4, not "5"'],
  [["--displays", "two"], '--displays must be 1 to 4, not "two"'],
  [["--keyboard", "klingon"], "--keyboard must be one of us, gb, de"],
  [["--host", ""], "--host must not be empty"],
  [["--profile", "x"], "needs --headless"],
  [["--devtools-port", "9222"], "needs --headless"],
  [["--headless", "--devtools-port", "x"], "--devtools-port must be a port"],
  [["--mirror", "ftp://x"], "--mirror must be"],
  [["--allow-origin", "https://x/y"], "--allow-origin must look like"],
  [["--allow-origin", "localhost:3000"], "--allow-origin must look like"],
  [["--allow-origin", "null"], "--allow-origin must look like"],
  [["--allow-origin", "file:///"], "--allow-origin must look like"],
  [["--allow-origin", "http://*.example.org"], "one origin without a pattern"],
  [["--allow-origin", "http://user@x"], "--allow-origin must look like"],
  [["--public-url", "ftp://x/"], "--public-url must look like"],
  [["--public-url", "https://x/vm/?a"], "--public-url must look like"],
  [["--public-url", "https://me@x/vm/"], "--public-url must look like"],
  [["--public-url", "https://x/a//b/"], "empty part"],
  [["--public-url", "https://x/guest/"], "may not begin with /guest/"],
  [["--public-url", "https://x/%67uest/"], "may not begin with /guest/"],
  [["--public-url", "https://x/%e0%a4%a/"], "broken %-code"],
  [["--public-url", "https://x/spicetab.vv"], "may not begin with /spicetab.vv/"],
  [["--trust-proxy", "example.org"], "neither an IP address"],
  [["--trust-proxy", "10.0.0.0/64"], "too long a prefix"],
  [["--ping-interval", "0"], "1 to 30 seconds"],
  [["--ping-interval", "31"], "1 to 30 seconds"],
  [["--headless=yes"], "--headless"],
  [["extra"], "Unexpected argument 'extra'"],
])("%j is refused", (args, words) => {
  expect(() => parseCliOptions(args)).toThrow(UsageError);
  expect(() => parseCliOptions(args)).toThrow(words);
});

test("the defaults are loopback and the desktop", () => {
  expect(parseCliOptions([])).toMatchObject({
    host: "127.0.0.1",
    httpPort: 8080,
    spicePort: 5900,
    password: undefined,
    guest: "desktop",
    headless: false,
  });
});

test.each([
  ["http://localhost:3000", "http://localhost:3000"],
  ["http://localhost:3000/", "http://localhost:3000"],
  ["https://Example.ORG:443", "https://example.org"],
  ["http://[::1]:80", "http://[::1]"],
])("--allow-origin %s is the origin %s that browsers send", (text, origin) => {
  expect(parseCliOptions(["--allow-origin", text]).allowOrigin).toEqual([origin]);
});

test("a public URL is a folder, however it was written; nobody is believed who was not named", () => {
  const urls = ["https://example.org", "https://example.org/vm", "http://example.org:81/a/b/"];
  const options = parseCliOptions([
    ...urls.flatMap((url) => ["--public-url", url]),
    "--trust-proxy",
    "loopback",
  ]);
  expect(options.publicUrls).toEqual([
    "https://example.org/",
    "https://example.org/vm/",
    "http://example.org:81/a/b/",
  ]);
  expect(options.trustProxy).toEqual(["loopback"]);
  expect(parseCliOptions([]).trustProxy).toEqual([]);
  expect(parseCliOptions(["--ping-interval", "2"]).pingIntervalMs).toBe(2_000);
});
