import { isDead, spacingAccents } from "./dead-keys.ts";
import layouts from "./layouts.json" with { type: "json" };

/** One key with the modifiers that it takes to type something. */
export interface KeyStroke {
  /** A KeyboardEvent.code. */
  readonly code: string;
  readonly shift: boolean;
  readonly altGraph: boolean;
}

interface LayoutTable {
  readonly title: string;
  /** Layouts as setxkbmap takes them; with two, the second lies on AltGr. */
  readonly xkb: string;
  /** By code: what the key types plain, with Shift, with AltGr and with both; a space where nothing, a combining character where dead. */
  readonly keys: Readonly<Record<string, string>>;
}

const TABLES: Readonly<Record<string, LayoutTable>> = layouts;

/** Names of all layouts, as `--keyboard` takes them. */
export const LAYOUT_NAMES: readonly string[] = Object.keys(TABLES);

/** The layout that a guest has of itself. */
export const DEFAULT_LAYOUT = "us";

const CONTROL_KEYS: Readonly<Record<string, string>> = {
  " ": "Space",
  "\n": "Enter",
  "\r": "Enter",
  "\t": "Tab",
  "\b": "Backspace",
  "\u001b": "Escape",
  "\u007f": "Delete",
};

const SHIFT = 1;
const ALT_GRAPH = 2;

/** A keyboard layout of the guest: which key types what. */
export class KeyboardLayout {
  readonly name: string;
  readonly title: string;
  /** For setxkbmap's -layout. With a comma: the second lies on AltGr (-option grp:switch). */
  readonly xkb: string;
  /** Whether AltGr chooses characters; without, the right Alt is like the left. */
  readonly hasAltGraph: boolean;
  readonly #levels = new Map<string, readonly string[]>();
  readonly #strokes = new Map<string, KeyStroke>();

  /** @throws RangeError for a name that is not in {@link LAYOUT_NAMES} */
  constructor(name: string) {
    if (!Object.hasOwn(TABLES, name)) {
      throw new RangeError(`there is no keyboard layout "${name}"; there are: ${LAYOUT_NAMES.join(", ")}`);
    }
    const { title, xkb, keys } = TABLES[name];
    this.name = name;
    this.title = title;
    this.xkb = xkb;
    for (const [code, characters] of Object.entries(keys)) this.#levels.set(code, [...characters]);
    // The keyboard of the US has AltGr in no table but on one key that it lacks.
    this.hasAltGraph = [...this.#levels].some(
      ([code, levels]) => code !== "IntlBackslash" && levels.length > ALT_GRAPH,
    );
    // Fewer modifiers are better, and a key of the main block better than one of the keypad.
    for (let level = 0; level < 4; level++) {
      if (level >= ALT_GRAPH && !this.hasAltGraph) break;
      for (const [code, levels] of this.#levels) {
        const character = levels[level] ?? " ";
        if (character === " " || code.startsWith("Numpad") || this.#strokes.has(character)) continue;
        const shift = (level & SHIFT) !== 0;
        this.#strokes.set(character, { code, shift, altGraph: (level & ALT_GRAPH) !== 0 });
      }
    }
    for (const [character, code] of Object.entries(CONTROL_KEYS)) {
      this.#strokes.set(character, { code, shift: false, altGraph: false });
    }
  }

  /** Codes of all keys that type something, with what they type: plain, Shift, AltGr, both. */
  get levels(): ReadonlyMap<string, readonly string[]> {
    return this.#levels;
  }

  /** What a key types, with these modifiers; undefined: nothing. */
  at(code: string, shift: boolean, altGraph: boolean, capsLock = false): string | undefined {
    if (code === "Space") return " ";
    const levels = this.#levels.get(code);
    if (levels === undefined) return undefined;
    const third = altGraph && this.hasAltGraph ? ALT_GRAPH : 0;
    const turned = capsLock && isLetterPair(levels[third], levels[third + SHIFT]);
    const character = levels[third + (shift !== turned ? SHIFT : 0)];
    return character === " " ? undefined : character;
  }

  /** What to type for one character: one key, or a dead key and another; undefined where the layout cannot. */
  strokes(character: string, capsLock = false): readonly KeyStroke[] | undefined {
    const direct = this.#stroke(character, capsLock);
    if (direct !== undefined && !isDead(character)) return [direct];
    for (const [mark, accent] of Object.entries(spacingAccents)) {
      if (accent !== character) continue;
      const dead = this.#stroke(mark, capsLock);
      // With the space bar X and Linux type ASCII, dead_acute an apostrophe; pressed twice, X types the accent itself.
      const second = character < "\u0080" ? this.#stroke(" ", capsLock) : dead;
      if (dead !== undefined && second !== undefined) return [dead, second];
    }
    const [base, mark, ...more] = character.normalize("NFD");
    if (mark === undefined || more.length > 0 || !isDead(mark)) return undefined;
    const dead = this.#stroke(mark, capsLock);
    const letter = this.#stroke(base, capsLock);
    return dead === undefined || letter === undefined ? undefined : [dead, letter];
  }

  #stroke(character: string, capsLock: boolean): KeyStroke | undefined {
    const stroke = this.#strokes.get(character);
    if (stroke === undefined || !capsLock) return stroke;
    const { code, shift, altGraph } = stroke;
    if (this.at(code, shift, altGraph, true) === this.at(code, shift, altGraph)) return stroke;
    return { code, shift: !shift, altGraph };
  }
}

/** XKB's type ALPHABETIC: Caps Lock works on letters that have a capital on the same key. */
function isLetterPair(small: string | undefined, capital: string | undefined): boolean {
  if (small === undefined || capital === undefined || small === capital) return false;
  return small.toUpperCase() === capital || (small === "i" && capital === "İ");
}
