import { once } from "node:events";
import { connect } from "node:net";
import { networkInterfaces } from "node:os";
import { expect, test } from "vitest";
import { coversLoopback, LOOPBACK, reachableAddresses } from "./addresses.ts";
import type { Interfaces } from "./addresses.ts";
import { announcement } from "./announce.ts";
import { createRelay } from "./relay.ts";

const hasIPv6 = Object.values(networkInterfaces()).some((addresses) =>
  addresses?.some(({ family }) => family === "IPv6"),
);

const IPv4 = (address: string, internal = false) => ({ address, family: "IPv4", internal });
const IPv6 = (address: string, internal = false) => ({ address, family: "IPv6", internal });

const interfaces: Interfaces = {
  lo: [IPv4("127.0.0.1", true), IPv6("::1", true)],
  eth0: [IPv4("192.0.2.7"), IPv6("2001:db8::7"), IPv6("fe80::7")],
  wlan0: [IPv4("198.51.100.9"), IPv6("FEBF::9")],
};
const only: Interfaces = { lo: interfaces.lo };

const hosts = (listen: string, reachedAs?: string, known = interfaces) =>
  reachableAddresses([{ host: listen, port: 5900 }], reachedAs, known).map(({ host }) => host);

test("a listener on one address is reached there; on loopback, only by those who are here", () => {
  expect(hosts("127.0.0.1")).toEqual(["127.0.0.1"]);
  expect(hosts("127.0.0.1", "localhost")).toEqual(["127.0.0.1"]);
  expect(hosts("127.0.0.1", "vm.example")).toEqual([]);
  expect(hosts("::1", "192.0.2.7")).toEqual([]);
  expect(hosts("2001:db8::7", "example.org")).toEqual(["2001:db8::7"]);
});

test("a listener on all addresses is reached by those of the networks, never by 0.0.0.0, :: or fe80::", () => {
  expect(hosts("0.0.0.0")).toEqual(["192.0.2.7", "198.51.100.9", "127.0.0.1"]);
  expect(hosts("0.0.0.0", "localhost")).toEqual(["192.0.2.7", "198.51.100.9", "127.0.0.1"]);
  expect(hosts("::", "127.0.0.1")).toEqual(["192.0.2.7", "198.51.100.9", "2001:db8::7", "127.0.0.1"]);
});

test("the name by which it was reached comes first, once, and then loopback is of no use", () => {
  expect(hosts("0.0.0.0", "vm.example")).toEqual(["vm.example", "192.0.2.7", "198.51.100.9"]);
  expect(hosts("::", "2001:db8::7")).toEqual(["2001:db8::7", "192.0.2.7", "198.51.100.9"]);
  for (const wildcard of ["0.0.0.0", "::"]) {
    expect(hosts("::", wildcard)).not.toContain(wildcard);
  }
});

test("without a network there is loopback", () => {
  expect(hosts("0.0.0.0", undefined, only)).toEqual(["127.0.0.1"]);
  expect(hosts("::", "::", only)).toEqual(["127.0.0.1"]);
});

test.each(["0.0.0.0", "::"])("every address that a relay on %s tells can be dialled", async (host) => {
  if (host === "::" && !hasIPv6) return;
  await using relay = createRelay({ host, spicePort: 0 });
  await relay.listen();
  const told = reachableAddresses(relay.spice);
  expect(told.length).toBeGreaterThan(0);
  for (const { host: address, port } of told) {
    const socket = connect(port, address);
    await once(socket, "connect");
    socket.destroy();
  }
});

test("health, configuration file and page are told the same addresses, by the name that was used", async () => {
  await using relay = createRelay({ host: "0.0.0.0", spicePort: 0 });
  const { port } = await relay.listen();
  const asked = (host: string) =>
    relay.reachable({ headers: { host }, socket: { remoteAddress: "127.0.0.1" } } as never);
  expect(asked("192.0.2.7:8080").spice[0]).toEqual({ host: "192.0.2.7", port });
  expect(asked("192.0.2.7:8080").webSocketUrl).toBe("ws://192.0.2.7:8080/spice");
  expect(asked("[2001:db8::7]:8080").webSocketUrl).toBe("ws://[2001:db8::7]:8080/spice");
  const here = asked("127.0.0.1:8080");
  expect(here.webSocketUrl).toBe(`ws://${here.spice[0].host}:8080/spice`);
});

const facts = {
  httpPort: 8080,
  publicUrls: [],
  secret: "s3cret",
  hasPassword: true,
  headless: false,
  interfaces,
};

test("on loopback the terminal tells the page and one address", () => {
  const lines = announcement({ ...facts, host: "127.0.0.1", spice: [{ host: "127.0.0.1", port: 5900 }] });
  expect(lines).toEqual([
    "The machine:  http://127.0.0.1:8080/#secret=s3cret   (open it: the tab is the computer)",
    "SPICE:        spice://127.0.0.1:5900",
    "Join it with: remote-viewer spice://127.0.0.1:5900",
  ]);
});

test("on all addresses it tells those that work from elsewhere, and what such a page cannot do", () => {
  const lines = announcement({ ...facts, host: "::", spice: [{ host: "::", port: 5900 }] });
  expect(lines.slice(0, 5)).toEqual([
    "The machine:  http://127.0.0.1:8080/#secret=s3cret   (open it: the tab is the computer)",
    "SPICE:        spice://192.0.2.7:5900",
    "              spice://198.51.100.9:5900",
    "              spice://[2001:db8::7]:5900",
    "Join it with: remote-viewer spice://192.0.2.7:5900",
  ]);
  expect(lines[5]).toContain("http://192.0.2.7:8080/ tells others how to join; it cannot host");
  expect(lines.join()).not.toMatch(/0\.0\.0\.0|\[::\]/);
});

test("whoever is let in without a password is told of, behind a proxy too", () => {
  const open = { ...facts, hasPassword: false, spice: [{ host: "127.0.0.1", port: 5900 }] };
  const told = (more: object) => announcement({ ...open, host: "127.0.0.1", ...more }).join("\n");
  expect(told({})).not.toContain("--password");
  expect(told({ publicUrls: ["https://example.org/vm/"] })).toContain("--password");
  expect(told({ publicUrls: ["https://example.org/vm/"] })).toContain("https://example.org/vm/");
});

test.each([
  ["127.0.0.1", "none", true],
  ["localhost", "none", true],
  ["0.0.0.0", "none", true],
  ["vm", LOOPBACK, true],
  ["vm", "127.0.1.1", false],
  ["vm", "::1", false],
  ["vm", "10.0.0.1", false],
  ["10.0.0.1", "none", false],
])(
  "what listens on %s, which means %s, takes the page's own loopback address: %s",
  async (host, address, covers) => {
    const find = async () => {
      if (address === "none") throw new Error(`${host} needs no looking up`);
      return { address };
    };
    expect(await coversLoopback(host, find)).toBe(covers);
  },
);
