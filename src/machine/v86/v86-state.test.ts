import * as fc from "fast-check";
import { expect, test } from "vitest";
import { StateRefusedError } from "../../state/errors.ts";
import { bufferSource } from "../../state/state-transfer.ts";
import { PackedPages, splitState, stateHead } from "./v86-state.ts";

/** A state as v86 writes it: slot 77 holds the memory, two other buffers stand around it. */
const makeState = (
  memory: Uint8Array,
  change: (info: { buffer_infos: { offset: number; length: number }[]; state: unknown[] }) => void = () => {},
): ArrayBuffer => {
  const buffers = [Uint8Array.of(1, 2, 3), memory, Uint8Array.of(4, 5, 6, 7, 8)];
  let end = 0;
  const infos = buffers.map(({ length }) => {
    const offset = end;
    end = (end + length + 3) & ~3;
    return { offset, length };
  });
  const state: unknown[] = [];
  for (const [id, slot] of [0, 77, 78].entries())
    state[slot] = { __state_type__: "Uint8Array", buffer_id: id };
  const info = { buffer_infos: infos, state };
  change(info);
  const json = new TextEncoder().encode(JSON.stringify(info));
  const first = (16 + json.length + 3) & ~3;
  const bytes = new Uint8Array(first + end);
  new Int32Array(bytes.buffer, 0, 4).set([0x86768676 | 0, 6, bytes.length, json.length]);
  bytes.set(json, 16);
  for (const [index, buffer] of buffers.entries()) bytes.set(buffer, first + infos[index].offset);
  return bytes.buffer;
};

/** The buffers of a state, read as v86 does. */
const buffersOf = (state: ArrayBuffer): number[][] => {
  const [, , length, jsonLength] = new Int32Array(state, 0, 4);
  expect(length).toBe(state.byteLength);
  const info = JSON.parse(new TextDecoder().decode(new Uint8Array(state, 16, jsonLength)));
  const first = (16 + jsonLength + 3) & ~3;
  return info.buffer_infos.map(({ offset, length: bytes }: { offset: number; length: number }) => [
    ...new Uint8Array(state, first + offset, bytes),
  ]);
};

test("what v86 gets is the state without its memory, whose bytes come in order", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.array(fc.nat(120)), (memory, steps) => {
      const { state, memory: pages } = splitState(bufferSource(makeState(memory)));
      expect(buffersOf(state)).toEqual([[1, 2, 3], [], [4, 5, 6, 7, 8]]);
      expect(pages.bytes).toBe(memory.length);
      const taken: number[] = [];
      for (const step of [...steps, memory.length]) {
        const target = new Uint8Array(Math.min(step, memory.length - taken.length));
        pages.take(target);
        taken.push(...target);
      }
      expect(taken).toEqual([...memory]);
    }),
  );
});

test("a head and the pages behind it are a state again", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (memory) => {
      const { state: small } = splitState(bufferSource(makeState(new Uint8Array(0))));
      const head = stateHead(small, memory.length);
      const whole = new Uint8Array(head.length + memory.length);
      whole.set(head);
      whole.set(memory, head.length);
      expect(buffersOf(whole.buffer)).toEqual([[1, 2, 3], [...memory], [4, 5, 6, 7, 8]]);
    }),
  );
});

test("there are no more pages than the state has", () => {
  const pages = new PackedPages(bufferSource(new ArrayBuffer(3 * 4096)), 4096, 4096);
  pages.take(new Uint8Array(4000));
  expect(() => pages.take(new Uint8Array(97))).toThrow(StateRefusedError);
});

test.each([
  [
    "a buffer that lies outside",
    (info: { buffer_infos: { length: number }[] }) => (info.buffer_infos[2].length = 1e9),
  ],
  ["a negative place", (info: { buffer_infos: { offset: number }[] }) => (info.buffer_infos[0].offset = -4)],
  [
    "a fractional length",
    (info: { buffer_infos: { length: number }[] }) => (info.buffer_infos[0].length = 1.5),
  ],
  ["no memory", (info: { state: unknown[] }) => (info.state[77] = null)],
  ["memory in no buffer", (info: { state: unknown[] }) => (info.state[77] = { buffer_id: 3 })],
  ["no list of buffers", (info: { buffer_infos: unknown }) => (info.buffer_infos = {})],
])("a state with %s is refused", (_name, change) => {
  const state = makeState(new Uint8Array(8), change as Parameters<typeof makeState>[1]);
  expect(() => splitState(bufferSource(state))).toThrow(StateRefusedError);
});

test("mutated states are refused or taken apart, never anything else", () => {
  const good = new Uint8Array(makeState(new Uint8Array(64)));
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { maxLength: 6 }),
      fc.nat(good.length),
      (changes, cut) => {
        const bytes = good.slice(0, cut % 3 === 0 ? cut : good.length);
        for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
        try {
          splitState(bufferSource(bytes.buffer));
        } catch (error) {
          expect(error).toBeInstanceOf(StateRefusedError);
        }
      },
    ),
  );
});
