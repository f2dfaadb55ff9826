import { RedChannelClient } from "../channel/index.ts";
import type { MessageDef } from "../protocol/index.ts";
import { CORE_PIPE_LIMIT } from "./limits.ts";

/** Memory of a queued small message, roughly: what a pipe counts for it. */
const SMALL_MESSAGE = 64;

/** A channel client on core's own thread: everything goes out in order through the pipe, and who does not read is disconnected. */
export abstract class CoreChannelClient extends RedChannelClient {
  /** Sends a message when the client can take it. */
  protected enqueue<T>(definition: MessageDef<T>, value: T, bytes = SMALL_MESSAGE): void {
    if (this.pipe.length >= CORE_PIPE_LIMIT) {
      this.disconnect(`the client does not read: ${CORE_PIPE_LIMIT} messages wait for it`);
      return;
    }
    this.pipeAdd({ bytes, send: () => this.send(definition, value) });
  }
}
