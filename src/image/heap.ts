import { CodedError } from "../errors/index.ts";
import { HEAP_BASE, HEAP_GUARD } from "./layout.ts";
import { HEAP_INITIAL_BYTES, HEAP_MAX_ALLOCATIONS, HEAP_MAX_BYTES } from "./limits.ts";

const PAGE = 0x10000;
const ALIGNMENT = 16;

/** An allocation that the heap's limits do not permit. The guest or a client asked for too much: fail that one request. */
export class HeapLimitError extends CodedError {
  override readonly name = "HeapLimitError";
  readonly code = "IMAGE_HEAP_FULL";
}

/**
 * The WebAssembly memory of a red worker. Surfaces, GLZ windows and the scratch of the codecs are allocated here, so that codecs and
 * blits work in place. Views are made anew when the memory grows: ask for `u8` and `u32` each time, never keep them over a call
 * that may allocate.
 */
export class SurfaceHeap {
  readonly memory: WebAssembly.Memory;
  /** Free extents in address order, never adjacent: [address, length]. */
  private readonly free: [number, number][] = [];
  private readonly sizes = new Map<number, number>();
  private end: number;
  private byteView: Uint8Array;
  private wordView: Uint32Array;

  constructor(limits: { initialBytes?: number; maxBytes?: number } = {}) {
    const initial = Math.ceil(Math.max(limits.initialBytes ?? HEAP_INITIAL_BYTES, HEAP_BASE + PAGE) / PAGE);
    const maximum = Math.max(initial, Math.floor((limits.maxBytes ?? HEAP_MAX_BYTES) / PAGE));
    this.memory = new WebAssembly.Memory({ initial, maximum });
    this.byteView = new Uint8Array(this.memory.buffer);
    this.wordView = new Uint32Array(this.memory.buffer);
    this.end = initial * PAGE - HEAP_GUARD;
    this.free.push([HEAP_BASE, this.end - HEAP_BASE]);
  }

  /** The whole memory by bytes; a surface's bytes are at its pointer. */
  get u8(): Uint8Array {
    return this.byteView;
  }

  /** The whole memory by words; index = pointer / 4. */
  get u32(): Uint32Array {
    return this.wordView;
  }

  /** Bytes allocated. */
  get used(): number {
    let bytes = 0;
    for (const size of this.sizes.values()) bytes += size;
    return bytes;
  }

  /**
   * Allocates zeroed memory, aligned to 16 bytes; returns its address. May grow the memory and so detach older views.
   * @param zeroed false to get it as it is: for a caller that zeroes it in parts, since a hundred MiB take their time
   * @throws HeapLimitError when HEAP_MAX_BYTES or HEAP_MAX_ALLOCATIONS would be passed.
   */
  allocate(byteLength: number, zeroed = true): number {
    if (!Number.isSafeInteger(byteLength) || byteLength < 0)
      throw new RangeError(`cannot allocate ${byteLength} bytes`);
    if (this.sizes.size >= HEAP_MAX_ALLOCATIONS)
      throw new HeapLimitError(`more than ${HEAP_MAX_ALLOCATIONS} allocations`);
    const size = Math.max(ALIGNMENT, Math.ceil(byteLength / ALIGNMENT) * ALIGNMENT);
    let index = this.free.findIndex(([, length]) => length >= size);
    if (index < 0) {
      this.grow(size);
      index = this.free.length - 1;
    }
    const extent = this.free[index];
    const pointer = extent[0];
    extent[0] += size;
    extent[1] -= size;
    if (extent[1] === 0) this.free.splice(index, 1);
    this.sizes.set(pointer, size);
    if (zeroed) this.u8.fill(0, pointer, pointer + size);
    return pointer;
  }

  /** Returns an allocation. @throws RangeError for anything but the address of a live allocation. */
  release(pointer: number): void {
    const size = this.sizes.get(pointer);
    if (size === undefined) throw new RangeError(`nothing is allocated at ${pointer}`);
    this.sizes.delete(pointer);
    this.insert(pointer, size);
  }

  private insert(pointer: number, size: number): void {
    let low = 0;
    let high = this.free.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.free[middle][0] < pointer) low = middle + 1;
      else high = middle;
    }
    this.free.splice(low, 0, [pointer, size]);
    const [before, own, after] = [this.free[low - 1], this.free[low], this.free[low + 1]];
    if (after !== undefined && own[0] + own[1] === after[0]) {
      own[1] += after[1];
      this.free.splice(low + 1, 1);
    }
    if (before !== undefined && before[0] + before[1] === own[0]) {
      before[1] += own[1];
      this.free.splice(low, 1);
    }
  }

  /** Makes the last free extent at least `size` bytes long. */
  private grow(size: number): void {
    const last = this.free.at(-1);
    const tail = last !== undefined && last[0] + last[1] === this.end ? last[1] : 0;
    // By a quarter at least, so that a row of allocations does not detach the views each time.
    const need = Math.ceil((size - tail) / PAGE);
    const wish = Math.max(need, (this.end / PAGE) >> 2);
    if (!this.tryGrow(wish) && !this.tryGrow(need)) {
      throw new HeapLimitError(`no room for ${size} bytes beside the ${this.used} in use`);
    }
  }

  private tryGrow(pages: number): boolean {
    try {
      this.memory.grow(pages);
    } catch {
      return false;
    }
    // Nothing else grows the memory, and asking it for its buffer at each use is a call into the engine.
    this.byteView = new Uint8Array(this.memory.buffer);
    this.wordView = new Uint32Array(this.memory.buffer);
    this.insert(this.end, pages * PAGE);
    this.end += pages * PAGE;
    return true;
  }
}

/** One region of scratch memory that grows to the largest need and stays. */
export class Scratch {
  private readonly heap: SurfaceHeap;
  private pointer = 0;
  private length = -1;

  constructor(heap: SurfaceHeap) {
    this.heap = heap;
  }

  /** Address of at least `bytes` bytes; the former contents are lost when it grows. */
  reserve(bytes: number): number {
    if (bytes > this.length) {
      this.free();
      // Some more, so that slightly larger images do not move it again.
      this.length = bytes + (bytes >> 3);
      this.pointer = this.heap.allocate(this.length);
    }
    return this.pointer;
  }

  /** Returns the memory to the heap. */
  free(): void {
    if (this.length >= 0) this.heap.release(this.pointer);
    this.length = -1;
  }
}
