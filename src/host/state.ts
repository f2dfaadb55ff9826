/** What the page shows: one immutable value, replaced at every change. */
import type { EndedMachine } from "../machine/power/power.ts";

/** A stage of the way to a usable machine. */
export interface BootStep {
  readonly id: string;
  readonly label: string;
  readonly state: "waiting" | "active" | "done" | "failed";
  /** 0 to 1 where it can be told. */
  readonly progress?: number;
  /** A few words, for example "12.4 of 58.0 MB". */
  readonly detail?: string;
}

/** A SPICE client that is connected. */
export interface ConnectedClient {
  readonly id: number;
  /** For example "127.0.0.1:51234". */
  readonly address: string;
  readonly transport: string;
  /** Names of its channels, for example "main", "display". */
  readonly channels: readonly string[];
  /** Milliseconds since 1970. */
  readonly since: number;
}

/** Somebody who was not let in. */
export interface RefusedClient {
  /** Without its port: each try has another. */
  readonly host: string;
  /** For example "wrong password, 3 in a row". */
  readonly words: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** The machine's kept state. */
export interface SnapshotState {
  readonly busy: "none" | "saving" | "restoring" | "forgetting";
  /** Milliseconds since 1970; undefined: nothing is kept. */
  readonly savedAt?: number;
  /** When the state before it was saved, which is kept besides. */
  readonly earlier?: number;
  /** 0 to 1 while it is being saved. */
  readonly progress?: number;
  readonly bytes?: number;
  /** Somebody has used the machine since. */
  readonly unsaved?: boolean;
  /** Where it is kept, for people; "memory" is lost with the tab. */
  readonly store?: string;
  /** What went wrong last, and how to mend it. */
  readonly problem?: Problem;
}

/** Something that a person should know, with a way on. */
export interface Problem {
  readonly title: string;
  readonly detail: string;
  /** What to do about it. */
  readonly remedy?: string;
  /** Nothing has failed: somebody did it, and should know what it means. */
  readonly isNews?: boolean;
}

/** How other programs reach the machine. */
export interface JoinState {
  /** `occupied`: another browser hosts. `refused`: the relay does not take our secret. */
  readonly relay: "connecting" | "connected" | "lost" | "occupied" | "refused" | "vacant";
  /** Why it is `lost`, such as "the relay does not answer". */
  readonly relayReason?: string;
  readonly spice: readonly { readonly host: string; readonly port: number }[];
  /** Absolute ws: URL for clients. */
  readonly webSocketUrl: string;
  readonly password: string;
  /** Milliseconds since 1970 from which on it lets nobody in; absent: for ever. */
  readonly passwordValidUntil?: number;
}

/** The guest's keyboard. */
export interface KeyboardState {
  /** Name of the layout that the guest has, as far as known. */
  readonly layout: string;
  /** The layout that it should have. */
  readonly wanted: string;
  /** SpiceKeyboardModifierFlags: 1 scroll, 2 num, 4 caps. */
  readonly leds: number;
}

export type MachinePhase =
  | "starting"
  | "booting"
  | "restoring"
  | "running"
  | "paused"
  /** The guest has switched it off, halted or panicked: it can be booted again. */
  | "ended"
  | "failed"
  /** The server gives nothing to a page without its secret. */
  | "locked"
  /** Another tab has the machine. */
  | "elsewhere";

/** A display of the machine on this page. */
export interface DisplayState {
  /** Counts its red worker's lives: a canvas serves one, so each value needs a new one. 0: the guest has not driven it yet. */
  readonly screen: number;
  /** Size of its picture in pixels, 0 while there is none. */
  readonly width: number;
  readonly height: number;
}

export interface HostState {
  readonly phase: MachinePhase;
  readonly level: string;
  readonly version: string;
  readonly steps: readonly BootStep[];
  /** Counts the threads' lives: a canvas serves one red worker, so each value needs a new one. */
  readonly screen: number;
  /** Size of the guest's picture in pixels, 0 before there is one. */
  readonly width: number;
  readonly height: number;
  /** Further displays, from the second on. */
  readonly otherDisplays: readonly DisplayState[];
  /** How many displays the machine has, and how many it is to have from its next boot on. */
  readonly displays: { readonly present: number; readonly wanted: number };
  /** "absolute": the guest follows the pointer; "relative": it takes motions. */
  readonly pointer: "absolute" | "relative";
  readonly agent: boolean;
  readonly keyboard: KeyboardState;
  readonly join: JoinState;
  readonly clients: readonly ConnectedClient[];
  /** The last who were not let in, newest first, each host once. */
  readonly refusals: readonly RefusedClient[];
  readonly snapshot: SnapshotState;
  /** How the machine's run ended, while `phase` is `ended`. */
  readonly ended?: EndedMachine;
  readonly problem?: Problem;
  /** Why this page shows no picture while the machine runs. */
  readonly screenProblem?: Problem;
  /** Other programs reach another browser's machine, and what can be done. */
  readonly hosting?: Problem;
  /** The server did not take the secret that we had; a person must give it. */
  readonly secretRefused?: boolean;
}

/** What of the state is a display's. */
export const displayOf = (state: HostState, display: number): DisplayState =>
  display === 0 ? state : (state.otherDisplays[display - 1] ?? { screen: 0, width: 0, height: 0 });

export const INITIAL_STATE: HostState = {
  phase: "starting",
  level: "desktop",
  version: "",
  steps: [],
  screen: 0,
  width: 0,
  height: 0,
  otherDisplays: [],
  displays: { present: 1, wanted: 1 },
  pointer: "relative",
  agent: false,
  keyboard: { layout: "us", wanted: "us", leds: 0 },
  join: { relay: "connecting", spice: [], webSocketUrl: "", password: "" },
  clients: [],
  refusals: [],
  snapshot: { busy: "none" },
};
