import { createServer } from "node:net";
import { rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium, type BrowserContext, type Page } from "@playwright/test";
import type { spicetab } from "../../src/host/main.ts";
import { expectGraph } from "./graph.ts";
import { fromBgrx, type Picture } from "./ppm.ts";
import { Program } from "./process.ts";
import { readSurfaceInPage } from "./read-surface.ts";

/** What the page offers as window.spicetab; its declaration comes with the import. */
export type HostPageApi = typeof spicetab;

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** The profile in which the desktop is booted once; every later journey starts from the state kept there. */
export const desktopProfile = join(root, ".cache/e2e-profile");

/** A browser keeps a page's state per origin, port included: every journey with the profile has to use the same one. */
export const HTTP_PORT = Number(process.env.SPICETAB_E2E_HTTP_PORT ?? 18_080);

/** A port that nobody listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

/** `npm start` with free ports; ends with everything it started when disposed. */
export class Server implements AsyncDisposable {
  readonly program: Program;
  readonly httpPort: number;
  readonly spicePort: number;
  /** The page's address as printed, with the secret that hosting needs. */
  readonly url: string;

  private constructor(program: Program, httpPort: number, spicePort: number, url: string) {
    this.program = program;
    this.httpPort = httpPort;
    this.spicePort = spicePort;
    this.url = url;
  }

  static async start(...args: string[]): Promise<Server> {
    const httpPort = HTTP_PORT;
    const spicePort = await freePort();
    const program = new Program(
      process.execPath,
      [
        join(root, "scripts/start.mjs"),
        "--http-port",
        String(httpPort),
        "--spice-port",
        String(spicePort),
        ...args,
      ],
      { cwd: root },
    );
    await program.printed(/Join it with/, 600_000);
    const [, url] = await program.printed(/^The machine: +(\S+)/m, 0);
    return new Server(program, httpPort, spicePort, url);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.program[Symbol.asyncDispose]();
  }
}

const chromiumArgs = ["--no-sandbox", "--disable-background-networking", "--no-first-run"];

/** The hosting tab, in a real Chromium with a profile that lasts. Its journey ends with a look at who owns what in it. */
export class HostTab implements AsyncDisposable {
  readonly context: BrowserContext;
  readonly page: Page;
  readonly errors: string[] = [];
  /** Lines of the log, as "thread, domain: message", that the journey provokes and that are mistakes otherwise. */
  readonly expectedLog: RegExp[];
  readonly #close: () => Promise<void>;

  private constructor(
    context: BrowserContext,
    page: Page,
    close: () => Promise<void>,
    expectedLog: RegExp[] = [],
  ) {
    this.expectedLog = expectedLog;
    this.context = context;
    this.page = page;
    this.#close = close;
    page.on("pageerror", (error) => this.errors.push(error.message));
  }

  /** Looks into the page of a `--headless --devtools-port` host, which goes on when this is disposed. */
  static async attach(devtoolsPort: number): Promise<HostTab> {
    const browser = await chromium.connectOverCDP(`http://127.0.0.1:${devtoolsPort}`);
    const [context] = browser.contexts();
    const page = context.pages().find((candidate) => candidate.url().startsWith("http"));
    if (page === undefined) throw new Error("the headless host shows no page");
    return new HostTab(context, page, () => browser.close());
  }

  /**
   * Opens the page; `ready` waits for the machine, however it starts. The guest's screen keeps its size, whatever this page has, unless
   * `followsPage`: journeys about other things must not meet a change of mode.
   */
  static async open(
    url: string,
    options: {
      profile?: string;
      fresh?: boolean;
      waitForHost?: boolean;
      args?: readonly string[];
      followsPage?: boolean;
    } = {},
  ): Promise<HostTab> {
    const profile = options.profile ?? desktopProfile;
    if (options.fresh) await rm(profile, { recursive: true, force: true });
    const context = await chromium.launchPersistentContext(profile, {
      executablePath: process.env.SPICETAB_CHROMIUM ?? "/usr/bin/chromium",
      headless: true,
      viewport: { width: 1280, height: 900 },
      args: [...chromiumArgs, ...(options.args ?? [])],
    });
    const page = context.pages()[0] ?? (await context.newPage());
    const tab = new HostTab(context, page, () => context.close());
    const sizing = options.followsPage ? "follow" : "own";
    await context.addInitScript(
      (setting) => {
        try {
          localStorage.setItem("spicetab.hands", setting);
        } catch {
          // A browser that keeps nothing.
        }
      },
      JSON.stringify({ mode: "characters", sizing }),
    );
    await page.goto(url);
    if (options.waitForHost !== false) await page.waitForFunction(() => "spicetab" in window);
    return tab;
  }

  /** The same browser's other page; disposing either closes the browser. */
  at(page: Page): HostTab {
    return new HostTab(this.context, page, this.#close, this.expectedLog);
  }

  async ready(): Promise<void> {
    await this.page.evaluate(() => window.spicetab.ready);
  }

  /** Waits until `test`, which runs in the page, holds of the host's state. */
  async until(test: () => boolean, timeoutMs = 60_000): Promise<void> {
    await this.page.waitForFunction(test, undefined, { timeout: timeoutMs, polling: 100 });
  }

  /**
   * Runs `expression` in the page's thread of that name. By DevTools itself: `page.workers()` lacks, now and then, those that were there
   * before the browser was attached to, and never has core.
   */
  async evaluateInThread(name: "guest" | "red" | "core", expression: string): Promise<void> {
    const devtools = await this.context.newCDPSession(this.page);
    // A core that was left behind, since it hung, has a successor with a number.
    const isNamed = (title: string) => title === name || (name === "core" && title.startsWith("core "));
    const answer = new Promise<string>((resolve) =>
      devtools.on("Target.receivedMessageFromTarget", ({ message }) => {
        if (JSON.parse(message).id === 1) resolve(message);
      }),
    );
    const attached = new Promise<string>((resolve) =>
      devtools.on("Target.attachedToTarget", ({ sessionId, targetInfo }) => {
        if (isNamed(targetInfo.title)) resolve(sessionId);
      }),
    );
    if (name === "core") {
      const { targetInfos } = await devtools.send("Target.getTargets");
      const core = targetInfos.findLast(({ type, title }) => type === "shared_worker" && isNamed(title));
      if (core === undefined) throw new Error("core is no SharedWorker here");
      await devtools.send("Target.attachToTarget", { targetId: core.targetId, flatten: false });
    } else {
      await devtools.send("Target.setAutoAttach", {
        autoAttach: true,
        waitForDebuggerOnStart: false,
        flatten: false,
      });
    }
    await devtools.send("Target.sendMessageToTarget", {
      sessionId: await attached,
      message: JSON.stringify({ id: 1, method: "Runtime.evaluate", params: { expression } }),
    });
    const { result, error } = JSON.parse(await answer);
    if (error || result.exceptionDetails) throw new Error(`in thread ${name}: ${await answer}`);
    await devtools.detach();
  }

  /** The server's primary surface of a display. */
  async surface(display = 0): Promise<Picture> {
    const { width, height, base64 } = await this.page.evaluate(readSurfaceInPage, display);
    return fromBgrx(width, height, new Uint8Array(Buffer.from(base64, "base64")));
  }

  /** The primary once it has not changed for `quietMs` milliseconds. */
  async restingSurface(quietMs = 1_500, display = 0): Promise<Picture> {
    let last = await this.surface(display);
    for (let tries = 0; tries < 60; tries++) {
      await new Promise((resolve) => setTimeout(resolve, quietMs));
      const next = await this.surface(display);
      if (
        next.width === last.width &&
        next.height === last.height &&
        Buffer.compare(next.rgb, last.rgb) === 0
      )
        return next;
      last = next;
    }
    throw new Error("the guest's screen never came to rest");
  }

  /** Keeps the machine's state and leaves, as a person does who closes the tab in peace. */
  async leave(): Promise<void> {
    await this.#checkGraph();
    await this.page.evaluate(() => window.spicetab.leave());
    await this.#close();
  }

  /** Of every page of this browser that hosts. */
  async #checkGraph(): Promise<void> {
    for (const page of this.context.pages())
      if (page.url().startsWith("http")) await expectGraph(page, { log: this.expectedLog });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#checkGraph();
    await this.#close();
  }
}
