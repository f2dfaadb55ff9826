import { cp, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@playwright/test";
import { HostTab, Server, desktopProfile, freePort } from "./support/host.ts";
import { run } from "./support/process.ts";
import { expectExactScreenshots, expectPasswordRefused } from "./support/screenshot-matrix.ts";

const profile = `${desktopProfile}-headless`;

/** The command line alone, as on a machine without a person. */
async function startHeadless(...args: string[]): Promise<{ server: Server; devtoolsPort: number }> {
  const devtoolsPort = await freePort();
  const server = await Server.start(
    "--headless",
    "--profile",
    profile,
    "--devtools-port",
    String(devtoolsPort),
    ...args,
  );
  return { server, devtoolsPort };
}

test.beforeAll(async () => {
  await rm(profile, { recursive: true, force: true });
  await cp(desktopProfile, profile, { recursive: true });
});

test.afterAll(() => rm(profile, { recursive: true, force: true }));

test("--headless hosts the machine by itself, exact to the pixel, and leaves nothing behind on Ctrl-C", async () => {
  const { server, devtoolsPort } = await startHeadless();
  try {
    await server.program.printed(/^ready: .*$/m, 120_000);
    {
      await using tab = await HostTab.attach(devtoolsPort);
      await expectExactScreenshots(tab, server.spicePort);
    }
    server.program.signal("SIGINT");
    const { code } = await server.program.done;
    expect(code, server.program.stderr).toBe(0);
    const left = await run("ps", ["-eo", "args"]);
    expect(left.stdout.split("\n").filter((line) => line.includes(profile))).toEqual([]);
  } finally {
    await server[Symbol.asyncDispose]();
  }
});

test("--headless with a password: the same pictures for who knows it, the protocol's refusal for others", async () => {
  const folder = await mkdtemp(join(tmpdir(), "spicetab-password-"));
  const file = join(folder, "password");
  await writeFile(file, "open sesame\n", { mode: 0o600 });
  const { server, devtoolsPort } = await startHeadless("--password-file", file);
  try {
    await server.program.printed(/^ready: .*$/m, 120_000);
    await using tab = await HostTab.attach(devtoolsPort);

    await test.step("no other user of this computer can read password or secret", async () => {
      const { hash } = new URL(server.url);
      const seen = await run("ps", ["-eo", "args"]);
      expect(seen.stdout).toContain(profile);
      expect(seen.stdout).not.toContain("sesame");
      expect(seen.stdout).not.toContain(hash.slice("#secret=".length));
      expect((await stat(profile)).mode & 0o077).toBe(0);
      expect(tab.page.url()).not.toContain("secret");
    });

    await expectExactScreenshots(tab, server.spicePort, { password: "open sesame" });
    await expectPasswordRefused(server.spicePort, undefined);
    await expectPasswordRefused(server.spicePort, "open sesam");
  } finally {
    await server[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  }
});
