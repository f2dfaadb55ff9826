/**
 * What `inspect()` gives: who owns what in all threads of a host, as data (docs/inspection.md). The Threads panel draws nothing else.
 * Each thread's own part is declared where the thread can see it: `CoreInspection` in src/server, `RedInspection` in src/dispatch,
 * `GuestInspection` in src/machine.
 */
import type { DispatcherInspection, RedChannelClientInspection, RedInspection } from "../dispatch/index.ts";
import type { GuestInspection } from "../machine/control.ts";
import type { ClientChannelInspection, ClientInspection, CoreInspection } from "../server/host-control.ts";
import type { MachinePhase } from "./state.ts";

/** Bytes to and from its client per second, since the look before; absent at the first. */
export interface Rated {
  readonly bytesPerSecond?: number;
}

/** A client of core, with what its channels carry. */
export interface RatedClient extends ClientInspection {
  readonly channelClients: readonly (ClientChannelInspection & Rated)[];
}

export interface RatedCore extends CoreInspection {
  readonly clients: readonly RatedClient[];
}

export interface RatedRed extends RedInspection {
  readonly clients: readonly (RedChannelClientInspection & Rated)[];
}

/** The page's own part. */
export interface PageInspection {
  readonly phase: MachinePhase;
  readonly dispatchers: readonly DispatcherInspection[];
}

interface ThreadOf<Kind extends string, Part> {
  readonly kind: Kind;
  /** As the browser's developer tools name it: "guest", "core", "red", "red 1", …; and "page". */
  readonly name: string;
  readonly runsIn: "window" | "DedicatedWorker" | "SharedWorker";
  /** Milliseconds since 1970 of the question that it has not answered; absent: it has. */
  readonly silentSince?: number;
  /** What it said; absent while it is silent. */
  readonly part?: Part;
}

export type PageThread = ThreadOf<"page", PageInspection>;
export type CoreThread = ThreadOf<"core", RatedCore>;
export type GuestThread = ThreadOf<"guest", GuestInspection>;
/** `display`: of which QXL device. */
export type RedThreadInspection = ThreadOf<"red", RatedRed> & { readonly display: number };

export type ThreadInspection = PageThread | CoreThread | GuestThread | RedThreadInspection;

/** All threads of a host. */
export interface HostInspection {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly threads: readonly ThreadInspection[];
}
