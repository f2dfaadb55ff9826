import { expect, test } from "vitest";
import { eventually } from "../waiting.testing.ts";
import { TestGuestThread } from "./guest-thread.testing.ts";
import { HostStore } from "./host-store.ts";
import { KeyboardChoice } from "./keyboard-choice.ts";
import { KEYBOARD_TRIES } from "./limits.ts";

function setUp(level: string) {
  const store = new HostStore();
  const guest = new TestGuestThread();
  const pauses: (() => void)[] = [];
  const choice = new KeyboardChoice(
    store,
    () => guest.dispatcher,
    () => new Promise<void>((resolve) => pauses.push(resolve)),
  );
  store.update({ level, phase: "running" });
  return { store, guest, pauses, choice, [Symbol.dispose]: () => guest[Symbol.dispose]() };
}

test("the server's start asks for a layout; a name that is none counts as the one that all have", () => {
  using host = setUp("desktop");
  host.choice.configure("de");
  expect(host.store.state.keyboard.wanted).toBe("de");
  host.choice.configure("klingon");
  expect(host.store.state.keyboard.wanted).toBe("us");
});

test("a desktop is told once; its marker says what it has", async () => {
  using host = setUp("desktop");
  await host.choice.choose("de");
  expect(host.guest.names).toEqual(["serialSend"]);
  expect(host.store.state.keyboard).toMatchObject({ wanted: "de", layout: "us" });
  expect([host.choice.marker("keyboard-de"), host.choice.marker("ready")]).toEqual([true, false]);
  expect(host.store.state.keyboard.layout).toBe("de");
  await expect(host.choice.choose("klingon")).rejects.toThrow();
  expect(host.guest.names).toHaveLength(1);
});

test("a console is told again until it has the layout, a few times at most", async () => {
  using host = setUp("console");
  const { pauses, guest, choice } = host;
  const chosen = choice.choose("de");
  for (let tries = 1; tries <= 2; tries++) {
    await eventually(() => pauses.length === tries);
    if (tries === 2) choice.marker("keyboard-de");
    pauses[tries - 1]();
  }
  await chosen;
  expect(guest.names).toHaveLength(2);

  const deaf = choice.choose("fr");
  for (let tries = 1; tries <= KEYBOARD_TRIES; tries++) {
    await eventually(() => pauses.length === 2 + tries);
    pauses[1 + tries]();
  }
  await deaf;
  expect(guest.names).toHaveLength(2 + KEYBOARD_TRIES);
});

test("a machine that stops, or another choice, ends the telling", async () => {
  using host = setUp("console");
  const { pauses, guest, choice, store } = host;
  const first = choice.choose("de");
  await eventually(() => pauses.length === 1);
  store.setKeyboard({ wanted: "fr" });
  pauses[0]();
  await first;
  expect(guest.names).toHaveLength(1);
  store.update({ phase: "paused" });
  await choice.apply();
  expect(guest.names).toHaveLength(1);
});

test("a guest that has just booted has the common layout, and is told of another one only", async () => {
  using host = setUp("desktop");
  host.store.setKeyboard({ layout: "de", wanted: "us" });
  host.choice.booted();
  expect(host.store.state.keyboard.layout).toBe("us");
  expect(host.guest.names).toEqual([]);
  host.store.setKeyboard({ wanted: "fr" });
  host.choice.booted();
  await eventually(() => host.guest.names.length === 1);
});
