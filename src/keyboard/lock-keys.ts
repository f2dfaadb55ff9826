/** SpiceKeyboardModifierFlags. */
export const Led = { Scroll: 1, Num: 2, Caps: 4 } as const;

const LED_OF_KEY: Readonly<Record<string, number>> = {
  ScrollLock: Led.Scroll,
  NumLock: Led.Num,
  CapsLock: Led.Caps,
};

/** The lock that a key turns; 0: none. */
export const ledOfKey = (code: string): number => (Object.hasOwn(LED_OF_KEY, code) ? LED_OF_KEY[code] : 0);

/**
 * What the guest's lock keys are at. The guest tells by its LEDs, later than a lock key was pressed, and some guests never do (a Caps
 * Lock that is made a Control): what was asked for once is not asked for again.
 */
export class LockKeys {
  #leds = 0;
  /** What the LEDs will show when the guest has seen the lock keys on their way. */
  #expected = 0;
  #onTheWay = 0;
  /** What was wanted when a lock was last turned to fit, by LED. */
  readonly #wanted = new Map<number, boolean>();

  /** The best guess of now. */
  get leds(): number {
    return this.#onTheWay > 0 ? this.#expected : this.#leds;
  }

  has(led: number): boolean {
    return (this.leds & led) !== 0;
  }

  /** The guest shows these. */
  shown(leds: number): void {
    this.#onTheWay = leds === this.#expected ? 0 : Math.max(0, this.#onTheWay - 1);
    this.#leds = leds;
  }

  /** A lock key was pressed. */
  pressed(led: number): void {
    this.#expected = this.leds ^ led;
    this.#onTheWay++;
  }

  /** Whether the lock must be turned to be as wanted. */
  mustTurn(led: number, wanted: boolean): boolean {
    if (this.has(led) === wanted) {
      this.#wanted.delete(led);
      return false;
    }
    if (this.#wanted.get(led) === wanted) return false;
    this.#wanted.set(led, wanted);
    return true;
  }
}
