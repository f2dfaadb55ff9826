/**
 * The guest's memory on its way to and from a saved state: in runs of pages, straight between the machine and where it is stored. v86 by
 * itself copies page by page through a proxy, and holds everything twice more while it does.
 */
import { StateRefusedError } from "../state/errors.ts";
import type { V86Cpu } from "./v86/v86-private.ts";
import type { PackedPages } from "./v86/v86-state.ts";

const PAGE_BYTES = 4096;
/** BIOS and VGA BIOS lie below; the rest of a machine that has never run is zero. */
const FIRST_MIB = 0x100000;

/** A view of all memory, aperture included; valid until the wasm memory grows. */
const memoryOf = (cpu: V86Cpu): Uint8Array =>
  new Uint8Array(cpu.wasm_memory.buffer, cpu.mem8.byteOffset, cpu.memory_size[0]);

/**
 * Leaves alone what is zero already. `pristine` tells whether the machine has never run and holds no kernel, `stored` gives the pages.
 */
export const replaceUnpackMemory = (
  cpu: V86Cpu,
  pristine: () => boolean,
  stored: () => PackedPages | undefined,
): void => {
  cpu.unpack_memory = (bitmap) => {
    const size = cpu.memory_size[0];
    const packed = stored();
    if (packed === undefined) throw new StateRefusedError("content", "its memory is not at hand");
    cpu.zero_memory(0, pristine() ? FIRST_MIB : size);
    const memory = memoryOf(cpu);
    for (const [start, end] of runsOf((page) => bitmap.get(page) !== 0, size)) {
      packed.take(memory.subarray(start, end));
    }
  };
};

/** What {@link replacePackMemory} left out of v86's state: the pages that are not zero, in order. */
export interface GuestPages {
  readonly bytes: number;
  /** Views of the machine's memory: to be read before the machine goes on. */
  readonly runs: readonly Uint8Array[];
}

/** v86's state then says which pages there are, and has none of them: `packed` gets them. */
export const replacePackMemory = (cpu: V86Cpu, packed: (pages: GuestPages) => void): void => {
  cpu.pack_memory = () => {
    const size = cpu.memory_size[0];
    const bits = new Uint8Array((size / PAGE_BYTES + 7) >> 3);
    const isUsed = (page: number): boolean => !cpu.is_memory_zeroed(page * PAGE_BYTES, PAGE_BYTES);
    const memory = memoryOf(cpu);
    const runs: Uint8Array[] = [];
    let bytes = 0;
    for (const [start, end] of runsOf(isUsed, size)) {
      for (let page = start / PAGE_BYTES; page < end / PAGE_BYTES; page++) bits[page >> 3] |= 1 << (page & 7);
      runs.push(memory.subarray(start, end));
      bytes += end - start;
    }
    packed({ bytes, runs });
    return { bitmap: { get_buffer: () => bits.buffer }, packed_memory: new Uint8Array(0) };
  };
};

/** Byte ranges of neighbouring pages that are in use. */
function* runsOf(isUsed: (page: number) => boolean, size: number): Generator<readonly [number, number]> {
  const pages = size / PAGE_BYTES;
  for (let page = 0; page < pages; page++) {
    if (!isUsed(page)) continue;
    const first = page;
    while (page < pages && isUsed(page)) page++;
    yield [first * PAGE_BYTES, page * PAGE_BYTES];
  }
}
