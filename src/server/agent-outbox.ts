import { VdiPort } from "../protocol/index.ts";
import { encodeMouseState } from "./agent-wire.ts";
import { AGENT_MOUSE_QUEUE, AGENT_PADDING_MAX, AGENT_PIECE } from "./limits.ts";

/** A piece of some client's message on its way to the guest. */
export interface OutboxPiece {
  readonly bytes: Uint8Array;
  /** It is the last of its message. */
  readonly ends: boolean;
}

/** One client's pieces, in order. */
export interface OutboxClient {
  readonly pieces: OutboxPiece[];
  /** Bytes of the message begun that have not arrived yet. */
  readonly missing: number;
}

/** What is written next. `client` is whose piece it is, absent for the server's own. */
export interface OutboxEntry<Client> {
  readonly port: number;
  readonly bytes: Uint8Array;
  readonly client?: Client;
}

interface MouseState {
  x: number;
  y: number;
  readonly buttons: number;
  displayId: number;
}

/**
 * What waits for the agent's port. The agent parses messages of the two VDI ports apart, so the server's own go ahead of whatever a
 * client has begun; but messages of two clients must not be torn by each other.
 */
export class AgentOutbox<Client extends OutboxClient> {
  #own: Uint8Array[] = [];
  #monitors: Uint8Array | undefined;
  #mouse: MouseState[] = [];
  #padding = 0;
  #writer: Client | undefined;

  /** The client whose message is under way to the guest. */
  get writer(): Client | undefined {
    return this.#writer;
  }

  /** A message of the server's own. */
  add(message: Uint8Array): void {
    this.#own.push(message);
  }

  /** Only the newest wish waits. */
  setMonitors(message: Uint8Array): void {
    this.#monitors = message;
  }

  /** Positions that nobody took yet are overtaken by newer ones; no change of a button is lost. */
  addMouse(state: MouseState): void {
    const last = this.#mouse.at(-1);
    if (last?.buttons === state.buttons) Object.assign(last, state);
    else this.#mouse.push({ ...state });
  }

  /** Whether the pointer must wait. */
  get mouseFull(): boolean {
    return this.#mouse.length >= AGENT_MOUSE_QUEUE;
  }

  /** Keeps only how the pointer is in the end; how many changes went. */
  collapseMouse(): number {
    const gone = this.#mouse.length - 1;
    this.#mouse = this.#mouse.slice(-1);
    return Math.max(gone, 0);
  }

  /**
   * The client is gone. False if it left a message in the middle that is too long to be completed with zeros: the agent must then be
   * told to forget it.
   */
  remove(client: Client): boolean {
    if (this.#writer !== client) return true;
    const end = client.pieces.findIndex(({ ends }) => ends);
    const rest = end < 0 ? client.pieces : client.pieces.slice(0, end + 1);
    const bytes = rest.reduce((sum, piece) => sum + piece.bytes.length, 0);
    const padding = bytes + (end < 0 ? client.missing : 0);
    this.#writer = undefined;
    if (padding > AGENT_PADDING_MAX) return false;
    this.#padding += padding;
    return true;
  }

  next(clients: Iterable<Client>): OutboxEntry<Client> | undefined {
    const own = this.#own.shift() ?? this.#takeMonitors() ?? this.#takeMouse();
    if (own) return { port: VdiPort.Server, bytes: own };
    if (this.#padding > 0) {
      const bytes = new Uint8Array(Math.min(this.#padding, AGENT_PIECE));
      this.#padding -= bytes.length;
      return { port: VdiPort.Client, bytes };
    }
    if (this.#writer) return this.#take(this.#writer);
    for (const client of clients) {
      if (client.pieces.length > 0) return this.#take(client);
    }
    return undefined;
  }

  #take(client: Client): OutboxEntry<Client> | undefined {
    const piece = client.pieces.shift();
    if (!piece) return undefined;
    this.#writer = piece.ends ? undefined : client;
    return { port: VdiPort.Client, bytes: piece.bytes, client };
  }

  #takeMonitors(): Uint8Array | undefined {
    const message = this.#monitors;
    this.#monitors = undefined;
    return message;
  }

  #takeMouse(): Uint8Array | undefined {
    const state = this.#mouse.shift();
    return state && encodeMouseState(state.x, state.y, state.buttons, state.displayId);
  }

  clear(): void {
    this.#own = [];
    this.#monitors = undefined;
    this.#mouse = [];
    this.#padding = 0;
    this.#writer = undefined;
  }
}
