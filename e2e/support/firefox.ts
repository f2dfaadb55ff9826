import puppeteer from "puppeteer-core";
import type { Browser, Page } from "puppeteer-core";
import { expectGraph } from "./graph.ts";
import { fromBgrx, type Picture } from "./ppm.ts";
import { readSurfaceInPage } from "./read-surface.ts";

/**
 * Debian's own Firefox with the hosting page, driven by WebDriver BiDi. Playwright drives only its own patched Firefox, which Debian does
 * not have. Its profile is new each time and goes with it. Its journey ends with a look at who owns what in it.
 */
export class FirefoxTab implements AsyncDisposable {
  readonly page: Page;
  readonly errors: string[] = [];
  readonly #browser: Browser;

  private constructor(browser: Browser, page: Page) {
    this.#browser = browser;
    this.page = page;
    page.on("pageerror", (error) => this.errors.push(String(error)));
  }

  static async open(url: string): Promise<FirefoxTab> {
    const browser = await puppeteer.launch({
      browser: "firefox",
      executablePath: process.env.SPICETAB_FIREFOX ?? "/usr/bin/firefox-esr",
      headless: true,
      defaultViewport: null,
      args: ["--width=1280", "--height=900"],
    });
    const [page] = await browser.pages();
    const tab = new FirefoxTab(browser, page);
    await page.goto(url);
    await page.waitForFunction(() => "spicetab" in window);
    return tab;
  }

  /** Waits until the machine runs, however long it takes to boot here. */
  async ready(deadlineMs: number): Promise<void> {
    await this.page.waitForFunction(
      () => {
        const { phase, problem } = window.spicetab.session.state;
        if (phase === "failed") throw new Error(problem?.detail ?? "the machine failed");
        return phase === "running";
      },
      { timeout: deadlineMs, polling: 250 },
    );
  }

  /** The server's primary surface. */
  async surface(): Promise<Picture> {
    const { width, height, base64 } = await this.page.evaluate(readSurfaceInPage);
    return fromBgrx(width, height, new Uint8Array(Buffer.from(base64, "base64")));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await expectGraph(this.page);
    await this.#browser.close();
  }
}
