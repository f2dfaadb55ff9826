import * as fc from "fast-check";
import { afterEach, expect, test, vi } from "vitest";
import { SecretRefused, fetchConfig } from "./config.ts";
import { keepSecret, readSecret, secretsToTry } from "./secret.ts";

const RIGHT = "c2VjcmV0-of_this-start-1";

class MemoryStorage {
  readonly kept = new Map<string, string>();
  getItem = (key: string) => this.kept.get(key) ?? null;
  setItem = (key: string, value: string) => void this.kept.set(key, value);
}

/** A page at an address with that fragment, in a browser that has kept the right secret. */
function openPage(hash: string) {
  const [tab, browser] = [new MemoryStorage(), new MemoryStorage()];
  vi.stubGlobal("sessionStorage", tab);
  vi.stubGlobal("localStorage", browser);
  vi.stubGlobal("location", { hash: "", pathname: "/", search: "" });
  vi.stubGlobal("history", { state: null, replaceState: () => {} });
  keepSecret(RIGHT);
  tab.kept.clear();
  vi.stubGlobal("location", { hash, pathname: "/", search: "" });
  return { tab };
}

afterEach(() => {
  vi.unstubAllGlobals();
});

test("what is no secret in an address is not tried and not kept: any page may send a browser here with it", () => {
  const bad = [
    "%00",
    "%E2%80%A8",
    "%F0%9F%98%80",
    "short",
    "x".repeat(20_000),
    "a b c d e f g h i j k l m n",
  ];
  for (const text of bad) {
    const { tab } = openPage(`#secret=${text}`);
    expect(secretsToTry(), text).toEqual([RIGHT]);
    expect(tab.kept.size).toBe(0);
  }
});

test("a secret in the address comes before those that were kept, which still have their try", () => {
  const { tab } = openPage("#secret=another_start-of-the-server");
  expect(secretsToTry()).toEqual(["another_start-of-the-server", RIGHT]);
  expect([...tab.kept.values()]).toEqual(["another_start-of-the-server"]);
});

test("what no server has made is refused without asking one", async () => {
  const asked = vi.fn();
  vi.stubGlobal("fetch", asked);
  await fc.assert(
    fc.asyncProperty(
      fc.string({ unit: "binary" }).filter((text) => !/^[A-Za-z0-9_-]{22,200}$/.test(text)),
      async (text) => {
        await expect(fetchConfig(text)).rejects.toThrow(SecretRefused);
      },
    ),
  );
  expect(asked).not.toHaveBeenCalled();
});

test("a pasted secret is found in its address, and without the quotes of a letter", () => {
  for (const text of [
    RIGHT,
    ` ${RIGHT}\n`,
    `“${RIGHT}”`,
    `'${RIGHT}'`,
    `<http://127.0.0.1:8080/#secret=${RIGHT}>`,
  ])
    expect(readSecret(text), text).toBe(RIGHT);
});
