import { errorText } from "../errors/index.ts";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { UsageError } from "./cli-options.ts";
import { PARTING_STALL_MS } from "./limits.ts";
import { launchError, takeProfile } from "./profile.ts";

/** Names under which Chromium and its kin are installed, best first. */
const BROWSERS = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "microsoft-edge"];

/** What the host page tells whoever embeds or drives it; see src/host/report.ts. */
export interface PageReport {
  readonly kind: "progress" | "saving" | "ready" | "note" | "error";
  readonly text: string;
}

/** Options of a headless host. */
export interface HeadlessOptions {
  /** With the secret: it is given to the page by Playwright's pipe and stands in no process's arguments. */
  readonly url: string;
  /** Chromium's user data folder: the machine's state lives there. */
  readonly profile: string;
  readonly executable: string;
  /** Where DevTools can look into the page; Chromium listens on loopback only. */
  readonly devtoolsPort?: number;
  readonly report: (report: PageReport) => void;
  /** The browser went away without being asked to. */
  readonly lost: (reason: string) => void;
}

/** Finds the system's Chromium. `SPICETAB_CHROMIUM` names another. @throws UsageError */
export function findChromium(environment: NodeJS.ProcessEnv = process.env): string {
  const named = environment.SPICETAB_CHROMIUM;
  if (named !== undefined) {
    if (isExecutable(named)) return named;
    throw new UsageError(`SPICETAB_CHROMIUM is "${named}", which is no program`);
  }
  for (const folder of (environment.PATH ?? "").split(delimiter)) {
    for (const browser of BROWSERS) {
      const path = join(folder, browser);
      if (folder !== "" && isExecutable(path)) return path;
    }
  }
  throw new UsageError(
    `--headless needs Chromium, and none was found (${BROWSERS.join(", ")}); ` +
      "install it (on Debian: apt-get install chromium) or name it in SPICETAB_CHROMIUM",
  );
}

/** A machine hosted in a browser without a window. */
export interface HeadlessHost extends AsyncDisposable {
  /** Saves the machine and ends it: as long as that gets on, it is waited for. @returns why it was not saved, if so */
  leave(): Promise<string | undefined>;
}

/** Hosts the machine in a Chromium without a window, until it is disposed. @throws UsageError when that does not start */
export async function hostHeadless(options: HeadlessOptions): Promise<HeadlessHost> {
  const { chromium } = await import("playwright-core");
  await takeProfile(options.profile);
  const launching = chromium.launchPersistentContext(options.profile, {
    executablePath: options.executable,
    headless: true,
    // We close it ourselves, after the state is saved.
    handleSIGINT: false,
    handleSIGTERM: false,
    handleSIGHUP: false,
    viewport: { width: 1280, height: 900 },
    args: chromiumArguments(options.devtoolsPort),
  });
  const context = await launching.catch(async (error: Error) => {
    throw await launchError(options.profile, error);
  });
  let closing = false;
  let getsOn = () => {};
  context.on("close", () => {
    if (!closing) options.lost("the headless Chromium ended");
  });
  await context.exposeBinding("spicetabReport", (_, report: PageReport) => {
    getsOn();
    options.report(report);
  });
  const page = context.pages()[0] ?? (await context.newPage());
  page.on("crash", () => options.lost("the page in the headless Chromium crashed"));
  page.on("pageerror", (error) => options.report({ kind: "error", text: error.message }));
  await page.goto(options.url);
  return {
    async leave() {
      closing = true;
      let timer: ReturnType<typeof setTimeout> | undefined;
      const stalled = new Promise<string>((resolve) => {
        const words = `saving the machine made no progress for ${PARTING_STALL_MS / 1000} s`;
        getsOn = () => {
          clearTimeout(timer);
          timer = setTimeout(() => resolve(words), PARTING_STALL_MS);
        };
      });
      getsOn();
      const parting = page.evaluate<string | undefined>(LEAVE).then(
        (words) => words ?? undefined,
        (error: unknown) => `the page ended before the machine was saved (${firstLine(error)})`,
      );
      try {
        return await Promise.race([parting, stalled]);
      } finally {
        clearTimeout(timer);
        getsOn = () => {};
      }
    },
    async [Symbol.asyncDispose]() {
      closing = true;
      await context.close();
    },
  };
}

/** Runs in the page; one that was not loaded has nothing to save. */
const LEAVE = `(async () => {
  const problem = await globalThis.spicetab?.leave();
  return problem && problem.title + ": " + problem.detail + ". " + (problem.remedy ?? "");
})()`;

function firstLine(error: unknown): string {
  return errorText(error).split("\n", 1)[0];
}

function chromiumArguments(devtoolsPort: number | undefined): string[] {
  // Nothing but our page is wanted; Chromium's own errands would only fail on a closed network.
  const args = ["--disable-background-networking", "--no-first-run"];
  // Chromium refuses its sandbox to root; the page in it is our own.
  if (process.getuid?.() === 0) args.push("--no-sandbox");
  if (devtoolsPort !== undefined) args.push(`--remote-debugging-port=${devtoolsPort}`);
  return args;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
