import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { GuestBuildError } from "../errors.ts";
import { parseParagraphs } from "./control.ts";

/** Where packages come from: roots that hold `dists/` and `pool/`, without a trailing slash. */
export interface Mirror {
  main: string;
  /** The security archive, when one is known; the builder does without. */
  security: string | undefined;
}

/** One archive that apt is set to use. */
export interface AptSource {
  uri: string;
  suite: string;
  components: string[];
}

const CODENAMES = "bullseye|bookworm|trixie|forky|duke|sid|oldstable|stable|testing|unstable";
const MAIN_SUITE = new RegExp(`^(?:${CODENAMES})$`);
const SECURITY_SUITE = new RegExp(`^(?:${CODENAMES})[-/](?:security|updates)$`);

/** Reads a one-line-style list: `deb [options] uri suite component…`. */
export function parseSourcesList(text: string): AptSource[] {
  const sources: AptSource[] = [];
  for (const line of text.split("\n")) {
    const match = /^\s*deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)\s*([^#]*)/.exec(line);
    if (match === null) continue;
    sources.push({
      uri: match[1],
      suite: match[2],
      components: match[3].split(/\s+/).filter((name) => name !== ""),
    });
  }
  return sources;
}

/** Reads a deb822-style sources file; every URI is paired with every suite. */
export function parseDeb822Sources(text: string): AptSource[] {
  const words = (value: string | undefined) => (value ?? "").split(/\s+/).filter((word) => word !== "");
  return parseParagraphs(text)
    .filter((paragraph) => words(paragraph.get("Types")).includes("deb") && paragraph.get("Enabled") !== "no")
    .flatMap((paragraph) =>
      words(paragraph.get("URIs")).flatMap((uri) =>
        words(paragraph.get("Suites")).map((suite) => ({
          uri,
          suite,
          components: words(paragraph.get("Components")),
        })),
      ),
    );
}

/** Picks Debian's archives out of what apt is set to; undefined when there is none (another distribution, no apt). */
export function chooseMirror(sources: readonly AptSource[]): Mirror | undefined {
  const usable = sources.filter(({ uri, components }) => /^https?:/.test(uri) && components.includes("main"));
  const root = (source: AptSource | undefined) => source?.uri.replace(/\/+$/, "");
  const main = root(usable.find(({ suite }) => MAIN_SUITE.test(suite)));
  if (main === undefined) return undefined;
  // `bookworm-updates` lies in the main archive; only `…-security` and the old `…/updates` are the security archive's.
  const security = root(
    usable.find(
      ({ suite }) => SECURITY_SUITE.test(suite) && (suite.endsWith("security") || suite.includes("/")),
    ),
  );
  return { main, security };
}

/** Reads apt's settings below `root` (`/etc/apt`). */
export async function readAptSources(root: string): Promise<AptSource[]> {
  const read = async (path: string) => readFile(path, "utf8").catch(() => "");
  const parts = (await readdir(join(root, "sources.list.d")).catch((): string[] => [])).sort();
  const sources = parseSourcesList(await read(join(root, "sources.list")));
  for (const part of parts) {
    const text = await read(join(root, "sources.list.d", part));
    if (part.endsWith(".list")) sources.push(...parseSourcesList(text));
    else if (part.endsWith(".sources")) sources.push(...parseDeb822Sources(text));
  }
  return sources;
}

/**
 * The mirror to use: `given` (an option), else the DEBIAN_MIRROR variable, else the one apt is set to.
 * With a given mirror the security archive is looked for beside it (`…-security`), which is how mirrors lay it out.
 */
export async function findMirror(given: string | undefined, aptRoot: string = "/etc/apt"): Promise<Mirror> {
  const named = given ?? (process.env["DEBIAN_MIRROR"] || undefined);
  if (named !== undefined) {
    if (!/^https?:\/\/[^/]/.test(named))
      throw new GuestBuildError("usage", `The mirror "${named}" is not an http:// or https:// address.`);
    const main = named.replace(/\/+$/, "");
    return { main, security: `${main}-security` };
  }
  const mirror = chooseMirror(await readAptSources(aptRoot));
  if (mirror === undefined)
    throw new GuestBuildError(
      "mirror",
      "No Debian mirror is known: apt is not set to one on this machine. Pass --mirror URL (or set DEBIAN_MIRROR) to " +
        "the root of a Debian mirror, the folder that holds dists/ and pool/.",
    );
  return mirror;
}

/** HTTP proxies by the scheme of what is fetched, and the hosts that are asked directly (as in `no_proxy`). */
export interface Proxies {
  http?: string | undefined;
  https?: string | undefined;
  none?: string | undefined;
}

/** Reads the proxy settings out of `apt-config dump`'s output; apt's "DIRECT" means none, for all hosts or for one. */
export function parseAptProxies(dump: string): Proxies {
  const proxies: Proxies = {};
  const direct: string[] = [];
  for (const [, scheme, host, value] of dump.matchAll(
    /^Acquire::(https?)::proxy(?:::([^\s:]+))? "([^"]*)";/gim,
  )) {
    if (value === "") continue;
    if (host === undefined) proxies[scheme.toLowerCase() as "http" | "https"] = value;
    else if (value.toUpperCase() === "DIRECT") direct.push(host);
  }
  if (direct.length > 0) proxies.none = direct.join(",");
  return proxies;
}

/** Proxies as apt takes them: its own configuration first, then the http_proxy, https_proxy and no_proxy variables. */
export async function findProxies(): Promise<Proxies> {
  const environment = (name: string) => process.env[name] ?? process.env[name.toUpperCase()];
  let apt: Proxies = {};
  try {
    apt = parseAptProxies((await promisify(execFile)("apt-config", ["dump"], { timeout: 10_000 })).stdout);
  } catch {
    // No apt on this machine: the variables alone count.
  }
  const proxy = (value: string | undefined) =>
    value === "" || value?.toUpperCase() === "DIRECT" ? undefined : value;
  return {
    http: proxy(apt.http ?? environment("http_proxy")),
    https: proxy(apt.https ?? environment("https_proxy")),
    none: [apt.none, environment("no_proxy")].filter((hosts) => hosts).join(","),
  };
}
