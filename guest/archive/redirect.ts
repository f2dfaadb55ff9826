import { BlockList, isIP } from "node:net";

/** A redirect that is not followed. */
export class RedirectError extends Error {
  constructor(what: string) {
    super(`the mirror redirects ${what}`);
    this.name = "RedirectError";
  }
}

/** Addresses that mean this machine or its own link: services there answer whoever asks from here. */
const OWN = new BlockList();
OWN.addSubnet("127.0.0.0", 8, "ipv4");
OWN.addSubnet("0.0.0.0", 8, "ipv4");
OWN.addSubnet("169.254.0.0", 16, "ipv4");
OWN.addAddress("::1", "ipv6");
OWN.addAddress("::", "ipv6");
OWN.addSubnet("fe80::", 10, "ipv6");

function isOwn(url: URL): boolean {
  const host = url.hostname.replace(/^\[|\]$/g, "").replace(/\.$/, "");
  if (host === "localhost" || host.endsWith(".localhost")) return true;
  const version = isIP(host);
  return version !== 0 && OWN.check(host, version === 6 ? "ipv6" : "ipv4");
}

/**
 * Where a redirect leads. Another host is all right, since every byte is checked by hash; what is not: another scheme
 * than HTTP, from HTTPS to HTTP, names and passwords, and this machine's own services unless the mirror is one.
 * @param start the address that was asked for, before any redirect.
 * @throws RedirectError
 */
export function redirectTarget(start: URL, from: URL, location: string): URL {
  const target = URL.parse(location, from.href);
  if (target === null) throw new RedirectError(`to "${location}", which is no address`);
  if (target.protocol !== "https:" && target.protocol !== "http:")
    throw new RedirectError(`to ${target.protocol}, which is not HTTP`);
  if (target.protocol === "http:" && from.protocol === "https:")
    throw new RedirectError(`from https to ${target.origin}`);
  if (target.username !== "" || target.password !== "")
    throw new RedirectError(`to an address with a user name at ${target.host}`);
  if (isOwn(target) && !isOwn(start)) throw new RedirectError(`to this machine (${target.host})`);
  return target;
}
