import { expect, test } from "@playwright/test";
import { HostTab, Server } from "./support/host.ts";
import { serial } from "./support/serial.ts";

/** Where the terminal of the desktop is, in the guest's pixels. */
const TERMINAL = { x: 200, y: 200 };

/** Gives the keyboard to the terminal in the guest. */
async function clickTerminal(tab: HostTab): Promise<void> {
  const box = (await tab.page.locator("machine-screen canvas").boundingBox())!;
  const width = await tab.page.evaluate(() => window.spicetab.session.state.width);
  const scale = box.width / width;
  await tab.page.mouse.click(box.x + TERMINAL.x * scale, box.y + TERMINAL.y * scale);
  // An empty line, whatever an earlier journey has left there.
  await tab.page.keyboard.press("Control+c", { delay: 40 });
}

/** What the guest's terminal got of what `work` types, read back through the serial port. */
async function typed(tab: HostTab, work: () => Promise<void>): Promise<string> {
  await serial(tab, "rm -f /tmp/typed /tmp/typed.end");
  await tab.page.keyboard.type("cat >/tmp/typed; >/tmp/typed.end\n");
  await work();
  await tab.page.keyboard.press("Enter");
  await tab.page.keyboard.press("Control+d");
  await expect.poll(() => serial(tab, "ls /tmp/typed.end"), { timeout: 60_000 }).toBe("/tmp/typed.end");
  return serial(tab, "cat /tmp/typed");
}

test("what a person does on the tab's own screen is what the guest gets", async () => {
  await using server = await Server.start();
  await using tab = await HostTab.open(server.url);
  await tab.ready();
  const { page } = tab;
  const layout = async (name: string) => {
    await page.evaluate((wanted) => window.spicetab.session.setKeyboardLayout(wanted), name);
    await page.waitForFunction((wanted) => window.spicetab.session.state.keyboard.layout === wanted, name);
  };
  await clickTerminal(tab);
  // A busy host may take longer than the guest's X waits between the two halves of one press: no journey's text depends on that.
  const repeats = (onOff: "on" | "off") => serial(tab, `DISPLAY=:0 xset r ${onOff}`);
  await repeats("off");

  await test.step("characters that automation types without Shift", async () => {
    expect(await typed(tab, () => page.keyboard.type("$((6*7)) ~`{}|?"))).toBe("$((6*7)) ~`{}|?");
  });

  await test.step("text without keys, and what has no key", async () => {
    const text = async () => {
      await page.keyboard.insertText("ж: Echo");
      await expect(page.locator("machine-screen").getByRole("status")).toContainText("“ж” (U+0436)");
    };
    expect(await typed(tab, text)).toBe(": Echo");
  });

  await test.step("another layout: AltGr as Windows sends it, and everything the layout has", async () => {
    await layout("de");
    const altGraph = async () => {
      for (const key of ["ControlLeft", "AltRight", "KeyQ"]) await page.keyboard.down(key);
      for (const key of ["KeyQ", "ControlLeft", "AltRight"]) await page.keyboard.up(key);
      await page.keyboard.insertText("zy-Grüße [€] é");
    };
    expect(await typed(tab, altGraph)).toBe("@zy-Grüße [€] é");
    expect(await page.locator("machine-screen").evaluate((screen) => screen.hasAttribute("captured"))).toBe(
      true,
    );
    await layout("us");
  });

  await test.step("a key that goes up unheard while Command is down does not repeat in the guest", async () => {
    for (const platform of ["MacIntel", "Linux x86_64"]) {
      await page.evaluate((value) => {
        Object.defineProperty(navigator, "platform", { value, configurable: true });
      }, platform);
      const text = await typed(tab, async () => {
        await repeats("on");
        await page.keyboard.down("MetaLeft");
        await page.keyboard.down("KeyC");
        await page.keyboard.up("MetaLeft");
        // Longer than the guest's X waits before it repeats a key that is down.
        await serial(tab, "sleep 2");
        await repeats("off");
        await page.keyboard.type("end");
        await page.keyboard.up("KeyC");
      });
      expect(text, platform).toMatch(/^c?end$/);
    }
  });

  await test.step("a notch of the wheel is a step of the guest's, of several kinds", async () => {
    const steps = async (turn: () => Promise<void>): Promise<number> => {
      await tappedHand(tab);
      await turn();
      // A whole step of another kind behind them: when it has come, all before it have.
      await page.evaluate(() => window.spicetab.session.hand.keys([0xff]));
      const calls = await releasedHand(tab);
      return calls.filter(([name, , , dz]) => name !== "keys" && dz === 1).length;
    };
    const box = (await page.locator("machine-screen canvas").boundingBox())!;
    await page.mouse.move(box.x + 100, box.y + 100);
    for (const pixels of [100, 120]) {
      const turned = await steps(async () => {
        for (let i = 0; i < 3; i++) await page.mouse.wheel(0, pixels);
        await page.evaluate(
          () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))),
        );
      });
      expect(turned, `${pixels} pixels`).toBe(3);
    }
    // Firefox tells lines; programs that drive a page make events of their own.
    for (const notch of [{ deltaY: 3, deltaMode: 1 }, { deltaY: 120 }, { deltaY: 100 }]) {
      const turned = await steps(() =>
        page.locator("machine-screen .glass").evaluate((glass, init) => {
          for (let i = 0; i < 3; i++) {
            glass.dispatchEvent(new WheelEvent("wheel", { ...init, bubbles: true, cancelable: true }));
          }
        }, notch),
      );
      expect(turned, JSON.stringify(notch)).toBe(3);
    }
  });

  await test.step("a finger's tap is a click at its place, two fingers' a right one", async () => {
    const devtools = await page.context().newCDPSession(page);
    const box = (await page.locator("machine-screen canvas").boundingBox())!;
    const touch = (type: "touchStart" | "touchEnd", ...places: number[]) =>
      devtools.send("Input.dispatchTouchEvent", {
        type,
        touchPoints: places.map((place, id) => ({ x: box.x + place, y: box.y + 300, id })),
      });
    await tappedHand(tab);
    await touch("touchStart", 300);
    await touch("touchEnd");
    await touch("touchStart", 300);
    await touch("touchStart", 300, 340);
    await touch("touchEnd");
    const calls = (await releasedHand(tab)).filter(([name]) => name === "moveTo");
    expect(calls.map(([, , , , buttons]) => buttons).filter((buttons) => buttons !== 0)).toEqual([1, 4]);
    expect(calls.at(-1)?.[4]).toBe(0);
    await devtools.detach();
  });

  await test.step("what is down when the window loses the focus is let go of", async () => {
    await clickTerminal(tab);
    await tappedHand(tab);
    await page.keyboard.down("ShiftLeft");
    await page.keyboard.down("KeyA");
    await page.mouse.down();
    await page.evaluate(() => window.dispatchEvent(new Event("blur")));
    const calls = await releasedHand(tab);
    await page.keyboard.up("KeyA");
    await page.keyboard.up("ShiftLeft");
    await page.mouse.up();
    const keys = calls.filter(([name]) => name === "keys").flatMap(([, bytes]) => bytes as number[]);
    expect(keys).toEqual([0x2a, 0x1e, 0x9e, 0xaa]);
    expect(calls.at(-1)?.[4]).toBe(0);
  });
  expect(tab.errors).toEqual([]);
});

test("the guest's screen takes the size of the page, and of the full screen", async () => {
  await using server = await Server.start();
  await using tab = await HostTab.open(server.url, { followsPage: true });
  await tab.ready();
  const { page } = tab;
  /** The room for the picture, as wide as Linux's modes can be. */
  const room = () =>
    page.locator("machine-screen").evaluate((screen) => {
      const { width, height } = screen.getBoundingClientRect();
      const frame = screen.hasAttribute("bare") ? 0 : 12;
      return `${Math.floor((width - frame) / 8) * 8}x${Math.floor(height - frame)}`;
    });
  const size = () =>
    page.evaluate(() => {
      const { width, height } = window.spicetab.session.state;
      return `${width}x${height}`;
    });
  const follows = () =>
    expect.poll(async () => (await size()) === (await room()), { timeout: 60_000 }).toBe(true);

  await test.step("the page's, as it opens and when it changes", async () => {
    await follows();
    await page.setViewportSize({ width: 1400, height: 820 });
    await follows();
    const picture = (await page.locator("machine-screen canvas").boundingBox())!;
    expect(`${picture.width}x${picture.height}`).toBe(await size());
  });

  await test.step("the full screen's, edge to edge, without a frame", async () => {
    await page.getByRole("button", { name: "Full screen" }).click();
    await page.waitForFunction(() => document.fullscreenElement !== null);
    // It is said for a few seconds only; the guest may take longer than that for its new size.
    await expect(page.locator("machine-screen").getByRole("status")).toContainText("leave");
    await follows();
    const { outline, left, top, width, height } = await page
      .locator("machine-screen .glass")
      .evaluate((glass) => {
        const { left, top, width, height } = glass.getBoundingClientRect();
        return { outline: getComputedStyle(glass).outlineStyle, left, top, width, height };
      });
    expect(outline).toBe("none");
    const screen = await page.evaluate(() => ({ width: innerWidth, height: innerHeight }));
    expect(screen.width - width).toBeLessThan(8);
    expect(screen.height - height).toBeLessThan(1);
    expect(left).toBeLessThan(5);
    expect(top).toBeLessThan(1);
    await tab.restingSurface();
    await page.screenshot({ path: test.info().outputPath("fullscreen.png") });
    await page.evaluate(() => document.exitFullscreen());
    await follows();
  });

  await test.step("not when another was asked for behind it", async () => {
    await page.evaluate(() => window.spicetab.session.wantScreenSize(800, 600));
    await expect.poll(size, { timeout: 60_000 }).toBe("800x600");
    await tab.restingSurface();
    expect(await size()).toBe("800x600");
    await page.setViewportSize({ width: 1280, height: 900 });
    await follows();
    await page.evaluate(() => window.spicetab.session.wantScreenSize(1024, 768));
    await expect.poll(size, { timeout: 60_000 }).toBe("1024x768");
  });
});

type HandCall = [name: string, ...values: unknown[]];

/** Has the page's hand write down what it would send to the guest. */
async function tappedHand(tab: HostTab): Promise<void> {
  await tab.page.evaluate(() => {
    const { hand } = window.spicetab.session;
    const calls: unknown[] = [];
    const own = { ...hand };
    const tapped: Record<string, (...values: unknown[]) => void> = {};
    for (const name of ["keys", "moveTo", "moveBy"])
      tapped[name] = (...values) => void calls.push([name, ...values]);
    Object.assign(hand, tapped);
    Object.assign(window, { tapped: { calls, own } });
  });
}

/** What was written down; the hand is the guest's again. */
async function releasedHand(tab: HostTab): Promise<HandCall[]> {
  return tab.page.evaluate(() => {
    const { calls, own } = (window as unknown as { tapped: { calls: HandCall[]; own: object } }).tapped;
    Object.assign(window.spicetab.session.hand, own);
    return calls;
  });
}
