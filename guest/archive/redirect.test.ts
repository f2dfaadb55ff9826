import { expect, test } from "vitest";
import { RedirectError, redirectTarget } from "./redirect.ts";

const follow = (location: string, start = "http://mirror.example/debian/x", from = start) =>
  redirectTarget(new URL(start), new URL(from), location).href;

test.each([
  ["/other", "http://mirror.example/other"],
  ["http://near.example/debian/x", "http://near.example/debian/x"],
  ["https://near.example/x", "https://near.example/x"],
  ["http://192.168.1.5/x", "http://192.168.1.5/x"],
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
  "http://[",
])("%s is not followed", (location) => {
  expect(() => follow(location)).toThrow(RedirectError);
});

test("https never leads to http, also by a detour", () => {
  expect(() => follow("http://near.example/x", "https://mirror.example/x")).toThrow(/from https/);
  expect(() => follow("http://b.example/", "http://mirror.example/", "https://a.example/")).toThrow(
    /from https/,
  );
});

test("a mirror on this machine may redirect to this machine", () => {
  expect(follow("http://127.0.0.1:81/x", "http://localhost:80/x")).toBe("http://127.0.0.1:81/x");
});
