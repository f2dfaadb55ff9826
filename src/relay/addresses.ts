import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { networkInterfaces } from "node:os";
import type { SpiceAddress } from "../relay-control/index.ts";
import { isLoopbackName } from "./origin.ts";

/** The part of os.networkInterfaces() that is read. */
export type Interfaces = Readonly<
  Record<
    string,
    readonly { readonly address: string; readonly family: string; readonly internal: boolean }[] | undefined
  >
>;

/** True for an address that means every address of this machine: one can listen on it, but nobody can dial it. */
export function isWildcard(host: string): boolean {
  return host === "0.0.0.0" || host === "::";
}

/** Where the page that hosts is on this machine, whatever else is listened on. */
export const LOOPBACK = "127.0.0.1";

/**
 * True when what listens on `host` is reached on this machine by a loopback address that the page is told of. A name, too, may mean
 * {@link LOOPBACK}: on many machines their own one does. @throws Error for a name that means nothing
 */
export async function coversLoopback(
  host: string,
  find: (name: string) => Promise<{ readonly address: string }> = lookup,
): Promise<boolean> {
  if (isLoopbackName(host) || isWildcard(host)) return true;
  return isIP(host) === 0 && (await find(host)).address === LOOPBACK;
}

/**
 * Where clients can dial what listens on `listening`, best first; `reachedAs` is the name under which the one who asks has reached us. A
 * listener on all addresses is reached by that name, then by each address of this machine's networks; by loopback only where there is
 * no network, or, last, from here. One on loopback is not reached at all by those who came by another name (through a proxy).
 * Link-local IPv6 addresses are left out: they mean nothing without the scope of the machine that dials.
 */
export function reachableAddresses(
  listening: readonly SpiceAddress[],
  reachedAs?: string,
  interfaces: Interfaces = networkInterfaces(),
): SpiceAddress[] {
  const isFar = reachedAs !== undefined && !isLoopbackName(reachedAs);
  const found = listening
    .filter(({ host }) => !isFar || !isLoopbackName(host))
    .flatMap(({ host, port }) =>
      (isWildcard(host) ? dialable(host, reachedAs, interfaces) : [host]).map((name) => ({
        host: name,
        port,
      })),
    );
  const seen = new Set<string>();
  return found.filter(({ host, port }) => {
    const key = `${host} ${port}`;
    return !seen.has(key) && seen.add(key);
  });
}

function dialable(wildcard: string, reachedAs: string | undefined, interfaces: Interfaces): string[] {
  const near = reachedAs === undefined || isLoopbackName(reachedAs);
  const own = Object.values(interfaces)
    .flatMap((addresses) => addresses ?? [])
    .filter(({ address, internal }) => !internal && !isLinkLocal(address));
  const lan = (family: string) =>
    own.filter((candidate) => candidate.family === family).map(({ address }) => address);
  const names = [
    ...(near || isWildcard(reachedAs) ? [] : [reachedAs]),
    ...lan("IPv4"),
    // A listener on :: takes IPv4 too; one on 0.0.0.0 takes nothing else.
    ...(wildcard === "::" ? lan("IPv6") : []),
  ];
  return near || names.length === 0 ? [...names, "127.0.0.1"] : names;
}

function isLinkLocal(address: string): boolean {
  return /^fe[89ab][0-9a-f]:/i.test(address);
}
