/** `spice://` URLs (RFC 3986), as remote-viewer and spicy take them. They never hold a password: links get copied around. */

/** IPv6 addresses are bracketed, zones written as RFC 6874 says, and whatever no host name can hold is percent-encoded. */
export function spiceUrl(host: string, port: number): string {
  return `spice://${urlHost(host)}:${port}`;
}

/** A host (a name or an address without brackets) as a URL's authority writes it. */
export function urlHost(host: string): string {
  if (!host.includes(":")) return encodeURIComponent(host.toWellFormed());
  const [address, ...zone] = host.split("%");
  const suffix = zone.length > 0 ? `%25${encodeURIComponent(zone.join("%").toWellFormed())}` : "";
  return `[${address}${suffix}]`;
}
