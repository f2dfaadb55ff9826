/**
 * The layout of v86's state, as far as restoring needs it: the guest's memory, nearly all of it, goes straight from where it is stored
 * to where it belongs. v86 by itself would hold it three times.
 *
 *     i32 magic | i32 format | i32 length of all | i32 length of the JSON | JSON, padded to 4 | buffers
 *
 * The JSON is `{buffer_infos: [{offset, length}], state: [...]}`, offsets from the first buffer; slot 77 of the state is the packed memory
 * (the 4 KiB pages that are not zero, in order), slot 78 the bitmap of these pages. All little-endian.
 */
import { StateRefusedError } from "../../state/errors.ts";
import { bufferSource } from "../../state/state-transfer.ts";
import type { StateSource } from "../../state/state-transfer.ts";

const V86_STATE_MAGIC = 0x86768676 | 0;
const V86_STATE_FORMAT = 6;
const HEADER_BYTES = 16;
const PACKED_MEMORY_SLOT = 77;

interface BufferInfo {
  readonly offset: number;
  readonly length: number;
}

interface StateInfo {
  buffer_infos: BufferInfo[];
  readonly state: unknown[];
}

/** A state without its memory, which v86 restores as it is, and the memory's pages for unpack_memory. */
export interface SplitState {
  readonly state: ArrayBuffer;
  readonly memory: PackedPages;
}

/** Takes a state apart. @throws StateRefusedError "content" or "truncated" */
export const splitState = (source: StateSource): SplitState => {
  const { info, infos, memory, firstBuffer } = readInfo(source);
  // The same buffers one behind the other, the memory among them with nothing in it.
  const kept = infos.map((buffer, index) => ({
    from: buffer.offset,
    length: index === memory ? 0 : buffer.length,
  }));
  let end = 0;
  info.buffer_infos = kept.map(({ length }) => {
    const offset = end;
    end = align(end + length);
    return { offset, length };
  });
  if (end > source.bytes) throw damaged("its buffers lie over one another");
  const text = new TextEncoder().encode(JSON.stringify(info));
  const start = align(HEADER_BYTES + text.length);
  const state = new ArrayBuffer(start + end);
  new Int32Array(state, 0, 4).set([V86_STATE_MAGIC, V86_STATE_FORMAT, state.byteLength, text.length]);
  new Uint8Array(state).set(text, HEADER_BYTES);
  for (const [index, { from, length }] of kept.entries()) {
    const { offset } = info.buffer_infos[index];
    source.read(new Uint8Array(state, start + offset, length), firstBuffer + from);
  }
  return { state, memory: new PackedPages(source, firstBuffer + infos[memory].offset, infos[memory].length) };
};

/**
 * The inverse: what stands before the pages in a file, for a state of v86 whose memory was left out of it. The pages, `memoryBytes` in
 * all, follow at once.
 */
export const stateHead = (small: ArrayBuffer, memoryBytes: number): Uint8Array => {
  const source = bufferSource(small);
  const { info, infos, memory, firstBuffer } = readInfo(source);
  // Memory comes last, whatever its place in the list.
  let end = 0;
  const placed = infos.map(({ length }, index) => {
    const offset = end;
    if (index !== memory) end = align(end + length);
    return { offset, length };
  });
  placed[memory] = { offset: end, length: memoryBytes };
  info.buffer_infos = placed;
  const text = new TextEncoder().encode(JSON.stringify(info));
  const start = align(HEADER_BYTES + text.length);
  const head = new Uint8Array(start + end);
  const header = [V86_STATE_MAGIC, V86_STATE_FORMAT, head.length + memoryBytes, text.length];
  new Int32Array(head.buffer, 0, 4).set(header);
  head.set(text, HEADER_BYTES);
  for (const [index, { offset, length }] of placed.entries()) {
    if (index === memory) continue;
    source.read(head.subarray(start + offset, start + offset + length), firstBuffer + infos[index].offset);
  }
  return head;
};

/** The guest's pages, to be taken in order. */
export class PackedPages {
  readonly bytes: number;
  readonly #source: StateSource;
  readonly #end: number;
  #at: number;

  constructor(source: StateSource, at: number, bytes: number) {
    this.#source = source;
    this.#at = at;
    this.#end = at + bytes;
    this.bytes = bytes;
  }

  /** Fills `target` with the next bytes. @throws StateRefusedError when there are no more */
  take(target: Uint8Array): void {
    if (this.#at + target.length > this.#end) throw damaged("its memory has fewer pages than it says");
    this.#source.read(target, this.#at);
    this.#at += target.length;
  }
}

const align = (bytes: number): number => (bytes + 3) & ~3;

const damaged = (how: string): StateRefusedError =>
  new StateRefusedError("content", `v86's part is damaged: ${how}`);

/** Reads and checks what describes the buffers. */
const readInfo = (source: StateSource) => {
  if (source.bytes < HEADER_BYTES) throw new StateRefusedError("truncated", "v86's part is empty");
  const header = new Int32Array(4);
  source.read(new Uint8Array(header.buffer), 0);
  const [magic, format, length, jsonLength] = header;
  if (magic !== V86_STATE_MAGIC || format !== V86_STATE_FORMAT) throw damaged("it does not begin as a state");
  if (length !== source.bytes) {
    throw new StateRefusedError("truncated", "v86's part has another length than it says");
  }
  if (jsonLength < 0 || HEADER_BYTES + jsonLength > length) throw damaged("its description has no end");
  const json = new Uint8Array(jsonLength);
  source.read(json, HEADER_BYTES);
  const info = parseInfo(json);
  const firstBuffer = align(HEADER_BYTES + jsonLength);
  const infos = info.buffer_infos;
  for (const { offset, length: bytes } of infos) {
    if (!isCount(offset) || !isCount(bytes) || firstBuffer + offset + bytes > length) {
      throw damaged("a buffer lies outside");
    }
  }
  const slot = info.state[PACKED_MEMORY_SLOT] as { buffer_id?: unknown } | undefined;
  const memory = slot?.buffer_id;
  if (!isCount(memory) || memory >= infos.length) throw damaged("it has no memory");
  return { info, infos, memory, firstBuffer };
};

const parseInfo = (bytes: Uint8Array): StateInfo => {
  let info: unknown;
  try {
    info = JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw new StateRefusedError("content", "v86's part is damaged: its description cannot be read", {
      cause,
    });
  }
  const { buffer_infos: infos, state } = (info ?? {}) as Partial<StateInfo>;
  if (!Array.isArray(infos) || !Array.isArray(state)) throw damaged("its description is another one");
  return { buffer_infos: infos, state };
};

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
