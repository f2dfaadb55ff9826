import { expect, test } from "vitest";
import type { AdmissionSources } from "./admission.ts";
import { Admission } from "./admission.ts";
import type { PageConfig } from "./config.ts";
import { SecretRefused, ServerUnavailable } from "./config.ts";
import { HostStore } from "./host-store.ts";

const CONFIG: PageConfig = {
  version: "1",
  guest: "console",
  guestBaseUrl: "guest/",
  password: "open sesame",
  spice: [{ host: "127.0.0.1", port: 5900 }],
  webSocketUrl: "ws://127.0.0.1/spice",
};
const HEALTH = { hosting: true, spice: CONFIG.spice, webSocketUrl: CONFIG.webSocketUrl };

/** A server that takes one secret, and answers as told else. */
function setUp(change: Partial<AdmissionSources> = {}) {
  const store = new HostStore();
  const asked: string[] = [];
  const kept: string[] = [];
  const seen = { comeBacks: 0 };
  const admission = new Admission(store, {
    fetchConfig: async (secret) => {
      asked.push(secret);
      if (secret !== "good") throw new SecretRefused("no");
      return CONFIG;
    },
    fetchHealth: async () => HEALTH,
    secretsToTry: () => ["old", "good"],
    keepSecret: (secret) => kept.push(secret),
    comeBack: () => void seen.comeBacks++,
    ...change,
  });
  return { store, admission, asked, kept, seen };
}

test("secrets are tried in turn; the one that the server takes is kept, and its configuration shown", async () => {
  const { store, admission, asked, kept } = setUp();
  expect(await admission.enter(admission.secretsToTry())).toBe(true);
  expect([asked, kept, admission.secret]).toEqual([["old", "good"], ["good"], "good"]);
  expect(admission.config).toBe(CONFIG);
  expect(store.state).toMatchObject({
    level: "console",
    version: "1",
    secretRefused: false,
    join: { password: "open sesame", webSocketUrl: CONFIG.webSocketUrl },
  });
});

test("who knows none of them is asked for it, and told how to join, without the password", async () => {
  const { store, admission, kept } = setUp();
  expect(await admission.enter(["old", "older"])).toBe(false);
  expect(store.state).toMatchObject({
    phase: "locked",
    secretRefused: true,
    join: { relay: "connected", spice: CONFIG.spice, password: "" },
  });
  expect([kept, admission.config]).toEqual([[], undefined]);
});

test("nobody hosts, or nobody answers: how to join is told as far as it is known", async () => {
  const vacant = setUp({ fetchHealth: async () => ({ ...HEALTH, hosting: false }) });
  await vacant.admission.enter([]);
  expect(vacant.store.state.join.relay).toBe("vacant");
  const silent = setUp({ fetchHealth: () => Promise.reject(new Error("no answer")) });
  await silent.admission.enter([]);
  expect(silent.store.state).toMatchObject({ phase: "locked", join: { webSocketUrl: "" } });
});

test("a server that is away is waited for, one that is wrong is told of; neither is asked with another secret", async () => {
  let asked = 0;
  const away = setUp({
    fetchConfig: () => {
      asked++;
      return Promise.reject(new ServerUnavailable("the server does not answer"));
    },
  });
  expect(await away.admission.enter(["a", "b"])).toBe(false);
  expect([asked, away.seen.comeBacks]).toEqual([1, 1]);
  expect(away.store.state).toMatchObject({
    phase: "failed",
    problem: { title: "The server of this page is not there" },
  });
  const wrong = setUp({ fetchConfig: () => Promise.reject(new Error("it answers 500")) });
  await wrong.admission.enter(["a"]);
  expect(wrong.store.state.problem).toMatchObject({ detail: "it answers 500" });
  expect(wrong.seen.comeBacks).toBe(0);
});

test("beside a machine that runs, a server that is away changes nothing, and a wrong secret only asks for another", async () => {
  const away = setUp({ fetchConfig: () => Promise.reject(new ServerUnavailable("away")) });
  away.store.update({ phase: "running" });
  expect(await away.admission.unlock("good", () => true)).toBe(false);
  expect([away.store.state.phase, away.store.state.problem, away.seen.comeBacks]).toEqual([
    "running",
    undefined,
    0,
  ]);
  const { store, admission } = setUp();
  store.update({ phase: "running" });
  expect(await admission.unlock("bad", () => true)).toBe(false);
  expect(store.state).toMatchObject({ phase: "running", secretRefused: true });
});
