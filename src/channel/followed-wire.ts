import type { LinkMess } from "../protocol/index.ts";
import { CommonCap, hasCap } from "../protocol/index.ts";
import type { ChannelCheckpoint } from "./channel-tracker.ts";
import { ChannelTracker } from "./channel-tracker.ts";
import { WIRE_HELD_BYTES } from "./limits.ts";
import { LinkWatch } from "./link-watch.ts";
import { WholeMessages } from "./whole-messages.ts";

/** What another server needs to go on with a connection whose own server is gone. */
export interface WireCheckpoint extends ChannelCheckpoint {
  /** Of the client, as it linked; its connection id is that of the session, for main as well. */
  readonly link: LinkMess;
  readonly miniHeader: boolean;
}

/**
 * A client's wire at somebody who only passes its bytes on: which channel it is, how far it has come, and no message to the client begun
 * that is not there to its end. So the connection can go on with another server at any moment.
 */
export class FollowedWire {
  readonly #watch = new LinkWatch((link, linkStage) => {
    const miniHeader = hasCap(link.commonCaps, CommonCap.MiniHeader);
    this.#link = { link, miniHeader };
    // What the server says behind its answer is the channel's, and comes to the tracker as that.
    this.#tracker.begin(link.channelType, miniHeader, { read: linkStage.read, written: 0 });
    this.#messages = new WholeMessages(miniHeader, WIRE_HELD_BYTES);
  });
  readonly #tracker = new ChannelTracker();
  #link: { link: LinkMess; miniHeader: boolean } | undefined;
  #messages: WholeMessages | undefined;

  /** The server let the client in. */
  get linked(): boolean {
    return this.#link !== undefined;
  }

  /** From the client; all of it may be passed on. */
  received(bytes: Uint8Array): void {
    this.#watch.received(bytes);
    this.#tracker.received(bytes);
  }

  /** To the client. @returns what is to be passed on now; the rest follows when its message is whole */
  sent(bytes: Uint8Array): readonly Uint8Array[] {
    const channel = this.#watch.sent(bytes);
    const link = bytes.subarray(0, bytes.length - channel.length);
    if (this.#messages === undefined) return [bytes];
    this.#tracker.sent(channel);
    const whole = this.#messages.push(channel);
    return link.length > 0 ? [link, ...whole] : whole;
  }

  /** The server has ended the connection in order. @returns what is still to be passed on */
  finish(): readonly Uint8Array[] {
    return this.#messages?.flush() ?? [];
  }

  /** The server is gone: what it had begun to say is forgotten. @returns undefined if the client has the half of a message, or no channel */
  checkpoint(): WireCheckpoint | undefined {
    if (this.#link === undefined || this.#messages?.drop() !== true) return undefined;
    this.#tracker.forgetUnfinished();
    const checkpoint = this.#tracker.checkpoint();
    if (checkpoint === undefined) return undefined;
    const { link, miniHeader } = this.#link;
    const connectionId = this.#tracker.sessionId ?? link.connectionId;
    if (connectionId === 0) return undefined;
    return { ...checkpoint, link: { ...link, connectionId }, miniHeader };
  }
}
