import { MAX_PIXMAP_CACHE_ITEMS, MAX_PIXMAP_CACHE_PIXELS } from "../limits.ts";

interface CachedPixmap {
  readonly pixels: number;
  readonly fingerprint: string;
}

/**
 * What one client keeps in its pixmap cache (spice-server's PixmapCache): images by the guest's id, the least recently used first.
 * The server alone decides what goes in and out; the client only has to follow.
 *
 * spice-server trusts the guest that an id always names the same pixels. Here every entry knows the fingerprint of what the client
 * really got, so that an id which is used again for something else is no hit.
 */
export class PixmapCache {
  /** Pixels that it may hold. */
  readonly size: number;
  #used = 0;
  readonly #items = new Map<bigint, CachedPixmap>();

  /** @param size pixels as the client's INIT tells them, however strange; 0 and less is no cache. */
  constructor(size: bigint) {
    this.size = Number(size < 0n ? 0n : size > MAX_PIXMAP_CACHE_PIXELS ? MAX_PIXMAP_CACHE_PIXELS : size);
  }

  /** Whether an image of so many pixels can be cached at all. */
  fits(pixels: number): boolean {
    return pixels > 0 && pixels <= this.size;
  }

  /** Whether the client has something under this id. */
  has(id: bigint): boolean {
    return this.#items.has(id);
  }

  /** Whether the client has these very pixels under this id. Then they are the most recently used. */
  hit(id: bigint, fingerprint: string): boolean {
    const item = this.#items.get(id);
    if (item?.fingerprint !== fingerprint) return false;
    this.#items.delete(id);
    this.#items.set(id, item);
    return true;
  }

  /**
   * Enters an image that {@link fits}; the client is about to get it.
   * @returns ids that it has to drop before, this one among them if it had other pixels.
   */
  add(id: bigint, pixels: number, fingerprint: string): readonly bigint[] {
    const gone: bigint[] = [];
    if (this.#drop(id)) gone.push(id);
    for (const oldest of this.#items.keys()) {
      if (this.#used + pixels <= this.size && this.#items.size < MAX_PIXMAP_CACHE_ITEMS) break;
      this.#drop(oldest);
      gone.push(oldest);
    }
    this.#items.set(id, { pixels, fingerprint });
    this.#used += pixels;
    return gone;
  }

  #drop(id: bigint): boolean {
    const item = this.#items.get(id);
    if (item === undefined) return false;
    this.#items.delete(id);
    this.#used -= item.pixels;
    return true;
  }

  /** Forgets everything. @returns whether there was anything. */
  clear(): boolean {
    const any = this.#items.size > 0;
    this.#items.clear();
    this.#used = 0;
    return any;
  }
}
