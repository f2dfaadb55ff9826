import { ChannelType } from "../protocol/index.ts";
import type { Turns } from "../transport/index.ts";
import type { GuestHand } from "./guest-hand.ts";
import { InputsChannelClient } from "./inputs-channel-client.ts";
import type { AuthenticatedLink } from "./link.ts";
import type { RedChannel } from "./red-channel.ts";
import type { ClientChannel, RedClient } from "./red-client.ts";
import { localChannelClient } from "./red-client.ts";

/** What the inputs channel tells the server around it. */
export interface InputsChannelOwner {
  /** The guest reads nothing, and so many presses of this client had to go. */
  inputDropped(client: RedClient, count: number): void;
  ended(client: RedClient, channel: ClientChannel, unreadBytes: number, reason: string): void;
}

/** Keyboard and pointer, on core's own thread. */
export class InputsChannel implements RedChannel {
  readonly type = ChannelType.Inputs;
  readonly id = 0;
  readonly name = "inputs";
  readonly #hand: GuestHand;
  readonly #owner: InputsChannelOwner;
  readonly #options: { readonly pingIntervalMs?: number; readonly turns?: Turns };

  constructor(
    hand: GuestHand,
    owner: InputsChannelOwner,
    options: { readonly pingIntervalMs?: number; readonly turns?: Turns },
  ) {
    this.#hand = hand;
    this.#owner = owner;
    this.#options = options;
  }

  connect(client: RedClient, link: AuthenticatedLink): void {
    // It dies with core only, and then there is nobody to follow it.
    if (link.wire) link.wire.watcher = undefined;
    const inputs = new InputsChannelClient({ ...link, ...this.#options }, this.#hand);
    const channel = localChannelClient(this, inputs);
    inputs.onInputDropped = (count) => this.#owner.inputDropped(client, count);
    inputs.onDisconnect = (reason) => this.#owner.ended(client, channel, inputs.unreadBytes, reason);
    client.addChannel(channel);
    // What it sent before may end it at once.
    inputs.open();
  }
}
