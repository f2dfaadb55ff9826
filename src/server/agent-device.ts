import type { ClientHead, Dispatcher, GuestMessages } from "../dispatch/index.ts";
import { AgentAssembler } from "./agent-assembler.ts";
import {
  AgentMessageType,
  VdpPort,
  chunk,
  decodeMonitorsConfig,
  encodeAgentMessage,
  encodeMouseState,
} from "./agent-wire.ts";
import {
  AGENT_CLIENT_QUEUE,
  AGENT_GUEST_QUEUE,
  AGENT_PIECE,
  AGENT_TOKENS_TO_SEND,
  AGENT_WINDOW,
} from "./limits.ts";
import type { MainChannelClient } from "./main-channel-client.ts";

/** What the agent's port needs of the guest's thread. */
export type AgentGuest = Pick<Dispatcher<GuestMessages>, "call">;

/** One client's share of the agent. */
interface AgentClient {
  readonly client: MainChannelClient;
  readonly fromClient: AgentAssembler;
  /** Pieces of whole or part messages for the guest, in order. */
  readonly toGuest: Uint8Array[];
  /** AGENT_DATA messages that we may still send. */
  tokens: number;
  queue: Uint8Array[];
  queued: number;
  /** AGENT_DATA messages received whose tokens were not given back. */
  owed: number;
  /** AGENT_DATA messages that the client may still send. */
  window: number;
}

/**
 * The guest's agent behind its serial port (RedCharDeviceVDIPort): VDI chunks towards the guest, tokens towards each client, and no
 * client's message torn by another's. MONITORS_CONFIG goes to the QXL device first and to the agent only if the device declines.
 */
export class AgentDevice {
  readonly #guest: AgentGuest;
  readonly #clients = new Map<MainChannelClient, AgentClient>();
  /** The client whose message is under way to the guest; others wait for its end. */
  #writer: AgentClient | undefined;
  readonly #own: Uint8Array[] = [];
  #mouse: Uint8Array | undefined;
  #writing = false;
  #open = false;
  #incoming = new Uint8Array(0);
  /** Called when a program in the guest opened or closed the port. */
  onStateChange: ((open: boolean) => void) | undefined;
  onWarning: ((text: string) => void) | undefined;

  constructor(guest: AgentGuest) {
    this.#guest = guest;
  }

  get open(): boolean {
    return this.#open;
  }

  setOpen(open: boolean): void {
    if (open === this.#open) return;
    this.#open = open;
    this.#incoming = new Uint8Array(0);
    this.#own.length = 0;
    this.#mouse = undefined;
    this.#writer = undefined;
    this.#clients.clear();
    this.onStateChange?.(open);
  }

  /** AGENT_START: from now on this client takes part, with that many tokens for what the agent says. */
  start(client: MainChannelClient, tokens: number): void {
    if (!this.#open) return;
    this.#clients.set(client, {
      client,
      fromClient: new AgentAssembler(),
      toGuest: [],
      tokens,
      queue: [],
      queued: 0,
      owed: 0,
      window: AGENT_WINDOW,
    });
  }

  /** AGENT_TOKEN. */
  addTokens(client: MainChannelClient, tokens: number): void {
    const entry = this.#clients.get(client);
    if (!entry) return;
    entry.tokens = Math.min(entry.tokens + tokens, Number.MAX_SAFE_INTEGER);
    this.#deliver(entry);
  }

  /** The client left. What it had begun is completed with zeros, so that the agent's parser stays in step. */
  remove(client: MainChannelClient): void {
    const entry = this.#clients.get(client);
    if (!entry) return;
    this.#clients.delete(client);
    if (this.#writer === entry) {
      const missing = entry.fromClient.missing;
      for (let left = missing; left > 0; left -= AGENT_PIECE) {
        entry.toGuest.push(new Uint8Array(Math.min(left, AGENT_PIECE)));
      }
      entry.fromClient.reset();
    } else entry.toGuest.length = 0;
    if (this.#clients.size === 0)
      this.#own.push(encodeAgentMessage(AgentMessageType.ClientDisconnected, new Uint8Array(0)));
    this.#write();
  }

  /**
   * AGENT_DATA from a client. @throws if the client ignores its window or sends what is no agent message: its main channel then ends.
   */
  receive(client: MainChannelClient, data: Uint8Array): void {
    const entry = this.#clients.get(client);
    if (!entry || data.length === 0) return;
    if (entry.window === 0) throw new Error(`agent data beyond the window of ${AGENT_WINDOW} messages`);
    entry.window--;
    const begun = entry.fromClient.push(data);
    if (entry.fromClient.type === AgentMessageType.MonitorsConfig) {
      this.#giveToken(entry);
      const body = entry.fromClient.takeBody();
      if (body) void this.#monitorsConfig(body);
      return;
    }
    if (begun && this.#pendingBytes() > AGENT_GUEST_QUEUE)
      throw new Error("the guest's agent does not take its data");
    entry.toGuest.push(data.slice());
    this.#write();
  }

  /** The pointer, for guests without an absolute device of their own. Only the newest position waits. */
  mouseState(x: number, y: number, buttons: number, displayId: number): void {
    if (!this.#open) return;
    this.#mouse = encodeMouseState(x, y, buttons, displayId);
    this.#write();
  }

  /** Bytes from the guest's port: VDI chunks, cut anywhere. @throws on a chunk that cannot be; the port is then reset. */
  fromGuest(bytes: Uint8Array): void {
    const joined = new Uint8Array(this.#incoming.length + bytes.length);
    joined.set(this.#incoming);
    joined.set(bytes, this.#incoming.length);
    let at = 0;
    for (;;) {
      const next = chunk.read(joined, at);
      if (!next) break;
      at = next.end;
      if (next.port !== VdpPort.Client) continue;
      for (const entry of this.#clients.values()) {
        entry.queue.push(next.data.slice());
        entry.queued += next.data.length;
        this.#deliver(entry);
      }
    }
    this.#incoming = joined.slice(at);
  }

  async #monitorsConfig(body: Uint8Array): Promise<void> {
    try {
      const heads: ClientHead[] = decodeMonitorsConfig(body);
      if (await this.#guest.call("clientMonitorsConfig", { heads })) return;
      this.#own.push(encodeAgentMessage(AgentMessageType.MonitorsConfig, body));
      this.#write();
    } catch (error) {
      this.onWarning?.(`monitors config: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  #deliver(entry: AgentClient): void {
    while (entry.tokens > 0 && entry.queue.length > 0) {
      const data = entry.queue.shift()!;
      entry.queued -= data.length;
      entry.tokens--;
      entry.client.sendAgentData(data);
    }
    if (entry.queued > AGENT_CLIENT_QUEUE) {
      this.onWarning?.("a client does not take the agent's data; it is cut off from the agent");
      this.remove(entry.client);
    }
  }

  #giveToken(entry: AgentClient): void {
    if (++entry.owed < AGENT_TOKENS_TO_SEND) return;
    entry.window += entry.owed;
    entry.client.sendAgentTokens(entry.owed);
    entry.owed = 0;
  }

  #pendingBytes(): number {
    let sum = 0;
    for (const entry of this.#clients.values()) for (const piece of entry.toGuest) sum += piece.length;
    return sum;
  }

  /** The next piece for the guest: a message that was begun first, then our own, then the pointer, then clients in turn. */
  #next(): { piece: Uint8Array; port: number; entry?: AgentClient } | undefined {
    const writer = this.#writer;
    if (writer) {
      const piece = writer.toGuest.shift();
      if (piece) return { piece, port: VdpPort.Client, entry: writer };
      if (writer.fromClient.missing > 0) return undefined;
      this.#writer = undefined;
    }
    const own = this.#own.shift();
    if (own) return { piece: own, port: VdpPort.Server };
    if (this.#mouse) {
      const piece = this.#mouse;
      this.#mouse = undefined;
      return { piece, port: VdpPort.Server };
    }
    for (const entry of this.#clients.values()) {
      const piece = entry.toGuest.shift();
      if (!piece) continue;
      this.#writer = entry;
      return { piece, port: VdpPort.Client, entry };
    }
    return undefined;
  }

  #write(): void {
    if (this.#writing || !this.#open) return;
    this.#writing = true;
    void this.#drain().finally(() => (this.#writing = false));
  }

  async #drain(): Promise<void> {
    for (let next = this.#next(); next && this.#open; next = this.#next()) {
      for (let at = 0; at < next.piece.length; at += AGENT_PIECE) {
        const bytes = chunk.write(next.port, next.piece.subarray(at, at + AGENT_PIECE));
        try {
          await this.#guest.call("agentWrite", { bytes }, [bytes.buffer]);
        } catch (error) {
          this.onWarning?.(
            `the guest's agent took nothing: ${error instanceof Error ? error.message : String(error)}`,
          );
          return;
        }
      }
      if (next.entry) this.#giveToken(next.entry);
    }
  }
}
