import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SchemaError } from "./errors.ts";
import { displayChannel } from "./display.ts";
import { encodeMessageParts } from "./headers.ts";
import { inputsChannel } from "./inputs.ts";
import { mainChannel } from "./main.ts";
import type { MessageDef } from "./message.ts";
import { decodeBody, encodeBody, message } from "./message.ts";
import {
  array,
  bytes,
  imageSize,
  pointer,
  pointerTo,
  rest,
  struct,
  u16,
  u32,
  u64,
  u8,
  variant,
  when,
} from "./schema.ts";
import { utf8Length, utf8Read, utf8Write } from "./utf8.ts";

function failure(run: () => unknown): SchemaError {
  try {
    run();
  } catch (error) {
    if (error instanceof SchemaError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

function decodeHex<T>(def: MessageDef<T>, hex: string): T {
  return decodeBody(def, Uint8Array.from(Buffer.from(hex.replace(/\s/g, ""), "hex")));
}

describe("a body that does not fit its schema", () => {
  const union = { [1]: { x: u8 }, [2]: { x: u16 } };
  const cases: [string, MessageDef<unknown>, string, string, string, number][] = [
    ["ends early", message(1, "m", { a: struct({ b: u32 }) }), "0000", "truncated", "a.b", 0],
    ["has bytes left", message(1, "m", { a: u32 }), "0102030405", "trailing-bytes", "", 4],
    [
      "counts more than there is",
      message(1, "m", { a: array(u32, u32) }),
      "ffffffff 00000000",
      "truncated",
      "a",
      4,
    ],
    [
      "counts more bytes than there are",
      message(1, "m", { a: bytes(u32) }),
      "02000000 00",
      "truncated",
      "a",
      4,
    ],
    ["has a torn last element", message(1, "m", { a: array(u16, rest) }), "000000", "bad-length", "a", 0],
    ["points behind its end", message(1, "m", { a: pointer(u32) }), "05000000", "bad-pointer", "a", 4],
    ["points to too little", message(1, "m", { a: pointer(u32) }), "01000000", "truncated", "a", 1],
    ["points nowhere but must", message(1, "m", { a: pointerTo(u32) }), "00000000", "bad-pointer", "a", 4],
    [
      "has an unknown tag",
      message(1, "m", { a: variant({ t: u8 }, "t", union) }),
      "03",
      "unknown-variant",
      "a.t",
      1,
    ],
    [
      "is torn inside an array",
      message(1, "m", { a: array(variant({ t: u8 }, "t", union), u8) }),
      "02 0105 02ff",
      "truncated",
      "a[1].x",
      4,
    ],
    [
      "has a picture of absurd size",
      message(1, "m", { w: u32, h: u32, a: bytes(imageSize(8, "w", "h")) }),
      "ffffffff ffffffff",
      "truncated",
      "a",
      8,
    ],
  ];

  test.each(cases)("%s", (_, def, hex, fault, path, offset) => {
    const error = failure(() => decodeHex(def, hex));
    expect(error).toMatchObject({ fault, path, offset, messageName: def.name });
    expect(error.message).toContain(`at byte ${offset}`);
  });

  test("unless the message ignores what follows", () => {
    expect(decodeHex(message(1, "m", { a: u8 }, { trailing: "ignore" }), "0102")).toEqual({ a: 1 });
  });

  test("a pointer back into the body is read, not followed for ever", () => {
    const def = message(1, "m", { a: pointer(struct({ b: pointer(u8) })), c: u8 });
    expect(decodeHex(def, "04000000 04 000000")).toEqual({ a: { b: 4 }, c: 4 });
  });
});

describe("a value that does not fit its schema", () => {
  const { mouseMotion } = inputsChannel.client;
  const { uuid, agentData } = mainChannel.server;
  const conditional = message(1, "m", { flags: u8, a: when("flags", 2, u8) });

  test.each([
    [
      "a number too large",
      () => encodeBody(mouseMotion, { dx: 0, dy: 2 ** 31, buttonsState: 0 }),
      "out-of-range",
      "dy",
    ],
    [
      "no whole number",
      () => encodeBody(mouseMotion, { dx: 0.5, dy: 0, buttonsState: 0 }),
      "out-of-range",
      "dx",
    ],
    [
      "a bigint too large",
      () => encodeBody(mainChannel.client.clientInfo, { cacheSize: 1n << 64n }),
      "out-of-range",
      "cacheSize",
    ],
    ["bytes of the wrong length", () => encodeBody(uuid, { uuid: new Uint8Array(15) }), "bad-length", "uuid"],
    ["too much data", () => encodeBody(agentData, { data: new Uint8Array(2049) }), "too-large", ""],
    ["what the flags exclude", () => encodeBody(conditional, { flags: 1, a: 1 }), "bad-presence", "a"],
    ["not what the flags demand", () => encodeBody(conditional, { flags: 2 }), "bad-presence", "a"],
  ])("has %s", (_, run, fault, path) => {
    expect(failure(run)).toMatchObject({ fault, path });
  });
});

test("encodeMessageParts hands out long byte fields themselves", () => {
  const data = new Uint8Array(100_000).fill(7);
  const value = { base: { id: 1, multiMediaTime: 2 }, data };
  const parts = encodeMessageParts(displayChannel.server.streamData, value, { miniHeader: true });
  expect(parts.length).toBe(2);
  expect(parts[1]).toBe(data);
});

test("decoded bytes are views on the body", () => {
  const body = Uint8Array.of(1, 2, 3);
  expect(decodeBody(inputsChannel.client.keyScancode, body).data.buffer).toBe(body.buffer);
});

describe("a body that outgrows the encoder's first buffer", () => {
  test.each([503, 504, 505, 508, 511, 512, 1000])("at %i bytes, in the middle of a u64", (length) => {
    const def = message(1, "test", { data: bytes(length), id: u64, after: pointerTo(struct({ id: u64 })) });
    const value = { data: new Uint8Array(length).fill(7), id: 2n ** 64n - 2n, after: { id: 3n } };
    expect(decodeBody(def, encodeBody(def, value))).toEqual(value);
  });
});

describe("UTF-8", () => {
  test("is what the platform makes of it", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const bytes = new Uint8Array(utf8Length(text));
        utf8Write(text, bytes, 0);
        expect(Buffer.from(bytes)).toEqual(Buffer.from(text, "utf8"));
        expect(utf8Read(bytes)).toBe(
          bytes.length === 0 ? "" : new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes),
        );
      }),
    );
  });

  test("takes any bytes", () => {
    fc.assert(fc.property(fc.uint8Array(), (bytes) => typeof utf8Read(bytes) === "string"));
    expect(utf8Read(Uint8Array.of(0x61, 0xc3, 0x62, 0xed, 0xa0, 0x80, 0xf4, 0x90, 0x80, 0x80))).toMatch(
      /^a\ufffdb\ufffd+$/,
    );
  });
});
