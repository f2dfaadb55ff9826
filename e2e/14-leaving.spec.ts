import { cp, rm } from "node:fs/promises";
import { expect, test } from "@playwright/test";
import { HostTab, Server, desktopProfile, freePort } from "./support/host.ts";

const profile = `${desktopProfile}-leaving`;

test.beforeAll(async () => {
  await rm(profile, { recursive: true, force: true });
  await cp(desktopProfile, profile, { recursive: true });
});

test.afterAll(() => rm(profile, { recursive: true, force: true }));

/** Runs in the worker that writes states. */
const slowDisk = (writeMs: number): string => `(() => {
  const { prototype } = FileSystemSyncAccessHandle;
  const { write } = prototype;
  prototype.write = function (...args) {
    const end = performance.now() + ${writeMs};
    while (performance.now() < end);
    return write.apply(this, args);
  };
})()`;

/** A headless host, used by somebody since it was saved, whose disk takes `writeMs` for each write. */
async function startUsed(writeMs: number) {
  const devtoolsPort = await freePort();
  const server = await Server.start(
    "--headless",
    "--profile",
    profile,
    "--devtools-port",
    String(devtoolsPort),
  );
  try {
    await server.program.printed(/^ready: .*$/m, 120_000);
    const tab = await HostTab.attach(devtoolsPort);
    const { savedAt } = await tab.page.evaluate(() => window.spicetab.session.state.snapshot);
    await use(tab);
    await tab.evaluateInThread("guest", slowDisk(writeMs));
    return { server, tab, savedAt: savedAt ?? 0 };
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
}

/** A key that does nothing, and yet something that nobody would like to lose. */
async function use(tab: HostTab): Promise<void> {
  await tab.page.evaluate(() => window.spicetab.session.hand.keys([0x2a, 0xaa]));
  await tab.until(() => window.spicetab.session.state.snapshot.unsaved === true);
}

/** When the kept state was saved, as a start from now on finds it. */
async function keptAt(): Promise<number> {
  const devtoolsPort = await freePort();
  await using server = await Server.start(
    "--headless",
    "--profile",
    profile,
    "--devtools-port",
    String(devtoolsPort),
  );
  await server.program.printed(/^ready: .* is restored/m, 120_000);
  const tab = await HostTab.attach(devtoolsPort);
  const { savedAt, problem } = await tab.page.evaluate(() => window.spicetab.session.state.snapshot);
  expect(problem).toBeUndefined();
  server.program.signal("SIGTERM");
  expect((await server.program.done).code).toBe(0);
  return savedAt ?? 0;
}

test("Ctrl-C while saving is slow: it is waited for as long as it gets on, and how far it is is said", async () => {
  const { server, savedAt } = await startUsed(120);
  await using _ = server;
  server.program.signal("SIGINT");
  const { code, stdout, stderr } = await server.program.done;
  expect([code, stderr]).toEqual([0, ""]);
  const percents = [...stdout.matchAll(/saving the machine … (\d+) %/g)].map(([, percent]) =>
    Number(percent),
  );
  expect(percents.length).toBeGreaterThan(3);
  expect(percents).toEqual(percents.toSorted((a, b) => a - b));
  expect(await keptAt()).toBeGreaterThan(savedAt);
});

test("a second Ctrl-C ends at once, says what is lost, and what was saved before is there", async () => {
  const { server, savedAt } = await startUsed(500);
  await using _ = server;
  server.program.signal("SIGINT");
  // Some of it is written.
  await server.program.printed(/saving the machine … [1-9]\d* %/, 120_000);
  // Signals that come together are one wish (npm passes them on twice); these are another.
  const again = setInterval(() => server.program.signal("SIGINT"), 500);
  const { code, stderr } = await server.program.done;
  clearInterval(again);
  expect(code).toBe(130);
  expect(stderr).toContain("what was done in the machine since it was last saved is lost");
  const devtoolsPort = await freePort();
  await using next = await Server.start(
    "--headless",
    "--profile",
    profile,
    "--devtools-port",
    String(devtoolsPort),
  );
  await next.program.printed(/^ready: .* is restored/m, 120_000);
  expect(next.program.stdout).toMatch(/The last save was cut off.*This is the machine of/);
  const tab = await HostTab.attach(devtoolsPort);
  expect((await tab.page.evaluate(() => window.spicetab.session.state.snapshot)).savedAt).toBe(savedAt);
  // Saved again, the file that was cut off is no more.
  await tab.page.evaluate(() => window.spicetab.session.save());
});

test("SIGTERM when the state cannot be saved: it is said, and the exit code is not 0", async () => {
  const { server, tab, savedAt } = await startUsed(0);
  await using _ = server;
  await tab.page.evaluate(() => window.spicetab.session.forget());
  await tab.page.evaluate(() => window.spicetab.session.save());
  await use(tab);
  const devtools = await tab.page.context().newCDPSession(tab.page);
  const { origin } = new URL(server.url);
  await devtools.send("Storage.overrideQuotaForOrigin", { origin, quotaSize: 1_000_000 });
  server.program.signal("SIGTERM");
  const { code, stderr } = await server.program.done;
  expect(code).toBe(1);
  expect(stderr).toMatch(/The state could not be saved: .*What was saved before is still there/s);
  expect(await keptAt()).toBeGreaterThan(savedAt);
});

test("a terminal that was closed does not keep the machine from being saved", async () => {
  const { server, savedAt } = await startUsed(0);
  await using _ = server;
  server.program.child.stdout?.destroy();
  server.program.child.stderr?.destroy();
  server.program.signal("SIGHUP");
  expect((await server.program.done).code).toBe(0);
  expect(await keptAt()).toBeGreaterThan(savedAt);
});

test("another tab that takes the machine over waits for a slow save, and has what was done", async () => {
  await using server = await Server.start();
  await using tab = await HostTab.open(server.url, { profile });
  await tab.ready();
  const { savedAt } = await tab.page.evaluate(() => window.spicetab.session.state.snapshot);
  await use(tab);
  await tab.evaluateInThread("guest", slowDisk(120));
  const other = await tab.context.newPage();
  await other.goto(server.url);
  await other.waitForFunction(() => window.spicetab?.session.state.phase === "elsewhere");
  await other.evaluate(() => window.spicetab.session.takeOver());
  await other.evaluate(() => window.spicetab.ready);
  const { steps, snapshot } = await other.evaluate(() => window.spicetab.session.state);
  expect(steps.map(({ id }) => id)).toEqual(["restore"]);
  expect(snapshot.problem).toBeUndefined();
  expect(snapshot.savedAt).toBeGreaterThan(savedAt ?? 0);
});
