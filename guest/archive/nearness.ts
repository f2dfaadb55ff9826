import { BlockList, isIP } from "node:net";

/** How near an address is: anybody's, this machine's own network, or this machine itself and its link. */
export const Nearness = { Public: 0, Private: 1, Own: 2 } as const;
export type Nearness = (typeof Nearness)[keyof typeof Nearness];

const PRIVATE = new BlockList();
PRIVATE.addSubnet("10.0.0.0", 8, "ipv4");
PRIVATE.addSubnet("100.64.0.0", 10, "ipv4");
PRIVATE.addSubnet("172.16.0.0", 12, "ipv4");
PRIVATE.addSubnet("192.168.0.0", 16, "ipv4");
PRIVATE.addSubnet("fc00::", 7, "ipv6");

/** Services there answer whoever asks from here. */
const OWN = new BlockList();
OWN.addSubnet("127.0.0.0", 8, "ipv4");
OWN.addSubnet("0.0.0.0", 8, "ipv4");
OWN.addSubnet("169.254.0.0", 16, "ipv4");
OWN.addAddress("::1", "ipv6");
OWN.addAddress("::", "ipv6");
OWN.addSubnet("fe80::", 10, "ipv6");

/** How near an IP address is. */
export function addressNearness(address: string): Nearness {
  const family = isIP(address) === 6 ? "ipv6" : "ipv4";
  if (OWN.check(address, family)) return Nearness.Own;
  return PRIVATE.check(address, family) ? Nearness.Private : Nearness.Public;
}

/** How near a URL's host is, as far as it says so itself; undefined for a name that must be looked up. */
export function hostNearness({ hostname }: URL): Nearness | undefined {
  const host = hostname.replace(/^\[|\]$/g, "").replace(/\.$/, "");
  if (host === "localhost" || host.endsWith(".localhost")) return Nearness.Own;
  return isIP(host) === 0 ? undefined : addressNearness(host);
}
