import type { RedBitmap, RedPalette } from "../protocol/red-command.ts";

/** A decoded image with the pixels that it refers to. */
export interface ClientImage {
  readonly image: RedBitmap;
  readonly bytes: Uint8Array;
}

/**
 * A client's pixmap cache, which follows its server blindly as those of stock clients do, and throws where the server was wrong.
 * Dropping an id that is not there is no error in spice-gtk (`display_handle_inv_list`), so neither here.
 */
export class ClientPixmapCache {
  /** Pixels announced in INIT. */
  readonly size: number;
  /** Most pixels it ever held. */
  peak = 0;
  hits = 0;
  invalidated = 0;
  #used = 0;
  readonly #images = new Map<bigint, ClientImage>();

  constructor(size: number) {
    this.size = size;
  }

  /** CACHE_ME. spice-gtk counts references of an id that comes twice, and would then keep the image behind its INVAL_LIST. */
  put(id: bigint, entry: ClientImage): void {
    if (this.#images.has(id)) throw new Error(`image ${id} is cached already`);
    this.#images.set(id, { ...entry, bytes: entry.bytes.slice() });
    this.#used += pixels(entry);
    this.peak = Math.max(this.peak, this.#used);
    if (this.#used > this.size)
      throw new Error(`${this.#used} pixels in a cache that was announced with ${this.size}`);
  }

  /** FROM_CACHE. spice-gtk would wait for an image that it does not have until the channel ends. */
  get(id: bigint, width: number, height: number): ClientImage {
    const entry = this.#images.get(id);
    if (entry === undefined) throw new Error(`image ${id} is not in the cache`);
    if (entry.image.width !== width || entry.image.height !== height)
      throw new Error(`image ${id} is cached in another size`);
    this.hits++;
    return entry;
  }

  /** An entry of INVAL_LIST. */
  drop(id: bigint): void {
    this.invalidated++;
    const entry = this.#images.get(id);
    if (entry === undefined) return;
    this.#images.delete(id);
    this.#used -= pixels(entry);
  }

  clear(): void {
    this.#images.clear();
    this.#used = 0;
  }

  get count(): number {
    return this.#images.size;
  }
}

/** A client's palette cache: 128 of them, as spice-server counts. */
export class ClientPaletteCache {
  hits = 0;
  readonly #palettes = new Map<bigint, RedPalette>();

  /** PAL_CACHE_ME */
  put(palette: RedPalette): void {
    if (palette.unique === 0n || this.#palettes.has(palette.unique))
      throw new Error(`palette ${palette.unique} is cached already`);
    this.#palettes.set(palette.unique, palette);
    if (this.#palettes.size > 128) throw new Error("more than 128 palettes");
  }

  /** PAL_FROM_CACHE */
  get(id: bigint): RedPalette {
    const palette = this.#palettes.get(id);
    if (palette === undefined) throw new Error(`palette ${id} is not in the cache`);
    this.hits++;
    return palette;
  }

  /** INVAL_PALETTE */
  drop(id: bigint): void {
    this.#palettes.delete(id);
  }

  clear(): void {
    this.#palettes.clear();
  }

  get count(): number {
    return this.#palettes.size;
  }
}

function pixels({ image }: ClientImage): number {
  return image.width * image.height;
}
