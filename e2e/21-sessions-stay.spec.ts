import { expect, test } from "@playwright/test";
import { HostTab, Server } from "./support/host.ts";
import { difference } from "./support/ppm.ts";
import { Program } from "./support/process.ts";
import { serial } from "./support/serial.ts";
import { XvfbDisplay, spicyScreenshot } from "./support/stock-clients.ts";
import { crop, locate } from "./support/text-screen.ts";

/** What viewers said to the agent of a machine that is gone reaches a thread that has none yet; the next agent begins anew. */
const AGENT_OF_BEFORE = /"agentWrite" failed: there is no guest/;

test("viewers stay through reloads, through the death of each thread, and when another tab takes over", async () => {
  await using server = await Server.start();
  await using x = await XvfbDisplay.start();
  let tab = await HostTab.open(server.url);
  await using _ = { [Symbol.asyncDispose]: async () => tab[Symbol.asyncDispose]() };
  // The faults are provoked below.
  tab.expectedLog.push(AGENT_OF_BEFORE, /a fault/);
  await tab.ready();
  const client = (program: string, ...args: string[]) =>
    new Program(program, args, { env: { ...x.env, NO_AT_BRIDGE: "1" } });
  const linked = () =>
    window.spicetab.session.state.clients.filter(({ channels }) => channels.length >= 4).length;
  await using spicy = client("spicy", "-h", "127.0.0.1", "-p", String(server.spicePort));
  await expect.poll(() => tab.page.evaluate(linked), { timeout: 60_000 }).toBe(1);
  // Its window lies above the other's.
  await using viewer = client("remote-viewer", `spice://127.0.0.1:${server.spicePort}`);
  await expect.poll(() => tab.page.evaluate(linked), { timeout: 60_000 }).toBe(2);
  const sessions = () => window.spicetab.session.state.clients.map(({ id, since }) => `${id} ${since}`);
  const before = await tab.page.evaluate(sessions);

  /** The same sessions with all their channels, and everybody sees the guest's screen. */
  const expectAll = async () => {
    await expect.poll(() => tab.page.evaluate(linked), { timeout: 30_000 }).toBe(2);
    expect(await tab.page.evaluate(sessions)).toEqual(before);
    expect([viewer.child.exitCode, spicy.child.exitCode]).toEqual([null, null]);
    let surface = await tab.restingSurface(500);
    // What was typed may still be on its way to the terminal, in a guest that has little time.
    const mismatch = async () => {
      const { picture } = await spicyScreenshot(server.spicePort);
      surface = await tab.restingSurface(500);
      return picture === undefined ? "no picture" : difference(picture, surface);
    };
    await expect.poll(mismatch).toBeUndefined();
    const terminal = crop(surface, 30, 50, 300, 200);
    await expect.poll(async () => locate(terminal, await x.picture()), { timeout: 30_000 }).toBeDefined();
  };
  /** What is typed at remote-viewer is what the guest's shell gets. */
  const expectTyped = async (word: string) => {
    const [shown] = (await x.xdotool("search", "--onlyvisible", "--class", "remote-viewer"))
      .split("\n")
      .slice(-1);
    await x.xdotool("windowfocus", shown);
    // X repeats a key whose release comes late, and on a busy machine it may.
    await serial(tab, "DISPLAY=:0 xset r off");
    // An empty line, whatever was typed before.
    await x.xdotool("key", "ctrl+c");
    await x.xdotool("type", "--delay", "120", `echo ${word} > /dev/ttyS0`);
    await x.xdotool("key", "Return");
    await expect
      .poll(() => tab.page.evaluate(() => window.spicetab.session.serialLog()), { timeout: 60_000 })
      .toContain(word);
  };

  await test.step("three reloads, with typing and drawing between", async () => {
    for (let round = 0; round < 3; round++) {
      await tab.page.reload();
      await tab.page.waitForFunction(() => "spicetab" in window);
      await tab.ready();
      await expectAll();
      const steps = await tab.page.evaluate(() => window.spicetab.session.state.steps.map(({ id }) => id));
      expect(steps).toEqual(["restore"]);
      await expectTyped(`reload${round}`);
    }
  });

  await test.step("the red worker dies: another draws the same picture, and the guest does not notice", async () => {
    const surface = await tab.restingSurface(500);
    await tab.evaluateInThread("red", "self.close()");
    await expectAll();
    expect(difference(await tab.restingSurface(500), surface)).toBeUndefined();
    expect(await tab.page.evaluate(() => window.spicetab.session.state.phase)).toBe("running");
  });

  const hang = "void setTimeout(() => { for (;;); })";
  await test.step("the red worker hangs: it is said, and another takes its place", async () => {
    const surface = await tab.restingSurface(500);
    await tab.evaluateInThread("red", hang);
    const title = () => window.spicetab.session.state.problem?.title;
    await expect.poll(() => tab.page.evaluate(title)).toContain("display thread does not answer");
    await expectAll();
    expect(await tab.page.evaluate(title)).toBeUndefined();
    expect(difference(await tab.restingSurface(500), surface)).toBeUndefined();
  });

  await test.step("something in a thread throws: that is not its death", async () => {
    for (const name of ["red", "guest"] as const)
      await tab.evaluateInThread(name, "void setTimeout(() => { throw new Error('a fault') })");
    await expectAll();
    expect(await tab.page.evaluate(() => window.spicetab.session.state.problem)).toBeUndefined();
  });

  await test.step("the guest's thread dies: its machine goes on as it was saved", async () => {
    await tab.page.evaluate(() => window.spicetab.session.save());
    await tab.evaluateInThread("guest", "self.close()");
    await tab.until(
      () => window.spicetab.session.state.problem?.title.includes("guest thread ended") ?? false,
    );
    await tab.until(() => window.spicetab.session.state.phase === "running");
    await expectAll();
  });

  await test.step("paused, the machine stands still and everybody stays; what is typed meanwhile arrives when it goes on", async () => {
    await tab.page.getByRole("button", { name: "Pause the machine" }).click();
    await tab.until(() => window.spicetab.session.state.phase === "paused");
    await expectAll();
    const surface = await tab.restingSurface(500);
    await x.xdotool("type", "--delay", "120", "true");
    expect(difference(await tab.restingSurface(500), surface)).toBeUndefined();
    await tab.page.getByRole("button", { name: "Let the machine go on" }).click();
    await tab.until(() => window.spicetab.session.state.phase === "running");
    await expect
      .poll(async () => difference(await tab.surface(), surface) !== undefined, { timeout: 30_000 })
      .toBe(true);
    await expectTyped("goes on");
  });

  await test.step("another tab takes the machine over", async () => {
    const other = await tab.context.newPage();
    await other.goto(server.url);
    await other.waitForFunction(() => window.spicetab?.session.state.phase === "elsewhere");
    await other.evaluate(() => window.spicetab.session.takeOver());
    await other.evaluate(() => window.spicetab.ready);
    tab = tab.at(other);
    await expectAll();
    await expectTyped("elsewhere");
  });
});

test("core dies: what was done is kept, and the relay hands its viewers to the new one", async () => {
  await using server = await Server.start();
  await using x = await XvfbDisplay.start();
  await using tab = await HostTab.open(server.url);
  tab.expectedLog.push(AGENT_OF_BEFORE);
  await tab.ready();
  await using viewer = new Program("remote-viewer", [`spice://127.0.0.1:${server.spicePort}`], {
    env: { ...x.env, NO_AT_BRIDGE: "1" },
  });
  const channels = () => window.spicetab.session.state.clients.map((client) => client.channels.toSorted());
  await expect
    .poll(() => tab.page.evaluate(channels), { timeout: 60_000 })
    .toEqual([["cursor", "display", "inputs", "main"]]);
  const { savedAt = 0 } = await tab.page.evaluate(() => window.spicetab.session.state.snapshot);
  await tab.page.evaluate(() => window.spicetab.session.hand.keys([0x2d, 0xad]));
  await tab.until(() => window.spicetab.session.state.snapshot.unsaved === true);
  const surface = await tab.restingSurface(500);
  await tab.evaluateInThread("core", "void setTimeout(() => self.close())");
  await tab.until(() => window.spicetab.session.state.problem?.title.includes("core thread ended") ?? false);
  await tab.until(() => window.spicetab.session.state.phase === "running");
  await tab.until(() => window.spicetab.session.state.join.relay === "connected");
  const kept = await tab.page.evaluate(() => window.spicetab.session.state.snapshot.savedAt ?? 0);
  expect(kept).toBeGreaterThan(savedAt);
  expect(difference(await tab.restingSurface(500), surface)).toBeUndefined();
  const shot = await spicyScreenshot(server.spicePort);
  expect(difference(shot.picture!, surface)).toBeUndefined();
  await expect
    .poll(() => tab.page.evaluate(channels), { timeout: 30_000 })
    .toEqual([["cursor", "display", "inputs", "main"]]);
  expect(viewer.child.exitCode).toBeNull();
  const shown = (await x.xdotool("search", "--onlyvisible", "--class", "remote-viewer")).split("\n").at(-1)!;
  await x.xdotool("windowfocus", shown);
  await serial(tab, "DISPLAY=:0 xset r off");
  await x.xdotool("key", "ctrl+c");
  await x.xdotool("type", "--delay", "120", "echo handed-over > /dev/ttyS0");
  await x.xdotool("key", "Return");
  await expect
    .poll(() => tab.page.evaluate(() => window.spicetab.session.serialLog()), { timeout: 60_000 })
    .toContain("handed-over");
  // It sees what is drawn since.
  const seesTerminal = async () => {
    const terminal = crop(await tab.restingSurface(500), 30, 50, 300, 200);
    await expect.poll(async () => locate(terminal, await x.picture()), { timeout: 30_000 }).toBeDefined();
  };
  await seesTerminal();

  await test.step("it hangs: the same, and the new one takes the place at the relay", async () => {
    await tab.evaluateInThread("core", "void setTimeout(() => { for (;;); })");
    const title = () => tab.page.evaluate(() => window.spicetab.session.state.problem?.title);
    await expect.poll(title, { timeout: 30_000 }).toContain("core thread does not answer");
    await expect.poll(title, { timeout: 60_000 }).toContain("core thread ended");
    await tab.until(() => window.spicetab.session.state.phase === "running");
    await tab.until(() => window.spicetab.session.state.join.relay === "connected");
    await expect
      .poll(() => tab.page.evaluate(channels), { timeout: 30_000 })
      .toEqual([["cursor", "display", "inputs", "main"]]);
    expect(viewer.child.exitCode).toBeNull();
    await seesTerminal();
  });
});
