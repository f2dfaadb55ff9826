import { expect, test } from "vitest";
import { localHand } from "./local-hand.ts";

test("input goes to core as it is; no keys are no message, and without a core it goes nowhere", () => {
  const sent: [string, unknown][] = [];
  let isThere = false;
  const core = { send: (type: string, message: unknown) => void sent.push([type, message]) };
  const hand = localHand(() => (isThere ? core : undefined));
  hand.keys([0x1e]);
  expect(sent).toEqual([]);
  isThere = true;
  hand.keys([]);
  hand.keys([0x1e, 0x9e]);
  hand.moveBy(1, -2, 0, 4);
  hand.moveTo(3, 4, 1, 0);
  hand.moveTo(5, 6, 0, 1, 2);
  expect(sent).toEqual([
    ["keyScancodes", { bytes: [0x1e, 0x9e] }],
    ["mouseMotion", { dx: 1, dy: -2, dz: 0, buttons: 4 }],
    ["mousePosition", { x: 3, y: 4, dz: 1, buttons: 0 }],
    ["mousePosition", { x: 5, y: 6, dz: 0, buttons: 1, displayId: 2 }],
  ]);
});
