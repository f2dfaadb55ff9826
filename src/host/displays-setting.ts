import { MAX_DISPLAYS } from "../protocol/limits.ts";
import { readSetting, writeSetting } from "./hands/settings.ts";

const DISPLAYS = "spicetab.displays";

const isNumber = (value: unknown): value is number =>
  Number.isInteger(value) && (value as number) >= 1 && (value as number) <= MAX_DISPLAYS;

/** How many displays were chosen; `asked` is the number of `--displays`, which counts until somebody chooses another against it. */
export function readDisplaysSetting(asked: number | undefined): number {
  const { displays, against } = readSetting(DISPLAYS);
  if (against === (asked ?? null) && isNumber(displays)) return displays;
  return isNumber(asked) ? asked : 1;
}

export function writeDisplaysSetting(displays: number, asked: number | undefined): void {
  writeSetting(DISPLAYS, { displays, against: asked ?? null });
}
