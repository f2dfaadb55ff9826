/** Ways for a person to take another program to this machine. */
import type { JoinState } from "./state.ts";

/** spice://host:port, or undefined while no listener is known. Never holds the password: links get copied around. */
export function spiceUri(join: JoinState): string | undefined {
  const [address] = join.spice;
  if (address === undefined) return undefined;
  const host = address.host.includes(":") ? `[${address.host}]` : address.host;
  return `spice://${host}:${address.port}`;
}

/** The line for a terminal. */
export function remoteViewerCommand(join: JoinState): string | undefined {
  const uri = spiceUri(join);
  return uri === undefined ? undefined : `remote-viewer ${uri}`;
}

/**
 * A .vv file (ini, section [virt-viewer]), with the password when there is one: it is made in the page and lands only
 * in this person's downloads. remote-viewer deletes such a file after reading it.
 */
export function connectionFile(join: JoinState): string | undefined {
  const [address] = join.spice;
  if (address === undefined) return undefined;
  const secret = join.password === "" ? [] : [`password=${join.password}`];
  return [
    "[virt-viewer]",
    "type=spice",
    `host=${address.host}`,
    `port=${address.port}`,
    ...secret,
    "title=spicetab",
    `delete-this-file=${secret.length}`,
    "",
  ].join("\n");
}
