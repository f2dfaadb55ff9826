import { cp, rm } from "node:fs/promises";
import { expect, test } from "@playwright/test";
import { Server, desktopProfile } from "./support/host.ts";
import { run } from "./support/process.ts";
import { spicyScreenshot } from "./support/stock-clients.ts";
import { colourCount } from "./support/text-screen.ts";

test("--headless hosts the machine by itself and leaves nothing behind on Ctrl-C", async () => {
  const profile = `${desktopProfile}-headless`;
  await rm(profile, { recursive: true, force: true });
  await cp(desktopProfile, profile, { recursive: true });
  const server = await Server.start("--headless", "--profile", profile);
  try {
    await server.program.printed(/^ready: .*$/m, 120_000);
    const shot = await spicyScreenshot(server.spicePort);
    expect(shot.code, shot.stderr).toBe(0);
    expect(colourCount(shot.picture!)).toBeGreaterThan(50);

    server.program.signal("SIGINT");
    const { code } = await server.program.done;
    expect(code, server.program.stderr).toBe(0);
    const left = await run("ps", ["-eo", "args"]);
    expect(left.stdout.split("\n").filter((line) => line.includes(profile))).toEqual([]);
  } finally {
    await server[Symbol.asyncDispose]();
    await rm(profile, { recursive: true, force: true });
  }
});
