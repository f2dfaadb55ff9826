import type { ChannelCapabilities } from "../dispatch/messages.ts";
import type { ChannelSchema, MessageDef, ParsedMessage } from "../protocol/index.ts";
import { MessageParser, baseClient, baseServer, encodeMessage, hasCap } from "../protocol/index.ts";
import type { RedStream } from "../transport/contract.ts";
import { AckWindow } from "./ack-window.ts";
import { CLIENT_ACK_WINDOW, CLIENT_STALL_TIMEOUT, MAX_PINGS_IN_FLIGHT, PING_INTERVAL } from "./limits.ts";
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
  /** Milliseconds; defaults to {@link CLIENT_STALL_TIMEOUT}. */
  readonly stallTimeout?: number;
  /** Milliseconds between latency pings, 0 for none; defaults to {@link PING_INTERVAL}. */
  readonly pingInterval?: number;
}

/**
 * The server's end of one channel of one client, after RedChannelClient of spice-server: the pipe, the ack window, latency pings
 * and the order of a disconnect. Owns its stream. Runs on its channel's thread only. Subclasses handle the channel's own messages
 * and call {@link open} when they are ready for them.
 */
export abstract class RedChannelClient<Item extends PipeItem = PipeItem> implements Disposable {
  readonly capabilities: ChannelCapabilities;
  readonly pipe = new Pipe<Item>();
  /** Called once when the client is gone, after its pipe, timers and stream are released. */
  onDisconnect: ((reason: string) => void) | undefined;
  /** Called when the pipe became shorter. */
  onProgress: (() => void) | undefined;
  sentMessages = 0;
  sentBytes = 0;
  receivedBytes = 0;
  /** Smallest round trip measured so far in milliseconds; undefined until the first PONG. */
  latency: number | undefined;

  readonly #stream: RedStream;
  readonly #miniHeader: boolean;
  readonly #parser: MessageParser;
  readonly #acks: AckWindow | undefined;
  readonly #stallTimeout: number;
  readonly #pingInterval: number;
  #connected = true;
  #serial = 0n;
  #pushing = false;
  #alive = false;
  #stallTimer: ReturnType<typeof setTimeout> | undefined;
  #pingTimer: ReturnType<typeof setInterval> | undefined;
  #pingId = 0;
  readonly #pings = new Map<number, number>();

  constructor(options: RedChannelClientOptions) {
    this.#stream = options.stream;
    this.#miniHeader = options.miniHeader;
    this.capabilities = options.capabilities;
    this.#stallTimeout = options.stallTimeout ?? CLIENT_STALL_TIMEOUT;
    this.#acks = options.handleAcks ? new AckWindow(CLIENT_ACK_WINDOW) : undefined;
    this.#pingInterval = options.pingInterval ?? PING_INTERVAL;
    this.#parser = new MessageParser({
      channel: options.schema.client,
      miniHeader: options.miniHeader,
      maxMessageSize: options.receiveBuffer,
    });
  }

  /** Starts to listen to the client. What came before is handled now. */
  open(): void {
    if (this.#pingInterval > 0) this.#pingTimer = setInterval(() => this.ping(), this.#pingInterval);
    this.#stream.onDrain = () => {
      this.#alive = true;
      this.push();
    };
    // Each of these may end this client at once, if its peer has ended or what it sent before is bad.
    this.#stream.onData = (bytes) => this.#receive(bytes);
    if (this.#connected) this.#stream.onClose = (reason) => this.disconnect(reason);
  }

  get connected(): boolean {
    return this.#connected;
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
      this.disconnect(
        `a message could not be made: ${error instanceof Error ? error.message : String(error)}`,
      );
      return;
    } finally {
      this.#pushing = false;
    }
    this.#watch();
    if (progress) this.onProgress?.();
  }

  /** Whether the next item may be sent now. Subclasses may add conditions, such as a first message from the client. */
  protected canSend(): boolean {
    return this.#stream.credit > 0 && this.#acks?.waiting !== true;
  }

  /** Bytes that the stream takes before the client has read more; below zero after a large message. */
  protected get credit(): number {
    return this.#stream.credit;
  }

  /** PINGs that the client has not answered. */
  get pingsInFlight(): number {
    return this.#pings.size;
  }

  /** Encodes and writes one message now, whatever the windows say. Prefer pipe items for anything large or frequent. */
  send<T>(definition: MessageDef<T>, value: T): void {
    if (!this.#connected) return;
    this.#serial++;
    this.write(encodeMessage(definition, value, { serial: this.#serial, miniHeader: this.#miniHeader }));
  }

  private write(bytes: Uint8Array): void {
    this.sentMessages++;
    this.sentBytes += bytes.length;
    this.#acks?.sent();
    this.#stream.write(bytes);
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
    if (this.#pings.size >= MAX_PINGS_IN_FLIGHT || !this.canSend()) return undefined;
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
    this.receivedBytes += bytes.length;
    try {
      for (const message of this.#parser.push(bytes)) {
        this.#handle(message);
        if (!this.#connected) return;
      }
    } catch (error) {
      this.disconnect(error instanceof Error ? error.message : String(error));
    }
  }

  /** Common messages are dealt with here, the others by the subclass. */
  #handle(message: ParsedMessage): void {
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
      case baseClient.migrateFlushMark:
      case baseClient.migrateData:
        throw new Error(`${message.name}, but no migration is under way`);
      default:
        this.handleMessage(message);
    }
  }

  #pong(id: number): void {
    const sent = this.#pings.get(id);
    if (sent === undefined) return;
    this.#pings.delete(id);
    const roundTrip = performance.now() - sent;
    this.latency = this.latency === undefined ? roundTrip : Math.min(this.latency, roundTrip);
    this.handlePong(id, roundTrip);
  }

  /** A PING of this client was answered after `roundTrip` milliseconds. */
  protected handlePong(_id: number, _roundTrip: number): void {}

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
      if (this.#alive) this.#watch();
      else this.disconnect(`the client took nothing for ${this.#stallTimeout} ms`);
    }, this.#stallTimeout);
  }

  /**
   * Ends this client: empties the pipe, closes the stream, stops the timers, then tells the owner. Idempotent.
   * @param reason for people, says whose fault it was.
   */
  disconnect(reason: string): void {
    if (!this.#connected) return;
    this.#connected = false;
    this.pipe.clear();
    this.#stream.onData = this.#stream.onDrain = this.#stream.onClose = undefined;
    this.#stream.close(reason);
    clearTimeout(this.#stallTimer);
    clearInterval(this.#pingTimer);
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
