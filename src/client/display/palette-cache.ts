import type { RedPalette } from "../../protocol/red-command.ts";
import { ClientError } from "../errors.ts";
import { PALETTE_CACHE_ENTRIES } from "../limits.ts";

/** A client's palette cache, which its server fills and empties. */
export class PaletteCache {
  readonly #palettes = new Map<bigint, RedPalette>();

  /** PAL_CACHE_ME @throws ClientError `SERVER_LIMIT` */
  put(palette: RedPalette): void {
    this.#palettes.set(palette.unique, palette);
    if (this.#palettes.size > PALETTE_CACHE_ENTRIES)
      throw new ClientError("SERVER_LIMIT", `more than ${PALETTE_CACHE_ENTRIES} palettes are to be cached`);
  }

  /** PAL_FROM_CACHE @throws ClientError `SERVER_MISSING` */
  get(id: bigint): RedPalette {
    const palette = this.#palettes.get(id);
    if (palette === undefined) throw new ClientError("SERVER_MISSING", `palette ${id} is not in the cache`);
    return palette;
  }

  /** INVAL_PALETTE */
  drop(id: bigint): void {
    this.#palettes.delete(id);
  }

  /** INVAL_ALL_PALETTES */
  clear(): void {
    this.#palettes.clear();
  }

  has(id: bigint): boolean {
    return this.#palettes.has(id);
  }

  get count(): number {
    return this.#palettes.size;
  }
}
