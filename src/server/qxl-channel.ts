import { errorText } from "../errors/index.ts";
import type { ChannelConnect, ChannelResume, RedWorkerMessages } from "../dispatch/index.ts";
import { PeerDied } from "../dispatch/index.ts";
import { ChannelTracker } from "../channel/index.ts";
import { ChannelType } from "../protocol/index.ts";
import type { RedStream } from "../transport/index.ts";
import type { AuthenticatedLink } from "./link.ts";
import { DISCONNECT_DEADLINE_MS } from "./limits.ts";
import type { ClientChannelInspection } from "./host-control.ts";
import type { RedChannel } from "./red-channel.ts";
import type { ClientChannel, RedClient } from "./red-client.ts";
import type { ThreadDoor } from "./thread-door.ts";

/** The channels of a QXL device, by SpiceChannelType. */
const NAMES: Readonly<Record<number, string>> = {
  [ChannelType.Display]: "display",
  [ChannelType.Cursor]: "cursor",
};

/** What a channel of a QXL device tells the server around it. */
export interface QxlChannelOwner {
  /** A client's channel was not taken, or could not go on, and its wire is cut. */
  lost(client: RedClient, channel: ClientChannel, reason: string): void;
}

/** The display or the cursor channel of one QXL device: it runs on the thread of that device's red worker. */
export class QxlChannel implements RedChannel {
  readonly type: number;
  readonly id: number;
  readonly name: string;
  readonly #qxl: ThreadDoor<RedWorkerMessages>;
  readonly #owner: QxlChannelOwner;

  constructor(type: number, id: number, qxl: ThreadDoor<RedWorkerMessages>, owner: QxlChannelOwner) {
    this.type = type;
    this.id = id;
    this.name = NAMES[type] ?? String(type);
    this.#qxl = qxl;
    this.#owner = owner;
  }

  connect(client: RedClient, link: AuthenticatedLink): void {
    const channel = new QxlChannelClient(this, client, link, this.#qxl);
    client.addChannel(channel);
    this.#watch(channel, channel.connect());
  }

  /** Another red worker serves the device now: the client's channel goes on there. */
  resume(client: RedClient): void {
    const channel = client.channel(this.type, this.id);
    if (channel instanceof QxlChannelClient) this.#watch(channel, channel.resume());
  }

  /** Its device is gone for good: so is the client's channel. */
  remove(client: RedClient, reason: string): void {
    const channel = client.channel(this.type, this.id);
    if (channel === undefined) return;
    client.removeChannel(channel);
    void channel.disconnect(reason);
  }

  #watch(channel: QxlChannelClient, taken: Promise<void>): void {
    taken.catch((error: unknown) => {
      const { client } = channel;
      if (client.channel(this.type, this.id) === channel) this.#owner.lost(client, channel, errorText(error));
    });
  }
}

/**
 * Core's handle of a channel client on a red worker's thread. It never touches the stream, but keeps the wire: when the thread is gone,
 * the channel goes on with the next one.
 */
export class QxlChannelClient implements ClientChannel {
  readonly type: number;
  readonly id: number;
  readonly name: string;
  readonly client: RedClient;
  readonly #link: AuthenticatedLink;
  readonly #qxl: ThreadDoor<RedWorkerMessages>;
  readonly #tracker: ChannelTracker | undefined;
  /** Until a red worker is there to take it. What the client says meanwhile waits in it, which a port without a listener would lose. */
  #stream: RedStream | undefined;

  constructor(
    { type, id, name }: RedChannel,
    client: RedClient,
    link: AuthenticatedLink,
    qxl: ThreadDoor<RedWorkerMessages>,
  ) {
    this.type = type;
    this.id = id;
    this.name = name;
    this.client = client;
    this.#link = link;
    this.#qxl = qxl;
    const watcher = link.wire?.watcher;
    this.#tracker = watcher instanceof ChannelTracker ? watcher : undefined;
    if (link.resume) this.#tracker?.goOn(type, link.miniHeader, link.resume);
    else this.#tracker?.begin(type, link.miniHeader, link.stream.position);
    this.#stream = link.stream;
  }

  get inspection(): ClientChannelInspection {
    const { type, id, name } = this;
    return { type, id, name, place: this.#stream === undefined ? "red" : "waiting" };
  }

  /**
   * Hands the stream to the red worker, or keeps it until there is one.
   * @throws if nobody serves the channel, whose wire is cut then, or if the client leaves before anybody does
   */
  async connect(): Promise<void> {
    const stream = this.#stream;
    if (stream === undefined) return;
    if (this.#qxl.dispatcher === undefined) return ended(stream);
    stream.onClose = undefined;
    this.#stream = undefined;
    await this.#hand(stream.detach(), this.#link.resume);
  }

  /** A red worker is there again; the one before may have had the stream. @throws as {@link connect} */
  async resume(): Promise<void> {
    if (this.#stream !== undefined) return this.connect();
    const { wire } = this.#link;
    const checkpoint = this.#tracker?.checkpoint();
    if (wire === undefined || checkpoint === undefined) {
      const reason = this.#tracker?.migrated
        ? "the display's thread ended while its client went to another server"
        : "the display was made anew, and this connection cannot follow; connect again";
      wire?.cut(reason);
      throw new Error(reason);
    }
    await this.#hand(wire.rejoin(checkpoint.rest), checkpoint.resume);
  }

  async #hand(port: MessagePort, resume?: ChannelResume): Promise<void> {
    const { channelType, channelId, capabilities, miniHeader } = this.#link;
    const message: ChannelConnect = {
      clientId: this.client.id,
      channelType,
      channelId,
      capabilities,
      miniHeader,
      lowBandwidth: this.client.main.lowBandwidth,
      port,
      ...(resume && { resume }),
    };
    try {
      await this.#qxl.dispatcher?.call("connect", message, [port]);
    } catch (error) {
      // The next red worker takes it from the wire.
      if (error instanceof PeerDied) return;
      this.#link.wire?.cut("the display thread did not take the channel");
      throw error;
    }
  }

  /** A red worker that comes only now takes the channel first. */
  migrate(): void {
    const message = { clientId: this.client.id, channelType: this.type };
    this.#qxl.call("migrateClient", message).catch(() => {
      // There will be no red worker: its client's end is under way.
    });
  }

  /** Resolves when the red worker holds nothing for this client any more, or can be waited for no longer. */
  async disconnect(reason: string): Promise<void> {
    const stream = this.#stream;
    this.#stream = undefined;
    if (stream) stream.onClose = undefined;
    stream?.close(reason);
    const qxl = this.#qxl.dispatcher;
    if (stream === undefined && qxl !== undefined) {
      try {
        const message = { clientId: this.client.id, channelType: this.type };
        return await qxl.call("disconnectClient", message, [], { deadlineMs: DISCONNECT_DEADLINE_MS });
      } catch {
        // A dead red worker cannot end its streams, so the wire is cut here.
      }
    }
    this.#link.wire?.cut(reason);
  }
}

/** Fails when the client leaves; until then it waits. */
function ended(stream: RedStream): Promise<never> {
  return new Promise((_, reject) => (stream.onClose = (reason) => reject(new Error(reason))));
}
