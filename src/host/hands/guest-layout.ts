import type { KeyboardLayout } from "../../keyboard/index.ts";

/** Marker of the guest (src/machine/devices/serial-log.ts) that says which layout is in force. */
const MARKER = /^keyboard-([a-z]+)$/;

/** The layout that a marker names; undefined: it is another marker. */
export const layoutOfMarker = (name: string): string | undefined => MARKER.exec(name)?.[1];

/**
 * A line for the root shell on the guest's serial port: sets the layout in X unless it is set, and says which one is in force. Running
 * setxkbmap takes an emulated guest a second, so it is not run for nothing.
 */
export function layoutCommand({ name, xkb }: KeyboardLayout): string {
  const option = xkb.includes(",") ? " -option grp:switch" : "";
  return [
    `[ "$(cat /run/spicetab.keyboard 2>/dev/null || echo us)" = ${name} ] ||`,
    `{ DISPLAY=:0 setxkbmap -layout ${xkb} -option ''${option} && echo ${name} >/run/spicetab.keyboard; };`,
    // The shell echoes what it reads: the marker must not be in it.
    `echo "GU""EST keyboard-$(cat /run/spicetab.keyboard 2>/dev/null || echo us)"\n`,
  ].join(" ");
}
