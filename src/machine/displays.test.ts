import { expect, test } from "vitest";
import type { ClientHead } from "../dispatch/messages.ts";
import { offerHeads, placeInRow, placeOnHead } from "./displays.ts";
import { DISPLAY_PITCH_PIXELS } from "./limits.ts";

const head = (width: number, height: number, x = 0): ClientHead => ({ x, y: 0, width, height, depth: 32 });

/** A device that notes what it is offered; the driver listens or not. */
const device = (listens = true) => {
  const offers: (readonly unknown[])[] = [];
  const clientMonitorsConfig = (heads: readonly unknown[]): boolean => {
    if (listens && heads.length > 0) offers.push(heads);
    return listens;
  };
  return { offers, clientMonitorsConfig };
};

test("one device is offered all heads that are on", () => {
  const one = device();
  expect(offerHeads([one], [head(800, 600), head(0, 0), head(640, 480, 800)])).toBe(true);
  expect(one.offers).toEqual([[head(800, 600), head(640, 480, 800)]]);
});

test("of several devices each is offered its own head, which begins at its own corner", () => {
  const [first, second] = [device(), device()];
  expect(offerHeads([first, second], [head(800, 600), head(640, 480, 800), head(320, 200, 1440)])).toBe(true);
  expect([first.offers, second.offers]).toEqual([[[head(800, 600)]], [[head(640, 480)]]]);
});

test("a device whose head is off, or was not named, is left as it is", () => {
  const devices = [device(), device(), device()];
  expect(offerHeads(devices, [head(0, 0), head(640, 480)])).toBe(true);
  expect(devices.map(({ offers }) => offers)).toEqual([[], [[head(640, 480)]], []]);
  // Nothing at all is only a question.
  expect(offerHeads(devices, [])).toBe(true);
  expect(devices.map(({ offers }) => offers.length)).toEqual([0, 1, 0]);
});

test("if one of the drivers does not listen, none is told: the agent is to set all of them", () => {
  const devices = [device(), device(false)];
  expect(offerHeads(devices, [head(800, 600), head(640, 480)])).toBe(false);
  expect(devices[0].offers).toEqual([]);
  // One that nothing is wanted of does not matter.
  expect(offerHeads(devices, [head(800, 600)])).toBe(true);
});

test("a display does not reach into the next one's place", () => {
  const devices = [device(), device()];
  offerHeads(devices, [head(4096, 600), head(640, 480)]);
  expect(devices[0].offers).toEqual([[head(DISPLAY_PITCH_PIXELS, 600)]]);
});

test("a client's pixel on a head lies where the head is on the primary", () => {
  const red = { surfaceId: 0, y: 0, width: 800, height: 600, flags: 0 };
  const heads = [
    { ...red, id: 0, x: 0 },
    { ...red, id: 1, x: 800, y: 20 },
  ];
  const primary = { width: 1600, height: 620 };
  expect(placeOnHead(heads, primary, { x: 5, y: 6 }, 0)).toEqual({ x: 5, y: 6, ...primary });
  expect(placeOnHead(heads, primary, { x: 5, y: 6 }, 1)).toEqual({ x: 805, y: 26, ...primary });
  // Before the driver has said of heads there is the primary.
  expect(placeOnHead([], primary, { x: 5, y: 6 }, 0)).toEqual({ x: 5, y: 6, ...primary });
});

test("the tablet spans displays in a row from the first to the last that has a picture", () => {
  const devices = [
    { primarySize: { width: 1024, height: 768 } },
    { primarySize: { width: 800, height: 900 } },
    { primarySize: undefined },
  ];
  const size = { width: DISPLAY_PITCH_PIXELS + 800, height: 900 };
  expect(placeInRow(devices, { x: 7, y: 8 }, 0)).toEqual({ x: 7, y: 8, ...size });
  expect(placeInRow(devices, { x: 7, y: 8 }, 1)).toEqual({ x: DISPLAY_PITCH_PIXELS + 7, y: 8, ...size });
});
