import { errorText } from "../errors/index.ts";
import type { Dispatcher, GuestMessages } from "../dispatch/index.ts";
import { PeerDied } from "../dispatch/index.ts";
import { MouseButtonMask, MouseMode } from "../protocol/index.ts";
import type { HandPeer } from "./hand-source.ts";
import { HandSource } from "./hand-source.ts";
import { InputLane } from "./input-lane.ts";
import type { PointerInput } from "./input-queues.ts";
import { releasesIn } from "./input-queues.ts";
import {
  HAND_DEADLINE_MS,
  HAND_LEFT_MAX,
  KEYS_LOCAL_BYTES,
  KEY_MODIFIERS_TTL_MS,
  POINTER_LOCAL,
} from "./limits.ts";
import type { MouseModes } from "./mouse-mode.ts";

/** What the hand needs of the guest's thread and of its agent. */
export interface HandTargets {
  readonly guest: Pick<Dispatcher<GuestMessages>, "call">;
  /**
   * Positions for guests without an absolute device of their own; buttons is a SpiceMouseButtonMask. Resolves when the agent has room
   * for more, with the number of changes that it had to drop.
   */
  readonly agent: { mouseState(x: number, y: number, buttons: number, displayId: number): Promise<number> };
  readonly mouse: MouseModes;
}

const wheelMask = (dz: number) => (dz < 0 ? MouseButtonMask.Up : dz > 0 ? MouseButtonMask.Down : 0);

/**
 * The guest's keyboard and pointer: what all clients' InputsChannels and the tab's own screen do with them. Each has its own queue, and
 * each device takes from them in turn, one small piece when it has room.
 */
export class GuestHand implements Disposable {
  readonly #targets: HandTargets;
  readonly #sources = new Set<HandSource>();
  /** Sources whose peers are gone, with something still on its way; oldest first. */
  readonly #left = new Set<HandSource>();
  readonly #keys: InputLane<number[]>;
  readonly #pointer: InputLane<PointerInput>;
  readonly #local: HandSource;
  /** What the guest last showed, as SpiceKeyboardModifierFlags. */
  #leds = 0;
  /** What it will show once it has seen the lock keys that were pressed for a client; dropped when it has, or did not in time. */
  #expected: number | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Where a client last pointed. */
  lastPosition = { x: 0, y: 0, displayId: 0 };
  onWarning: ((text: string) => void) | undefined;
  /** Input of the tab's own screen had to go. */
  onLocalDropped: ((count: number) => void) | undefined;
  #localWaiters: (() => void)[] = [];

  constructor(targets: HandTargets) {
    this.#targets = targets;
    this.#keys = new InputLane((bytes) => this.#ask(() => this.#deliverKeys(bytes)));
    this.#pointer = new InputLane((input) => this.#ask(() => this.#deliverPointer(input)));
    this.#local = new HandSource(this, {
      sendModifiers: () => {},
      handHasRoom: () => {
        for (const resolve of this.#localWaiters.splice(0)) resolve();
      },
      inputDropped: (count) => this.onLocalDropped?.(count),
    });
  }

  /** A hand for a client's InputsChannel, which says when it leaves. */
  attach(peer: HandPeer): HandSource {
    const source = new HandSource(this, peer);
    this.#sources.add(source);
    return source;
  }

  // --- for its sources -----------------------------------------------------------------------------------------------

  /** Whether clients send relative motion now. */
  get relative(): boolean {
    return this.#targets.mouse.current === MouseMode.Server;
  }

  get leds(): number {
    return this.#expected ?? this.#leds;
  }

  /** As the guest last showed them, without guessing. */
  get shownLeds(): number {
    return this.#leds;
  }

  locksPressed(expected: number): void {
    this.#expected = expected;
    this.#tellLater();
  }

  keysWait(source: HandSource): void {
    this.#keys.ask(source.keyLane);
  }

  pointerWaits(source: HandSource, input: PointerInput): void {
    if (input.kind === "position") this.lastPosition = { x: input.x, y: input.y, displayId: input.displayId };
    this.#pointer.ask(source.pointerLane);
  }

  left(source: HandSource): void {
    this.#sources.delete(source);
    if (source.empty) return;
    this.#left.add(source);
    if (this.#left.size <= HAND_LEFT_MAX) return;
    const [oldest] = this.#left;
    this.#left.delete(oldest);
    const gone = oldest.abandon();
    if (gone > 0)
      this.onWarning?.(`the guest takes no input: ${gone} keys or clicks of clients that left are dropped`);
  }

  forget(source: HandSource): void {
    this.#left.delete(source);
  }

  // --- the guest's devices -------------------------------------------------------------------------------------------

  /** A guest that fails one piece may take the next; only its end ends the lane. */
  async #ask(deliver: () => Promise<number>): Promise<number> {
    try {
      return await deliver();
    } catch (error) {
      if (error instanceof PeerDied) throw error;
      this.onWarning?.(`the guest did not take input: ${errorText(error)}`);
      return 1;
    }
  }

  #deliverKeys(bytes: number[]): Promise<number> {
    return this.#targets.guest.call("keyScancodes", { bytes }, [], { deadlineMs: HAND_DEADLINE_MS });
  }

  #deliverPointer(input: PointerInput): Promise<number> {
    const { mouse, guest, agent } = this.#targets;
    const { dz, buttons } = input;
    const options = { deadlineMs: HAND_DEADLINE_MS };
    if (input.kind === "motion") {
      const { dx, dy } = input;
      return guest.call("mouseMotion", { dx, dy, dz, buttons }, [], options);
    }
    const { x, y, displayId } = input;
    if (mouse.usesTablet)
      return guest.call(
        "mousePosition",
        { x, y, dz, buttons, ...(displayId > 0 && { displayId }) },
        [],
        options,
      );
    return agent.mouseState(x, y, buttons | wheelMask(dz), displayId);
  }

  // --- the tab's own screen ------------------------------------------------------------------------------------------

  /** Resolves when the guest has room for more. Who does not wait for that loses presses beyond {@link KEYS_LOCAL_BYTES}, and hears it. */
  localKeys(bytes: readonly number[]): Promise<void> {
    if (this.#local.keys.length + bytes.length > KEYS_LOCAL_BYTES) {
      const kept = releasesIn(bytes);
      this.onLocalDropped?.(bytes.length - kept.length);
      this.#local.keyScancodes(kept);
    } else this.#local.keyScancodes(bytes);
    return this.#localRoom();
  }

  /** Absolute where the guest can take it, whatever mode the clients use. */
  localPosition(x: number, y: number, dz: number, buttons: number, displayId = 0): Promise<void> {
    return this.#localPoint({ kind: "position", x, y, dz, buttons, displayId });
  }

  localMotion(dx: number, dy: number, dz: number, buttons: number): Promise<void> {
    return this.#localPoint({ kind: "motion", dx, dy, dz, buttons });
  }

  #localPoint(input: PointerInput): Promise<void> {
    if (this.#local.pointer.length >= POINTER_LOCAL) this.onLocalDropped?.(this.#local.pointer.collapse());
    this.#local.local(input);
    return this.#localRoom();
  }

  #localRoom(): Promise<void> {
    if (!this.#local.full) return Promise.resolve();
    return new Promise((resolve) => this.#localWaiters.push(resolve));
  }

  // --- what the guest shows ------------------------------------------------------------------------------------------

  /** The guest's lock keys changed. */
  setLeds(modifiers: number): void {
    this.#expected = undefined;
    if (modifiers === this.#leds) return;
    this.#leds = modifiers;
    this.#tell();
    // Told once more: a client that pressed the key itself may have overridden the first.
    this.#tellLater();
  }

  #tellLater(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#expected = undefined;
      this.#tell();
    }, KEY_MODIFIERS_TTL_MS);
  }

  #tell(): void {
    for (const { peer } of this.#sources) peer?.sendModifiers(this.#leds);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    for (const source of this.#sources) source.peer = undefined;
    this.#sources.clear();
    this.#left.clear();
    for (const resolve of this.#localWaiters.splice(0)) resolve();
  }
}
