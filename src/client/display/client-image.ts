import type { RedImage } from "../../protocol/red-command.ts";

/** An image that can be drawn, with the bytes that its data span lies in; one that is a surface has none. */
export interface ClientImage {
  readonly image: RedImage;
  readonly bytes: Uint8Array;
}
