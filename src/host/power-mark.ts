/**
 * Remembers across visits that the machine was switched off: what was kept before is then not where its person left it. The next visit
 * boots it, as pressing a power button does, and offers what was kept.
 */

/** The part of Storage that is used. */
export type MarkStore = Pick<Storage, "getItem" | "setItem" | "removeItem">;

const keyOf = (level: string): string => `spicetab.off.${level}`;

/** A browser that denies storage gives none; then nothing is remembered. */
const localMarks = (): MarkStore | undefined => {
  try {
    return globalThis.localStorage;
  } catch {
    return undefined;
  }
};

export class PowerMark {
  readonly #store: MarkStore | undefined;

  constructor(store: MarkStore | undefined = localMarks()) {
    this.#store = store;
  }

  isOff(level: string): boolean {
    try {
      return (this.#store?.getItem(keyOf(level)) ?? null) !== null;
    } catch {
      return false;
    }
  }

  set(level: string, off: boolean): void {
    try {
      if (off) this.#store?.setItem(keyOf(level), "1");
      else this.#store?.removeItem(keyOf(level));
    } catch {
      // A full or denied storage: the next visit goes on from what was kept.
    }
  }
}
