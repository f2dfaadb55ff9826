import { parseArgs } from "node:util";
import { LAYOUT_NAMES } from "../keyboard/layout.ts";

/** The command line asked for something that cannot be: one clear sentence, exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** What `npm start` was asked to do. */
export interface CliOptions {
  readonly help: boolean;
  readonly host: string;
  readonly httpPort: number;
  readonly spicePort: number;
  readonly password: string;
  readonly guest: "console" | "desktop";
  /** Keyboard layout that the guest is given; undefined: it keeps its own. */
  readonly keyboard: string | undefined;
  readonly headless: boolean;
  readonly profile: string | undefined;
  readonly devtoolsPort: number | undefined;
  readonly mirror: string | undefined;
  readonly allowOrigin: readonly string[];
  /** What the guest's build lets pass that it refuses otherwise. */
  readonly guestAllowances: readonly GuestAllowance[];
}

/** Exceptions of the guest's build (`guest/allowances.ts`), each an option `--allow-<name>`. */
const GUEST_ALLOWANCES = ["newer-packages", "missing-security", "stale-index", "missing-keyring"] as const;

/** Name of one of them. */
export type GuestAllowance = (typeof GUEST_ALLOWANCES)[number];

/** spice-server's SPICE_MAX_PASSWORD_LENGTH, in bytes: longer ones do not fit a ticket everywhere. */
const MAX_PASSWORD_BYTES = 60;

export const HELP = `Usage: npm start -- [options]

Boots Debian in a browser tab and lets any SPICE client join it.

  --host <address>     address to listen on                         (127.0.0.1)
  --http-port <port>   port of the page                                  (8080)
  --spice-port <port>  port for SPICE clients                            (5900)
  --password <words>   what clients must know                            (none)
  --guest <level>      console or desktop                             (desktop)
  --keyboard <layout>  the guest's keyboard: us, gb, de, fr, …               (us)
  --headless           also host the machine in a headless Chromium
  --profile <folder>   browser profile of --headless, where the state is kept
                                                     (.cache/headless-profile)
  --devtools-port <port> DevTools of that Chromium, on loopback             (off)
  --mirror <url>       Debian mirror to build the guest from     (this system's)
  --allow-origin <url> origin whose pages may join by WebSocket    (repeatable)
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
  const password = values.password ?? "";
  if (values.password === "") throw new UsageError("--password must not be empty; leave it out for none");
  if (Buffer.byteLength(password) > MAX_PASSWORD_BYTES) {
    throw new UsageError(`--password must have at most ${MAX_PASSWORD_BYTES} bytes`);
  }
  if (values.keyboard !== undefined && !LAYOUT_NAMES.includes(values.keyboard)) {
    throw new UsageError(`--keyboard must be one of ${LAYOUT_NAMES.join(", ")}, not "${values.keyboard}"`);
  }
  const httpPort = readPort("--http-port", values["http-port"], 8080);
  const spicePort = readPort("--spice-port", values["spice-port"], 5900);
  if (httpPort === spicePort && httpPort !== 0) {
    throw new UsageError(`--http-port and --spice-port must differ, both are ${httpPort}`);
  }
  for (const origin of values["allow-origin"] ?? []) {
    if (URL.parse(origin)?.origin !== origin) {
      throw new UsageError(`--allow-origin must look like https://example.org, not "${origin}"`);
    }
  }
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
    password,
    guest,
    keyboard: values.keyboard,
    headless: values.headless ?? false,
    profile: values.profile,
    devtoolsPort: devtoolsPort === undefined ? undefined : readPort("--devtools-port", devtoolsPort, 0),
    mirror: values.mirror,
    allowOrigin: values["allow-origin"] ?? [],
    guestAllowances: GUEST_ALLOWANCES.filter((name) => values[`allow-${name}`]),
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
        guest: { type: "string" },
        keyboard: { type: "string" },
        headless: { type: "boolean" },
        profile: { type: "string" },
        "devtools-port": { type: "string" },
        mirror: { type: "string" },
        "allow-origin": { type: "string", multiple: true },
        "allow-newer-packages": { type: "boolean" },
        "allow-missing-security": { type: "boolean" },
        "allow-stale-index": { type: "boolean" },
        "allow-missing-keyring": { type: "boolean" },
      },
    }).values;
  } catch (error) {
    // parseArgs explains itself in several sentences; the first says what is wrong.
    const [words] = (error as Error).message.split(/\.\s|\n/);
    throw new UsageError(words.replace(/\.$/, ""), { cause: error });
  }
}

function readPort(option: string, text: string | undefined, normal: number): number {
  if (text === undefined) return normal;
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 65535) {
    throw new UsageError(`${option} must be a port between 0 and 65535, not "${text}"`);
  }
  return port;
}
