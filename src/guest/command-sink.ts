/** Where the pre-driver screen puts its drawing commands: the same stream, in the same order, as the QXL device's. */
import type { DataSpan, RedCommand } from "../protocol/red-command.ts";

export interface RedCommandSink {
  /** False while the red worker owes too much credit: draw nothing new, changes add up in the frame buffer. */
  readonly creditAvailable: boolean;
  /** Copies `bytes` into the current batch. The span belongs to the next {@link push}. */
  span(bytes: Uint8Array): DataSpan;
  push(command: RedCommand): void;
  /** Sends the batch now instead of at the end of the tick. */
  flush(): void;
}
