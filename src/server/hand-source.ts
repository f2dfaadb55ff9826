import type { GuestHand } from "./guest-hand.ts";
import type { InputSource } from "./input-lane.ts";
import type { PointerInput } from "./input-queues.ts";
import { KeyQueue, PointerQueue } from "./input-queues.ts";
import { KEYS_HOLD_BYTES, POINTER_HOLD } from "./limits.ts";

/** Whoever's keyboard and pointer it is. */
export interface HandPeer {
  /** The guest's lock keys changed, as SpiceKeyboardModifierFlags. */
  sendModifiers(modifiers: number): void;
  /** The guest has taken enough that more may come; told after {@link HandSource.full}. */
  handHasRoom(): void;
  /** The guest reads nothing; so many presses of keys or buttons had to go. */
  inputDropped(count: number): void;
}

/** One client's hand on the guest's devices, or the page's. What the guest has not taken yet waits here. */
export class HandSource {
  readonly keys = new KeyQueue();
  readonly pointer = new PointerQueue();
  readonly keyLane: InputSource<number[]>;
  readonly pointerLane: InputSource<PointerInput>;
  readonly #hand: GuestHand;
  /** Undefined once it has left. */
  peer: HandPeer | undefined;
  /** What lets go of every key it held, once it has left. */
  #releases: readonly number[] = [];
  #held = false;

  constructor(hand: GuestHand, peer: HandPeer) {
    this.#hand = hand;
    this.peer = peer;
    this.keyLane = { queue: this.keys, taken: (dropped) => this.#taken(dropped) };
    this.pointerLane = { queue: this.pointer, taken: (dropped) => this.#taken(dropped) };
  }

  /** True while so much waits for the guest that nothing more should be read from the peer. */
  get full(): boolean {
    this.#held ||= this.keys.length >= KEYS_HOLD_BYTES || this.pointer.length >= POINTER_HOLD;
    return this.#held;
  }

  /** Nothing of it is on its way. */
  get empty(): boolean {
    return !this.keys.ready && !this.pointer.ready;
  }

  /** What the guest's keyboard shows, or will as soon as it has seen the keys under way. */
  get leds(): number {
    return this.#hand.leds;
  }

  keyScancodes(bytes: readonly number[]): void {
    this.keys.add(bytes);
    this.#hand.keysWait(this);
  }

  /** Lock keys were pressed so that the guest will show `expected`. */
  locksPressed(expected: number): void {
    this.#hand.locksPressed(expected);
  }

  /** Relative motion; ignored unless the mouse mode is SERVER. */
  motion(dx: number, dy: number, buttons: number): void {
    if (this.#hand.relative) this.#point({ kind: "motion", dx, dy, dz: 0, buttons });
  }

  /** Absolute position; ignored unless the mouse mode is CLIENT. */
  position(x: number, y: number, buttons: number, displayId: number): void {
    if (!this.#hand.relative) this.#point({ kind: "position", x, y, dz: 0, buttons, displayId });
  }

  /** Buttons changed or the wheel moved (dz -1 up, +1 down) in either mode. */
  buttons(buttons: number, dz: number): void {
    if (this.#hand.relative) this.#point({ kind: "motion", dx: 0, dy: 0, dz, buttons });
    else this.#point({ kind: "position", ...this.#hand.lastPosition, dz, buttons });
  }

  /** As {@link motion} or {@link position}, whatever the clients' mode. */
  local(input: PointerInput): void {
    this.#point(input);
  }

  #point(input: PointerInput): void {
    this.pointer.add(input);
    this.#hand.pointerWaits(this, input);
  }

  /** The peer is gone. What it has typed still goes to the guest, then every key and button it held is let go. */
  leave(releases: readonly number[], buttonsHeld: boolean): void {
    if (this.peer === undefined) return;
    this.#releases = releases;
    if (buttonsHeld) this.buttons(0, 0);
    this.peer = undefined;
    if (releases.length > 0) this.keyScancodes(releases);
    this.#hand.left(this);
  }

  /** Lets go of what it held and forgets the rest; how many bytes and pointer events went. */
  abandon(): number {
    const gone = this.keys.length - this.#releases.length + this.pointer.collapse();
    this.keys.clear();
    this.keys.add(this.#releases);
    return Math.max(gone, 0);
  }

  #taken(dropped: number): void {
    if (dropped > 0) this.peer?.inputDropped(dropped);
    if (this.peer === undefined) {
      if (this.empty) this.#hand.forget(this);
    } else if (
      this.#held &&
      this.keys.length < KEYS_HOLD_BYTES / 2 &&
      this.pointer.length < POINTER_HOLD / 2
    ) {
      this.#held = false;
      this.peer.handHasRoom();
    }
  }
}
