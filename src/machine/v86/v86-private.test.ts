import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { expect, test } from "vitest";
import { V86SurfaceError } from "../errors.ts";
import { makeBareMachine } from "../machine.testing.ts";
import { assertPrivateMembers, PRIVATE_MEMBERS, V86_VERSION } from "./v86-private.ts";

test("the installed v86 is the pinned one and has every private member", async () => {
  const manifest = createRequire(import.meta.url).resolve("v86/package.json");
  const { version } = JSON.parse(readFileSync(manifest, "utf8")) as { version: string };
  expect(version.split("+")[0]).toBe(V86_VERSION);
  // Machine.create asserts the table.
  await using machine = await makeBareMachine();
  expect(machine.emulator.v86.running).toBe(false);
});

test("a missing member is named, with the pinned version", async () => {
  await using machine = await makeBareMachine();
  const changed = Object.create(machine.emulator.v86.cpu.devices.ps2) as object;
  Object.defineProperty(changed, "next_read_led", { value: undefined });
  machine.emulator.v86.cpu.devices.ps2 = changed as typeof machine.emulator.v86.cpu.devices.ps2;
  const check = () => assertPrivateMembers(machine.emulator);
  expect(check).toThrow(V86SurfaceError);
  expect(check).toThrow(
    /v86\.cpu\.devices\.ps2\.next_read_led should be of kind boolean but is undefined.*0\.5\.462/,
  );
});

test("each member is listed once, with a reason", () => {
  const paths = PRIVATE_MEMBERS.map(({ path }) => path);
  expect(new Set(paths).size).toBe(paths.length);
  for (const { why } of PRIVATE_MEMBERS) expect(why).not.toBe("");
});
