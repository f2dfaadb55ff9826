import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { capsToWords, hasCap, wordsToCaps } from "./caps.ts";
import { ProtocolError, SchemaError } from "./errors.ts";
import { LINK_CAPS_MAX } from "./limits.ts";
import type { LinkMess } from "./link.ts";
import {
  LINK_HEADER_SIZE,
  LINK_MAGIC,
  LINK_MESS_SIZE,
  LINK_REPLY_SIZE,
  LinkError,
  TICKET_PUBKEY_SIZE,
  decodeLinkHeader,
  decodeLinkMess,
  decodeLinkReply,
  encodeLinkError,
  encodeLinkMess,
  encodeLinkReply,
  linkMess,
  linkReply,
} from "./link.ts";
import { sizeOf } from "./layout.ts";

const words = fc.array(fc.nat(0xffffffff), { maxLength: 4 });
const mess: fc.Arbitrary<LinkMess> = fc.record({
  connectionId: fc.nat(0xffffffff),
  channelType: fc.nat(255),
  channelId: fc.nat(255),
  commonCaps: words,
  channelCaps: words,
});

describe("link stage", () => {
  test("sizes are those of the protocol", () => {
    expect(sizeOf(linkMess)).toBe(LINK_MESS_SIZE);
    expect(sizeOf(linkReply)).toBe(LINK_REPLY_SIZE);
    expect(Buffer.from(encodeLinkError(0)).subarray(0, 4).toString("latin1")).toBe("REDQ");
    expect(LINK_MAGIC).toBe(Buffer.from("REDQ").readUInt32LE());
  });

  test("a request, by hand", () => {
    const value = { connectionId: 1, channelType: 2, channelId: 0, commonCaps: [0xb], channelCaps: [] };
    expect(Buffer.from(encodeLinkMess(value)).toString("hex")).toBe(
      "52454451020000000200000016000000010000000200010000000000000012000000".concat("0b000000"),
    );
  });

  test("requests and replies survive a round trip", () => {
    fc.assert(
      fc.property(mess, (value) => {
        const bytes = encodeLinkMess(value);
        expect(decodeLinkHeader(bytes).size).toBe(bytes.length - LINK_HEADER_SIZE);
        expect(decodeLinkMess(bytes.subarray(LINK_HEADER_SIZE))).toEqual(value);
      }),
    );
    const reply = {
      error: LinkError.Ok,
      pubKey: new Uint8Array(TICKET_PUBKEY_SIZE).fill(3),
      commonCaps: [9],
      channelCaps: [1, 2],
    };
    expect(decodeLinkReply(encodeLinkReply(reply).subarray(LINK_HEADER_SIZE))).toEqual(reply);
  });

  test("any bytes are a request or a typed error", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        try {
          decodeLinkMess(bytes);
        } catch (error) {
          return error instanceof ProtocolError || error instanceof SchemaError;
        }
        return true;
      }),
    );
  });

  test("lying counts and offsets are refused", () => {
    const bytes = encodeLinkMess({
      connectionId: 0,
      channelType: 1,
      channelId: 0,
      commonCaps: [1],
      channelCaps: [],
    });
    const body = bytes.subarray(LINK_HEADER_SIZE);
    const view = new DataView(body.buffer, body.byteOffset);
    for (const [at, value] of [
      [6, LINK_CAPS_MAX + 1],
      [6, 2],
      [14, 0xffffffff],
      [14, 19],
    ] as const) {
      const before = view.getUint32(at, true);
      view.setUint32(at, value, true);
      expect(() => decodeLinkMess(body)).toThrow(ProtocolError);
      view.setUint32(at, before, true);
    }
  });

  test("another protocol and an oversized message are told apart", () => {
    const header = encodeLinkError(0).slice(0, LINK_HEADER_SIZE);
    header.set([0x01, 0x10], 12);
    expect(() => decodeLinkHeader(header)).toThrow(expect.objectContaining({ fault: "bad-link" }));
    header.set(Buffer.from("GET "));
    expect(() => decodeLinkHeader(header)).toThrow(expect.objectContaining({ fault: "bad-magic" }));
  });
});

test("capability words and bit numbers are the same set", () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(100)), (caps) => {
      const set = capsToWords(caps);
      expect(wordsToCaps(set)).toEqual(caps.toSorted((a, b) => a - b));
      for (let cap = 0; cap < 140; cap++) expect(hasCap(set, cap)).toBe(caps.includes(cap));
    }),
  );
});
