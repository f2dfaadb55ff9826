import { errorText } from "../errors/index.ts";
import type { ClientHead, Dispatcher, GuestMessages } from "../dispatch/index.ts";
import { AgentMessageType, VdiPort, agentMessages } from "../protocol/index.ts";
import type { AgentPolicy } from "./agent-msg-filter.ts";
import { AgentMessageError, AgentMsgFilter } from "./agent-msg-filter.ts";
import type { OutboxPiece } from "./agent-outbox.ts";
import { AgentOutbox } from "./agent-outbox.ts";
import {
  ChunkReader,
  decodeMonitorsConfig,
  encodeAgentMessage,
  encodeChunk,
  encodeMonitorsConfig,
  wrapAgentMessage,
} from "./agent-wire.ts";
import {
  AGENT_CLIENT_DEADLINE_MS,
  AGENT_CLIENT_QUEUE,
  AGENT_MOUSE_DEADLINE_MS,
  AGENT_PIECE,
  AGENT_TOKENS_TO_SEND,
  AGENT_WINDOW,
  AGENT_WRITE_DEADLINE_MS,
} from "./limits.ts";

/** What the agent's port needs of the guest's thread. */
export type AgentGuest = Pick<Dispatcher<GuestMessages>, "call">;

/** What the agent needs of a client's main channel. */
export interface AgentPeer {
  /** False while the client takes nothing. */
  readonly ready: boolean;
  sendAgentData(data: Uint8Array): void;
  /** Words for the person there. */
  notify(message: string): void;
  sendAgentTokens(numTokens: number): void;
}

/** What a client's next server has to know of its part in the agent's talk. */
export interface AgentShare {
  /** AGENT_DATA messages that the client may still send, and that may still be sent to it. */
  readonly clientTokens: number;
  readonly sendTokens: number;
  /** Bytes that are missing of the message under way. */
  readonly toClientBytes: number;
  readonly toAgentBytes: number;
}

/** One client's share of the agent. */
interface AgentClient {
  readonly peer: AgentPeer;
  readonly filter: AgentMsgFilter;
  /** For the guest. */
  readonly pieces: OutboxPiece[];
  readonly missing: number;
  /** AGENT_DATA messages received whose tokens were not given back. */
  owed: number;
  /** AGENT_DATA messages that the client may still send. */
  window: number;
  /** From the guest. */
  queue: Uint8Array[];
  queued: number;
  /** AGENT_DATA messages that we may still send. */
  tokens: number;
  /** Has seen the beginning of the message under way from the guest. */
  inStep: boolean;
  /** Runs while it takes nothing of what waits for it. */
  deadline: ReturnType<typeof setTimeout> | undefined;
}

/**
 * The guest's agent behind its serial port (RedCharDeviceVDIPort): VDI chunks towards the guest, tokens towards each client, and no
 * client's message torn by another's. MONITORS_CONFIG goes to the QXL device first and to the agent only if the device declines.
 */
export class AgentDevice implements Disposable {
  readonly #guest: AgentGuest;
  readonly #policy: AgentPolicy;
  readonly #clients = new Map<AgentPeer, AgentClient>();
  readonly #outbox = new AgentOutbox<AgentClient>();
  readonly #chunks = new ChunkReader();
  #fromAgent: AgentMsgFilter;
  #writing = false;
  /** Runs while a client leaves the message unfinished that others wait behind. */
  #writerDeadline: ReturnType<typeof setTimeout> | undefined;
  #open = false;
  /** Settle what the guest waits for. */
  #roomWaiters: (() => void)[] = [];
  /** Settle who waits for room for the pointer. */
  #mouseWaiters: (() => void)[] = [];
  #heads: Uint8Array | undefined;
  #configuring = false;
  /** Called when a program in the guest opened or closed the port. */
  onStateChange: ((open: boolean) => void) | undefined;
  onWarning: ((text: string) => void) | undefined;

  constructor(guest: AgentGuest, policy: AgentPolicy = { copyPaste: true, fileXfer: true }) {
    this.#guest = guest;
    this.#policy = policy;
    this.#fromAgent = new AgentMsgFilter(policy);
  }

  get open(): boolean {
    return this.#open;
  }

  /** Clients that take part. */
  get clients(): number {
    return this.#clients.size;
  }

  setOpen(open: boolean): void {
    if (open === this.#open) return;
    this.#open = open;
    this.#chunks.reset();
    this.#fromAgent = new AgentMsgFilter(this.#policy);
    this.#outbox.clear();
    clearTimeout(this.#writerDeadline);
    for (const client of this.#clients.values()) clearTimeout(client.deadline);
    this.#clients.clear();
    this.#makeRoom();
    this.#mouseRoom();
    this.onStateChange?.(open);
  }

  /** AGENT_START: from now on this client takes part, with that many tokens for what the agent says. */
  start(peer: AgentPeer, tokens: number): void {
    if (!this.#open) return;
    const present = this.#clients.get(peer);
    if (present) {
      present.tokens = tokens;
      this.#deliver(present);
      return;
    }
    const filter = new AgentMsgFilter(this.#policy);
    this.#clients.set(peer, {
      peer,
      filter,
      pieces: [],
      get missing() {
        return filter.missing;
      },
      owed: 0,
      window: AGENT_WINDOW,
      queue: [],
      queued: 0,
      tokens,
      inStep: this.#fromAgent.missing === 0,
      deadline: undefined,
    });
  }

  /** AGENT_TOKEN. */
  addTokens(peer: AgentPeer, tokens: number): void {
    const client = this.#clients.get(peer);
    if (!client) return;
    client.tokens = Math.min(client.tokens + tokens, Number.MAX_SAFE_INTEGER);
    this.#deliver(client);
  }

  /** The client's channel takes data again. */
  resume(peer: AgentPeer): void {
    const client = this.#clients.get(peer);
    if (client && client.queue.length > 0) this.#deliver(client);
  }

  /** The client left. */
  /** Undefined if the client takes no part. */
  share(peer: AgentPeer): AgentShare | undefined {
    const client = this.#clients.get(peer);
    return (
      client && {
        clientTokens: client.window,
        sendTokens: client.tokens,
        toClientBytes: client.inStep ? this.#fromAgent.missing : 0,
        toAgentBytes: client.missing,
      }
    );
  }

  remove(peer: AgentPeer): void {
    const client = this.#clients.get(peer);
    if (!client) return;
    this.#clients.delete(peer);
    clearTimeout(client.deadline);
    const clean = this.#outbox.remove(client);
    // It makes the agent forget clipboards, transfers and an unfinished message.
    if (!clean || this.#clients.size === 0)
      this.#outbox.add(encodeAgentMessage(agentMessages.clientDisconnected, {}));
    this.#makeRoom();
    this.#write();
  }

  /**
   * AGENT_DATA from a client. @throws AgentMessageError if the client ignores its window or sends what is no agent message: its main
   * channel then ends.
   */
  receive(peer: AgentPeer, data: Uint8Array): void {
    const client = this.#clients.get(peer);
    if (!client || data.length === 0) return;
    if (client.window === 0)
      throw new AgentMessageError(`agent data beyond the window of ${AGENT_WINDOW} messages`);
    client.window--;
    const bytes = data.slice();
    const judged = client.filter.push(bytes);
    if (judged.verdict === "forward") {
      client.pieces.push({ bytes, ends: judged.ends });
      this.#write();
      return;
    }
    this.#giveToken(client);
    if (judged.data) void this.#wantHeads(judged.data);
  }

  /** Heads that the hosting page wants, as a client's MONITORS_CONFIG: the last wish counts, whoever has it. */
  monitorsConfig(heads: readonly ClientHead[]): void {
    void this.#wantHeads(encodeMonitorsConfig(heads));
  }

  /**
   * The pointer, for guests without an absolute device of their own. `buttons` is a SpiceMouseButtonMask. Resolves when the agent has
   * room for more, with the number of changes that were dropped since it reads nothing.
   */
  async mouseState(x: number, y: number, buttons: number, displayId: number): Promise<number> {
    if (!this.#open) return 0;
    this.#outbox.addMouse({ x, y, buttons, displayId });
    this.#write();
    if (!this.#outbox.mouseFull) return 0;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = await new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(true), AGENT_MOUSE_DEADLINE_MS);
      this.#mouseWaiters.push(() => resolve(false));
    });
    clearTimeout(timer);
    return late ? this.#outbox.collapseMouse() : 0;
  }

  #mouseRoom(): void {
    if (this.#outbox.mouseFull) return;
    for (const resolve of this.#mouseWaiters.splice(0)) resolve();
  }

  /**
   * Bytes from the guest's port. Resolves when every client has room for more, so that the guest's agent feels the slowest; one that
   * takes nothing for {@link AGENT_CLIENT_DEADLINE_MS} is left out. Bytes that are no agent's close the agent until the guest opens its
   * port again.
   */
  async fromGuest(bytes: Uint8Array): Promise<void> {
    if (!this.#open) return;
    try {
      for (const { port, piece } of this.#chunks.push(bytes)) {
        if (port === VdiPort.Client) this.#pieceFromGuest(piece);
      }
    } catch (error) {
      this.onWarning?.(`the guest's agent is cut off: ${errorText(error)}`);
      this.setOpen(false);
      return;
    }
    while (this.#open && [...this.#clients.values()].some(({ queued }) => queued > AGENT_CLIENT_QUEUE)) {
      await new Promise<void>((resolve) => this.#roomWaiters.push(resolve));
    }
  }

  #pieceFromGuest(piece: Uint8Array): void {
    if (piece.length === 0) return;
    const { verdict, begins } = this.#fromAgent.push(piece);
    for (const client of this.#clients.values()) {
      client.inStep ||= begins;
      if (!client.inStep || verdict === "discard") continue;
      client.queue.push(piece);
      client.queued += piece.length;
      this.#deliver(client);
    }
  }

  #deliver(client: AgentClient): void {
    const before = client.queue.length;
    while (client.tokens > 0 && client.queue.length > 0 && client.peer.ready) {
      const data = client.queue.shift()!;
      client.queued -= data.length;
      client.tokens--;
      client.peer.sendAgentData(data);
    }
    if (client.queue.length < before) {
      clearTimeout(client.deadline);
      client.deadline = undefined;
    }
    if (client.queue.length > 0) {
      client.deadline ??= setTimeout(
        () => this.#cutOff(client, "it takes nothing of what the agent says"),
        AGENT_CLIENT_DEADLINE_MS,
      );
    }
    this.#makeRoom();
  }

  #cutOff(client: AgentClient, fault: string): void {
    this.onWarning?.(`a client is cut off from the agent: ${fault}`);
    client.peer.notify("Clipboard and files no longer go to the machine; connect again to use them.");
    this.remove(client.peer);
  }

  #makeRoom(): void {
    for (const resolve of this.#roomWaiters.splice(0)) resolve();
  }

  #giveToken(client: AgentClient): void {
    if (++client.owed < AGENT_TOKENS_TO_SEND) return;
    client.window += client.owed;
    client.peer.sendAgentTokens(client.owed);
    client.owed = 0;
  }

  /** Asks the device, one wish at a time; wishes that come meanwhile replace each other. */
  async #wantHeads(data: Uint8Array): Promise<void> {
    this.#heads = data;
    if (this.#configuring) return;
    this.#configuring = true;
    while (this.#heads) {
      const wish = this.#heads;
      this.#heads = undefined;
      try {
        const monitors = decodeMonitorsConfig(wish);
        if (await this.#guest.call("clientMonitorsConfig", { heads: monitors })) continue;
        if (this.#open) this.#outbox.setMonitors(wrapAgentMessage(AgentMessageType.MonitorsConfig, wish));
        this.#write();
      } catch (error) {
        this.onWarning?.(`monitors config: ${errorText(error)}`);
      }
    }
    this.#configuring = false;
  }

  #write(): void {
    if (this.#writing || !this.#open) return;
    this.#writing = true;
    clearTimeout(this.#writerDeadline);
    void this.#drain();
  }

  async #drain(): Promise<void> {
    for (let next = this.#next(); next; next = this.#next()) {
      this.#mouseRoom();
      try {
        await this.#writePieces(next.port, next.bytes);
      } catch (error) {
        this.onWarning?.(`the guest's agent took nothing: ${errorText(error)}`);
        this.setOpen(false);
        break;
      }
      const { client } = next;
      if (client && this.#clients.get(client.peer) === client) this.#giveToken(client);
    }
    this.#writing = false;
    const { writer } = this.#outbox;
    if (writer) {
      this.#writerDeadline = setTimeout(
        () => this.#cutOff(writer, "it does not finish its message"),
        AGENT_CLIENT_DEADLINE_MS,
      );
    }
  }

  #next() {
    return this.#open ? this.#outbox.next(this.#clients.values()) : undefined;
  }

  async #writePieces(port: number, message: Uint8Array): Promise<void> {
    for (let at = 0; at < message.length; at += AGENT_PIECE) {
      const bytes = encodeChunk(port, message.subarray(at, at + AGENT_PIECE));
      await this.#guest.call("agentWrite", { bytes }, [bytes.buffer], {
        deadlineMs: AGENT_WRITE_DEADLINE_MS,
      });
    }
  }

  [Symbol.dispose](): void {
    this.setOpen(false);
  }
}
