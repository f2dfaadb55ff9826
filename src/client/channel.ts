import type { ChannelSchema, MessageDef } from "../protocol/index.ts";
import {
  MessageParser,
  ParsedMessage,
  ProtocolError,
  SchemaError,
  baseClient,
  baseServer,
  bytes,
  encodeMessage,
  message,
  MigrateFlags,
  rest,
} from "../protocol/index.ts";
import { within } from "./deadline.ts";
import { ClientError } from "./errors.ts";
import type { ClientErrorCode } from "./errors.ts";
import { SUB_MESSAGES_MAX, UNKNOWN_MESSAGE_MAX } from "./limits.ts";
import { ReceiveWindow } from "./receive-window.ts";
import type { ByteTransport } from "./transport.ts";

/** How a channel ended. */
export interface ChannelEnd {
  readonly code: ClientErrorCode;
  /** For people. */
  readonly reason: string;
  /** The LinkErr that DISCONNECTING gave as its reason. */
  readonly linkError?: number;
  /** What was wrong with what the server sent. */
  readonly error?: unknown;
}

/** A message that another channel must have delivered before this one goes on. */
export interface AwaitedMessage {
  readonly channelType: number;
  readonly channelId: number;
  /** Counts that channel's messages from 1. */
  readonly messageSerial: bigint;
}

/** What every channel of a client is made of. */
export interface ChannelOptions {
  /** A linked connection; the channel owns it from now on. */
  readonly transport: ByteTransport;
  readonly miniHeader: boolean;
  /** SpiceChannel id; @default 0 */
  readonly id?: number;
  /** The server's capability words of this channel; @default none */
  readonly serverCaps?: readonly number[];
  /** Holds its acknowledgements back until {@link ClientChannel.releaseAcks}. @default false */
  readonly holdsAcks?: boolean;
  /** Resolves once these messages have come on the session's other channels. Alone a channel waits for nobody. */
  readonly othersDelivered?: (awaited: readonly AwaitedMessage[]) => Promise<void> | undefined;
}

/**
 * The client's end of one linked channel: cuts the stream into messages, acknowledges, answers PING, and hands the channel's own messages
 * to its subclass; what nobody here knows goes to {@link onUnknown}. Owns its transport. A server's mistake ends the channel.
 *
 * It begins to read when it is told to ({@link start}), so that nothing comes before somebody listens.
 */
export class ClientChannel<S extends ChannelSchema = ChannelSchema> implements Disposable {
  readonly schema: S;
  readonly id: number;
  readonly miniHeader: boolean;
  readonly serverCaps: readonly number[];
  /** Told of every message before it is handled, those of the base channel included. */
  onMessage: ((message: ParsedMessage) => void) | undefined;
  /** A message of a type that has no schema. */
  onUnknown: ((type: number, body: Uint8Array) => void) | undefined;
  onNotify: ((text: string, severity: number) => void) | undefined;
  /** MIGRATE: this channel sends nothing more; the flush mark has gone out where one was asked for. */
  onMigrate: ((flags: number) => void) | undefined;
  /** What the channel is to give to its next server. */
  onMigrateData: ((data: Uint8Array) => void) | undefined;
  /** Told once, unless this side ended it. */
  onEnd: ((end: ChannelEnd) => void) | undefined;

  readonly #transport: ByteTransport;
  readonly #parser: MessageParser;
  readonly #byType: ReadonlyMap<number, MessageDef<unknown>>;
  readonly #window: ReceiveWindow;
  readonly #othersDelivered: ChannelOptions["othersDelivered"];
  readonly #watchers = new Set<() => void>();
  #sent = 0n;
  #received = 0n;
  #receivedBytes = 0;
  #waiting = false;
  #migrating = false;
  #migrateFlags: number | undefined;
  #disconnecting: number | undefined;
  #end: ChannelEnd | undefined;

  constructor(schema: S, options: ChannelOptions) {
    this.schema = schema;
    this.id = options.id ?? 0;
    this.miniHeader = options.miniHeader;
    this.serverCaps = options.serverCaps ?? [];
    this.#transport = options.transport;
    this.#window = new ReceiveWindow(options.holdsAcks);
    this.#othersDelivered = options.othersDelivered;
    this.#byType = new Map(Object.values(schema.server).map((def) => [def.id, def]));
    this.#parser = new MessageParser({
      miniHeader: options.miniHeader,
      channel: schema.server,
      unknown: unknownMessage,
    });
  }

  /** Begins to read. */
  start(): void {
    this.#transport.onData = (bytes) => {
      this.#receivedBytes += bytes.length;
      this.#receive(bytes);
    };
    this.#transport.onClose = (reason) => this.#closed(reason);
  }

  /** How it ended; undefined while it lives. */
  get end(): ChannelEnd | undefined {
    return this.#end;
  }

  /** Messages that have come, those of a sub list not counted: the serial of the last one. */
  get received(): bigint {
    return this.#received;
  }

  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  /** MIGRATE has come. */
  get migrating(): boolean {
    return this.#migrating;
  }

  /** MigrateFlags that came with it. */
  get migrateFlags(): number | undefined {
    return this.#migrateFlags;
  }

  /** @throws SchemaError if the value does not fit. On a channel that has ended, or migrates, nothing is sent. */
  send<T>(definition: MessageDef<T>, value: T): void {
    if (this.#migrating) return;
    this.#send(definition, value);
  }

  /** Gives a server what {@link onMigrateData} told; also on the channel itself, which says no more behind MIGRATE but this. */
  giveMigrateData(data: Uint8Array): void {
    this.#send(baseClient.migrateData, { data });
  }

  /** Acknowledges what was held back, and everything from now on. */
  releaseAcks(): void {
    for (let owed = this.#window.release(); owed > 0; owed--) this.answer(baseClient.ack, {});
  }

  /** From now on the server has to wait for {@link releaseAcks}. */
  holdAcks(): void {
    this.#window.held = true;
  }

  /**
   * Looks after each message whether there is something.
   * @throws ClientError of the channel's end, or `SERVER_SILENT`
   */
  async until<T>(
    look: () => T | undefined,
    what: string,
    options: { readonly deadlineMs: number; readonly signal?: AbortSignal },
  ): Promise<T> {
    let watch: (() => void) | undefined;
    const found = new Promise<T>((resolve, reject) => {
      watch = () => {
        const value = look();
        if (value !== undefined) resolve(value);
        else if (this.#end !== undefined) reject(endError(what, this.#end));
      };
      this.#watchers.add(watch);
      watch();
    });
    try {
      return await within(found, { ...options, what });
    } finally {
      if (watch !== undefined) this.#watchers.delete(watch);
    }
  }

  /** Ends the channel from this side; nobody is told. */
  close(reason = "the client leaves"): void {
    if (this.#end !== undefined) return;
    this.#end = { code: "CHANNEL_LEFT", reason };
    this.#transport.onData = this.#transport.onClose = undefined;
    this.#transport.close(reason);
    this.disposed();
    this.#look();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** A message of the channel itself. */
  protected handle(_message: ParsedMessage): void {}

  /** The channel is over: what it holds may go. */
  protected disposed(): void {}

  /** Sends what the protocol itself owes: ACK_SYNC, ACK, PONG. */
  protected answer<T>(definition: MessageDef<T>, value: T): void {
    this.#send(definition, value);
  }

  /** Ends the channel for what the server did. */
  protected fail(error: unknown): void {
    if (this.#end !== undefined) return;
    const code = codeOf(error);
    const text = error instanceof Error ? error.message : String(error);
    const reason = `${this.schema.name} ${this.id}: ${text}`;
    this.#transport.onData = this.#transport.onClose = undefined;
    this.#transport.close(reason);
    this.#ended({ code, reason, error });
  }

  #send<T>(definition: MessageDef<T>, value: T): void {
    if (this.#end !== undefined) return;
    const header = { miniHeader: this.miniHeader, serial: ++this.#sent };
    this.#transport.write(encodeMessage(definition, value, header));
  }

  #receive(bytes: Uint8Array): void {
    try {
      for (const message of this.#parser.push(bytes)) {
        this.#received++;
        if (this.#window.received()) this.answer(baseClient.ack, {});
        this.#take(message);
        this.#look();
        if (this.#end !== undefined || this.#waiting) return;
      }
    } catch (error) {
      this.fail(error);
    }
  }

  #take(message: ParsedMessage): void {
    if (message.subList !== 0) this.#takeSubMessages(message.subMessages);
    this.onMessage?.(message);
    switch (message.def) {
      case baseServer.setAck: {
        const { generation, window } = valueOf(message, baseServer.setAck);
        this.#window.open(window);
        return this.answer(baseClient.ackSync, { generation });
      }
      case baseServer.ping: {
        const { id, timestamp } = valueOf(message, baseServer.ping);
        return this.answer(baseClient.pong, { id, timestamp });
      }
      case baseServer.disconnecting:
        this.#disconnecting = valueOf(message, baseServer.disconnecting).reason;
        return;
      case baseServer.notify: {
        const { message: text, severity } = valueOf(message, baseServer.notify);
        return this.onNotify?.(text, severity);
      }
      case baseServer.migrate:
        return this.#migrate(valueOf(message, baseServer.migrate).flags);
      case baseServer.migrateData:
        return this.onMigrateData?.(valueOf(message, baseServer.migrateData).data);
      case baseServer.waitForChannels:
        return this.#waitForOthers(valueOf(message, baseServer.waitForChannels).waitList);
      case baseServer.list:
        return this.#takeSubMessages(valueOf(message, baseServer.list).subMessages);
      default:
        if (this.#byType.has(message.id)) this.handle(message);
        else this.onUnknown?.(message.id, message.body);
    }
  }

  /** What takes effect before the message that carries it. */
  #takeSubMessages(subMessages: ParsedMessage["subMessages"]): void {
    if (subMessages.length > SUB_MESSAGES_MAX)
      throw new ClientError(
        "SERVER_LIMIT",
        `${subMessages.length} sub messages, ${SUB_MESSAGES_MAX} are allowed`,
      );
    for (const sub of subMessages) {
      if (sub.type === baseServer.list.id) throw new ClientError("SERVER_MESSAGE", "a list within a list");
      const definition = this.#byType.get(sub.type) ?? unknownMessage(sub.type);
      this.#take(new ParsedMessage(definition, sub.data, undefined, 0));
    }
  }

  #migrate(flags: number): void {
    if ((flags & MigrateFlags.NeedFlush) !== 0) this.#send(baseClient.migrateFlushMark, {});
    this.#migrating = true;
    this.#migrateFlags = flags;
    this.onMigrate?.(flags);
  }

  /** Reads no further until the other channels have come so far. */
  #waitForOthers(awaited: readonly AwaitedMessage[]): void {
    const delivered = this.#othersDelivered?.(awaited);
    if (delivered === undefined) return;
    const { onData } = this.#transport;
    this.#transport.onData = undefined;
    this.#waiting = true;
    delivered.then(
      () => {
        this.#waiting = false;
        if (this.#end !== undefined) return;
        this.#receive(new Uint8Array(0));
        if (this.#end === undefined && !this.#waiting) this.#transport.onData = onData;
      },
      (error: unknown) => this.fail(error),
    );
  }

  #closed(reason: string): void {
    try {
      this.#parser.end();
    } catch (error) {
      return this.#ended({ code: "CHANNEL_CLOSED", reason: `${reason}; ${String(error)}`, error });
    }
    const linkError = this.#disconnecting;
    this.#ended(
      linkError === undefined
        ? { code: "CHANNEL_CLOSED", reason }
        : { code: "CHANNEL_DISCONNECTED", reason, linkError },
    );
  }

  #ended(end: ChannelEnd): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    this.disposed();
    this.#look();
    this.onEnd?.(end);
  }

  #look(): void {
    for (const watch of this.#watchers) watch();
  }
}

/** The value of a message that is known to be of `definition`. */
export function valueOf<T>(message: ParsedMessage, definition: MessageDef<T>): T {
  const value = message.as(definition);
  if (value === undefined)
    throw new ClientError("SERVER_MESSAGE", `${message.name} is no ${definition.name}`);
  return value;
}

function unknownMessage(type: number): MessageDef<unknown> {
  return message(type, `unknown ${type}`, { data: bytes(rest) }, { maxSize: UNKNOWN_MESSAGE_MAX });
}

function endError(what: string, { code, reason, error }: ChannelEnd): ClientError {
  return new ClientError(code, `${what}: the channel ended first: ${reason}`, { cause: error });
}

function codeOf(error: unknown): ClientErrorCode {
  if (error instanceof ClientError) return error.code;
  return error instanceof SchemaError || error instanceof ProtocolError ? "SERVER_MESSAGE" : "CHANNEL_FAILED";
}
