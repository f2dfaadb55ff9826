/** What the page and the guest worker say to each other, over dispatchers in both directions on one port. */
import type { DispatcherInspection } from "../dispatch/index.ts";
import type { PlainError } from "../errors/index.ts";
import type { LogEntry } from "../log/index.ts";
import type { StateRefusal } from "../state/errors.ts";
import type { EndedMachine } from "./power/power.ts";

/** First message to the worker, with all ports transferred. Each port carries both directions of its dispatchers. */
export interface GuestWorkerStart {
  readonly type: "start";
  /** The worker holds the lock `guest:<id>` for as long as it lives. */
  readonly id: string;
  /** GuestMessages in, GuestEvents out. */
  readonly core: MessagePort;
  /** RedCommandBatch out, RedCommandReply in: plain postMessage. The first display's. */
  readonly red: MessagePort;
  /** GuestControlMessages in, GuestControlEvents out. */
  readonly control: MessagePort;
}

/** `ended`: the guest has switched its machine off, halted or panicked. */
export type GuestState = "off" | "starting" | "running" | "paused" | "ended" | "failed";

/** Stages of a start, in order; a restore has no kernel, a fresh boot no state. */
export type BootStage = "manifest" | "firmware" | "state" | "kernel" | "machine";

/** A saved state that was found and not used, and why. */
export interface RefusedState {
  readonly refusal: StateRefusal;
  readonly message: string;
}

/** What is kept for the next visit. */
export interface SavedInfo {
  readonly store: "OPFS" | "IndexedDB" | "memory";
  readonly bytes: number;
  /** Milliseconds since 1970. */
  readonly savedAt: number;
  /** When the state before it was saved, if there is one. */
  readonly earlier?: number;
  /** Milliseconds that it took to store it, or to get it back: so long the next save may take, too. */
  readonly tookMs: number;
}

export interface GuestStatus {
  readonly state: GuestState;
  readonly level?: string;
  readonly buildId?: string;
  readonly memoryMiB?: number;
  /** "native" while the QXL driver shows its primary; else how VGA shows. */
  readonly display?: "native" | "text" | "planar" | "vbe";
  readonly width: number;
  readonly height: number;
  /** Guest instructions so far; two readings give MIPS. */
  readonly instructions: number;
  readonly halted: boolean;
  readonly agentOpen: boolean;
  readonly tablet: boolean;
  readonly markers: readonly { readonly name: string; readonly uptime?: number }[];
  readonly saved?: SavedInfo;
  readonly ended?: EndedMachine;
}

/** The guest thread's part of the ownership graph. */
export interface GuestInspection {
  readonly status: GuestStatus;
  /** Bytes of keys that the guest has not read, and events of its pointer. */
  readonly keyboardBytes: number;
  readonly pointerEvents: number;
  /** By display. */
  readonly displays: readonly {
    /** Whether a red worker takes its commands. */
    readonly isServed: boolean;
    /** Bytes of commands that the red worker has not carried out. */
    readonly pendingBytes: number;
  }[];
  readonly dispatchers: readonly DispatcherInspection[];
}

/** page -> guest worker. */
export interface GuestControlMessages {
  /**
   * Starts the guest at `<baseUrl>/manifest.json`: from its saved state if there is one that fits, else from its kernel.
   * Answers at once; events tell the rest. `fresh` ignores the saved states (they stay until the next save); `earlier` leaves out the
   * newest.
   */
  boot(message: {
    level: string;
    baseUrl: string;
    fresh?: boolean;
    earlier?: boolean;
    /** QXL devices. @default 1 */
    displays?: number;
  }): void;
  status(message: Record<string, never>): GuestStatus;
  inspect(message: Record<string, never>): GuestInspection;
  /** Saves now. `unlessCurrent`: not when nothing was done since the last save, seconds ago (a tab hidden twice), or since it was dropped. */
  save(message: { unlessCurrent?: boolean }): SavedInfo | undefined;
  /** Deletes the saved state of the guest's level. */
  forget(message: { level: string }): void;
  pause(message: Record<string, never>): void;
  resume(message: Record<string, never>): void;
  /** The reset button; for a machine whose run has ended, the power button. */
  reset(message: Record<string, never>): void;
  /** The last text of the serial console. */
  serialText(message: Record<string, never>): string;
  serialSend(message: { text: string }): void;
  /** Another core or red worker took over; the port is transferred. */
  attachCore(message: { port: MessagePort }): void;
  attachRed(message: { port: MessagePort; display?: number }): void;
}

/** guest worker -> page; none is acknowledged. */
export interface GuestControlEvents {
  progress(message: { stage: BootStage; done: number; total: number }): void;
  /**
   * The guest runs. `refused` is set when a saved state was passed over, `savedAt` tells which one it is that was restored, and `saved`
   * what is kept: whoever is told that the machine runs knows all of it at once.
   */
  booted(message: {
    level: string;
    buildId: string;
    restored: boolean;
    savedAt?: number;
    refused?: RefusedState;
    saved?: SavedInfo;
  }): void;
  marker(message: { name: string; uptime?: number }): void;
  /** `error` says why it failed; `ended` comes with the state of that name. */
  stateChanged(message: { state: GuestState; error?: PlainError; ended?: EndedMachine }): void;
  /** The guest has reset its machine, which starts again from its kernel. */
  rebooted(message: Record<string, never>): void;
  /** A save under way; comes for as long as it gets on. */
  saving(message: { done: number; total: number }): void;
  saved(message: SavedInfo): void;
  /** The guest's driver shows something on a further display, which has no red worker yet. */
  displayWanted(message: { display: number }): void;
  /** Whether somebody has used the machine since it was last saved. */
  unsaved(message: { unsaved: boolean }): void;
  saveFailed(message: { error: PlainError }): void;
  /** What is new in the thread's log. */
  log(message: { entries: readonly LogEntry[] }): void;
}
