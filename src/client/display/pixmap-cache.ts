import { ClientError } from "../errors.ts";
import type { ClientImage } from "./client-image.ts";

/** An image as the cache keeps it. */
interface Entry extends ClientImage {
  /** It was JPEG: a server that wants the true pixels sends them again under its id (CACHE_REPLACE_ME). */
  readonly lossy: boolean;
}

/**
 * A client's image cache, which follows its server blindly: the server counts pixels, and says what goes (INVAL_LIST). What is kept is
 * bounded all the same, since a server can be wrong.
 */
export class PixmapCache {
  /** Pixels as INIT announces them. */
  readonly size: number;
  #used = 0;
  readonly #images = new Map<bigint, Entry>();

  constructor(size: number) {
    this.size = size;
  }

  /** CACHE_ME and CACHE_REPLACE_ME. @throws ClientError `SERVER_LIMIT` */
  put(id: bigint, { image, bytes }: ClientImage, lossy = false): void {
    this.#remove(id);
    this.#used += image.width * image.height;
    if (this.#used > this.size) {
      const problem = `${this.#used} pixels are to be cached, ${this.size} were announced`;
      throw new ClientError("SERVER_LIMIT", problem);
    }
    this.#images.set(id, { image, bytes: bytes.slice(), lossy });
  }

  /** FROM_CACHE, and with `lossless` FROM_CACHE_LOSSLESS. @throws ClientError `SERVER_MISSING` */
  get(id: bigint, width: number, height: number, lossless = false): ClientImage {
    const entry = this.#images.get(id);
    if (entry === undefined) throw new ClientError("SERVER_MISSING", `image ${id} is not in the cache`);
    if (entry.image.width !== width || entry.image.height !== height)
      throw new ClientError(
        "SERVER_MISSING",
        `image ${id} is cached in another size than ${width} x ${height}`,
      );
    if (lossless && entry.lossy) throw new ClientError("SERVER_MISSING", `image ${id} is cached with losses`);
    return entry;
  }

  /** An entry of INVAL_LIST; what is not there is not missed, as with spice-gtk. */
  drop(id: bigint): void {
    this.#remove(id);
  }

  /** INVAL_ALL_PIXMAPS */
  clear(): void {
    this.#images.clear();
    this.#used = 0;
  }

  has(id: bigint): boolean {
    return this.#images.has(id);
  }

  get count(): number {
    return this.#images.size;
  }

  /** Pixels that are kept. */
  get used(): number {
    return this.#used;
  }

  #remove(id: bigint): void {
    const entry = this.#images.get(id);
    if (entry === undefined) return;
    this.#images.delete(id);
    this.#used -= entry.image.width * entry.image.height;
  }
}
