import type { SurfaceHeap } from "../heap.ts";
import {
  GLZ_BLOCK_BITS,
  GLZ_IMAGES,
  GLZ_IMAGE_BYTES,
  GLZ_LAST_BITS,
  GLZ_LAST_BYTES,
  GLZ_TABLE_BITS,
} from "../layout.ts";
import { GLZ_WINDOW_MIN_PIXELS, GLZ_WINDOW_PIXELS } from "../limits.ts";

/** Unit numbers stay below this, so that they compare as signed and unsigned alike; at it the dictionary starts afresh. */
const NUMBERS_END = 0x7fffffff;

/** The place of an image in the window. */
export interface GlzPlace {
  /** Number of its first unit, counted since the window began. */
  first: number;
  /** Address of its first unit. */
  pointer: number;
  id: number;
  /** win_head_dist: how many images back the oldest one is that matches may still refer to. */
  headDistance: number;
}

/**
 * The dictionary that a client's display channels share: the last images sent to it, as units in a ring in the heap (each image
 * contiguous), a hash table of unit numbers, and a table of images. Both the WebAssembly and the plain encoder work on it, one at a
 * time, on one thread. Streams must reach the client in the order of encoding, all of them.
 */
export class GlzDictionary {
  /** The id that the client gave in DISPLAY_INIT. */
  readonly id: number;
  readonly heap: SurfaceHeap;
  /** Units in the ring, a power of two, at most the client's window. */
  readonly capacity: number;
  readonly ring: number;
  readonly table: number;
  readonly images: number;
  private nextUnit = 0;
  private nextId = 0;
  /** Id of the oldest image in the ring; nextId if it is empty. */
  private headId = 0;
  private lastFirst = 0;

  /**
   * @param windowPixels the client's glz_dictionary_window_size.
   * @throws RangeError if that is too small to be of use (see supports).
   */
  /** Id of the newest image; 0 before there is one. */
  get lastImageId(): number {
    return Math.max(0, this.nextId - 1);
  }

  constructor(heap: SurfaceHeap, id: number, windowPixels: number) {
    if (!GlzDictionary.supports(windowPixels))
      throw new RangeError(`a GLZ window of ${windowPixels} pixels is too small`);
    this.heap = heap;
    this.id = id;
    this.capacity = 1 << (31 - Math.clz32(Math.min(windowPixels, GLZ_WINDOW_PIXELS)));
    // SIMD compares and stores may reach a little beyond the last unit.
    this.ring = heap.allocate(this.capacity * 4 + 64);
    this.table = heap.allocate(4 << GLZ_TABLE_BITS);
    this.images = heap.allocate(
      GLZ_IMAGES * GLZ_IMAGE_BYTES +
        (GLZ_LAST_BYTES << GLZ_LAST_BITS) +
        4 * (this.capacity >> GLZ_BLOCK_BITS),
    );
  }

  /** Whether a client with such a window is served by GLZ at all. */
  static supports(windowPixels: number): boolean {
    return windowPixels >= GLZ_WINDOW_MIN_PIXELS;
  }

  /** Number of the oldest unit that matches may refer to. */
  get headUnit(): number {
    return this.headId === this.nextId ? this.nextUnit : this.heap.u32[this.entry(this.headId)];
  }

  get oldestId(): number {
    return this.headId;
  }

  /** Enters an image of `count` units into the window, dropping those that it overwrites. Its units are to be written next. */
  place(type: number, count: number): GlzPlace {
    if (count > this.capacity)
      throw new RangeError(`${count} units do not fit in a window of ${this.capacity}`);
    if (this.nextUnit + 2 * this.capacity > NUMBERS_END) this.restart();
    const { heap, capacity } = this;
    const offset = this.nextUnit & (capacity - 1);
    const first = offset + count > capacity ? this.nextUnit + capacity - offset : this.nextUnit;
    const end = first + count;
    const words = heap.u32;
    while (
      this.headId < this.nextId &&
      (words[this.entry(this.headId)] + capacity < end || this.nextId - this.headId >= GLZ_IMAGES - 1)
    ) {
      this.headId++;
    }
    const id = this.nextId++;
    const entry = this.entry(id);
    words[entry] = first;
    words[entry + 1] = count;
    words[entry + 3] = type;
    this.lastFirst = this.nextUnit;
    this.nextUnit = end;
    return { first, pointer: this.ring + 4 * (first & (capacity - 1)), id, headDistance: id - this.headId };
  }

  /** Takes the last image back, whose stream was not sent: ids must reach the client without gaps. */
  undo(): void {
    this.nextId--;
    this.nextUnit = this.lastFirst;
    this.headId = Math.min(this.headId, this.nextId);
  }

  /** Index in heap.u32 of an image's entry: first unit, units, signature (by the encoder), LZ type. */
  entry(id: number): number {
    return (this.images + (id & (GLZ_IMAGES - 1)) * GLZ_IMAGE_BYTES) >> 2;
  }

  /** Index in heap.u32 of the last image with such a signature and the last but one, both as id + 1. */
  lastWith(signature: number): number {
    const at = GLZ_IMAGES * GLZ_IMAGE_BYTES + (signature >>> (32 - GLZ_LAST_BITS)) * GLZ_LAST_BYTES;
    return (this.images + at) >> 2;
  }

  /** Forgets all images; ids go on. */
  private restart(): void {
    this.heap.u8.fill(0, this.table, this.table + (4 << GLZ_TABLE_BITS));
    this.nextUnit = 0;
    this.headId = this.nextId;
  }

  /** Returns the memory to the heap. */
  [Symbol.dispose](): void {
    for (const pointer of [this.ring, this.table, this.images]) this.heap.release(pointer);
  }
}
