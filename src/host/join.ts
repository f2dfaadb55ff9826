/** Ways for a person to take another program to this machine. */
import * as formats from "../formats/index.ts";
import type { JoinState } from "./state.ts";

/** spice://host:port for each address that works; none while no listener is known. Never with the password: links get copied around. */
export function spiceUris(join: JoinState): string[] {
  return join.spice.map(({ host, port }) => formats.spiceUrl(host, port));
}

/** The line for a terminal. */
export function remoteViewerCommand(uri: string): string {
  return formats.shellCommand("remote-viewer", uri);
}

/** A .vv file with the password when there is one: it is made in the page and lands only in this person's downloads. */
export function connectionFile({ spice: [address], password }: JoinState): string | undefined {
  return address && formats.connectionFile({ ...address, password });
}
