import type { CoreInspection } from "./host-control.ts";
import type { AuthenticatedLink } from "./link.ts";
import type { RedClient } from "./red-client.ts";

/**
 * A channel of the server (RedChannel), an object of core whichever thread it runs on: what a client of a session may link to. It is
 * registered, listed and linked on core only.
 */
export interface RedChannel {
  /** SpiceChannelType. */
  readonly type: number;
  readonly id: number;
  readonly name: string;
  /**
   * ClientCbs.connect: takes a client whose link is accepted, and adds itself to it. Done at once where the channel runs on core's
   * thread, else under way when this returns.
   */
  connect(client: RedClient, link: AuthenticatedLink): void;
}

/** The channels there are (RedsState.channels). Main is none of them: a link to it makes the session that the others belong to. */
export class RedChannels {
  readonly #channels: RedChannel[] = [];

  register(channel: RedChannel): void {
    if (this.find(channel.type, channel.id))
      throw new RangeError(`channel ${channel.type}:${channel.id} is registered already`);
    this.#channels.push(channel);
  }

  unregister(channel: RedChannel): void {
    const index = this.#channels.indexOf(channel);
    if (index >= 0) this.#channels.splice(index, 1);
  }

  find(type: number, id: number): RedChannel | undefined {
    return this.#channels.find((channel) => channel.type === type && channel.id === id);
  }

  get inspection(): CoreInspection["channels"] {
    return this.#channels.map(({ type, id, name }) => ({ type, id, name }));
  }

  /** For MSG_MAIN_CHANNELS_LIST, in the order of types and ids. */
  list(): { readonly type: number; readonly id: number }[] {
    return this.#channels
      .map(({ type, id }) => ({ type, id }))
      .toSorted((a, b) => a.type - b.type || a.id - b.id);
  }
}
