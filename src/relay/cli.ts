/**
 * `npm start`: takes the ports, has everything built, serves the page and the relay, and ends cleanly.
 * What must be built is the caller's business (scripts/start.ts), so that the relay depends on nothing.
 */
import { join } from "node:path";
import { HELP, parseCliOptions, UsageError } from "./cli-options.ts";
import type { CliOptions } from "./cli-options.ts";
import { findChromium, hostHeadless } from "./headless.ts";
import type { PageReport } from "./headless.ts";
import { SAVING_LINE_INTERVAL_MS } from "./limits.ts";
import { isLoopbackName } from "./origin.ts";
import { createRelay, ListenError } from "./relay.ts";
import { WebServer } from "./web-server.ts";

/** Milliseconds after which another Ctrl-C means: at once. */
const IMPATIENT_MS = 1_500;

/** The project around the command. */
export interface CliProject {
  readonly root: string;
  readonly version: string;
  /** Builds what is missing; rejects with an error whose message is meant for a person. */
  prepare(options: CliOptions): Promise<void>;
  /** Installs packages of this system; false where that is not possible or not allowed. */
  install?(packages: readonly string[]): boolean;
}

/** Runs until SIGINT or SIGTERM; resolves to the exit code. */
export async function runCli(args: readonly string[], project: CliProject): Promise<number> {
  const stop = new AbortController();
  const stake: Stake = {};
  let askedAt = Infinity;
  const onSignal = () => {
    // npm passes on what the terminal already sent to all: only a second wish of the person ends at once.
    if (performance.now() - askedAt > IMPATIENT_MS) {
      if (stake.words !== undefined) process.stderr.write(`spicetab: ended at once: ${stake.words}\n`);
      process.exit(130);
    }
    askedAt = Math.min(askedAt, performance.now());
    stop.abort();
  };
  outliveTheTerminal();
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  process.on("SIGHUP", onSignal);
  try {
    const options = parseCliOptions(args);
    if (options.help) {
      process.stdout.write(HELP);
      return 0;
    }
    return await serve(options, project, stop, stake);
  } catch (error) {
    if (stop.signal.aborted) return 0;
    const isUsage = error instanceof UsageError || error instanceof ListenError;
    const words = error instanceof Error ? error.message : String(error);
    process.stderr.write(`spicetab: ${words}\n`);
    if (error instanceof UsageError) process.stderr.write("Try: npm start -- --help\n");
    return isUsage ? 2 : 1;
  } finally {
    process.off("SIGINT", onSignal);
    process.off("SIGTERM", onSignal);
    process.off("SIGHUP", onSignal);
  }
}

/** What is lost when the command ends at once. */
interface Stake {
  words?: string;
}

/** A terminal that was closed sends SIGHUP and takes no more words: that is no reason to end before the machine is saved. */
let outlives = false;
function outliveTheTerminal(): void {
  if (outlives) return;
  outlives = true;
  process.stdout.on("error", () => {});
  process.stderr.on("error", () => {});
}

async function serve(
  options: CliOptions,
  project: CliProject,
  stop: AbortController,
  stake: Stake,
): Promise<number> {
  const executable = options.headless ? chromiumFor(project) : undefined;
  // What cannot work should be told before anyone waits for a build: the ports come first.
  await using relay = createRelay({
    host: options.host,
    spicePort: options.spicePort,
    allowedOrigins: options.allowOrigin,
    serverNames: [options.host],
    version: project.version,
    log: (line) => print(line),
  });
  const spice = await relay.listen();
  await using web = new WebServer({
    relay,
    // Only a page of this machine may host, and browsers give it what it needs (WebCrypto) only on loopback.
    hosts: coversLoopback(options.host) ? [options.host] : ["127.0.0.1", options.host],
    port: options.httpPort,
    version: project.version,
    guest: options.guest,
    password: options.password,
    keyboard: options.keyboard,
    pageFolder: join(project.root, "dist"),
    guestFolder: join(project.root, "build/guest"),
    serverNames: [options.host],
  });
  await web.listen();
  const aborted = new Promise<void>((resolve) => {
    if (stop.signal.aborted) resolve();
    stop.signal.addEventListener("abort", () => resolve());
  });
  await Promise.race([project.prepare(options), aborted]);
  if (stop.signal.aborted) return 0;
  web.ready = true;

  const name = reachableName(options.host);
  const page = `http://${isLoopbackName(options.host) ? name : "127.0.0.1"}:${web.port}/`;
  print(`The machine:  ${page}${options.headless ? "" : "   (open it: the tab is the computer)"}`);
  print(`SPICE:        spice://${name}:${spice.port}`);
  print(`Join it with: remote-viewer spice://${name}:${spice.port}`);
  if (!isLoopbackName(options.host) && options.password === "") {
    print("Note: everyone who can reach this address can use the machine; --password sets a password.");
  }
  if (executable === undefined) {
    await aborted;
    return 0;
  }
  let failure: string | undefined;
  let savingLine = -Infinity;
  const report = ({ kind, text }: PageReport) => {
    if (kind !== "saving") {
      print(kind === "ready" ? `ready: ${text}` : text);
    } else if (stop.signal.aborted && performance.now() - savingLine >= SAVING_LINE_INTERVAL_MS) {
      // While it runs it saves itself now and then, which is nobody's business here.
      savingLine = performance.now();
      print(text);
    }
  };
  await using tab = await hostHeadless({
    url: page,
    profile: options.profile ?? join(project.root, ".cache/headless-profile"),
    executable,
    devtoolsPort: options.devtoolsPort,
    report,
    lost: (reason) => {
      failure = reason;
      stop.abort();
    },
  });
  await aborted;
  if (failure === undefined) {
    stake.words =
      "what was done in the machine since it was last saved is lost; what was saved before is kept";
    print("saving the machine … (Ctrl-C again ends at once, without it)");
    failure = await tab.leave();
    stake.words = undefined;
    if (failure === undefined) return 0;
  }
  process.stderr.write(`spicetab: ${failure}\n`);
  return 1;
}

/** The system's Chromium; on a fresh Debian it is installed first. @throws UsageError when there is none and none can be had */
function chromiumFor(project: CliProject): string {
  try {
    return findChromium();
  } catch (error) {
    if (process.env.SPICETAB_CHROMIUM !== undefined || !project.install?.(["chromium"])) throw error;
    return findChromium();
  }
}

function coversLoopback(host: string): boolean {
  return isLoopbackName(host) || host === "0.0.0.0" || host === "::";
}

/** What to write into a link: a listener on all addresses is reached through loopback from here. */
function reachableName(host: string): string {
  if (host === "0.0.0.0" || host === "::") return "127.0.0.1";
  return host.includes(":") ? `[${host}]` : host;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
