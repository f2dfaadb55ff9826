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

/** A name, an IPv4 address or an IPv6 one in brackets, and a port. */
const HOST = /^(\[[0-9a-f:.]+\]|[a-z0-9_](?:[a-z0-9_-]|\.(?=[a-z0-9_]))*)(?::\d{1,5})?$/i;

/**
 * The host and port that the browser believes to talk to; undefined when the Host header is absent or not in the one
 * spelling that browsers send: no user, no trailing dot, no "0x7f.1" or "2130706433" for 127.0.0.1.
 */
export function requestHost(request: IncomingMessage): URL | undefined {
  const { host = "" } = request.headers;
  const name = HOST.exec(host)?.[1].toLowerCase();
  const url = name === undefined ? null : URL.parse(`http://${host}`);
  return url !== null && url.hostname === name ? url : undefined;
}

/** A name as browsers spell it in a Host header that we take: in lower case, IDNs in their ASCII form, without a dot at its end. */
export function canonicalName(name: string): string {
  const url = URL.parse(`http://${isIP(name) === 6 ? `[${name}]` : name}`);
  return (url?.hostname ?? name).replace(/\.$/, "");
}

/**
 * True when the name in the Host header can be trusted to be ours: an IP address, a loopback name, or a name the
 * administrator gave (see canonicalName). Any other name may be an attacker's that was made to resolve to this machine (DNS rebinding),
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
  const { origin } = request.headers;
  return origin === undefined || isOwnOrigin(origin, request, publicUrls);
}

/** True when pages of `origin` are served here, under the name that the request uses or at one of `publicUrls`. */
export function isOwnOrigin(
  origin: string,
  request: IncomingMessage,
  publicUrls: readonly string[] = [],
): boolean {
  if (publicUrls.some((url) => new URL(url).origin === origin)) return true;
  const self = requestHost(request);
  // TLS may end at a proxy: the scheme is not compared.
  return self !== undefined && readOrigin(origin) === origin && new URL(origin).host === self.host;
}

/**
 * An origin as browsers send it, from how a person writes it; undefined for what is more, or less, than an http origin, and for a
 * pattern: no host's name has a "*".
 */
export function readOrigin(text: string): string | undefined {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol) || url.hostname.includes("*")) return undefined;
  return url.href === `${url.origin}/` ? url.origin : undefined;
}

/**
 * True when a page is of an origin that the administrator allowed. Everything but that and our own could be any web page
 * that the person happens to visit, those of other ports of this machine included.
 */
export function mayBeClient(request: IncomingMessage, allowedOrigins: readonly string[]): boolean {
  const origin = request.headers.origin;
  return origin !== undefined && allowedOrigins.includes(origin);
}
