import { errorText } from "../errors/index.ts";
import type { ChannelClientInspection } from "../dispatch/index.ts";
import type { ChannelCapabilities, ChannelResume } from "../dispatch/messages.ts";
import type { ChannelSchema, MessageDef, ParsedMessage } from "../protocol/index.ts";
import {
  ChannelType,
  MessageParser,
  MigrateFlags,
  baseClient,
  baseServer,
  encodeMessage,
  hasCap,
} from "../protocol/index.ts";
import type { RedStream, TurnTaker, Turns } from "../transport/index.ts";
import { threadTurns } from "../transport/index.ts";
import { AckWindow } from "./ack-window.ts";
import {
  CLIENT_ACK_WINDOW,
  CLIENT_STALL_TIMEOUT_MS,
  CORK_BYTES,
  MAX_PINGS_IN_FLIGHT,
  PING_INTERVAL_MS,
  TURN_BYTES,
  TURN_MESSAGES,
} from "./limits.ts";
import { Migration } from "./migration.ts";
import type { PipeItem } from "./pipe.ts";
import { Pipe } from "./pipe.ts";

/** How a channel client is made. */
export interface RedChannelClientOptions {
  /** The linked stream; the client owns it from now on. */
  readonly stream: RedStream;
  readonly schema: ChannelSchema;
  readonly miniHeader: boolean;
  readonly capabilities: ChannelCapabilities;
  /** Whether the channel uses SET_ACK windows (spice-server: display and cursor only). */
  readonly handleAcks: boolean;
  /** Largest body of a message from the client, in bytes; by default what each message's definition allows. */
  readonly receiveBuffer?: number;
  /** Milliseconds; defaults to {@link CLIENT_STALL_TIMEOUT_MS}. */
  readonly stallTimeoutMs?: number;
  /** Milliseconds between latency pings, 0 for none; defaults to {@link PING_INTERVAL_MS}. */
  readonly pingIntervalMs?: number;
  /** Who else reads on this thread; by default {@link threadTurns}. */
  readonly turns?: Turns;
  /** The client had this channel before, on another thread. */
  readonly resume?: Pick<ChannelResume, "serial" | "generation">;
}

/**
 * The server's end of one channel of one client, after RedChannelClient of spice-server: the pipe, the ack window, latency pings
 * and the order of a disconnect. Owns its stream. Runs on its channel's thread only. Subclasses handle the channel's own messages
 * and call {@link open} when they are ready for them.
 *
 * What the client sends is read by turns: {@link TURN_MESSAGES} or {@link TURN_BYTES}, then the other clients of the thread. What is
 * not read yet stays in the stream, unacknowledged, so that the client's own socket fills.
 */
export abstract class RedChannelClient<Item extends PipeItem = PipeItem> implements Disposable, TurnTaker {
  readonly capabilities: ChannelCapabilities;
  readonly pipe = new Pipe<Item>();
  /** Called once when the client is gone, after its pipe, timers and stream are released. */
  onDisconnect: ((reason: string) => void) | undefined;
  /** Called when the pipe became shorter. */
  onProgress: (() => void) | undefined;
  sentMessages = 0;
  sentBytes = 0;
  receivedBytes = 0;
  /** Bytes that the client had sent and nobody had read when it was disconnected. */
  unreadBytes = 0;
  /** Smallest round trip measured so far in milliseconds; undefined until the first PONG. */
  latencyMs: number | undefined;

  readonly #stream: RedStream;
  readonly #type: number;
  readonly #miniHeader: boolean;
  readonly #parser: MessageParser;
  readonly #acks: AckWindow | undefined;
  readonly #stallTimeoutMs: number;
  readonly #pingIntervalMs: number;
  readonly #turns: Turns;
  /** What is left of this client's turn. */
  #messagesLeft = TURN_MESSAGES;
  #bytesLeft = TURN_BYTES;
  /** The subclass wants nothing more for now. */
  #held = false;
  /** Small messages of the turn under way, to go out as one write. */
  #corked: Uint8Array[] | undefined;
  #corkedBytes = 0;
  #connected = true;
  #migration: Migration | undefined;
  #serial: bigint;
  #pushing = false;
  #alive = false;
  #stallTimer: ReturnType<typeof setTimeout> | undefined;
  #pingTimer: ReturnType<typeof setInterval> | undefined;
  #pingId = 0;
  readonly #pings = new Map<number, number>();

  constructor(options: RedChannelClientOptions) {
    this.#stream = options.stream;
    this.#type = options.schema.type;
    this.#miniHeader = options.miniHeader;
    this.capabilities = options.capabilities;
    this.#stallTimeoutMs = options.stallTimeoutMs ?? CLIENT_STALL_TIMEOUT_MS;
    this.#serial = options.resume?.serial ?? 0n;
    const generation = options.resume?.generation;
    this.#acks = options.handleAcks ? new AckWindow(CLIENT_ACK_WINDOW, generation) : undefined;
    this.#pingIntervalMs = options.pingIntervalMs ?? PING_INTERVAL_MS;
    this.#turns = options.turns ?? threadTurns;
    this.#parser = new MessageParser({
      channel: options.schema.client,
      miniHeader: options.miniHeader,
      maxMessageSize: options.receiveBuffer,
    });
  }

  /** Starts to listen to the client. What came before is handled now. */
  open(): void {
    if (this.#pingIntervalMs > 0) this.#pingTimer = setInterval(() => this.ping(), this.#pingIntervalMs);
    this.#stream.onDrain = () => {
      this.#alive = true;
      this.push();
    };
    // Each of these may end this client at once, if its peer has ended or what it sent before is bad.
    this.#listen();
    if (this.#connected) this.#stream.onClose = (reason) => this.disconnect(reason);
  }

  /** Bytes that have arrived from the client and wait for its turn, or for {@link resumeReading}. */
  get waitingBytes(): number {
    return this.#stream.waiting;
  }

  /** Reads nothing behind the message being handled until {@link resumeReading}. */
  protected holdReading(): void {
    this.#held = true;
  }

  /** Goes on reading, at this client's next turn. */
  protected resumeReading(): void {
    if (!this.#held) return;
    this.#held = false;
    if (this.#connected) this.#turns.ask(this);
  }

  /** The next slice of what the client has sent. */
  takeTurn(): void {
    if (!this.#connected || this.#held) return;
    this.#messagesLeft = TURN_MESSAGES;
    this.#bytesLeft = TURN_BYTES;
    this.#listen();
  }

  /** Reads what has arrived, and what comes, for as long as the turn lasts. */
  #listen(): void {
    this.together(() => {
      this.#stream.onData = (bytes) => this.together(() => this.#receive(bytes));
    });
  }

  /** What `body` sends goes out in few pieces, when it is done. */
  protected together(body: () => void): void {
    if (this.#corked !== undefined) return body();
    this.#corked = [];
    try {
      body();
    } finally {
      this.#flush();
      this.#corked = undefined;
    }
  }

  get connected(): boolean {
    return this.#connected;
  }

  /** What it has, and how far its client is. */
  get inspection(): ChannelClientInspection {
    return {
      pipe: this.pipe.length,
      pipeBytes: this.pipe.bytes,
      sentMessages: this.sentMessages,
      sentBytes: this.sentBytes,
      receivedBytes: this.receivedBytes,
      stream: { creditBytes: this.#stream.credit, waitingBytes: this.#stream.waiting },
      ...(this.latencyMs !== undefined && { latencyMs: this.latencyMs }),
      ...(this.#acks && { ack: this.#acks.inspection }),
    };
  }

  /** Serial of the last message sent, counting from 1: what WAIT_FOR_CHANNELS of another channel refers to. */
  get serial(): bigint {
    return this.#serial;
  }

  /** True if the common capability `bit` was announced by the client. */
  hasCommonCapability(bit: number): boolean {
    return hasCap(this.capabilities.common, bit);
  }

  /** True if the channel capability `bit` was announced by the client. */
  hasCapability(bit: number): boolean {
    return hasCap(this.capabilities.channel, bit);
  }

  /** A message of the channel itself; common ones never get here. Throwing disconnects this client with the error's text. */
  protected abstract handleMessage(message: ParsedMessage): void;

  /**
   * ClientCbs.migrate: the client goes to another server. Under way when this returns: what waits in the pipe goes out, then MIGRATE, and
   * nothing behind it but MIGRATE_DATA. The stream is the client's to end.
   */
  migrate(): void {
    if (!this.#connected || this.#migration) return;
    const migration = (this.#migration = new Migration(this.migrateFlags, {
      send: (definition, value) => this.#write(definition, value),
      data: () => this.migrateData(),
      failed: (reason) => this.disconnect(reason),
    }));
    this.pipe.add({
      bytes: 0,
      send: () => {
        this.#pings.clear();
        migration.begin();
      },
    } as PipeItem as Item);
    this.pipe.close();
    this.push();
  }

  /** Whether it stops, or has stopped, for its client to go to another server. */
  get migrating(): boolean {
    return this.#migration !== undefined;
  }

  /** SpiceMigrateFlags of MIGRATE (migration_flags of RedChannel). */
  protected get migrateFlags(): number {
    return MigrateFlags.NeedFlush | MigrateFlags.NeedDataTransfer;
  }

  /** What the client's next server is to know. */
  protected migrateData(): Uint8Array {
    return new Uint8Array(0);
  }

  /** Appends an item and sends what may be sent. */
  pipeAdd(item: Item): void {
    if (!this.#connected) return;
    this.pipe.add(item);
    this.push();
  }

  /** Sends from the pipe while the ack window and the stream's credit allow it. Re-entrant calls do nothing. */
  push(): void {
    if (this.#pushing || !this.#connected) return;
    this.#pushing = true;
    let progress = false;
    try {
      for (;;) {
        const item = this.pipe.peek();
        if (item === undefined || !this.canSend()) break;
        const more = item.send() === true;
        if (!this.#connected) return;
        if (more) continue;
        // The item may have emptied the pipe itself, so only take it off if it is still there.
        if (this.pipe.peek() === item) this.pipe.shift();
        progress = true;
      }
    } catch (error) {
      // A mistake of ours. The client would wait for ever for what comes behind it; the others, and the guest, go on.
      console.error("a message could not be made", error);
      this.disconnect(`a message could not be made: ${errorText(error)}`);
      return;
    } finally {
      this.#pushing = false;
    }
    this.#watch();
    if (progress) this.onProgress?.();
  }

  /** Whether the next item may be sent now. Subclasses may add conditions, such as a first message from the client. */
  protected canSend(): boolean {
    return this.credit > 0 && this.#acks?.waiting !== true;
  }

  /** Bytes that the stream takes before the client has read more; below zero after a large message. */
  protected get credit(): number {
    return this.#stream.credit - this.#corkedBytes;
  }

  /** PINGs that the client has not answered. */
  get pingsInFlight(): number {
    return this.#pings.size;
  }

  /** Encodes and writes one message now, whatever the windows say. Prefer pipe items for anything large or frequent. */
  send<T>(definition: MessageDef<T>, value: T): void {
    if (!this.#connected || this.#migration?.isSilent) return;
    this.#write(definition, value);
  }

  #write<T>(definition: MessageDef<T>, value: T): void {
    this.#serial++;
    this.write(encodeMessage(definition, value, { serial: this.#serial, miniHeader: this.#miniHeader }));
  }

  private write(bytes: Uint8Array): void {
    this.sentMessages++;
    this.sentBytes += bytes.length;
    this.#acks?.sent();
    if (this.#corked === undefined) return this.#stream.write(bytes);
    if (this.#corkedBytes + bytes.length > CORK_BYTES) this.#flush();
    if (bytes.length > CORK_BYTES) return this.#stream.write(bytes);
    this.#corked.push(bytes);
    this.#corkedBytes += bytes.length;
  }

  /** Writes what is held back, in one piece. */
  #flush(): void {
    const pieces = this.#corked ?? [];
    if (pieces.length === 0) return;
    const whole = pieces.length === 1 ? pieces[0] : new Uint8Array(this.#corkedBytes);
    let at = 0;
    if (pieces.length > 1) {
      for (const piece of pieces) {
        whole.set(piece, at);
        at += piece.length;
      }
    }
    this.#corked = [];
    this.#corkedBytes = 0;
    this.#stream.write(whole);
  }

  /** Opens the ack window; nothing leaves the pipe before, if the channel handles acks. */
  protected pushSetAck(): void {
    if (this.#acks === undefined) return;
    const body = this.#acks.begin();
    this.send(baseServer.setAck, body);
    this.push();
  }

  /**
   * Sends a PING unless too many are unanswered or the client takes nothing at the moment.
   * @param filler bytes behind it, for a measurement of bandwidth.
   * @returns its id, as {@link handlePong} will name it, or undefined if none was sent.
   */
  ping(filler: Uint8Array = new Uint8Array(0)): number | undefined {
    if (this.migrating || this.#pings.size >= MAX_PINGS_IN_FLIGHT || !this.canSend()) return undefined;
    const id = ++this.#pingId;
    this.#pings.set(id, performance.now());
    this.send(baseServer.ping, { id, timestamp: nanoseconds(), data: filler });
    return id;
  }

  /**
   * Tells the client that the server ends the channel, with a SpiceLinkErr. Follow it by {@link disconnect}.
   */
  sayDisconnecting(reason: number): void {
    this.send(baseServer.disconnecting, { timeStamp: nanoseconds(), reason });
  }

  #receive(bytes: Uint8Array): void {
    this.#alive = true;
    const part = bytes.subarray(0, this.#bytesLeft);
    this.#bytesLeft -= part.length;
    this.receivedBytes += part.length;
    try {
      for (const message of this.#parser.push(part)) {
        this.#messagesLeft--;
        this.#handle(message);
        if (!this.#connected) return;
        if (this.#messagesLeft === 0 || this.#held) break;
      }
    } catch (error) {
      this.disconnect(errorText(error));
      return;
    }
    if (this.#messagesLeft > 0 && this.#bytesLeft > 0 && !this.#held) return;
    this.#stream.onData = undefined;
    this.#putBack(this.#parser.takeRest(), bytes.subarray(part.length));
    if (!this.#held) this.#turns.ask(this);
  }

  /** Two neighbouring pieces go back to the stream, as what comes next. */
  #putBack(first: Uint8Array, second: Uint8Array): void {
    this.receivedBytes -= first.length;
    if (second.length > 0) this.#stream.unread(second);
    if (first.length > 0) this.#stream.unread(first);
  }

  /** Common messages are dealt with here, the others by the subclass. */
  #handle(message: ParsedMessage): void {
    // As libspice, which parses whatever comes before it asks whether that is of use.
    message.validate();
    switch (message.def) {
      case baseClient.ackSync:
        this.#acks?.sync(message.as(baseClient.ackSync)?.generation ?? 0);
        return;
      case baseClient.ack:
        this.#acks?.ack();
        this.push();
        return;
      case baseClient.pong:
        this.#pong(message.as(baseClient.pong)?.id ?? 0);
        return;
      case baseClient.disconnecting:
        // The client says good-bye; its stream ends by itself.
        return;
      case baseClient.migrateData:
        // The cursor has no state to carry over, so spice-server does not look at it.
        if (this.#type === ChannelType.Cursor && !this.#migration) return;
        return this.#migrationFor(message).takeData(
          message.as(baseClient.migrateData)?.data ?? new Uint8Array(0),
        );
      case baseClient.migrateFlushMark:
        this.#migrationFor(message).flushMark();
        this.#parser.awaitLarge(baseClient.migrateData.id, this.#migration?.awaitedBytes ?? 0);
        return;
      default:
        this.#migration?.heard(message.name);
        this.handleMessage(message);
    }
  }

  #migrationFor({ name }: ParsedMessage): Migration {
    if (!this.#migration) throw new Error(`${name}, but no migration is under way`);
    return this.#migration;
  }

  #pong(id: number): void {
    const sent = this.#pings.get(id);
    if (sent === undefined) return;
    this.#pings.delete(id);
    const roundTripMs = performance.now() - sent;
    this.latencyMs = this.latencyMs === undefined ? roundTripMs : Math.min(this.latencyMs, roundTripMs);
    this.handlePong(id, roundTripMs);
  }

  /** A PING of this client was answered after `roundTripMs` milliseconds. */
  protected handlePong(_id: number, _roundTripMs: number): void {}

  /** Starts the clock of a client that has something to get and does not take it; stops it when there is nothing. */
  #watch(): void {
    if (this.pipe.length === 0) {
      clearTimeout(this.#stallTimer);
      this.#stallTimer = undefined;
      return;
    }
    if (this.#stallTimer !== undefined) return;
    this.#alive = false;
    this.#stallTimer = setTimeout(() => {
      this.#stallTimer = undefined;
      if (this.#alive || this.waitingBytes > 0) this.#watch();
      else this.disconnect(`the client took nothing for ${this.#stallTimeoutMs} ms`);
    }, this.#stallTimeoutMs);
  }

  /**
   * Ends this client: empties the pipe, closes the stream, stops the timers, then tells the owner. Idempotent.
   * @param reason for people, says whose fault it was.
   */
  disconnect(reason: string): void {
    if (!this.#connected) return;
    this.#connected = false;
    this.pipe.clear();
    this.#turns.forget(this);
    this.#flush();
    this.unreadBytes = this.#stream.waiting;
    this.#stream.onData = this.#stream.onDrain = this.#stream.onClose = undefined;
    this.#stream.close(reason);
    clearTimeout(this.#stallTimer);
    clearInterval(this.#pingTimer);
    this.#migration?.[Symbol.dispose]();
    this.#pings.clear();
    this.released();
    this.onDisconnect?.(reason);
  }

  /** Subclasses release their own timers and caches here. */
  protected released(): void {}

  [Symbol.dispose](): void {
    this.disconnect("the channel was closed");
  }
}

/** PING timestamps are nanoseconds on every channel but main. */
function nanoseconds(): bigint {
  return BigInt(Math.round(performance.now() * 1000)) * 1000n;
}
