import { expect, test } from "vitest";
import { Nearness } from "./nearness.ts";
import { RedirectError, redirectTarget } from "./redirect.ts";

const follow = (
  location: string,
  from = "http://mirror.example/debian/x",
  nearest: Nearness = Nearness.Public,
) => redirectTarget(nearest, new URL(from), location).href;

test.each([
  ["/other", "http://mirror.example/other"],
  ["http://near.example/debian/x", "http://near.example/debian/x"],
  ["https://near.example/x", "https://near.example/x"],
  ["http://192.0.2.5/x", "http://192.0.2.5/x"],
])("%s is followed", (location, target) => {
  expect(follow(location)).toBe(target);
});

test.each([
  "file:///etc/passwd",
  "ftp://near.example/x",
  "data:text/plain,x",
  "http://user:secret@near.example/x",
  "http://localhost/x",
  "http://a.localhost./x",
  "http://127.0.0.1:8080/x",
  "http://127.1/x",
  "http://2130706433/x",
  "http://0x7f000001/x",
  "http://0.0.0.0/x",
  "http://169.254.169.254/latest/meta-data",
  "http://[::1]/x",
  "http://[::ffff:127.0.0.1]/x",
  "http://[fe80::1]/x",
  "http://10.1.2.3/x",
  "http://172.31.0.1/x",
  "http://192.168.1.5/x",
  "http://100.64.0.1/x",
  "http://[fd00::1]/x",
  "http://[::ffff:10.0.0.1]/x",
  "http://[",
])("%s is not followed", (location) => {
  expect(() => follow(location)).toThrow(RedirectError);
});

test("https never leads to http", () => {
  expect(() => follow("http://near.example/x", "https://mirror.example/x")).toThrow(/from https/);
});

test("a mirror on this machine may redirect to this machine, one in its network to that network", () => {
  const own = "http://127.0.0.1:81/x";
  const near = "http://192.168.1.5/x";
  expect(follow(own, "http://localhost/x", Nearness.Own)).toBe(own);
  expect(follow(near, "http://localhost/x", Nearness.Own)).toBe(near);
  expect(follow(near, "http://10.0.0.1/x", Nearness.Private)).toBe(near);
  expect(() => follow(own, "http://10.0.0.1/x", Nearness.Private)).toThrow(
    /to this machine \(127.0.0.1:81\).*--mirror/,
  );
});
