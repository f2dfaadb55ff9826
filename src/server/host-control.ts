/** What the page and core say to each other. Each port carries both directions of its dispatchers. */
import type { ChannelClientInspection, DispatcherInspection } from "../dispatch/index.ts";
import type { ClientHead, SurfacePixels } from "../dispatch/messages.ts";
import type { LogEntry } from "../log/index.ts";
import type { StreamPeer } from "../transport/index.ts";

/**
 * First message on a page's port to core (a SharedWorker's connection, or the DedicatedWorker itself), with all ports transferred.
 * A later page's start replaces the machine of an earlier one, whose sessions go on with it.
 */
export interface CoreStart {
  readonly type: "start";
  /** HostControlMessages in, HostControlEvents out. */
  readonly control: MessagePort;
  /** GuestMessages out, GuestEvents in. */
  readonly guest: MessagePort;
  /** RedWorkerMessages out, MainMessages in. */
  readonly red: MessagePort;
  /** Names of the locks that the workers and the page hold while they live. */
  readonly guestId: string;
  readonly redId: string;
  readonly pageId: string;
  /** Name of a lock that core holds from now on, for the page. */
  readonly coreId: string;
}

export interface HostConfig {
  /** QXL devices of the machine, each with a display and a cursor channel. @default 1 */
  readonly displays?: number;
  /** The machine's name, shown by clients. */
  readonly name: string;
  /** Empty or absent: no ticket is asked for. At most 60 bytes of UTF-8, as SPICE has it. */
  readonly password?: string;
  /** Milliseconds since 1970 from which on the password lets nobody in, as the lifetime of spice_server_set_ticket; sessions stay. */
  readonly passwordValidUntil?: number;
  /** WebSocket URL of the relay's control endpoint, such as ws://127.0.0.1:8080/host; absent: no relay. */
  readonly relayUrl?: string;
  /** What the relay wants to hear of whoever hosts: its terminal shows it. */
  readonly relaySecret?: string;
  /** SpiceImageCompression for clients without a preference: 1 off, 2 auto_glz, 3 auto_lz, 4 quic, 5 glz, 6 lz, 7 lz4. */
  readonly compression?: number;
  /** False: a new client's session ends the earlier ones. @default true */
  readonly allowMultipleClients?: boolean;
  /** Whether clipboards go through the agent. @default true */
  readonly agentCopyPaste?: boolean;
  /** Whether files dropped on a client go through the agent. @default true */
  readonly agentFileXfer?: boolean;
}

export type RelayState =
  | { readonly state: "off" }
  /** `reason`: why the connection before ended, or could not be made. */
  | { readonly state: "connecting"; readonly attempt: number; readonly reason?: string }
  | {
      readonly state: "online";
      readonly spice: readonly { readonly host: string; readonly port: number }[];
      readonly webSocketUrl: string;
    }
  /** Another tab, of that name, has the place (`lost`: it took it from us); ours again when it is free. */
  | { readonly state: "waiting"; readonly host: string; readonly lost: boolean }
  /** Tried again by itself. */
  | { readonly state: "offline"; readonly reason: string }
  /** The relay does not take our secret: tried again when another is configured. */
  | { readonly state: "refused"; readonly reason: string };

export interface HostClient {
  readonly id: number;
  readonly address: string;
  readonly transport: string;
  /** Names of the linked channels, such as "main", "display". */
  readonly channels: readonly string[];
  /** Milliseconds since 1970. */
  readonly since: number;
}

export interface HostState {
  readonly relay: RelayState;
  readonly clients: readonly HostClient[];
  /** SpiceMouseMode: 1 server (relative), 2 client (absolute). */
  readonly mouseMode: number;
  /** Whether the guest takes absolute positions now; else the page's own screen must send relative motion. */
  readonly absolutePointer: boolean;
  readonly agentConnected: boolean;
  /** The guest's keyboard LEDs, as SpiceKeyboardModifierFlags. */
  readonly leds: number;
  readonly passwordSet: boolean;
}

/** What a RedClient has of a channel. */
export interface ClientChannelInspection {
  /** SpiceChannelType. */
  readonly type: number;
  readonly id: number;
  readonly name: string;
  /** Where its channel client and its stream are. `waiting`: the stream is on core, until a red worker is there. */
  readonly place: "core" | "red" | "waiting";
  /** The channel client, if it is on core. */
  readonly client?: ChannelClientInspection;
}

/** A RedClient. */
export interface ClientInspection extends HostClient {
  readonly disconnecting: boolean;
  readonly channelClients: readonly ClientChannelInspection[];
}

/** Core's part of the ownership graph, for the Threads panel and tests. */
export interface CoreInspection {
  /** Connections in their link stage. */
  readonly links: number;
  /** Ticket keys at hand. */
  readonly keys: number;
  /** The registry: what clients may link to. */
  readonly channels: readonly { readonly type: number; readonly id: number; readonly name: string }[];
  readonly clients: readonly ClientInspection[];
  /** Ids of clients that are gone for Reds, and of which some thread may still have something. */
  readonly leaving: readonly number[];
  /** Messages in the MainDispatcher that nobody has come to. */
  readonly queued: number;
  readonly relay: RelayState["state"];
  readonly dispatchers: readonly DispatcherInspection[];
  readonly log: readonly LogEntry[];
}

/** page -> core. */
export interface HostControlMessages {
  /** Takes effect at once for new links; the relay is dialled again if its URL changed. */
  configure(message: HostConfig): void;
  state(message: Record<string, never>): HostState;
  /** Hosts at the relay instead of the tab that has the place. */
  takeOverRelay(message: Record<string, never>): void;
  /** Disconnects one client. */
  kick(message: { clientId: number; reason?: string }): void;
  inspect(message: Record<string, never>): CoreInspection;
  /** Pixels of a surface, after everything the guest has drawn so far. */
  readSurface(message: { surfaceId: number; display?: number }): SurfacePixels;
  /** Keys and pointer of the page's own screen; as the InputsChannel's, but from the local user. Answer when the guest has room for more. */
  keyScancodes(message: { bytes: readonly number[] }): void;
  mouseMotion(message: { dx: number; dy: number; dz: number; buttons: number }): void;
  mousePosition(message: { x: number; y: number; dz: number; buttons: number; displayId?: number }): void;
  /** The machine stands still. Answers when the clients have been sent all that it has drawn. */
  vmStop(message: Record<string, never>): void;
  /** Heads that the page's own screen wants; as a client's MONITORS_CONFIG. */
  monitorsConfig(message: { heads: readonly ClientHead[] }): void;
  /**
   * Another red worker in the place of one that died or hung, or the first one of a further display; the port, as of {@link CoreStart},
   * is transferred.
   */
  replaceRed(message: { red: MessagePort; redId: string; display?: number }): void;
  /** The page lets the machine go, and another page has it soon: the sessions wait for that. */
  release(message: { reason: string }): void;
  /** The page goes away on purpose. Answers when the clients were told and their streams have ended. */
  shutdown(message: { reason: string }): void;
}

/** Presses of keys or buttons that the guest did not read and that had to go. */
export interface InputDropped {
  readonly count: number;
  /** Whose; absent: the page's own. */
  readonly clientId?: number;
}

/** Somebody was not let in. */
export interface LinkFailed {
  readonly peer: StreamPeer;
  readonly code: "PASSWORD_WRONG" | "PASSWORD_EXPIRED";
  /** Wrong passwords in a row from that address. */
  readonly failures?: number;
  /** Milliseconds that this one waits for its answer. */
  readonly delayMs?: number;
}

/** core -> page; none is acknowledged. */
export interface HostControlEvents {
  stateChanged(message: HostState): void;
  inputDropped(message: InputDropped): void;
  linkFailed(message: LinkFailed): void;
  /** What is new in the thread's log. */
  log(message: { entries: readonly LogEntry[] }): void;
}
