import type { IncomingMessage } from "node:http";
import fc from "fast-check";
import { expect, test } from "vitest";
import { ProxyFront, clientAddress, clientHost, isFromHere, isSecure, peerAddress } from "./proxy.ts";
import { reachable } from "./reachable.ts";

/** Only what is read of a request; real ones go through web-server.test.ts and the journey behind nginx and Caddy. */
function request(url: string, headers: Record<string, string> = {}, remoteAddress = "127.0.0.1") {
  return {
    url,
    headers: { host: "127.0.0.1:8080", ...headers },
    socket: { remoteAddress, remotePort: 4711 },
  };
}
const received = (front: ProxyFront, ...args: Parameters<typeof request>) => {
  const asked = request(...args) as unknown as IncomingMessage;
  return { asked, verdict: front.receive(asked) };
};
const trusting = new ProxyFront({ trusted: ["loopback", "10.0.0.0/8", "2001:db8::/32"] });

test("nobody is believed who was not named", () => {
  const forged = {
    "x-forwarded-for": "192.0.2.1",
    "x-forwarded-host": "evil.example",
    "x-forwarded-proto": "https",
    forwarded: "for=192.0.2.2;host=evil.example;proto=https",
  };
  for (const [front, peer] of [
    [new ProxyFront(), "127.0.0.1"],
    [trusting, "192.0.2.77"],
    [trusting, "11.0.0.1"],
  ] as const) {
    const { asked, verdict } = received(front, "/", forged, peer);
    expect(verdict).toBeUndefined();
    expect(asked.headers.host).toBe("127.0.0.1:8080");
    expect(clientAddress(asked)).toBe(`${peer}:4711`);
    expect(isSecure(asked)).toBe(false);
    // But it is not taken for a request of this machine either.
    expect(isFromHere(asked)).toBe(false);
  }
});

test.each([
  [{ "x-forwarded-for": "192.0.2.1" }, "192.0.2.1:0"],
  [{ "x-forwarded-for": "192.0.2.1:5000" }, "192.0.2.1:5000"],
  [{ "x-forwarded-for": "6.6.6.6, 192.0.2.1, 10.1.1.1" }, "192.0.2.1:0"],
  [{ "x-forwarded-for": "2001:4860::1" }, "[2001:4860::1]:0"],
  [{ "x-forwarded-for": "::ffff:192.0.2.1" }, "192.0.2.1:0"],
  [{ "x-forwarded-for": "10.1.1.1, 127.0.0.1" }, "10.1.1.1:0"],
  [{ "x-forwarded-for": "127.0.0.1, unknown" }, "unknown:0"],
  [{ forwarded: "for=192.0.2.1" }, "192.0.2.1:0"],
  [{ forwarded: 'for="[2001:4860::1]:99";proto=https' }, "[2001:4860::1]:99"],
  [{ forwarded: "for=6.6.6.6, for=192.0.2.1, for=10.0.0.3" }, "192.0.2.1:0"],
  [{ forwarded: "for=_hidden" }, "unknown:0"],
  [{ forwarded: "for=192.0.2.1", "x-forwarded-for": "192.0.2.1" }, "192.0.2.1:0"],
  [{}, "127.0.0.1:4711"],
])("%j was sent by %s", (headers, address) => {
  const { asked, verdict } = received(trusting, "/", headers as Record<string, string>);
  expect(verdict).toBeUndefined();
  expect(clientAddress(asked)).toBe(address);
});

test("an address that the sender may have made up is never taken for this machine's", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.constantFrom("127.0.0.1", "::1", "localhost")), (forged) => {
      const { asked } = received(trusting, "/", { "x-forwarded-for": `${forged}, 192.0.2.1` });
      expect(clientHost(asked)).toBe("192.0.2.1");
      expect(isFromHere(asked)).toBe(false);
    }),
  );
});

test.each([
  { forwarded: "for=127.0.0.1", "x-forwarded-for": "192.0.2.1" },
  { forwarded: "for=192.0.2.1;;;=" },
  { "x-forwarded-prefix": "vm" },
  { "x-forwarded-prefix": "//evil.example" },
  { "x-forwarded-prefix": "/a/../b" },
  { "x-forwarded-prefix": "/a?b" },
])("%j is refused", (headers) => {
  expect(received(trusting, "/", headers as never).verdict).toHaveProperty("refusal");
});

test("the browser's host and scheme come from the nearest proxy", () => {
  const one = received(trusting, "/", { "x-forwarded-host": "a.example", "x-forwarded-proto": "https" });
  expect(one.asked.headers.host).toBe("a.example");
  expect(isSecure(one.asked)).toBe(true);
  const two = received(trusting, "/", { "x-forwarded-host": "evil.example, b.example" });
  expect(two.asked.headers.host).toBe("b.example");
  const three = received(trusting, "/", { forwarded: 'for=192.0.2.1;proto=https;host="c.example:8443"' });
  expect(three.asked.headers.host).toBe("c.example:8443");
  expect(isSecure(three.asked)).toBe(true);
});

test("links hold the path that the proxy has cut off", () => {
  for (const [prefix, path] of [
    ["/vm", "/vm/spice"],
    ["/a/b/", "/a/b/spice"],
    ["/", "/spice"],
  ]) {
    const headers = {
      "x-forwarded-prefix": prefix,
      "x-forwarded-host": "a.example",
      "x-forwarded-proto": "https",
    };
    const { asked } = received(trusting, "/", headers);
    expect(reachable([], asked).webSocketUrl).toBe(`wss://a.example${path}`);
  }
});

const under = new ProxyFront({ publicUrls: ["https://example.org/vm/", "https://example.org/a/b/"] });

test.each([
  ["/vm/", "/"],
  ["/vm/assets/x.js?y", "/assets/x.js?y"],
  ["/vm//healthz", "/healthz"],
  ["/a/b/host", "/host"],
  ["/", "/"],
  ["/healthz", "/healthz"],
  ["//healthz", "/healthz"],
  ["//evil.example/x", "/evil.example/x"],
  ["/vmx/", "/vmx/"],
  ["/a/healthz", "/a/healthz"],
  ["http://example.org/vm/healthz", "/healthz"],
  ["http://x/../../package.json", "/package.json"],
  ["*", "*"],
])("%s asks for %s", (target, url) => {
  const { asked, verdict } = received(under, target);
  expect(verdict).toBeUndefined();
  expect(asked.url).toBe(url);
});

test.each([
  ["/vm", "https://example.org/vm/"],
  ["/vm?x=1", "https://example.org/vm/?x=1"],
  ["/a/b", "https://example.org/a/b/"],
])("%s lacks its slash and is sent to %s", (target, absolute) => {
  const { verdict } = received(under, target);
  const { redirect } = verdict as { redirect: string };
  expect(new URL(redirect, `https://example.org${target}`).href).toBe(absolute);
});

test.each(["", "x", "1.2.3", "1.2.3.4/33", "1.2.3.4/x", "::1/129", "example.org"])(
  "%j is no proxy's address",
  (entry) => expect(() => new ProxyFront({ trusted: [entry] })).toThrow(TypeError),
);

test("addresses have one spelling", () => {
  expect(peerAddress("::ffff:127.0.0.1", 1)).toBe("127.0.0.1:1");
  expect(peerAddress("::1", 1)).toBe("[::1]:1");
  expect(peerAddress(undefined, undefined)).toBe("unknown:0");
});
