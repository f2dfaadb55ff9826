import { describe, expect, test } from "vitest";
import { capturedStreams, haveCaptures } from "./captures.testing.ts";
import { MessageParser } from "./headers.ts";
import type { LinkMess, LinkReply } from "./link.ts";
import { encodeLinkMess, encodeLinkReply } from "./link.ts";
import { encodeBody } from "./message.ts";

const streams = capturedStreams();

describe.skipIf(!haveCaptures)(
  "captures of stock clients (skipped: no ../shared/captures beside the project)",
  () => {
    test("are there", () => {
      expect(streams.length).toBeGreaterThan(20);
    });

    test.each(streams.map((stream) => [stream.name, stream] as const))("%s: link stage", (_, stream) => {
      const value = stream.linkValue;
      const encoded =
        "error" in value
          ? encodeLinkReply(value satisfies LinkReply)
          : encodeLinkMess(value satisfies LinkMess);
      expect(Buffer.from(encoded).equals(stream.link)).toBe(true);
    });

    test.each(streams.map((stream) => [stream.name, stream] as const))(
      "%s: every message decodes, and encodes to the same bytes",
      (_, stream) => {
        const smallest = stream.messages.length < 20_000 ? 1 : 7;
        for (const chunk of [smallest, 17, 4099, Number.MAX_SAFE_INTEGER]) {
          const parser = new MessageParser({ miniHeader: stream.miniHeader, channel: stream.table });
          let bytes = 0;
          for (let at = 0; at < stream.messages.length; at += chunk) {
            for (const message of parser.push(stream.messages.slice(at, at + chunk))) {
              bytes += message.body.length + (stream.miniHeader ? 6 : 18);
              const body = encodeBody(message.def, message.value);
              if (!Buffer.from(body).equals(message.body)) {
                expect([message.name, Buffer.from(body).toString("hex")]).toEqual([
                  message.name,
                  Buffer.from(message.body).toString("hex"),
                ]);
              }
            }
          }
          // A recording may end in the middle of a message.
          expect(bytes + parser.pending).toBe(stream.messages.length);
        }
      },
    );
  },
);
