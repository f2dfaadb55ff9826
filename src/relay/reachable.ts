import type { IncomingMessage } from "node:http";
import { urlHost } from "../formats/index.ts";
import { isWildcard, reachableAddresses } from "./addresses.ts";
import type { SpiceAddress } from "../relay-control/index.ts";
import { isLoopbackName, requestHost } from "./origin.ts";
import { cutPrefix, isSecure } from "./proxy.ts";

/** How clients reach the machine, as far as it can be told to whoever sent one request. */
export interface Reachable {
  /** The TCP listeners, best address first. */
  readonly spice: readonly SpiceAddress[];
  /** Absolute ws: or wss: URL, subprotocol "binary". */
  readonly webSocketUrl: string;
}

/**
 * The one place where addresses are made that people and programs are told: for the configuration, the welcome, the health and the
 * connection file.
 */
export function reachable(
  listening: readonly SpiceAddress[],
  request: IncomingMessage,
  publicUrls: readonly string[] = [],
): Reachable {
  const host = requestHost(request);
  const spice = reachableAddresses(listening, host?.hostname.replace(/^\[|\]$/g, ""));
  return { spice, webSocketUrl: webSocketUrl(listening, spice, request, publicUrls) };
}

function webSocketUrl(
  listening: readonly SpiceAddress[],
  spice: readonly SpiceAddress[],
  request: IncomingMessage,
  publicUrls: readonly string[],
): string {
  const host = requestHost(request);
  const isPublic = publicUrls.map((url) => new URL(url));
  const base = isPublic.find((url) => url.host === host?.host) ?? isPublic[0];
  if (base !== undefined) {
    const url = new URL("spice", base);
    url.protocol = base.protocol === "https:" ? "wss:" : "ws:";
    return url.href;
  }
  const scheme = isSecure(request) ? "wss" : "ws";
  const port = host?.port ? `:${host.port}` : "";
  // Page and SPICE listen on the same addresses; by this machine's own name nobody else would get here.
  const elsewhere =
    (host === undefined || isLoopbackName(host.hostname)) &&
    listening.some((address) => isWildcard(address.host));
  const name = elsewhere && spice.length > 0 ? urlHost(spice[0].host) : (host?.hostname ?? "127.0.0.1");
  return `${scheme}://${name}${port}${cutPrefix(request)}/spice`;
}
