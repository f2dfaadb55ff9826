import { DEFAULT_LAYOUT, LAYOUT_NAMES } from "../../keyboard/index.ts";
import type { KeyboardMode } from "../../keyboard/index.ts";
import { readSetting, writeSetting } from "./settings.ts";

const LAYOUT = "spicetab.keyboard";
const HANDS = "spicetab.hands";

/** The layout that was chosen; `asked` is the one of `--keyboard`, which counts until somebody chooses another against it. */
export function readLayoutSetting(asked: string | undefined): string {
  const { layout, against } = readSetting(LAYOUT);
  const counts = against === (asked ?? null) && LAYOUT_NAMES.includes(String(layout));
  if (counts) return String(layout);
  return asked !== undefined && LAYOUT_NAMES.includes(asked) ? asked : DEFAULT_LAYOUT;
}

export function writeLayoutSetting(layout: string, asked: string | undefined): void {
  writeSetting(LAYOUT, { layout, against: asked ?? null });
}

/**
 * What the guest's screen and its picture do about the room on the page. "follow": the guest's screen takes the room's size; "fill": it
 * keeps its own, and the picture is made as large as the room allows; "own": the picture has its own size where there is room.
 */
export type ScreenSizing = "follow" | "fill" | "own";

/** What else a person chose for the tab's own screen. */
export interface HandsSetting {
  readonly mode: KeyboardMode;
  readonly sizing: ScreenSizing;
}

export function readHandsSetting(): HandsSetting {
  const { mode, sizing } = readSetting(HANDS);
  return {
    mode: mode === "positions" ? "positions" : "characters",
    sizing: sizing === "fill" || sizing === "own" ? sizing : "follow",
  };
}

export function writeHandsSetting(setting: HandsSetting): void {
  writeSetting(HANDS, { ...setting });
}
