import type { SpiceAddress } from "./control.ts";

/**
 * The text of a .vv file, which remote-viewer opens (an ini file, section [virt-viewer]). Without a password: the
 * viewer asks for it, and a downloaded file stays harmless.
 */
export function connectionFile(spice: SpiceAddress): string {
  return [
    "[virt-viewer]",
    "type=spice",
    `host=${spice.host}`,
    `port=${spice.port}`,
    "title=spicetab",
    "delete-this-file=0",
    "",
  ].join("\n");
}
