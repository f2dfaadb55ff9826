import { CodedError } from "../errors/index.ts";
import { parseArgs } from "node:util";
import { LAYOUT_NAMES } from "../keyboard/layout.ts";
import { MAX_DISPLAYS } from "../protocol/limits.ts";
import { readOrigin } from "./origin.ts";
import { ProxyFront } from "./proxy.ts";

/** The command line asked for something that cannot be: one clear sentence, exit code 2. */
export class UsageError extends CodedError {
  override readonly name = "UsageError";
  readonly code = "USAGE";
}

/** What `npm start` was asked to do. */
export interface CliOptions {
  readonly help: boolean;
  readonly host: string;
  readonly httpPort: number;
  readonly spicePort: number;
  /** As given on the command line; see readCredentials for the other ways. */
  readonly password: string | undefined;
  readonly passwordFile: string | undefined;
  /** As given; see readPasswordEnd. */
  readonly passwordExpires: string | undefined;
  readonly secretFile: string | undefined;
  readonly guest: "console" | "desktop";
  /** Keyboard layout that the guest is given; undefined: it keeps its own. */
  readonly keyboard: string | undefined;
  /** QXL devices of the machine; undefined: as many as the page is set to. */
  readonly displays: number | undefined;
  readonly headless: boolean;
  readonly profile: string | undefined;
  readonly devtoolsPort: number | undefined;
  readonly mirror: string | undefined;
  readonly allowOrigin: readonly string[];
  /** What the guest's build lets pass that it refuses otherwise. */
  readonly guestAllowances: readonly GuestAllowance[];
  /** Each ends with a slash. */
  readonly publicUrls: readonly string[];
  readonly trustProxy: readonly string[];
  readonly pingIntervalMs: number | undefined;
}

/** Exceptions of the guest's build (`guest/allowances.ts`), each an option `--allow-<name>`. */
const GUEST_ALLOWANCES = ["newer-packages", "missing-security", "stale-index", "missing-keyring"] as const;

/** Name of one of them. */
export type GuestAllowance = (typeof GUEST_ALLOWANCES)[number];

export const HELP = `Usage: npm start -- [options]

Boots Debian in a browser tab and lets any SPICE client join it.

  --host <address>     address to listen on                         (127.0.0.1)
  --http-port <port>   port of the page                                  (8080)
  --spice-port <port>  port for SPICE clients                            (5900)
  --password <words>   what clients must know; others on this computer can see
                       it in the list of processes                       (none)
  --password-file <path> the same from the first line of a file, or from
                       SPICETAB_PASSWORD in the environment
  --password-expires <when> 30m, 2h, 7d, or a time like 2030-12-31T18:00: from
                       then on it lets nobody in; who is in stays      (never)
  --secret-file <path> what a page must know to host, from the first line of a
                       file, or from SPICETAB_SECRET       (new at each start)
  --guest <level>      console or desktop                             (desktop)
  --keyboard <layout>  the guest's keyboard: us, gb, de, fr, …               (us)
  --displays <number>  displays of the machine, 1 to 4; the page's setting can
                       change it                                            (1)
  --headless           also host the machine in a headless Chromium
  --profile <folder>   browser profile of --headless, where the state is kept
                                                     (.cache/headless-profile)
  --devtools-port <port> DevTools of that Chromium, on loopback: whoever is on
                       this computer can then drive it                    (off)
  --mirror <url>       Debian mirror to build the guest from     (this system's)
  --allow-origin <url> origin whose pages may join by WebSocket, such as
                       http://localhost:3000                       (repeatable)
  --public-url <url>   where a reverse proxy shows the page, like
                       https://example.org/vm/                   (repeatable)
  --trust-proxy <address> proxy whose X-Forwarded-* or Forwarded is believed:
                       an address, a subnet or loopback          (repeatable)
  --ping-interval <seconds> how often idle WebSockets are pinged, 1 to 30   (15)
  --help               this text

The guest is made of exactly the packages that its lock file names. What goes beyond
is refused unless one of these is given (guest/README.md):

  --allow-newer-packages    replace pinned packages that have left the mirror
  --allow-missing-security  do without the security archive's index
  --allow-stale-index       take an index that has expired, or an older one
  --allow-missing-keyring   take an index whose signature cannot be checked
`;

/** Reads the arguments after the program's name. @throws UsageError */
export function parseCliOptions(args: readonly string[]): CliOptions {
  const values = parse(args);
  const guest = values.guest ?? "desktop";
  if (guest !== "console" && guest !== "desktop") {
    throw new UsageError(`--guest must be console or desktop, not "${guest}"`);
  }
  if (values.keyboard !== undefined && !LAYOUT_NAMES.includes(values.keyboard)) {
    throw new UsageError(`--keyboard must be one of ${LAYOUT_NAMES.join(", ")}, not "${values.keyboard}"`);
  }
  const httpPort = readPort("--http-port", values["http-port"], 8080);
  const spicePort = readPort("--spice-port", values["spice-port"], 5900);
  if (httpPort === spicePort && httpPort !== 0) {
    throw new UsageError(`--http-port and --spice-port must differ, both are ${httpPort}`);
  }
  const allowOrigin = (values["allow-origin"] ?? []).map((text) => {
    const origin = readOrigin(text);
    if (origin !== undefined) return origin;
    throw new UsageError(
      `--allow-origin must look like https://example.org or http://localhost:3000, one origin without a pattern, not "${text}"`,
    );
  });
  if (values.mirror !== undefined && !/^https?:$/.test(URL.parse(values.mirror)?.protocol ?? "")) {
    throw new UsageError(`--mirror must be an http or https URL, not "${values.mirror}"`);
  }
  if (values.profile !== undefined && !values.headless) {
    throw new UsageError("--profile needs --headless");
  }
  const devtoolsPort = values["devtools-port"];
  if (devtoolsPort !== undefined && !values.headless) {
    throw new UsageError("--devtools-port needs --headless");
  }
  if (values.host === "") throw new UsageError("--host must not be empty");
  return {
    help: values.help ?? false,
    host: values.host ?? "127.0.0.1",
    httpPort,
    spicePort,
    password: values.password,
    passwordFile: values["password-file"],
    passwordExpires: values["password-expires"],
    secretFile: values["secret-file"],
    guest,
    keyboard: values.keyboard,
    displays: readDisplays(values.displays),
    headless: values.headless ?? false,
    profile: values.profile,
    devtoolsPort: devtoolsPort === undefined ? undefined : readPort("--devtools-port", devtoolsPort, 0),
    mirror: values.mirror,
    allowOrigin,
    guestAllowances: GUEST_ALLOWANCES.filter((name) => values[`allow-${name}`]),
    publicUrls: (values["public-url"] ?? []).map(readPublicUrl),
    trustProxy: (values["trust-proxy"] ?? []).map(readProxy),
    pingIntervalMs: readPingInterval(values["ping-interval"]),
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      strict: true,
      allowPositionals: false,
      options: {
        help: { type: "boolean", short: "h" },
        host: { type: "string" },
        "http-port": { type: "string" },
        "spice-port": { type: "string" },
        password: { type: "string" },
        "password-file": { type: "string" },
        "password-expires": { type: "string" },
        "secret-file": { type: "string" },
        guest: { type: "string" },
        keyboard: { type: "string" },
        displays: { type: "string" },
        headless: { type: "boolean" },
        profile: { type: "string" },
        "devtools-port": { type: "string" },
        mirror: { type: "string" },
        "allow-origin": { type: "string", multiple: true },
        "allow-newer-packages": { type: "boolean" },
        "allow-missing-security": { type: "boolean" },
        "allow-stale-index": { type: "boolean" },
        "allow-missing-keyring": { type: "boolean" },
        "public-url": { type: "string", multiple: true },
        "trust-proxy": { type: "string", multiple: true },
        "ping-interval": { type: "string" },
      },
    }).values;
  } catch (error) {
    // parseArgs explains itself in several sentences; the first says what is wrong.
    const [words] = (error as Error).message.split(/\.\s|\n/);
    throw new UsageError(words.replace(/\.$/, ""), { cause: error });
  }
}

/** First parts of our own paths: under such a prefix nobody could tell whether a proxy has cut it off. */
const OWN_PATHS = new Set([
  "assets",
  "config.json",
  "guest",
  "healthz",
  "host",
  "spice",
  "spicetab.vv",
  "streams",
]);

function readPublicUrl(text: string): string {
  const url = URL.parse(text);
  if (
    url === null ||
    !/^https?:$/.test(url.protocol) ||
    url.username + url.password + url.search + url.hash !== ""
  ) {
    throw new UsageError(`--public-url must look like https://example.org/vm/, not "${text}"`);
  }
  if (!url.pathname.endsWith("/")) url.pathname += "/";
  if (url.pathname.includes("//"))
    throw new UsageError(`--public-url has an empty part in its path: "${text}"`);
  // A proxy may decode the path before it passes it on.
  const path = decode(url.pathname);
  if (path === undefined) throw new UsageError(`--public-url has a broken %-code in its path: "${text}"`);
  const [, first] = path.split("/");
  if (OWN_PATHS.has(first)) {
    throw new UsageError(`--public-url may not begin with /${first}/, which is a path of the page itself`);
  }
  return url.href;
}

function decode(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}

function readProxy(text: string): string {
  try {
    void new ProxyFront({ trusted: [text] });
  } catch (error) {
    throw new UsageError(`--trust-proxy: ${(error as Error).message}`, { cause: error });
  }
  return text;
}

function readDisplays(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const displays = Number(text);
  if (!/^\d$/.test(text) || displays < 1 || displays > MAX_DISPLAYS) {
    throw new UsageError(`--displays must be 1 to ${MAX_DISPLAYS}, not "${text}"`);
  }
  return displays;
}

function readPingInterval(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const seconds = Number(text);
  if (!/^\d{1,2}$/.test(text) || seconds < 1 || seconds > 30) {
    throw new UsageError(`--ping-interval must be 1 to 30 seconds, not "${text}"`);
  }
  return seconds * 1_000;
}

function readPort(option: string, text: string | undefined, normal: number): number {
  if (text === undefined) return normal;
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 65535) {
    throw new UsageError(`${option} must be a port between 0 and 65535, not "${text}"`);
  }
  return port;
}
