import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";

/** True for an address of this machine only: 127.0.0.0/8, ::1, and the IPv4-mapped form. */
export function isLoopbackAddress(address: string | undefined): boolean {
  if (address === undefined) return false;
  const plain = address.startsWith("::ffff:") ? address.slice(7) : address;
  return plain === "::1" || (isIP(plain) === 4 && plain.startsWith("127."));
}

/** True for a host name that can only mean this machine. Browsers resolve *.localhost themselves (RFC 6761 §6.3). */
export function isLoopbackName(hostname: string): boolean {
  const name = hostname.replace(/^\[|\]$/g, "").toLowerCase();
  return name === "localhost" || name.endsWith(".localhost") || isLoopbackAddress(name);
}

/** The host and port that the browser believes to talk to; undefined when the Host header is absent or no host. */
export function requestHost(request: IncomingMessage): URL | undefined {
  const host = request.headers.host;
  if (host === undefined) return undefined;
  const url = URL.parse(`http://${host}`);
  return url !== null && url.pathname === "/" && url.username === "" ? url : undefined;
}

/**
 * True when the name in the Host header can be trusted to be ours: an IP address, a loopback name, or a name the
 * administrator gave. Any other name may be an attacker's that was made to resolve to this machine (DNS rebinding),
 * whose pages would then pass as the same origin.
 */
export function isTrustedHost(request: IncomingMessage, names: readonly string[]): boolean {
  const url = requestHost(request);
  if (url === undefined) return false;
  const hostname = url.hostname.replace(/^\[|\]$/g, "");
  return isIP(hostname) !== 0 || isLoopbackName(hostname) || names.includes(hostname);
}

/**
 * True when the request comes from a page that this server served, here or at one of `publicUrls`. Programs that send no Origin are
 * not pages.
 */
export function isSameOrigin(request: IncomingMessage, publicUrls: readonly string[] = []): boolean {
  const origin = request.headers.origin;
  if (origin === undefined || publicUrls.some((url) => new URL(url).origin === origin)) return true;
  const url = URL.parse(origin);
  const self = requestHost(request);
  return url !== null && self !== undefined && url.host === self.host && /^https?:$/.test(url.protocol);
}

/**
 * True when a page may be a SPICE client here: the same origin, a page of this machine when this server is reached
 * as this machine, or an origin that the administrator allowed. Everything else could be any web page that the
 * person happens to visit.
 */
export function mayBeClient(request: IncomingMessage, allowedOrigins: readonly string[]): boolean {
  const origin = request.headers.origin;
  if (isSameOrigin(request) || (origin !== undefined && allowedOrigins.includes(origin))) return true;
  const url = URL.parse(origin ?? "");
  const self = requestHost(request);
  return url !== null && self !== undefined && isLoopbackName(url.hostname) && isLoopbackName(self.hostname);
}
