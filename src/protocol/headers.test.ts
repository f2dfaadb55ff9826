import { describe, expect, test } from "vitest";
import { subMessages } from "./base.ts";
import { ProtocolError } from "./errors.ts";
import { MessageParser, encodeMessage } from "./headers.ts";
import { inputsChannel } from "./inputs.ts";
import { encodeStruct } from "./message.ts";
import { struct } from "./schema.ts";

const { client } = inputsChannel;
const keyDown = encodeMessage(client.keyDown, { code: 0x1e }, { miniHeader: true });

function failure(run: () => unknown): ProtocolError {
  try {
    run();
  } catch (error) {
    if (error instanceof ProtocolError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

describe("headers", () => {
  test("mini: type, size", () => {
    expect(Buffer.from(keyDown).toString("hex")).toBe("6500040000001e000000");
  });

  test("full: serial, type, size, no sub list", () => {
    const bytes = encodeMessage(client.keyDown, { code: 0x1e }, { miniHeader: false, serial: 3n });
    expect(Buffer.from(bytes).toString("hex")).toBe("0300000000000000650004000000000000001e000000");
  });

  test("a full header may lead to messages that come first", () => {
    const list = encodeStruct("list", struct({ subMessages }), {
      subMessages: [{ type: 1, data: Uint8Array.of(5) }],
    });
    // Pointers count from the body's start, the list stands behind four bytes of body.
    new DataView(list.buffer).setUint32(2, 4 + 6, true);
    const bytes = new Uint8Array(18 + 4 + list.length);
    const view = new DataView(bytes.buffer);
    view.setUint16(8, client.keyScancode.id, true);
    view.setUint32(10, 4 + list.length, true);
    view.setUint32(14, 4, true);
    bytes.set(list, 22);
    const [message] = new MessageParser({ miniHeader: false, channel: client }).push(bytes);
    expect(message.subMessages).toEqual([{ type: 1, data: Uint8Array.of(5) }]);
  });
});

describe("MessageParser", () => {
  test("refuses a type that the channel does not have, and stays failed", () => {
    const parser = new MessageParser({ miniHeader: true, channel: client });
    const error = failure(() => [...parser.push(Uint8Array.of(0xff, 0xff, 0, 0, 0, 0))]);
    expect(error.fault).toBe("unknown-message");
    expect(failure(() => [...parser.push(keyDown)])).toBe(error);
  });

  test("refuses a size beyond the message or its own limit, before the body arrives", () => {
    const huge = Uint8Array.of(0x65, 0, 0xff, 0xff, 0xff, 0xff);
    expect(
      failure(() => [...new MessageParser({ miniHeader: true, channel: client }).push(huge)]).fault,
    ).toBe("message-too-large");
    const strict = new MessageParser({ miniHeader: true, channel: client, maxMessageSize: 3 });
    expect(failure(() => [...strict.push(keyDown)]).fault).toBe("message-too-large");
  });

  test("refuses a sub list outside of the body", () => {
    const bytes = encodeMessage(client.keyDown, { code: 1 }, { miniHeader: false });
    bytes[14] = 4;
    const parser = new MessageParser({ miniHeader: false, channel: client });
    expect(failure(() => [...parser.push(bytes)]).fault).toBe("bad-sub-list");
  });

  test("gives the messages in front of a bad one first", () => {
    const parser = new MessageParser({ miniHeader: true, channel: client });
    const names: string[] = [];
    expect(() => {
      for (const message of parser.push(Uint8Array.of(...keyDown, 0xff, 0xff, 0, 0, 0, 0)))
        names.push(message.name);
    }).toThrow(ProtocolError);
    expect(names).toEqual(["keyDown"]);
  });

  test("keeps what a broken-off loop leaves for the next push", () => {
    const parser = new MessageParser({ miniHeader: true, channel: client });
    for (const _ of parser.push(Uint8Array.of(...keyDown, ...keyDown, ...keyDown.subarray(0, 8)))) break;
    expect([...parser.push(keyDown.subarray(8))].map((message) => message.name)).toEqual([
      "keyDown",
      "keyDown",
    ]);
  });

  test("knows whether a stream ended between messages", () => {
    const parser = new MessageParser({ miniHeader: true, channel: client });
    expect([...parser.push(keyDown)].length).toBe(1);
    parser.end();
    expect([...parser.push(keyDown.subarray(0, 9))]).toEqual([]);
    expect(parser.pending).toBe(9);
    expect(failure(() => parser.end())).toMatchObject({ fault: "truncated" });
  });

  test("narrows a message to its definition", () => {
    const [message] = new MessageParser({ miniHeader: true, channel: client }).push(keyDown);
    expect(message.as(client.keyDown)?.code).toBe(0x1e);
    expect(message.as(client.keyUp)).toBeUndefined();
  });
});
