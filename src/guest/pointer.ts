/**
 * The pointer: absolute through the VMware backdoor when the guest's driver (psmouse's vmmouse) is on, relative through
 * PS/2 otherwise. The PS/2 side also supplies IRQ 12 for the backdoor, which has none.
 */
import { PS2_MOTION_LIMIT, PS2_MOTION_STEP } from "./limits.ts";
import type { V86Emulator } from "./v86-private.ts";

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

/** The guest's mouse. Sizes are those of the primary surface, in pixels. */
export class Pointer {
  readonly #emulator: V86Emulator;
  #buttons = 0;
  #relativeThroughBackdoor = false;

  constructor(emulator: V86Emulator) {
    this.#emulator = emulator;
  }

  /** Whether the guest's driver takes absolute positions. */
  get absolute(): boolean {
    const { vmware } = this.#emulator.v86.cpu.devices;
    return vmware.enabled && vmware.absolute;
  }

  /** Relative motion in pixels, y downwards. `dz`: -1 wheel up, +1 down. `buttons` is a SpiceMouseButtonMask. */
  motion(dx: number, dy: number, dz: number, buttons: number): void {
    // A guest with the VMware driver ignores what PS/2 packets say, so motion must go through the backdoor as well.
    this.#throughBackdoor(this.#emulator.v86.cpu.devices.vmware.enabled);
    for (const [x, y] of motionSteps(dx, dy)) this.#send("mouse-delta", [x, -y]);
    this.#buttonsAndWheel(dz, buttons);
  }

  /** Absolute position in a screen of `width` x `height`. */
  position(x: number, y: number, dz: number, buttons: number, width: number, height: number): void {
    if (width <= 0 || height <= 0) return;
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
    this.#buttons = 0;
    this.#throughBackdoor(false);
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
