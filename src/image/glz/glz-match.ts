import type { GlzDictionary } from "./glz-dictionary.ts";
import { emitGlzMatch, glzReferenceBytes } from "./glz-format.ts";
import { GLZ_TABLE_BITS, LZ_TABLE_BITS } from "../layout.ts";
import { emitLiterals } from "../lz/lz-emit.ts";
import { GLZ_SKIP_SHIFT, matchLength, mixUnits } from "../lz/lz-match.ts";
import { lengthBias } from "../units.ts";

/** An image in the window: number of its first unit, units, id, LZ type. */
interface WindowImage {
  first: number;
  count: number;
  id: number;
  type: number;
}

/** What the search needs to know of older images; an alpha plane has none. */
interface Window {
  /** Notes that the units with this hash are at number `here` and returns where they were last, -1 if unknown. */
  exchange(hash: number, here: number): number;
  /** The unit with number n is at [(n - origin) & mask]. */
  units: Uint32Array;
  origin: number;
  mask: number;
  find(number: number): WindowImage;
  /** An older image that this one probably resembles. */
  previous: WindowImage | undefined;
}

/** A match of so many units with the previous image is taken without looking for a longer one. */
const LONG = 64;
/** How far back an image of the same size is looked for, if none has the same signature. */
const SIZE_REACH = 16;

/** A hundred units of an image, mixed, from all columns: an image with the same signature is probably the same image. */
function signature(units: Uint32Array, start: number, count: number): number {
  const step = (count >> 7) | 1;
  let mixed = 0;
  for (let k = step >> 1; k < count; k += step) {
    mixed = Math.imul(((mixed << 5) | (mixed >>> 27)) ^ units[start + k], 0x9e3779b1);
  }
  return mixed >>> 0;
}

/**
 * The search of LzMatcher over a whole window of images: a run, the unit above, and the last place anywhere in the window where
 * the same three units were. `first` is the number of the image's first unit. Returns the new end of the output.
 */
function search(
  window: Window,
  image: { first: number; count: number; row: number; literal: 1 | 2 | 3; id: number; type: number },
  out: Uint8Array,
  at: number,
): number {
  const { units, origin, mask } = window;
  const { first, count, row, literal } = image;
  const bias = lengthBias(literal);
  const start = (first - origin) & mask;
  const end = start + count;
  const last = end - 3;
  const { previous } = window;
  const previousStart = previous === undefined ? -1 : (previous.first - origin) & mask;
  let pending = start;
  let i = start + 1;
  let misses = 0;
  while (i <= last) {
    const unit = units[i];
    const second = units[i + 1];
    let length = 0;
    let from = -1;
    let floor = start;
    let back = 0;
    if (previous !== undefined) {
      // Windows are often drawn again with few changes: the same place in an image that was like this one.
      const place = previousStart + i - start;
      if (units[place] === unit && units[place + 1] === second) {
        from = place;
        length = 2 + matchLength(units, place + 2, i + 2, end);
        back = image.id - previous.id;
        floor = previousStart;
      }
    }
    const open = back === 0 || length < LONG;
    if (open && units[i - 1] === unit && second === unit) {
      const run = 2 + matchLength(units, i + 1, i + 2, end);
      if (run >= length) {
        from = i - 1;
        length = run;
        back = 0;
        floor = start;
      }
    }
    if (open && i - start >= row && units[i - row] === unit && units[i - row + 1] === second) {
      const above = 2 + matchLength(units, i - row + 2, i + 2, end);
      if (above > length) {
        from = i - row;
        length = above;
        back = 0;
        floor = start;
      }
    }
    if (open && (length < 3 || from !== i - 1)) {
      const seen = window.exchange(mixUnits(unit, second, units[i + 2]), first + i - start);
      const place = (seen - origin) & mask;
      if (seen >= 0 && place !== from && units[place] === unit && units[place + 1] === second) {
        const older = seen < first ? window.find(seen) : undefined;
        if (older === undefined) {
          const found = 2 + matchLength(units, place + 2, i + 2, end);
          if (found > length + 1) {
            from = place;
            length = found;
            back = 0;
            floor = start;
          }
        } else if (older.type === image.type) {
          const stop = Math.min(end, i + older.first + older.count - seen);
          const found = stop > i + 2 ? 2 + matchLength(units, place + 2, i + 2, stop) : 0;
          if (found > length + 1) {
            from = place;
            length = found;
            back = image.id - older.id;
            floor = (older.first - origin) & mask;
          }
        }
      }
    }
    const far = back > 0 ? from - floor : i - from - 1;
    if (length < Math.floor(glzReferenceBytes(back, far) / literal) + 1) {
      i += 1 + (misses++ >> GLZ_SKIP_SHIFT);
      continue;
    }
    while (i - 1 > pending && from > floor && units[i - 1] === units[from - 1]) {
      i--;
      from--;
      length++;
    }
    at = emitLiterals(units, pending, i, literal, out, at);
    at = emitGlzMatch(length - bias, back, back > 0 ? from - floor : far, out, at);
    i += length;
    pending = i;
    misses = 0;
    if (i <= last) {
      for (let k = i - 2; k < i; k++)
        window.exchange(mixUnits(units[k], units[k + 1], units[k + 2]), first + k - start);
    }
  }
  return emitLiterals(units, pending, end, literal, out, at);
}

function imageOf(dictionary: GlzDictionary, id: number): WindowImage {
  const words = dictionary.heap.u32;
  const entry = dictionary.entry(id);
  return { first: words[entry], count: words[entry + 1], id, type: words[entry + 3] };
}

/** The image that `image` most likely resembles: one with the same signature, else the last with as many units and the same type. */
function resembled(
  dictionary: GlzDictionary,
  image: { id: number; count: number; type: number },
  mixed: number,
): WindowImage | undefined {
  const words = dictionary.heap.u32;
  const alike = (id: number) => {
    const older = imageOf(dictionary, id);
    return older.count === image.count && older.type === image.type ? older : undefined;
  };
  words[dictionary.entry(image.id) + 2] = mixed;
  const last = dictionary.lastWith(mixed);
  const known = [words[last] - 1, words[last + 1] - 1];
  words[last + 1] = words[last];
  words[last] = image.id + 1;
  for (const id of known) {
    if (id < dictionary.oldestId || id >= image.id || words[dictionary.entry(id) + 2] !== mixed) continue;
    const older = alike(id);
    if (older !== undefined) return older;
  }
  const oldest = Math.max(dictionary.oldestId, image.id - SIZE_REACH);
  for (let id = image.id - 1; id >= oldest; id--) {
    const older = alike(id);
    if (older !== undefined) return older;
  }
  return undefined;
}

/** The searcher of the plain GLZ encoder. */
export class GlzMatcher {
  private readonly table = new Uint32Array(1 << LZ_TABLE_BITS);
  private base = 1;

  /** Writes the ops of the image that was placed in the dictionary as `first`, `id`; its units are in the ring. */
  encode(
    dictionary: GlzDictionary,
    image: { first: number; count: number; row: number; literal: 1 | 2 | 3; id: number; type: number },
    out: Uint8Array,
    at: number,
  ): number {
    const words = dictionary.heap.u32;
    const ring = dictionary.ring >> 2;
    const mask = dictionary.capacity - 1;
    const head = dictionary.headUnit;
    const window: Window = {
      exchange: (hash, here) => {
        // An entry is a place in the ring (22 bits) under ten bits of the hash.
        const slot = (dictionary.table >> 2) + (hash >>> (32 - GLZ_TABLE_BITS));
        const entry = words[slot];
        words[slot] = ((hash << 17) & 0xffc00000) | (here & mask);
        const number = here - ((here - entry) & mask);
        return (entry ^ (hash << 17)) >>> 22 === 0 && number >= head && number < here ? number : -1;
      },
      units: words.subarray(ring, ring + dictionary.capacity),
      origin: 0,
      mask,
      find: (number) => {
        let [low, high] = [dictionary.oldestId, image.id - 1];
        while (low < high) {
          const middle = low + ((high - low + 1) >> 1);
          if (words[dictionary.entry(middle)] <= number) low = middle;
          else high = middle - 1;
        }
        return imageOf(dictionary, low);
      },
      previous: undefined,
    };
    const mixed = signature(window.units, image.first & mask, image.count);
    window.previous = resembled(dictionary, image, mixed);
    return search(window, image, out, at);
  }

  /** Writes the ops of an alpha plane, which refers to itself only. */
  encodeAlpha(units: Uint32Array, count: number, row: number, out: Uint8Array, at: number): number {
    if (this.base + count > 0x7fffffff) {
      this.table.fill(0);
      this.base = 1;
    }
    const base = this.base;
    this.base += count;
    // Numbers in the table grow from image to image, as in LzMatcher; positions are numbers - base.
    const window: Window = {
      exchange: (hash, here) => {
        const slot = hash >>> (32 - LZ_TABLE_BITS);
        const number = this.table[slot];
        this.table[slot] = here;
        return number >= base ? number : -1;
      },
      units,
      origin: base,
      mask: 0x7fffffff,
      find: (number) => ({ first: number, count: 0, id: 0, type: -1 }),
      previous: undefined,
    };
    return search(window, { first: base, count, row, literal: 1, id: 0, type: 0 }, out, at);
  }
}
