import * as fc from "fast-check";
import { expect, test } from "vitest";
import { StateRefusedError } from "./errors.ts";
import { loadStateDigest } from "./state-digest.ts";
import {
  assertStateFits,
  decodeStateHeader as decode,
  encodeStateHeader as encode,
  makeStateHeader,
  STATE_HEADER_BYTES,
  unfinishedHeader,
} from "./state-header.ts";
import type { StoredStateHeader } from "./state-header.ts";

const machine = {
  level: "console",
  buildId: "b1",
  memoryMiB: 256,
  aperture: "64+64+16",
  v86Version: "0.5.462",
};
const header: StoredStateHeader = {
  ...makeStateHeader(machine, 1234, 1_700_000_000_000),
  place: "console.0",
  generation: 3,
  windowBytes: 1 << 20,
  tableDigest: "0123456789abcdef",
};
const digest = await loadStateDigest();
const encodeStateHeader = (one: StoredStateHeader) => encode(one, digest);
const decodeStateHeader = (bytes: Uint8Array) => decode(bytes, digest);

const refusalOf = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    if (error instanceof StateRefusedError) return error.refusal;
    throw error;
  }
  return "none";
};

test("a header survives its encoding", () => {
  const text = fc.string({ maxLength: 100 });
  const headers = fc.record({
    level: text,
    buildId: text,
    aperture: text,
    v86Version: text,
    memoryMiB: fc.nat(),
    stateVersion: fc.nat(),
    stateBytes: fc.nat(2 ** 31 - 1),
    savedAt: fc.nat(),
    place: text,
    generation: fc.nat(),
    windowBytes: fc.integer({ min: 1, max: 1 << 20 }),
    tableDigest: text,
  });
  fc.assert(
    fc.property(headers, (one) => {
      const bytes = encodeStateHeader(one);
      expect(bytes.length).toBe(STATE_HEADER_BYTES);
      expect(decodeStateHeader(bytes)).toEqual(one);
    }),
  );
});

test("garbage is refused, never anything else", () => {
  const garbage = fc.uint8Array({ minLength: 0, maxLength: STATE_HEADER_BYTES + 10 });
  fc.assert(
    fc.property(garbage, fc.boolean(), fc.nat(), (bytes, keepMagic, at) => {
      const block = encodeStateHeader(header);
      block.set(bytes.subarray(0, block.length - 20), keepMagic ? 20 : 0);
      const cut = at % 3 === 0 ? block.subarray(0, at % block.length) : block;
      if (keepMagic && bytes.length === 0 && cut === block) return;
      const refusal = refusalOf(() => decodeStateHeader(cut));
      if (bytes.length > 0 || cut !== block) expect(["format", "truncated", "unfinished"]).toContain(refusal);
    }),
  );
});

test("every bit of a header counts", () => {
  const block = encodeStateHeader(header);
  for (let bit = 0; bit < 8 * block.length; bit++) {
    block[bit >> 3] ^= 1 << (bit & 7);
    expect(
      refusalOf(() => decodeStateHeader(block)),
      `bit ${bit}`,
    ).toBe("format");
    block[bit >> 3] ^= 1 << (bit & 7);
  }
  expect(decodeStateHeader(block)).toEqual(header);
});

test("what was begun and not finished says so", () => {
  expect(refusalOf(() => decodeStateHeader(unfinishedHeader()))).toBe("unfinished");
  expect(refusalOf(() => decodeStateHeader(new Uint8Array(0)))).toBe("unfinished");
});

test("JSON that is not a header is refused", () => {
  const damaged = (fields: Partial<Record<keyof StoredStateHeader, unknown>>) =>
    refusalOf(() => decodeStateHeader(encodeStateHeader({ ...header, ...fields } as StoredStateHeader)));
  expect(damaged({})).toBe("none");
  expect(damaged({ stateBytes: -1 })).toBe("format");
  expect(damaged({ stateBytes: 2 ** 40 })).toBe("format");
  expect(damaged({ stateBytes: 1.5 })).toBe("format");
  expect(damaged({ buildId: 7 })).toBe("format");
  expect(damaged({ level: undefined })).toBe("format");
});

test.each([
  ["version", { stateVersion: 99 }],
  ["v86-version", { v86Version: "0.5.1" }],
  ["guest-build", { buildId: "b2" }],
  ["guest-build", { level: "desktop" }],
  ["machine-options", { memoryMiB: 512 }],
  ["machine-options", { aperture: "32+32+16" }],
])("%s: a state that differs in it does not fit", (refusal, fields) => {
  expect(refusalOf(() => assertStateFits({ ...header, ...fields }, machine))).toBe(refusal);
});

test("a state of the same machine fits, whenever it was saved", () => {
  expect(refusalOf(() => assertStateFits({ ...header, savedAt: 0, stateBytes: 1 }, machine))).toBe("none");
});
