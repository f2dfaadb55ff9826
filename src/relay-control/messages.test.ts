import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { HostMessage, RelayMessage } from "./messages.ts";
import {
  ControlMessageError,
  RELAY_CONTROL_PROTOCOL,
  parseHostMessage,
  parseRelayMessage,
} from "./messages.ts";

const name = fc.string({ maxLength: 200 });
const reason = fc.string({ maxLength: 500 });
const id = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
const count = fc.maxSafeNat();
const some = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const type = <const T extends string>(literal: T) => fc.constant(literal);

const hostMessage: fc.Arbitrary<HostMessage> = fc.oneof(
  fc.record({
    type: type("hello"),
    protocol: count,
    name,
    version: name,
    hostId: fc.string({ minLength: 1, maxLength: 200 }),
    secret: name,
  }),
  fc.record({ type: fc.constantFrom("takeOver", "ping", "pong") }),
  fc.record({ type: type("accepted"), id }),
  fc.record({ type: type("refused"), id, reason: some(reason) }),
  fc.record({ type: type("linked"), id, channel: some(name) }),
  fc.record({
    type: type("linkFailed"),
    id: some(id),
    address: name,
    reason,
    failures: some(count),
    delayMs: some(count),
  }),
  fc.record({ type: type("status"), clients: count, machine: some(reason) }),
);

const peer = fc.record({
  transport: fc.constantFrom("tcp", "tls", "websocket", "webrtc", "quic-2"),
  address: name,
  secure: fc.boolean(),
});
const relayMessage: fc.Arbitrary<RelayMessage> = fc.oneof(
  fc.record({
    type: type("welcome"),
    protocol: count,
    spice: fc.array(fc.record({ host: name, port: count }), { maxLength: 4 }),
    webSocketUrl: fc.webUrl(),
    version: name,
  }),
  fc.record({ type: type("occupied"), host: name, lost: fc.boolean() }),
  fc.record({ type: type("open"), id, token: fc.stringMatching(/^[0-9a-f]+$/), peer }),
  fc.record({ type: type("cancel"), id }),
  fc.record({ type: fc.constantFrom("ping", "pong") }),
);

test("what one end says is what the other reads, with fields that it does not know left out", () => {
  const check = <T extends object>(message: T, parse: (text: string) => T) => {
    const text = JSON.stringify({ ...message, somethingNew: 1 });
    expect(JSON.parse(JSON.stringify(parse(text)))).toEqual(JSON.parse(JSON.stringify(message)));
  };
  fc.assert(fc.property(hostMessage, (message) => check(message, parseHostMessage)));
  fc.assert(fc.property(relayMessage, (message) => check(message, parseRelayMessage)));
});

test("anything else is refused with one kind of error, in words", () => {
  const anything = fc.oneof(
    fc.anything(),
    fc.string(),
    fc.json(),
    hostMessage.map(damaged),
    relayMessage.map(damaged),
  );
  fc.assert(
    fc.property(anything, (message) => {
      const text = typeof message === "object" ? JSON.stringify(message) : message;
      for (const parse of [parseHostMessage, parseRelayMessage]) {
        try {
          parse(text);
        } catch (error) {
          expect(error).toBeInstanceOf(ControlMessageError);
          expect((error as Error).message).toMatch(/control message/);
        }
      }
    }),
  );
  expect(() => parseHostMessage('{"type":"accepted","id":0}')).toThrow("bad control message at id");
  expect(() => parseRelayMessage('{"type":"open","id":1,"token":"../x"}')).toThrow("at token");
  expect(() => parseHostMessage(new Uint8Array(3))).toThrow("control messages are text");
  expect(RELAY_CONTROL_PROTOCOL).toBeGreaterThan(0);
});

/** A message with one of its fields made something else. */
function damaged(message: object): object {
  const [field] = Object.keys(message).slice(-1);
  return { ...message, [field]: { not: "this" } };
}
