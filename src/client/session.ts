import { ChannelType } from "../protocol/index.ts";
import type { AwaitedMessage, ChannelEnd, ChannelOptions, ClientChannel } from "./channel.ts";
import { CursorChannel } from "./channels/cursor.ts";
import type { DisplayOptions } from "./channels/display.ts";
import { DISPLAY_CAPS, DisplayChannel } from "./channels/display.ts";
import { INPUTS_CAPS, InputsChannel } from "./channels/inputs.ts";
import type { MigrationEvent, OfferedChannel } from "./channels/main.ts";
import { MAIN_CAPS, MainChannel } from "./channels/main.ts";
import { within } from "./deadline.ts";
import { ClientError } from "./errors.ts";
import {
  DIAL_DEADLINE_MS,
  LINK_REPLY_DEADLINE_MS,
  LINK_RESULT_DEADLINE_MS,
  SESSION_CHANNELS_MAX,
  SESSION_DEADLINE_MS,
} from "./limits.ts";
import type { LinkRequest } from "./link.ts";
import { link } from "./link.ts";
import type { ByteTransport } from "./transport.ts";

/** How long a session waits, in milliseconds. */
export interface SessionDeadlines {
  /** @default {@link DIAL_DEADLINE_MS} */
  readonly dialMs: number;
  /** @default {@link LINK_REPLY_DEADLINE_MS} */
  readonly replyMs: number;
  /** @default {@link LINK_RESULT_DEADLINE_MS} */
  readonly resultMs: number;
  /** For INIT, and as many for the channels' list. @default {@link SESSION_DEADLINE_MS} */
  readonly sessionMs: number;
}

/** What a session needs. */
export interface SessionOptions {
  /** Makes a new connection to the server; each channel has its own. */
  readonly dial: (channel: OfferedChannel) => Promise<ByteTransport>;
  /** @default "" */
  readonly password?: string;
  /** Common capability words: another choice than this client's own. @default {@link COMMON_CAPS} */
  readonly commonCaps?: readonly number[];
  /** Capability words of the main channel. @default {@link MAIN_CAPS} */
  readonly mainCaps?: readonly number[];
  readonly deadlines?: Partial<SessionDeadlines>;
}

/** The channels that have a class here, by name. */
export interface SessionChannels {
  readonly display: DisplayChannel;
  readonly cursor: CursorChannel;
  readonly inputs: InputsChannel;
}

/** What may be said when one of them is opened. */
export interface ChannelSettings {
  readonly display: DisplayOptions & Settings;
  readonly cursor: Settings;
  readonly inputs: Settings;
}

interface Settings extends Pick<ChannelOptions, "holdsAcks"> {
  /** Capability words: another choice than this client's own. */
  readonly channelCaps?: readonly number[];
}

/** Which channel to open, and as what. */
export type ChannelRequest = Pick<LinkRequest, "channelType" | "channelId" | "channelCaps">;

/**
 * One session with a SPICE server: its main channel and every other, each on a connection of its own. Owns them all; when the main
 * channel ends, so do they.
 *
 * ```ts
 * using session = await SpiceSession.connect({ dial: () => dialWebSocket("wss://example.org/vm/spice"), password });
 * const display = await session.open("display");
 * display.on.drawn = ({ bbox }) => show(display.surfaces.get(0), bbox);
 * const inputs = await session.open("inputs");
 * inputs.scancodes(new Uint8Array([0x1e, 0x9e]));
 * ```
 */
export class SpiceSession implements Disposable {
  readonly main: MainChannel;
  /** Of INIT: what the other channels name. */
  readonly id: number;
  /** Told once, unless this side ended the session; its channels are gone by then. */
  onEnd: ((end: ChannelEnd) => void) | undefined;
  /** A channel ended, and the session goes on. */
  onChannelEnd: ((channel: ClientChannel, end: ChannelEnd) => void) | undefined;
  /** What the server says of its migration, on whichever channel. */
  onMigration: ((event: MigrationEvent) => void) | undefined;
  readonly #dialer: Dialer;
  readonly #channels = new Map<string, ClientChannel>();
  /** Being opened. */
  readonly #pending = new Set<string>();

  private constructor(main: MainChannel, id: number, dialer: Dialer) {
    this.main = main;
    this.id = id;
    this.#dialer = dialer;
    main.onEnd = (end) => this.#mainEnded(end);
    main.onMigration = (event) => this.onMigration?.(event);
    main.onMigrate = (flags) => this.#channelMigrates(main, flags);
  }

  /**
   * Opens a session: links the main channel, waits for INIT and for the list of channels.
   * @throws LinkRefusedError, ClientError; nothing is left open then
   */
  static async connect(options: SessionOptions): Promise<SpiceSession> {
    const dialer = new Dialer(options);
    const { mainCaps: channelCaps = MAIN_CAPS } = options;
    let main: MainChannel | undefined;
    try {
      const request = { channelType: ChannelType.Main, channelCaps };
      const wait = { deadlineMs: dialer.deadlines.sessionMs };
      const channel = (main = new MainChannel(await dialer.open(request, 0)));
      channel.start();
      const id = await main.until(() => channel.sessionId, "INIT of the main channel", wait);
      main.attachChannels();
      await main.until(() => channel.offered, "the list of channels", wait);
      const session = new SpiceSession(main, id, dialer);
      if (main.end !== undefined) throw new ClientError(main.end.code, main.end.reason);
      return session;
    } catch (error) {
      main?.close("the session could not be opened");
      throw error;
    }
  }

  /** What the server has. */
  get offered(): readonly OfferedChannel[] {
    return this.main.offered ?? [];
  }

  /** Those that are open, the main one first. */
  get channels(): readonly ClientChannel[] {
    return [this.main, ...this.#channels.values()];
  }

  /** Whether it is over. */
  get ended(): boolean {
    return this.main.end !== undefined;
  }

  /** Opens a channel that this client knows. @throws LinkRefusedError, ClientError */
  open<K extends keyof SessionChannels>(
    kind: K,
    id = 0,
    settings: ChannelSettings[K] = {},
  ): Promise<SessionChannels[K]> {
    const { type, channelCaps, make } = KINDS[kind];
    const request = { channelType: type, channelId: id, channelCaps: settings.channelCaps ?? channelCaps };
    return this.openChannel<SessionChannels[K]>(request, (options) => make({ ...options, ...settings }));
  }

  /**
   * Opens any channel. @param make makes it of its linked connection; it is started here
   * @throws LinkRefusedError, ClientError
   */
  async openChannel<T extends ClientChannel>(
    request: ChannelRequest,
    make: (options: ChannelOptions) => T,
  ): Promise<T> {
    const { channelType, channelId = 0 } = request;
    const key = `${channelType}:${channelId}`;
    if (this.#channels.has(key) || this.#pending.has(key))
      throw new ClientError("NO_SUCH_CHANNEL", `channel ${key} of this session is open already`);
    if (this.#channels.size + this.#pending.size >= SESSION_CHANNELS_MAX)
      throw new ClientError("SERVER_LIMIT", `a session may have ${SESSION_CHANNELS_MAX} channels`);
    this.#pending.add(key);
    try {
      const linked = await this.#dialer.open(request, this.id);
      const channel = make({ ...linked, othersDelivered: (awaited) => this.#delivered(awaited) });
      this.#channels.set(key, channel);
      channel.onEnd = (end) => {
        this.#channels.delete(key);
        this.onChannelEnd?.(channel, end);
      };
      channel.onMigrate = (flags) => this.#channelMigrates(channel, flags);
      channel.start();
      return channel;
    } finally {
      this.#pending.delete(key);
    }
  }

  /** Leaves: ends every channel, those being opened too, and the main one last. */
  close(reason = "the client leaves"): void {
    this.#dialer.abort();
    for (const channel of this.#channels.values()) channel.close(reason);
    this.#channels.clear();
    this.main.close(reason);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #mainEnded(end: ChannelEnd): void {
    this.close("the main channel has ended");
    this.onEnd?.(end);
  }

  #channelMigrates({ schema, id }: ClientChannel, flags: number): void {
    this.onMigration?.({ type: "channel", channelType: schema.type, channelId: id, flags });
  }

  /** Messages of channels that are not open are not waited for: nobody will ever hear of them. */
  #delivered(awaited: readonly AwaitedMessage[]): Promise<void> | undefined {
    const open = (one: AwaitedMessage) =>
      this.channels.find(({ schema, id }) => schema.type === one.channelType && id === one.channelId);
    const waits = awaited.flatMap((one) => {
      const channel = open(one);
      if (channel === undefined || channel.received >= one.messageSerial) return [];
      const look = () => (channel.received >= one.messageSerial ? true : undefined);
      const what = `message ${one.messageSerial} of channel ${one.channelType}:${one.channelId}`;
      // Whoever ends sends nothing more that could be waited for.
      return [
        channel
          .until(look, what, { deadlineMs: this.#dialer.deadlines.sessionMs })
          .catch((error: unknown) => {
            if (channel.end === undefined) throw error;
          }),
      ];
    });
    return waits.length === 0 ? undefined : Promise.all(waits).then(() => {});
  }
}

const KINDS: {
  readonly [K in keyof SessionChannels]: {
    readonly type: number;
    readonly channelCaps: readonly number[];
    readonly make: (options: ChannelOptions & ChannelSettings[K]) => SessionChannels[K];
  };
} = {
  display: {
    type: ChannelType.Display,
    channelCaps: DISPLAY_CAPS,
    make: (options) => new DisplayChannel(options),
  },
  cursor: { type: ChannelType.Cursor, channelCaps: [], make: (options) => new CursorChannel(options) },
  inputs: {
    type: ChannelType.Inputs,
    channelCaps: INPUTS_CAPS,
    make: (options) => new InputsChannel(options),
  },
};

/** Makes linked connections for one session, each step in its time, until the session is left. */
class Dialer {
  readonly deadlines: SessionDeadlines;
  readonly #options: SessionOptions;
  readonly #aborted = new AbortController();

  constructor(options: SessionOptions) {
    this.#options = options;
    this.deadlines = {
      dialMs: DIAL_DEADLINE_MS,
      replyMs: LINK_REPLY_DEADLINE_MS,
      resultMs: LINK_RESULT_DEADLINE_MS,
      sessionMs: SESSION_DEADLINE_MS,
      ...options.deadlines,
    };
  }

  abort(): void {
    this.#aborted.abort();
  }

  /** @throws LinkRefusedError, ClientError */
  async open(request: ChannelRequest, connectionId: number): Promise<ChannelOptions> {
    const { channelType, channelId: id = 0 } = request;
    const { password, commonCaps } = this.#options;
    const { signal } = this.#aborted;
    const transport = await this.#dial({ type: channelType, id });
    const { replyMs: replyDeadlineMs, resultMs: resultDeadlineMs } = this.deadlines;
    const terms = await link(
      transport,
      { ...request, connectionId, password, commonCaps },
      { replyDeadlineMs, resultDeadlineMs, signal },
    );
    const options = { transport, id, miniHeader: terms.miniHeader, serverCaps: terms.channelCaps };
    if (!signal.aborted) return options;
    transport.close("the session has ended");
    throw new ClientError("CHANNEL_LEFT", "the session has ended");
  }

  async #dial(channel: OfferedChannel): Promise<ByteTransport> {
    const { signal } = this.#aborted;
    const dialled = this.#options.dial(channel);
    const what = `the connection for channel ${channel.type}:${channel.id}`;
    try {
      return await within(dialled, { deadlineMs: this.deadlines.dialMs, what, signal });
    } catch (cause) {
      // What comes too late is nobody's.
      dialled.then(
        (transport) => transport.close("nobody waits for it any more"),
        () => {},
      );
      if (cause instanceof ClientError) throw cause;
      throw new ClientError(
        "SERVER_UNREACHABLE",
        `${what}: ${cause instanceof Error ? cause.message : String(cause)}`,
        {
          cause,
        },
      );
    }
  }
}
