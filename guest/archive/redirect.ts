import { hostNearness, Nearness } from "./nearness.ts";

/** A redirect that is not followed. */
export class RedirectError extends Error {
  constructor(what: string) {
    super(`the mirror redirects ${what}`);
    this.name = "RedirectError";
  }

  /** One that leads nearer to this machine than the mirror is. */
  static tooNear(host: string, nearness: Nearness): RedirectError {
    const where = nearness === Nearness.Own ? "this machine" : "this machine's own network";
    return new RedirectError(`to ${where} (${host}); if that is meant, name it as the mirror (--mirror URL)`);
  }
}

/**
 * Where a redirect leads. Another host is all right, since every byte is checked by hash; what is not: another scheme
 * than HTTP, from HTTPS to HTTP, names and passwords, and hosts nearer to this machine than the mirror itself: services
 * there answer whoever asks from here. A name is looked at where it is looked up, see HttpClient.
 * @param nearest how near the target may be
 * @throws RedirectError
 */
export function redirectTarget(nearest: Nearness, from: URL, location: string): URL {
  const target = URL.parse(location, from.href);
  if (target === null) throw new RedirectError(`to "${location}", which is no address`);
  if (target.protocol !== "https:" && target.protocol !== "http:")
    throw new RedirectError(`to ${target.protocol}, which is not HTTP`);
  if (target.protocol === "http:" && from.protocol === "https:")
    throw new RedirectError(`from https to ${target.origin}`);
  if (target.username !== "" || target.password !== "")
    throw new RedirectError(`to an address with a user name at ${target.host}`);
  const nearness = hostNearness(target) ?? Nearness.Public;
  if (nearness > nearest) throw RedirectError.tooNear(target.host, nearness);
  return target;
}
