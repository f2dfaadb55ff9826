import { expect, test } from "vitest";
import { MouseMode } from "../protocol/index.ts";
import { MouseModes } from "./mouse-mode.ts";

test("positions need a device in the guest that takes them", () => {
  const mouse = new MouseModes();
  expect(mouse.clientAllowed).toBe(false);
  mouse.request(MouseMode.Client);
  expect(mouse.current).toBe(MouseMode.Server);
  mouse.setTablet(true);
  mouse.request(MouseMode.Client);
  expect([mouse.current, mouse.usesTablet]).toEqual([MouseMode.Client, true]);
  mouse.setTablet(false);
  expect([mouse.current, mouse.usesTablet]).toEqual([MouseMode.Server, false]);
});

test("with several devices a tablet that reaches one of them does not count, and the agent does", () => {
  const mouse = new MouseModes();
  let changes = 0;
  mouse.onChange = () => changes++;
  mouse.setTablet(true);
  mouse.request(MouseMode.Client);
  changes = 0;
  mouse.setDisplays(2);
  expect([mouse.current, mouse.supported, changes]).toEqual([MouseMode.Server, MouseMode.Server, 1]);
  mouse.setAgent(true);
  expect([mouse.clientAllowed, mouse.usesTablet]).toEqual([true, false]);
  mouse.setAgent(false);
  // The guest has said where its displays lie.
  mouse.setTablet(true, 2);
  expect([mouse.clientAllowed, mouse.usesTablet]).toEqual([true, true]);
  mouse.setDisplays(3);
  expect(mouse.clientAllowed).toBe(false);
});

test("of several primaries that of the first device decides, as long as there is one", () => {
  const mouse = new MouseModes();
  mouse.setTablet(true, 2);
  mouse.setDisplays(2);
  mouse.setPrimary({ mouseMode: 0 }, 1);
  expect(mouse.clientAllowed).toBe(false);
  mouse.setPrimary({ mouseMode: 1 }, 0);
  expect(mouse.clientAllowed).toBe(true);
  mouse.setPrimary(undefined, 0);
  expect(mouse.clientAllowed).toBe(false);
  mouse.setPrimary(undefined, 1);
  expect(mouse.clientAllowed).toBe(true);
});
