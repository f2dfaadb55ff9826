import { expect, test } from "vitest";
import { chooseMirror, findMirror, parseAptProxies, parseDeb822Sources, parseSourcesList } from "./mirror.ts";

test("one-line lists, with options and comments", () => {
  const sources = parseSourcesList(`# deb http://off.example/debian bookworm main
deb [arch=amd64 signed-by=/k.gpg] http://a.example/debian/ bookworm main contrib # local
deb-src http://a.example/debian bookworm main
deb http://s.example/debian-security bookworm-security main`);
  expect(sources).toHaveLength(2);
  expect(chooseMirror(sources)).toEqual({
    main: "http://a.example/debian",
    security: "http://s.example/debian-security",
  });
});

test("deb822 sources; a switched-off or foreign one is not taken", () => {
  const sources = parseDeb822Sources(`Types: deb
URIs: http://off.example/debian
Suites: bookworm
Components: main
Enabled: no

Types: deb
URIs: https://other.example/node
Suites: nodistro
Components: main

Types: deb deb-src
# a comment
URIs: http://a.example/debian
Suites: trixie trixie-updates
Components: main
`);
  expect(chooseMirror(sources)).toEqual({ main: "http://a.example/debian", security: undefined });
});

test("the updates suite is not the security archive", () => {
  const sources = parseSourcesList("deb http://a.example/debian bookworm-updates main");
  expect(chooseMirror(sources)).toBeUndefined();
});

test("without apt's settings the message says what to pass", async () => {
  await expect(findMirror(undefined, "/nonexistent")).rejects.toThrow(/--mirror/);
});

test("a given mirror has its security archive beside it; nonsense is refused", async () => {
  expect(await findMirror("http://a.example/debian/")).toEqual({
    main: "http://a.example/debian",
    security: "http://a.example/debian-security",
  });
  await expect(findMirror("a.example/debian")).rejects.toThrow(/not an http/);
});

test("apt's proxies, and the hosts that it asks directly", () => {
  expect(
    parseAptProxies(
      [
        'Acquire::http::Proxy "http://p.example:3128";',
        'Acquire::https::proxy "DIRECT";',
        'Acquire::http::Proxy::near.example "DIRECT";',
      ].join("\n"),
    ),
  ).toEqual({ http: "http://p.example:3128", https: "DIRECT", none: "near.example" });
});
