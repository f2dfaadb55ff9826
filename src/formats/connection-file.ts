import { UnrepresentableError } from "./errors.ts";
import { keyFileGroup } from "./key-file.ts";

/** What a viewer is told. */
export interface Connection {
  readonly host: string;
  readonly port: number;
  /** Leave it out, and the viewer asks for it: such a file stays harmless wherever it ends up. */
  readonly password?: string;
}

/** MIME type of a .vv file. */
export const CONNECTION_FILE_TYPE = "application/x-virt-viewer";

/**
 * The text of a .vv file, which remote-viewer opens (virt-viewer's own format: a key file with the group [virt-viewer]). With a password
 * in it, the viewer deletes the file once it has read it. A password that no such file can hold is left out.
 */
export function connectionFile({ host, port, password }: Connection): string {
  const common = [
    ["type", "spice"],
    ["host", host],
    ["port", port],
    ["title", "spicetab"],
  ] as const;
  if (password) {
    try {
      return keyFileGroup("virt-viewer", [...common, ["password", password], ["delete-this-file", 1]]);
    } catch (error) {
      if (!(error instanceof UnrepresentableError)) throw error;
    }
  }
  return keyFileGroup("virt-viewer", [...common, ["delete-this-file", 0]]);
}
