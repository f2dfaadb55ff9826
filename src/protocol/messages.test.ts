import { isDeepStrictEqual } from "node:util";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { agentMessages, agentSelectionMessages, agentSerialMessages } from "./agent.ts";
import { baseClient, baseServer } from "./base.ts";
import { channels } from "./channels.ts";
import { SchemaError } from "./errors.ts";
import { MessageParser, encodeMessage, encodeMessageParts } from "./headers.ts";
import type { MessageDef, MessageTable } from "./message.ts";
import { decodeBody, encodeBody } from "./message.ts";
import { arbitraryOf } from "./schema.testing.ts";

const tables: [string, MessageTable][] = channels.flatMap((channel): [string, MessageTable][] => [
  [`${channel.name} server`, channel.server],
  [`${channel.name} client`, channel.client],
]);
tables.push(
  ["agent", agentMessages],
  ["agent selection", agentSelectionMessages],
  ["agent serial", agentSerialMessages],
);

const base = new Set<MessageDef<unknown>>([...Object.values(baseServer), ...Object.values(baseClient)]);

/** Every message once: those of all channels by themselves, not again on each channel. */
const every = [["base server", baseServer] as const, ["base client", baseClient] as const, ...tables].flatMap(
  ([table, messages]) =>
    Object.entries(messages)
      .filter(([, def]) => table.startsWith("base") || !base.has(def))
      .map(([key, def]): [string, string, MessageDef<unknown>] => [`${table} ${key}`, key, def]),
);

/** Either what `decode` gives, or the SchemaError; anything else it throws is a failure of the test. */
function outcome(def: MessageDef<unknown>, body: Uint8Array): unknown {
  try {
    return decodeBody(def, body);
  } catch (error) {
    if (!(error instanceof SchemaError)) throw error;
    return `${error.fault} at ${error.path}`;
  }
}

/** `body` inside of a larger buffer whose other bytes are `poison`. */
function within(body: Uint8Array, poison: number): Uint8Array {
  const buffer = new Uint8Array(body.length + 64).fill(poison);
  buffer.set(body, 32);
  return buffer.subarray(32, 32 + body.length);
}

describe.each(every)("%s", (_, key, def) => {
  const values = arbitraryOf(def);

  test("is named as its key and survives a round trip, in one piece and in parts", () => {
    expect(def.name).toBe(key);
    fc.assert(
      fc.property(values, (value) => {
        const body = encodeBody(def, value);
        const decoded = decodeBody(def, body);
        if (!isDeepStrictEqual(decoded, value)) expect(decoded).toEqual(value);
        const options = { miniHeader: false, serial: 7n };
        const parts = encodeMessageParts(def, value, options);
        expect(Buffer.concat(parts).equals(encodeMessage(def, value, options))).toBe(true);
      }),
      { numRuns: 30 },
    );
  });

  test("cut anywhere, it is a SchemaError or a shorter value, whatever lies behind it", () => {
    fc.assert(
      fc.property(values, (value) => {
        const body = encodeBody(def, value);
        const step = Math.max(1, Math.floor(body.length / 300));
        for (let length = 0; length < body.length; length += step) {
          const cut = body.subarray(0, length);
          if (!isDeepStrictEqual(outcome(def, within(cut, 0)), outcome(def, within(cut, 0xff)))) return false;
        }
        return true;
      }),
      { numRuns: 4 },
    );
  });

  test("changed anywhere, it is a SchemaError or another value, whatever lies behind it", () => {
    fc.assert(
      fc.property(values, fc.nat(), fc.nat(255), (value, at, byte) => {
        const body = encodeBody(def, value).slice(0, 2000);
        if (body.length > 0) body[at % Math.min(body.length, 200)] = byte;
        return isDeepStrictEqual(outcome(def, within(body, 0)), outcome(def, within(body, 0xff)));
      }),
      { numRuns: 30 },
    );
  });
});

describe.each(tables)("table %s", (_, table) => {
  test("has no number twice", () => {
    const ids = Object.values(table).map((def) => def.id);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

test("messages of a whole channel come out of the parser as they went in, in any chunking", () => {
  for (const { server } of channels) {
    const one = fc
      .constantFrom(...Object.values(server))
      .chain((def) => fc.tuple(fc.constant(def), arbitraryOf(def)));
    fc.assert(
      fc.property(
        fc.array(one, { maxLength: 6 }),
        fc.boolean(),
        fc.infiniteStream(fc.nat(70)),
        (sent, mini, sizes) => {
          const whole = sent.map(([def, value], index) =>
            encodeMessage(def, value, { miniHeader: mini, serial: BigInt(index + 1) }),
          );
          const stream = Uint8Array.from(Buffer.concat(whole));
          const parser = new MessageParser({ miniHeader: mini, channel: server });
          const received: unknown[] = [];
          for (let at = 0; at < stream.length;) {
            const size = Number(sizes.next().value);
            for (const message of parser.push(stream.subarray(at, at + size))) {
              received.push([message.name, message.value, message.serial]);
            }
            at += size;
          }
          parser.end();
          const expected = sent.map(([def, value], index) => [
            def.name,
            value,
            mini ? undefined : BigInt(index + 1),
          ]);
          expect(received).toEqual(expected);
        },
      ),
      { numRuns: 15 },
    );
  }
});
