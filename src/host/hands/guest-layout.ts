import { loadKeymapLines } from "./console-keymap.ts";
import type { KeyboardLayout } from "../../keyboard/index.ts";

/** Marker of the guest (src/machine/devices/serial-log.ts) that says which layout is in force. */
const MARKER = /^keyboard-([a-z]+)$/;

/** The layout that a marker names; undefined: it is another marker. */
export const layoutOfMarker = (name: string): string | undefined => MARKER.exec(name)?.[1];

/** Where the guest's shell notes which layout it has. */
const NAMED = "/run/spicetab.keyboard";

/**
 * Lines for the root shell on the guest's serial port: they set the layout, in X or in the kernel's console, unless it is set, and say
 * which one is in force. Running setxkbmap takes an emulated guest a second, so it is not run for nothing.
 */
export function layoutCommand(layout: KeyboardLayout, level: string): string {
  const { name, xkb } = layout;
  const option = xkb.includes(",") ? " -option grp:switch" : "";
  const set =
    level === "desktop"
      ? [`DISPLAY=:0 setxkbmap -layout ${xkb} -option ''${option} && echo ${name} >${NAMED}`]
      : loadKeymapLines(layout, NAMED);
  return [
    `k="$(cat ${NAMED} 2>/dev/null || echo us)"`,
    ...set.map((line) => `[ "$k" = ${name} ] || { ${line}; }`),
    // The shell echoes what it reads: the marker must not be in it.
    `echo "GU""EST keyboard-$(cat ${NAMED} 2>/dev/null || echo us)"\n`,
  ].join("\n");
}
