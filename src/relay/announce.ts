import { shellCommand, spiceUrl, urlHost } from "../formats/index.ts";
import { isWildcard, reachableAddresses } from "./addresses.ts";
import type { Interfaces } from "./addresses.ts";
import type { SpiceAddress } from "../relay-control/index.ts";
import { isLoopbackName } from "./origin.ts";
import { withSecret } from "./secret.ts";

/** What the terminal is told once everything listens. */
export interface Announcement {
  /** As given to --host. */
  readonly host: string;
  readonly httpPort: number;
  readonly spice: readonly SpiceAddress[];
  readonly publicUrls: readonly string[];
  readonly hasPassword: boolean;
  /** Stands in the addresses of pages that can host. */
  readonly secret: string;
  readonly headless: boolean;
  readonly interfaces?: Interfaces;
}

/** The page's URL on this machine: browsers give a page what hosting takes only on loopback or over TLS. */
export function localPage(host: string, httpPort: number): string {
  return `http://${isLoopbackName(host) ? urlHost(host) : "127.0.0.1"}:${httpPort}/`;
}

/** The lines, each of which holds what works from where it is meant for. */
export function announcement(facts: Announcement): string[] {
  const { host, httpPort, publicUrls } = facts;
  const addresses = reachableAddresses(facts.spice, undefined, facts.interfaces);
  // From here loopback always works, so it is told only where there is nothing else.
  const elsewhere = addresses.filter((address) => !isLoopbackName(address.host));
  const [first, ...others] = elsewhere.length > 0 ? elsewhere : addresses;
  const url = spiceUrl(first.host, first.port);
  const lines = [
    `The machine:  ${withSecret(localPage(host, httpPort), facts.secret)}${facts.headless ? "" : "   (open it: the tab is the computer)"}`,
    ...publicUrls.map((publicUrl) => `              ${withSecret(publicUrl, facts.secret)}`),
    `SPICE:        ${url}`,
    ...others.map((address) => `              ${spiceUrl(address.host, address.port)}`),
    `Join it with: ${shellCommand("remote-viewer", url)}`,
  ];
  if (!isLoopbackName(host)) {
    const page = `http://${urlHost(isWildcard(host) ? first.host : host)}:${httpPort}/`;
    lines.push(
      `Note: ${page} tells others how to join; it cannot host, since browsers allow that only on this machine or over https (--public-url).`,
    );
  }
  if ((!isLoopbackName(host) || publicUrls.length > 0) && !facts.hasPassword) {
    lines.push(
      "Note: everyone who can reach this address can use the machine; --password-file sets a password.",
    );
  }
  return lines;
}
