/**
 * `npm start`: takes the ports, has everything built, serves the page and the relay, and ends cleanly.
 * What must be built is the caller's business (scripts/start.ts), so that the relay depends on nothing.
 */
import { errorText } from "../errors/index.ts";
import { join } from "node:path";
import { terminalLine, terminalText } from "../formats/index.ts";
import { coversLoopback, LOOPBACK } from "./addresses.ts";
import { announcement, localPage } from "./announce.ts";
import { HELP, parseCliOptions, UsageError } from "./cli-options.ts";
import type { CliOptions } from "./cli-options.ts";
import { CompressedCopies } from "./compressed-copies.ts";
import { readCredentials } from "./credentials.ts";
import { findChromium, hostHeadless } from "./headless.ts";
import type { PageReport } from "./headless.ts";
import { SAVING_LINE_INTERVAL_MS, SILENCE_LIMIT_MS } from "./limits.ts";
import type { RelayLimits } from "./limits.ts";
import { isLoopbackName } from "./origin.ts";
import { takeProfile } from "./profile.ts";
import { createRelay, ListenError } from "./relay.ts";
import { withSecret } from "./secret.ts";
import { WebServer } from "./web-server.ts";

/** Milliseconds after which another Ctrl-C means: at once. */
const IMPATIENT_MS = 1_500;

/** The project around the command. */
export interface CliProject {
  readonly root: string;
  readonly version: string;
  /** Builds what is missing; rejects with an error whose message is meant for a person. `doing` hears how far it is. */
  prepare(options: CliOptions, doing: (words: string) => void): Promise<void>;
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
      if (stake.words !== undefined)
        process.stderr.write(`spicetab: ended at once: ${terminalText(stake.words)}\n`);
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
    const words = errorText(error);
    process.stderr.write(`spicetab: ${terminalText(words)}\n`);
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
  const { password, passwordValidUntil, secret, notes } = readCredentials(options);
  const executable = options.headless ? chromiumFor(project) : undefined;
  const profile = options.profile ?? join(project.root, ".cache/headless-profile");
  if (options.headless) await takeProfile(profile);
  const { publicUrls } = options;
  const proxy = { publicUrls, trusted: options.trustProxy };
  const serverNames = [options.host, ...publicUrls.map((url) => new URL(url).hostname)];
  // What cannot work should be told before anyone waits for a build: the ports come first.
  await using relay = createRelay({
    host: options.host,
    spicePort: options.spicePort,
    allowedOrigins: options.allowOrigin,
    serverNames,
    publicUrls: options.publicUrls,
    limits: pingLimits(options.pingIntervalMs),
    secret,
    version: project.version,
    log: (line) => print(line),
  });
  await relay.listen();
  const pageFolder = join(project.root, "dist");
  const guestFolder = join(project.root, "build/guest");
  const isLocal = isLoopbackName(options.host) && options.publicUrls.length === 0;
  const copies = isLocal ? undefined : new CompressedCopies(join(project.root, ".cache/compressed"));
  using web = new WebServer({
    relay,
    // Browsers give a page what hosting needs (WebCrypto, locks) on loopback, or behind TLS.
    hosts: (await coversLoopback(options.host)) ? [options.host] : [LOOPBACK, options.host],
    port: options.httpPort,
    version: project.version,
    guest: options.guest,
    password,
    passwordValidUntil,
    keyboard: options.keyboard,
    displays: options.displays,
    pageFolder,
    guestFolder,
    copies,
    proxy: isLocal && options.trustProxy.length === 0 ? undefined : proxy,
  });
  await web.listen();
  const aborted = new Promise<void>((resolve) => {
    if (stop.signal.aborted) resolve();
    stop.signal.addEventListener("abort", () => resolve());
  });
  await Promise.race([project.prepare(options, (words) => (web.preparing = words)), aborted]);
  if (stop.signal.aborted) return 0;
  web.ready = true;

  const page = withSecret(localPage(options.host, web.port), secret);
  for (const line of announcement({
    host: options.host,
    httpPort: web.port,
    spice: relay.spice,
    publicUrls: options.publicUrls,
    hasPassword: password !== "",
    secret,
    headless: options.headless,
  })) {
    print(line);
  }
  for (const note of notes) print(note);
  if (options.devtoolsPort !== undefined) {
    print(`Note: everyone on this computer can drive the headless Chromium by port ${options.devtoolsPort}.`);
  }
  // Whoever is further away waits for the network, not for the unpacking.
  if (copies !== undefined) {
    copies.make([pageFolder, guestFolder], stop.signal).catch((error: unknown) => {
      if (!stop.signal.aborted) print(`Files go out uncompressed: ${(error as Error).message}`);
    });
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
    profile,
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
  process.stderr.write(`spicetab: ${terminalText(failure)}\n`);
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

/** A hosting tab that answers none of three pings is gone, however often they are sent. */
function pingLimits(pingIntervalMs: number | undefined): Partial<RelayLimits> {
  return pingIntervalMs === undefined
    ? {}
    : { pingIntervalMs, silenceLimitMs: Math.max(3 * pingIntervalMs, SILENCE_LIMIT_MS) };
}

function print(line: string): void {
  process.stdout.write(`${terminalLine(line)}\n`);
}
