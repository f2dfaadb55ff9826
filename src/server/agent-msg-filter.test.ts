import * as fc from "fast-check";
import { expect, test } from "vitest";
import {
  AgentCap,
  AgentMessageType,
  VD_AGENT_MESSAGE_SIZE,
  agentMessages,
  capsToWords,
  decodeBody,
} from "../protocol/index.ts";
import { AgentMessageError, AgentMsgFilter } from "./agent-msg-filter.ts";
import { encodeAgentMessage, wrapAgentMessage } from "./agent-wire.ts";

const OPEN = { copyPaste: true, fileXfer: true };
const SHUT = { copyPaste: false, fileXfer: false };

test("messages are followed however they are cut, as long as their header stays whole", () => {
  const message = fc.record({
    type: fc.constantFrom(3, 4, 7, 12, 15),
    size: fc.nat(5000),
    cuts: fc.array(fc.nat(5000), { maxLength: 4 }),
  });
  fc.assert(
    fc.property(fc.array(message, { maxLength: 8 }), (messages) => {
      const filter = new AgentMsgFilter(OPEN);
      for (const { type, size, cuts } of messages) {
        const bytes = wrapAgentMessage(type, new Uint8Array(size));
        const ends = [...new Set([...cuts.map((cut) => Math.max(cut, VD_AGENT_MESSAGE_SIZE)), bytes.length])]
          .filter((end) => end <= bytes.length)
          .toSorted((a, b) => a - b);
        let at = 0;
        for (const end of ends) {
          const judged = filter.push(bytes.subarray(at, end));
          expect(judged).toEqual({
            verdict: "forward",
            begins: at === 0,
            ends: end === bytes.length,
            data: undefined,
          });
          at = end;
        }
        expect(filter.missing).toBe(0);
      }
    }),
  );
});

test.each<[string, Uint8Array]>([
  ["a header in two pieces", new Uint8Array(19)],
  ["another protocol", new Uint8Array(20).fill(2, 0, 1)],
  ["an absurd size", new Uint8Array([1, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255])],
  ["too many monitors", new Uint8Array([1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0])],
  ["more than it announced", new Uint8Array([1, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7])],
])("%s is refused", (_what, piece) => {
  expect(() => new AgentMsgFilter(OPEN).push(piece)).toThrow(AgentMessageError);
});

test("what the policy forbids is discarded, and not announced", () => {
  const verdicts = (policy: typeof OPEN) =>
    Object.values(AgentMessageType)
      .filter(
        (type) =>
          new AgentMsgFilter(policy).push(wrapAgentMessage(type, new Uint8Array(0))).verdict === "discard",
      )
      .toSorted((a, b) => a - b);
  expect(verdicts(OPEN)).toEqual([]);
  expect(verdicts(SHUT)).toEqual([4, 7, 8, 9, 10, 11, 12]);
  const { MouseState, ClipboardByDemand, ClipboardSelection, FileXferDisabled } = AgentCap;
  const announce = (policy: typeof OPEN) => {
    const caps = capsToWords([MouseState, ClipboardByDemand, ClipboardSelection]);
    const bytes = encodeAgentMessage(agentMessages.announceCapabilities, { request: 1, caps });
    new AgentMsgFilter(policy).push(bytes);
    return decodeBody(agentMessages.announceCapabilities, bytes.subarray(VD_AGENT_MESSAGE_SIZE)).caps;
  };
  expect(announce(OPEN)).toEqual(capsToWords([MouseState, ClipboardByDemand, ClipboardSelection]));
  expect(announce(SHUT)).toEqual(capsToWords([MouseState, FileXferDisabled]));
});

test("the server keeps a monitors config whole", () => {
  const monitors = [{ width: 800, height: 600, depth: 32, x: 0, y: -5 }];
  const bytes = encodeAgentMessage(agentMessages.monitorsConfig, {
    flags: 0,
    monitors,
    physicalSizes: undefined,
  });
  const filter = new AgentMsgFilter(OPEN);
  expect(filter.push(bytes.subarray(0, 30)).data).toBeUndefined();
  const { verdict, data } = filter.push(bytes.subarray(30));
  expect(verdict).toBe("monitorsConfig");
  expect(decodeBody(agentMessages.monitorsConfig, data!).monitors).toEqual(monitors);
});
