import * as fc from "fast-check";
import { expect, test } from "vitest";
import { applyMarker, coldBootSteps, enterStep, failStep, finishSteps, isBooting } from "./boot-steps.ts";
import { connectionFile, remoteViewerCommand, spiceUris } from "./join.ts";
import { chord, scancodes } from "../keyboard/index.ts";
import { pageConfig } from "./config.ts";
import { passwordEndWords, ticketConfig } from "./password-end.ts";
import { withRefusal } from "./relay-state.ts";
import { fitScreen, guestPoint } from "./screen-fit.ts";

const join = {
  relay: "connected" as const,
  spice: [{ host: "127.0.0.1", port: 5900 }],
  webSocketUrl: "",
  password: "",
};

test("a boot goes forward only, whatever order markers arrive in", () => {
  const order = ["waiting", "active", "failed", "done"];
  const markers = ["init", "modules", "udev", "x", "wm", "apps", "late", "nonsense"];
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...markers)), (sequence) => {
      let steps = coldBootSteps("desktop");
      for (const marker of sequence) {
        const next = applyMarker(steps, marker);
        for (const [i, step] of next.entries()) {
          expect(order.indexOf(step.state)).toBeGreaterThanOrEqual(order.indexOf(steps[i].state));
        }
        expect(next.filter(({ state }) => state === "active").length).toBeLessThanOrEqual(1);
        steps = next;
      }
      expect(isBooting(applyMarker(steps, "ready"))).toBe(false);
    }),
  );
});

test("those who were not let in are shown by host, newest first, a few of them", () => {
  const peer = (host: string) => ({ transport: "tcp", address: `${host}:5`, secure: false });
  let shown = withRefusal([], { peer: peer("a"), code: "PASSWORD_WRONG", failures: 1, delayMs: 0 }, 1);
  shown = withRefusal(shown, { peer: peer("b"), code: "PASSWORD_EXPIRED" }, 2);
  shown = withRefusal(shown, { peer: peer("a"), code: "PASSWORD_WRONG", failures: 5, delayMs: 2_000 }, 3);
  expect(shown).toEqual([
    { host: "a", words: "wrong password, 5 in a row, each answered 2.0 s late", at: 3 },
    { host: "b", words: "the password's time is over", at: 2 },
  ]);
  for (let i = 0; i < 100; i++)
    shown = withRefusal(shown, { peer: peer(`${i}`), code: "PASSWORD_EXPIRED" }, i);
  expect(shown.map(({ host }) => host)).toEqual(["99", "98", "97"]);
});

test("core is told of the password's end by this computer's clock, whatever the server's says", () => {
  const answer = {
    version: "1",
    guest: "console",
    guestBaseUrl: "",
    password: "pw",
    spice: [],
    webSocketUrl: "",
  };
  expect(ticketConfig(pageConfig({ ...answer, passwordValidForMs: 2_000 }, 5_000))).toEqual({
    password: "pw",
    passwordValidUntil: 7_000,
  });
  // Over is over, also when the host's clock is far behind.
  expect(ticketConfig(pageConfig({ ...answer, passwordValidForMs: 0 }, 5_000)).passwordValidUntil).toBe(
    5_000,
  );
  expect(ticketConfig(pageConfig(answer, 5_000))).toEqual({ password: "pw", passwordValidUntil: undefined });
  expect(ticketConfig(undefined)).toEqual({ password: "", passwordValidUntil: undefined });
});

test("the page says until when the password is good, and afterwards that it is not", () => {
  const end = Date.now() + 86_400_000;
  expect(passwordEndWords(end, end - 1)).toMatch(/^until .*\d/);
  expect(passwordEndWords(end, end)).toMatch(/^ended .*\d.*lets nobody in/);
});

test("a failed boot names the step it failed in", () => {
  const steps = failStep(enterStep(coldBootSteps("console"), "kernel"));
  expect(steps.map(({ state }) => state)).toEqual(["done", "done", "failed", "waiting"]);
  expect(isBooting(finishSteps(steps))).toBe(false);
});

test("scancodes: a release is the press with bit 7 set, prefixes kept; every sequence is one of a PC keyboard", () => {
  for (const code of ["KeyA", "Enter", "ArrowUp", "ControlRight", "NumpadEnter", "IntlBackslash"]) {
    const down = scancodes(code, true);
    const up = scancodes(code, false);
    expect(up).toEqual([...down.slice(0, -1), down[down.length - 1] | 0x80]);
  }
  expect(scancodes("KeyA", true)).toEqual([0x1e]);
  expect(scancodes("ArrowUp", true)).toEqual([0xe0, 0x48]);
  expect(scancodes("BrowserBack", true)).toEqual([0xe0, 0x6a]);
  expect(scancodes("Power", true)).toEqual([]);
  expect(scancodes("toString", true)).toEqual([]);
  expect(chord("ControlLeft", "AltLeft", "Delete")).toEqual([0x1d, 0x38, 0xe0, 0x53, 0xe0, 0xd3, 0xb8, 0x9d]);
});

test("the picture is exact where it fits and never leaves its room", () => {
  expect(fitScreen({ width: 1024, height: 768 }, { width: 1600, height: 900 }, 1)).toEqual({
    width: 1024,
    height: 768,
    scale: 1,
  });
  expect(fitScreen({ width: 1024, height: 768 }, { width: 1600, height: 900 }, 2).scale).toBe(1);
  // Half the size would be sharp on a dense screen, but too small for the room.
  expect(fitScreen({ width: 1024, height: 768 }, { width: 1000, height: 900 }, 2).width).toBeCloseTo(1000);
  expect(fitScreen({ width: 1024, height: 768 }, { width: 520, height: 900 }, 2).scale).toBe(0.5);
  expect(fitScreen({ width: 1024, height: 768 }, { width: 512, height: 900 }, 1).width).toBe(512);
  const size = fc.record({
    width: fc.integer({ min: 0, max: 4000 }),
    height: fc.integer({ min: 0, max: 4000 }),
  });
  fc.assert(
    fc.property(size, size, fc.constantFrom(1, 1.25, 1.5, 2, 3), (guest, room, ratio) => {
      const fit = fitScreen(guest, room, ratio);
      expect(fit.width).toBeLessThanOrEqual(room.width + 1e-6);
      expect(fit.height).toBeLessThanOrEqual(room.height + 1e-6);
      expect(fit.scale).toBeLessThanOrEqual(1);
    }),
  );
});

test("the pointer stays on the guest's picture, and its corners are the corners", () => {
  const shown = { width: 512, height: 384 };
  const guest = { width: 1024, height: 768 };
  expect(guestPoint({ x: 0, y: 0 }, shown, guest)).toEqual({ x: 0, y: 0 });
  expect(guestPoint({ x: 511.9, y: 383.9 }, shown, guest)).toEqual({ x: 1023, y: 767 });
  expect(guestPoint({ x: -5, y: 9999 }, shown, guest)).toEqual({ x: 0, y: 767 });
});

test("links name the listener; only the downloaded file holds the password", () => {
  expect(spiceUris(join)).toEqual(["spice://127.0.0.1:5900"]);
  expect(spiceUris({ ...join, spice: [...join.spice, { host: "::1", port: 5901 }] })).toEqual([
    "spice://127.0.0.1:5900",
    "spice://[::1]:5901",
  ]);
  expect(spiceUris({ ...join, spice: [] })).toEqual([]);
  expect(remoteViewerCommand("spice://127.0.0.1:5900")).toBe("remote-viewer spice://127.0.0.1:5900");
  expect(connectionFile({ ...join, password: "pw" })).toContain("\npassword=pw\n");
  expect(connectionFile(join)).not.toContain("password");
});
