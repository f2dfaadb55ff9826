import { once } from "node:events";
import { mkdtemp, rm, stat, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { UsageError } from "./cli-options.ts";
import { launchError, takeProfile } from "./profile.ts";

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "spicetab-profile-"));
});

afterAll(() => rm(folder, { recursive: true }));

test("a profile is a folder of its owner's, new or not", async () => {
  for (const path of [join(folder, "a/b"), join(folder, "a/b")]) {
    await takeProfile(path);
    expect((await stat(path)).mode & 0o777).toBe(0o700);
  }
});

test("a file is no profile, nor is what lies below one", async () => {
  const file = join(folder, "file");
  await writeFile(file, "");
  for (const path of [file, join(file, "below")]) {
    await expect(takeProfile(path)).rejects.toThrow(UsageError);
    await expect(takeProfile(path)).rejects.toThrow(`--profile: ${path} cannot hold`);
  }
});

test("a profile that a browser has is refused, one that a browser left behind is not", async () => {
  const path = join(folder, "used");
  await takeProfile(path);
  const browser = createServer().listen(join(folder, "socket"));
  await once(browser, "listening");
  await symlink(join(folder, "socket"), join(path, "SingletonSocket"));
  await expect(takeProfile(path)).rejects.toThrow(`--profile: ${path} is in use by another browser`);
  // One that came between our look and our start.
  expect((await launchError(path, new Error("Target closed"))).message).toContain("is in use by another");
  browser.close();
  await once(browser, "close");
  await takeProfile(path);
});

test("why a browser does not start is one sentence", async () => {
  const logged = new Error("browserType.launchPersistentContext: Target closed\nCall log:\n  - x");
  const { message } = await launchError(join(folder, "nobody"), logged);
  expect(message).toBe("Chromium does not start: Target closed");
});
