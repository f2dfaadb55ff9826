import { PALETTE_CACHE_SIZE } from "../limits.ts";

/** How a palette goes out: by its id alone, or whole, after the client dropped `evicted`. */
export type PaletteUse = { readonly cached: true } | { readonly cached: false; readonly evicted?: bigint };

/**
 * The palettes one client keeps (spice-server's palette cache of a DisplayChannelClient), by the guest's unique id, the least
 * recently used first. The colours are kept as well: a guest that changes them under the same id is believed the new ones.
 */
export class PaletteCache {
  readonly #palettes = new Map<bigint, Uint32Array>();

  /** The client is about to need this palette. `unique` must not be 0, which names none. */
  use(unique: bigint, colors: Uint32Array): PaletteUse {
    const known = this.#palettes.get(unique);
    this.#palettes.delete(unique);
    let evicted = known && unique;
    const cached = known !== undefined && isEqual(known, colors);
    if (known === undefined && this.#palettes.size >= PALETTE_CACHE_SIZE) {
      [evicted] = this.#palettes.keys();
      this.#palettes.delete(evicted);
    }
    this.#palettes.set(unique, colors);
    return cached ? { cached } : { cached, evicted };
  }

  clear(): void {
    this.#palettes.clear();
  }
}

function isEqual(a: Uint32Array, b: Uint32Array): boolean {
  return a.length === b.length && a.every((color, index) => color === b[index]);
}
