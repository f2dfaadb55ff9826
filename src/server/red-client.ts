import { ChannelType } from "../protocol/index.ts";
import type { ChannelClientInspection } from "../dispatch/index.ts";
import type { StreamPeer } from "../transport/index.ts";
import type { ClientChannelInspection } from "./host-control.ts";
import type { MainChannelClient } from "./main-channel-client.ts";

/**
 * A channel of a client, whichever thread it lives on. With {@link RedChannel.connect} it has the three callbacks of ClientCbs: done
 * directly where the channel runs on core's thread, else through its red worker's dispatcher.
 */
export interface ClientChannel {
  readonly type: number;
  readonly id: number;
  readonly name: string;
  /** ClientCbs.disconnect, synchronous: resolves when that channel client holds no queue, no timer, no stream. */
  disconnect(reason: string): Promise<void> | void;
  /** ClientCbs.migrate, asynchronous: the channel stops behind MIGRATE, and its stream is the client's to end. */
  migrate(): void;
  readonly inspection: ClientChannelInspection;
}

/** One session: the channels that linked with the same connection id. Owns them; the first is always main. */
export class RedClient {
  readonly id: number;
  /** Session id of MainInit, which the other links must name. */
  readonly connectionId: number;
  readonly peer: StreamPeer;
  readonly since = Date.now();
  readonly main: MainChannelClient;
  readonly #channels = new Map<string, ClientChannel>();
  #disconnecting: Promise<void> | undefined;

  constructor(id: number, connectionId: number, peer: StreamPeer, main: MainChannelClient) {
    this.id = id;
    this.connectionId = connectionId;
    this.peer = peer;
    this.main = main;
  }

  get disconnecting(): boolean {
    return this.#disconnecting !== undefined;
  }

  get channels(): readonly ClientChannel[] {
    return [...this.#channels.values()];
  }

  channel(type: number, id: number): ClientChannel | undefined {
    return this.#channels.get(`${type}:${id}`);
  }

  /** False if the client is going away or has such a channel already; the caller then ends the new one. */
  addChannel(channel: ClientChannel): boolean {
    const key = `${channel.type}:${channel.id}`;
    if (this.disconnecting || this.#channels.has(key)) return false;
    this.#channels.set(key, channel);
    return true;
  }

  removeChannel(channel: ClientChannel): void {
    const key = `${channel.type}:${channel.id}`;
    if (this.#channels.get(key) === channel) this.#channels.delete(key);
  }

  /** red_client_migrate: under way when this returns. */
  migrate(): void {
    for (const channel of this.channels) channel.migrate();
  }

  /**
   * Disconnects every channel, main last: a session never has channels without one. Whoever asks again waits for the same end: when
   * this resolves, nothing of the client is left.
   */
  destroy(reason: string): Promise<void> {
    this.#disconnecting ??= this.#destroy(reason);
    return this.#disconnecting;
  }

  async #destroy(reason: string): Promise<void> {
    const channels = this.channels;
    this.#channels.clear();
    const others = channels.filter(({ type }) => type !== ChannelType.Main);
    await Promise.all(others.map((channel) => channel.disconnect(reason)));
    this.main.disconnect(reason);
  }
}

/** The handle of a channel client that lives on core's own thread. */
export const localChannelClient = (
  { type, id, name }: { readonly type: number; readonly id: number; readonly name: string },
  client: {
    disconnect(reason: string): void;
    migrate(): void;
    readonly inspection: ChannelClientInspection;
  },
): ClientChannel => ({
  type,
  id,
  name,
  disconnect: (reason) => client.disconnect(reason),
  migrate: () => client.migrate(),
  get inspection() {
    return { type, id, name, place: "core" as const, client: client.inspection };
  },
});
