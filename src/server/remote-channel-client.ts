import type { Dispatcher, RedWorkerMessages } from "../dispatch/index.ts";
import { PeerDied } from "../dispatch/index.ts";
import { ChannelType } from "../protocol/index.ts";
import type { AuthenticatedLink } from "./link.ts";
import { DISCONNECT_DEADLINE } from "./limits.ts";
import type { ClientChannel } from "./red-client.ts";

/** The channels that live on a red worker's thread, by SpiceChannelType. */
const NAMES: Readonly<Record<number, string>> = {
  [ChannelType.Display]: "display",
  [ChannelType.Cursor]: "cursor",
};

/** Core's handle of a channel client on a red worker's thread: type, id and the dispatcher to it. Never touches its stream again. */
export class RemoteChannelClient implements ClientChannel {
  readonly type: number;
  readonly id: number;
  readonly name: string;
  readonly #clientId: number;
  readonly #qxl: Dispatcher<RedWorkerMessages>;
  readonly #cut: ((reason: string) => void) | undefined;

  constructor(clientId: number, link: AuthenticatedLink, qxl: Dispatcher<RedWorkerMessages>) {
    this.#clientId = clientId;
    this.type = link.channelType;
    this.id = link.channelId;
    this.name = NAMES[link.channelType] ?? String(link.channelType);
    this.#qxl = qxl;
    this.#cut = link.cut;
  }

  /**
   * Hands the stream to the red worker's thread. Nothing of core waits for the result: if it rejects, nobody serves the channel and the
   * wire is cut.
   * @throws if the client has left already.
   */
  connect(link: AuthenticatedLink, lowBandwidth: boolean): Promise<void> {
    const port = link.stream.detach();
    const { channelType, channelId, capabilities, miniHeader } = link;
    const clientId = this.#clientId;
    const message = { clientId, channelType, channelId, capabilities, miniHeader, lowBandwidth, port };
    return this.#qxl.call("connect", message, [port]).catch((error: unknown) => {
      // The death of the whole thread is its session's to deal with.
      if (!(error instanceof PeerDied)) this.#cut?.("the display thread did not take the channel");
      throw error;
    });
  }

  /** Resolves when the red worker holds nothing for this client any more, or can be waited for no longer. */
  async disconnect(reason: string): Promise<void> {
    try {
      const message = { clientId: this.#clientId, channelType: this.type };
      await this.#qxl.call("disconnectClient", message, [], { deadline: DISCONNECT_DEADLINE });
    } catch {
      // A dead red worker cannot end its streams, so the wire is cut here.
      this.#cut?.(reason);
    }
  }
}
