import type { ScreenEvent, SurfacePixels } from "../dispatch/messages.ts";
import type { LogLine } from "../log/index.ts";
import type { HostInspection } from "./inspection.ts";
import type { HostState, Problem } from "./state.ts";

/** A hand on the machine: what a person at the tab's own screen does. */
export interface LocalHand {
  /** PS/2 set-1 scancode bytes. */
  keys(bytes: readonly number[]): void;
  /** Pixels of a display's picture, by default the first one's. `buttons` is a SpiceMouseButtonMask (1 left, 2 middle, 4 right); `dz` -1 up, +1 down. */
  moveTo(x: number, y: number, dz: number, buttons: number, display?: number): void;
  moveBy(dx: number, dy: number, dz: number, buttons: number): void;
}

/**
 * The host: a machine with its SPICE server, in this tab. Everything that the page does goes through it, and anything
 * else that drives a host (tests, embedding) uses the same.
 */
export interface Host extends AsyncDisposable {
  readonly state: HostState;
  readonly hand: LocalHand;
  /** Called after each change of `state`, at most once per task. */
  subscribe(listener: (state: HostState) => void): Disposable;
  /** Gives a screen of the tab's own to a display's red worker, once; events of its size and pointer come to `onEvent`. */
  attachScreen(canvas: HTMLCanvasElement, onEvent: (event: ScreenEvent) => void, display?: number): void;
  /** Asks the guest for a screen of that many pixels, as a client's window does; among several the last one asked for counts. */
  wantScreenSize(width: number, height: number, display?: number): void;
  /** How many displays the machine has from its next boot on, 1 to 4; kept. Its saved states belong to the number it had then. */
  setDisplays(displays: number): void;
  /** Gives the guest another keyboard layout and keeps the choice; `state.keyboard` tells when the guest has it. */
  setKeyboardLayout(name: string): Promise<void>;
  /** Keeps the machine's state; rejects when that was not possible, and says so in `state.snapshot`. */
  save(): Promise<void>;
  /** Goes back to the kept state, or to the one before it; boots where there is none that fits. */
  restore(options?: { earlier?: boolean }): Promise<void>;
  /** vm_stop: the machine stands still, its clients stay and see it as it is. */
  pause(): Promise<void>;
  /** vm_start: it goes on, with the time that has passed. */
  resume(): Promise<void>;
  /** Boots from the beginning. The kept state stays until the next save. */
  bootFresh(): Promise<void>;
  /** Drops the kept state. */
  forget(): Promise<void>;
  /** Gives the secret of the server's start. Never rejects: `state` tells whether it was taken. */
  unlock(secret: string): Promise<void>;
  /** Takes the machine over from the other tab that has it, or the place at the relay from the other browser's. */
  takeOver(): Promise<void>;
  /** Pixels of a display's surface once all commands up to now are drawn; 0 is the primary. */
  readSurface(surfaceId?: number, display?: number): Promise<SurfacePixels>;
  /** Who owns what, in all threads, now; docs/inspection.md. A thread that hangs is silent in it, and holds up nothing. */
  inspect(): Promise<HostInspection>;
  /** What went wrong in which thread, who did it and how often; newest first. */
  readonly log: readonly LogLine[];
  /** SpiceImageCompression for clients without a preference: 1 off, 2 auto_glz, 3 auto_lz, 4 quic, 5 glz, 6 lz, 7 lz4. */
  setCompression(compression: number): Promise<void>;
  /** The last text of the guest's serial console. */
  serialLog(): Promise<string>;
  /** Saves if there is something worth keeping, and ends the machine. @returns why it could not be saved, if so */
  leave(): Promise<Problem | undefined>;
}
