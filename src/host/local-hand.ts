import type { Dispatcher } from "../dispatch/index.ts";
import type { HostControlMessages } from "../server/host-control.ts";
import type { LocalHand } from "./host-api.ts";

/** The hand of this page's person, whose input goes the way of a client's: through core. While there is no core, it goes nowhere. */
export const localHand = (
  core: () => Pick<Dispatcher<HostControlMessages>, "send"> | undefined,
): LocalHand => ({
  keys: (bytes) => {
    if (bytes.length > 0) core()?.send("keyScancodes", { bytes });
  },
  moveTo: (x, y, dz, buttons, displayId = 0) =>
    core()?.send("mousePosition", { x, y, dz, buttons, ...(displayId > 0 && { displayId }) }),
  moveBy: (dx, dy, dz, buttons) => core()?.send("mouseMotion", { dx, dy, dz, buttons }),
});
