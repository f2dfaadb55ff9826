/**
 * Reverse proxies: what the browser really asked, and who asked. `X-Forwarded-*` and `Forwarded` (RFC 7239) are believed only from
 * peers that the administrator named; everybody else can write them as well.
 */
import type { IncomingMessage } from "node:http";
import { BlockList, isIP } from "node:net";
import parseForwarded from "forwarded-parse";
import { urlHost } from "../formats/index.ts";
import { isLoopbackAddress } from "./origin.ts";

/** What is known of the way to here. */
export interface ProxyOptions {
  /** Addresses of proxies that are believed: an IP address, a subnet like 10.0.0.0/8, or "loopback". */
  readonly trusted?: readonly string[];
  /** URLs under which a proxy shows the page, each ending with a slash. */
  readonly publicUrls?: readonly string[];
}

/** What is to be done with a request before anything else looks at it. */
export type ProxyVerdict =
  | undefined
  /** It contradicts itself. */
  | { readonly refusal: string }
  /** The page's folder was asked for without its slash, to which its relative URLs belong. */
  | { readonly redirect: string };

/** Segments of a path (RFC 3986) that need no decoding and lead nowhere else. */
const PREFIX = /^(\/(?!\.{1,2}(\/|$))[\w.~!$&'()*+,;=:@%-]+)*$/;

/** What proxies say themselves for an address that they do not tell. */
const UNKNOWN = "unknown";

interface Sender {
  readonly address: string;
  readonly secure: boolean;
  readonly prefix: string;
}

const senders = new WeakMap<IncomingMessage, Sender>();

/** `host:port` of whoever sent the request, as the nearest believed proxy tells; port 0 where that is not told. */
export function clientAddress(request: IncomingMessage): string {
  const { remoteAddress = UNKNOWN, remotePort = 0 } = request.socket;
  return senders.get(request)?.address ?? peerAddress(remoteAddress, remotePort);
}

/** A peer's address as text, brackets and all, in one spelling for IPv4. */
export function peerAddress(address: string | undefined, port: number | undefined): string {
  return `${urlHost(plainAddress(address ?? UNKNOWN))}:${port ?? 0}`;
}

/** The host of {@link clientAddress} without brackets. */
export function clientHost(request: IncomingMessage): string {
  return clientAddress(request)
    .replace(/:\d+$/, "")
    .replace(/^\[|\]$/g, "");
}

/** True when the browser speaks TLS, with us or with a believed proxy. */
export function isSecure(request: IncomingMessage): boolean {
  return senders.get(request)?.secure ?? "encrypted" in request.socket;
}

/** The path that a believed proxy says it has cut off (`X-Forwarded-Prefix`), without a slash at its end. */
export function cutPrefix(request: IncomingMessage): string {
  return senders.get(request)?.prefix ?? "";
}

/** True when nobody further away than this machine asks: the peer is here, and no proxy says that it asks for somebody else. */
export function isFromHere(request: IncomingMessage): boolean {
  const { headers } = request;
  const proxied = headers.via ?? headers.forwarded ?? headers["x-forwarded-for"];
  return isLoopbackAddress(clientHost(request)) && (senders.has(request) || proxied === undefined);
}

/** Makes of each request what the browser had sent. */
export class ProxyFront {
  readonly #trusted = new BlockList();
  readonly #prefixes: readonly string[];

  /** @throws TypeError naming an address that is none */
  constructor({ trusted = [], publicUrls = [] }: ProxyOptions = {}) {
    for (const entry of trusted) this.#trust(entry);
    const paths = publicUrls.map((url) => new URL(url).pathname).filter((path) => path !== "/");
    this.#prefixes = paths.map((path) => path.slice(0, -1));
  }

  /**
   * Puts the host and the path into the request that the browser has in its address bar: the Host header as the proxy forwards it,
   * the path without the proxy's prefix. Call it first of all, and once.
   */
  receive(request: IncomingMessage): ProxyVerdict {
    request.url = originForm(request.url ?? "/");
    if (this.#isTrusted(request.socket.remoteAddress ?? "")) {
      const refusal = this.#believe(request);
      if (refusal !== undefined) return { refusal };
    }
    return this.#strip(request);
  }

  #believe(request: IncomingMessage): string | undefined {
    let forwarded: readonly Record<string, string | undefined>[] = [];
    try {
      const value = header(request, "forwarded");
      if (value !== undefined) forwarded = parseForwarded(value);
    } catch {
      return "the Forwarded header cannot be read";
    }
    const last = forwarded.at(-1) ?? {};
    const chains = [
      list(header(request, "x-forwarded-for")),
      forwarded.flatMap((hop) => hop.for ?? []),
    ].filter((chain) => chain.length > 0);
    const [address, other] = chains.map((chain) => this.#sender(chain));
    // A proxy writes one of them and hands on the other, which is then whatever the sender wished.
    if (other !== undefined && other !== address)
      return "Forwarded and X-Forwarded-For tell different senders";
    const proto = list(header(request, "x-forwarded-proto")).at(-1) ?? last.proto;
    const host = list(header(request, "x-forwarded-host")).at(-1) ?? last.host;
    const prefix = list(header(request, "x-forwarded-prefix")).at(-1)?.replace(/\/$/, "") ?? "";
    if (!PREFIX.test(prefix)) return "X-Forwarded-Prefix is no path";
    if (host !== undefined) request.headers.host = host;
    senders.set(request, {
      address: address ?? peerAddress(request.socket.remoteAddress, request.socket.remotePort),
      secure: proto === undefined ? "encrypted" in request.socket : /^(https|wss)$/i.test(proto),
      prefix,
    });
    return undefined;
  }

  /** The nearest hop that is no proxy of ours, read from our end: what is further away may be made up. */
  #sender(chain: readonly string[]): string {
    let found = `${UNKNOWN}:0`;
    for (const hop of chain.toReversed()) {
      const [host, port] = splitHop(hop);
      found = peerAddress(host, port);
      if (!this.#isTrusted(host)) break;
    }
    return found;
  }

  #strip(request: IncomingMessage): ProxyVerdict {
    const url = request.url ?? "/";
    const prefix = this.#prefixes.find(
      (prefix) => url.startsWith(prefix) && /^[/?]|^$/.test(url.slice(prefix.length)),
    );
    if (prefix === undefined) return undefined;
    const rest = url.slice(prefix.length);
    // Relative, so that it is right whatever else is in front.
    if (!rest.startsWith("/")) return { redirect: `./${prefix.slice(prefix.lastIndexOf("/") + 1)}/${rest}` };
    request.url = originForm(rest);
    return undefined;
  }

  #trust(entry: string): void {
    if (entry === "loopback") {
      this.#trusted.addSubnet("127.0.0.0", 8, "ipv4");
      this.#trusted.addAddress("::1", "ipv6");
      return;
    }
    const [address, bits] = entry.split("/");
    const family = isIP(address);
    if (family === 0 || (bits !== undefined && !/^\d{1,3}$/.test(bits))) {
      throw new TypeError(`"${entry}" is neither an IP address, a subnet nor "loopback"`);
    }
    const length = Number(bits ?? (family === 4 ? 32 : 128));
    if (length > (family === 4 ? 32 : 128)) throw new TypeError(`"${entry}" has too long a prefix`);
    this.#trusted.addSubnet(address, length, family === 4 ? "ipv4" : "ipv6");
  }

  #isTrusted(address: string): boolean {
    const plain = plainAddress(address);
    const family = isIP(plain);
    return family !== 0 && this.#trusted.check(plain, family === 4 ? "ipv4" : "ipv6");
  }
}

/** The path and query of a request target, with one slash in front: proxies that cut a prefix off may leave two. */
function originForm(target: string): string {
  if (target.startsWith("/")) return target.replace(/^[/\\]+/, "/");
  const url = URL.parse(target);
  return url !== null && /^https?:$/.test(url.protocol) ? url.pathname + url.search : target;
}

/** "1.2.3.4", "1.2.3.4:5", "::1", "[::1]:5": host and port; what is no address (`unknown`, `_hidden`) stays as it is. */
function splitHop(hop: string): [host: string, port: number] {
  if (isIP(hop) !== 0) return [plainAddress(hop), 0];
  const [, v6, v4, port] = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d{1,5}))?$/.exec(hop) ?? [];
  const host = v6 ?? v4;
  return host !== undefined && isIP(host) !== 0 ? [plainAddress(host), Number(port ?? 0)] : [UNKNOWN, 0];
}

function plainAddress(address: string): string {
  return /^::ffff:\d+\.\d+\.\d+\.\d+$/i.test(address) ? address.slice(7) : address;
}

function header(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(", ") : value;
}

function list(value: string | undefined): string[] {
  const items = value?.split(",").map((item) => item.trim()) ?? [];
  return items.filter((item) => item !== "");
}
