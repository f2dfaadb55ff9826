import { ChannelType, displayChannel, encodeBody, mainChannel } from "../../src/protocol/index.ts";
import { RawChannel } from "./raw-channel.ts";

/** A session of raw channels: main and whichever were asked for, by their type. */
export class RawSession implements Disposable {
  readonly main: RawChannel;
  readonly id: number;
  readonly channels: ReadonlyMap<number, RawChannel>;

  private constructor(main: RawChannel, id: number, channels: ReadonlyMap<number, RawChannel>) {
    this.main = main;
    this.id = id;
    this.channels = channels;
  }

  /** @throws Error when a link is refused */
  static async join(
    port: number,
    types: readonly number[],
    options: { password?: string; init?: boolean } = {},
  ): Promise<RawSession> {
    const { password, init = true } = options;
    const main = await RawChannel.open(port);
    const channels = new Map<number, RawChannel>();
    try {
      const session = new Promise<number>((resolve) => {
        main.onMessage = (message) => {
          const init = message.as(mainChannel.server.init);
          if (init !== undefined) resolve(init.sessionId);
        };
      });
      await linked(main, main.link({ channelType: ChannelType.Main, password }));
      const id = await session;
      main.onMessage = undefined;
      main.send(mainChannel.client.attachChannels.id);
      for (const channelType of types) {
        const channel = await RawChannel.open(port);
        channels.set(channelType, channel);
        await linked(channel, channel.link({ connectionId: id, channelType, password }));
        if (channelType === ChannelType.Display && init)
          channel.send(displayChannel.client.init.id, displayInit());
      }
      return new RawSession(main, id, channels);
    } catch (error) {
      for (const one of [main, ...channels.values()]) one[Symbol.dispose]();
      throw error;
    }
  }

  /** One of the channels that were asked for. */
  channel(type: number): RawChannel {
    const channel = this.channels.get(type);
    if (channel === undefined) throw new RangeError(`this session has no channel of type ${type}`);
    return channel;
  }

  /** None of its channels has ended. */
  get alive(): boolean {
    return [this.main, ...this.channels.values()].every(({ closed }) => !closed);
  }

  [Symbol.dispose](): void {
    for (const one of [this.main, ...this.channels.values()]) one[Symbol.dispose]();
  }
}

/** INIT of a display channel with room for a pixmap cache and a GLZ window. */
export function displayInit(cacheBytes = 20n << 20n, windowPixels = 4 << 20): Uint8Array {
  return encodeBody(displayChannel.client.init, {
    pixmapCacheId: 1,
    pixmapCacheSize: cacheBytes,
    glzDictionaryId: 1,
    glzDictionaryWindowSize: windowPixels,
  });
}

async function linked(channel: RawChannel, link: Promise<number>): Promise<void> {
  const error = await link;
  if (error === 0) return;
  channel[Symbol.dispose]();
  throw new Error(`the link was refused with ${error}`);
}
