/**
 * The pointer: absolute through the VMware backdoor when the guest's driver (psmouse's vmmouse) is on, relative through
 * PS/2 otherwise. The PS/2 side also supplies IRQ 12 for the backdoor, which has none.
 */
import {
  INPUT_DEAF_MS,
  POINTER_BACKDOOR_WORDS,
  POINTER_LOOK_MS,
  POINTER_PS2_BYTES,
  POINTER_QUEUE,
  POINTER_ROOM,
  PS2_MOTION_LIMIT,
  PS2_MOTION_STEP,
} from "../limits.ts";
import { Patience } from "../clock/patience.ts";
import type { V86Emulator } from "../v86/v86-private.ts";

/** SpiceMouseButtonMask. */
const BUTTON_LEFT = 1;
const BUTTON_MIDDLE = 2;
const BUTTON_RIGHT = 4;

/** PS/2 bytes that still wait for the guest, above which a further packet would bring no interrupt that is not due anyway. */
const PS2_PENDING = 8;

/** Cuts a motion into packets: pairs of steps, each within ±{@link PS2_MOTION_STEP}. Absurd distances are cut off. */
export const motionSteps = (dx: number, dy: number): [number, number][] => {
  const clamp = (value: number) =>
    Math.max(-PS2_MOTION_LIMIT, Math.min(PS2_MOTION_LIMIT, Math.trunc(value) || 0));
  const step = (value: number) => Math.max(-PS2_MOTION_STEP, Math.min(PS2_MOTION_STEP, value));
  const steps: [number, number][] = [];
  let [x, y] = [clamp(dx), clamp(dy)];
  while (x !== 0 || y !== 0) {
    steps.push([step(x), step(y)]);
    x -= step(x);
    y -= step(y);
  }
  return steps;
};

/** A motion or a position, with the buttons and the step of the wheel that come with it. */
type PointerEvent = { dz: number; buttons: number } & (
  | { readonly kind: "motion"; dx: number; dy: number }
  | { readonly kind: "position"; x: number; y: number; width: number; height: number }
);

/**
 * The guest's mouse. Sizes are those of the primary surface, in pixels. What a guest does not read waits here: motions add up, newer
 * positions take the place of older ones, and presses, releases and steps of the wheel are kept in order. Owner disposes.
 */
export class Pointer implements Disposable {
  readonly #emulator: V86Emulator;
  readonly #patience: Patience;
  #buttons = 0;
  #relativeThroughBackdoor = false;
  readonly #queue: PointerEvent[] = [];
  #dropped = 0;
  #waiting: ((dropped: number) => void)[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(emulator: V86Emulator) {
    this.#emulator = emulator;
    this.#patience = new Patience(INPUT_DEAF_MS, () => emulator.is_running());
  }

  /** Presses, releases and steps that wait. */
  get queued(): number {
    return this.#queue.length;
  }

  /** Whether the guest's driver takes absolute positions. */
  get absolute(): boolean {
    const { vmware } = this.#emulator.v86.cpu.devices;
    return vmware.enabled && vmware.absolute;
  }

  /**
   * Relative motion in pixels, y downwards. `dz`: -1 wheel up, +1 down. `buttons` is a SpiceMouseButtonMask. Resolves when there is
   * room for more, with the number of changes that were dropped since the last answer.
   */
  motion(dx: number, dy: number, dz: number, buttons: number): Promise<number> {
    return this.#add({ kind: "motion", dx, dy, dz, buttons });
  }

  /** Absolute position in a screen of `width` x `height`; otherwise as {@link motion}. */
  position(
    x: number,
    y: number,
    dz: number,
    buttons: number,
    width: number,
    height: number,
  ): Promise<number> {
    if (width <= 0 || height <= 0) return Promise.resolve(0);
    return this.#add({ kind: "position", x, y, dz, buttons, width, height });
  }

  #add(event: PointerEvent): Promise<number> {
    if (!this.#merge(event)) {
      this.#queue.push(event);
      if (this.#queue.length > POINTER_QUEUE) this.#collapse();
    }
    if (this.#timer === undefined) this.#pump();
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#makeRoom();
    });
  }

  /** Into what waits last, if that loses no change of a button and no step. */
  #merge(event: PointerEvent): boolean {
    const last = this.#queue.at(-1);
    if (last?.kind !== event.kind || last.buttons !== event.buttons || last.dz !== 0 || event.dz !== 0)
      return false;
    if (last.kind === "motion" && event.kind === "motion") {
      last.dx += event.dx;
      last.dy += event.dy;
    } else Object.assign(last, event);
    return true;
  }

  /** Keeps only where the pointer and its buttons are in the end. */
  #collapse(): void {
    const last = this.#queue.at(-1);
    this.#dropped += this.#queue.length - 1;
    this.#queue.length = 0;
    if (last !== undefined) this.#queue.push({ ...last, dz: 0 });
  }

  #pump(): void {
    this.#timer = undefined;
    while (this.#queue.length > 0) {
      if (this.#guestHasRoom()) {
        this.#patience.reset();
        this.#give(this.#queue.shift()!);
        continue;
      }
      if (this.#queue.length > 1 && this.#patience.isOver()) this.#collapse();
      this.#timer = setTimeout(() => this.#pump(), POINTER_LOOK_MS);
      break;
    }
    this.#makeRoom();
  }

  #guestHasRoom(): boolean {
    const { ps2, vmware } = this.#emulator.v86.cpu.devices;
    return ps2.mouse_buffer.length < POINTER_PS2_BYTES && vmware.queue.length < POINTER_BACKDOOR_WORDS;
  }

  #makeRoom(): void {
    if (this.#queue.length > POINTER_ROOM) return;
    for (const resolve of this.#waiting.splice(0)) {
      resolve(this.#dropped);
      this.#dropped = 0;
    }
  }

  #give(event: PointerEvent): void {
    const { dz, buttons } = event;
    if (event.kind === "motion") this.#giveMotion(event.dx, event.dy, dz, buttons);
    else this.#givePosition(event.x, event.y, dz, buttons, event.width, event.height);
  }

  #giveMotion(dx: number, dy: number, dz: number, buttons: number): void {
    // A guest with the VMware driver ignores what PS/2 packets say, so motion must go through the backdoor as well.
    this.#throughBackdoor(this.#emulator.v86.cpu.devices.vmware.enabled);
    for (const [x, y] of motionSteps(dx, dy)) this.#send("mouse-delta", [x, -y]);
    this.#buttonsAndWheel(dz, buttons);
  }

  #givePosition(x: number, y: number, dz: number, buttons: number, width: number, height: number): void {
    this.#throughBackdoor(false);
    // The middle of the pixel: whichever way the guest rounds, it lands on this one.
    this.#send("mouse-absolute", [x + 0.5, y + 0.5, width, height]);
    this.#interrupt();
    this.#buttonsAndWheel(dz, buttons);
  }

  /** What is down in the guest, as a SpiceMouseButtonMask. */
  get buttons(): number {
    return this.#buttons;
  }

  /** The guest was restored with these buttons down, and nobody holds them any more. */
  letGo(buttons: number): void {
    this.#buttons = buttons;
    this.motion(0, 0, 0, 0);
  }

  /** Lets go of all buttons without telling the guest: it was reset or restored. */
  clear(): void {
    this.#queue.length = 0;
    this.#patience.reset();
    this.#makeRoom();
    this.#buttons = 0;
    this.#throughBackdoor(false);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#queue.length = 0;
    this.#makeRoom();
  }

  #buttonsAndWheel(dz: number, buttons: number): void {
    if (buttons !== this.#buttons) {
      this.#buttons = buttons;
      this.#send("mouse-click", [
        (buttons & BUTTON_LEFT) !== 0,
        (buttons & BUTTON_MIDDLE) !== 0,
        (buttons & BUTTON_RIGHT) !== 0,
      ]);
    }
    // v86 counts wheel steps upwards.
    if (dz !== 0) this.#send("mouse-wheel", [-Math.sign(dz), 0]);
  }

  #interrupt(): void {
    if (this.#emulator.v86.cpu.devices.ps2.mouse_buffer.length < PS2_PENDING)
      this.#send("mouse-delta", [1, 0]);
  }

  #throughBackdoor(on: boolean): void {
    if (on === this.#relativeThroughBackdoor) return;
    this.#relativeThroughBackdoor = on;
    this.#send("mouse-pointer-lock", on);
  }

  #send(name: string, value: unknown): void {
    this.#emulator.bus.send(name, value);
  }
}
