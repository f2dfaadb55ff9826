import * as fc from "fast-check";
import { afterEach, expect, test, vi } from "vitest";
import {
  ChannelType,
  LinkErr,
  encodeLinkError,
  encodeLinkReply,
  encodeLinkResult,
  encodeMessage,
  mainChannel,
} from "../protocol/index.ts";
import { TestServer } from "../server/server.testing.ts";
import type { RedStream } from "../transport/index.ts";
import { createRedStreamPair } from "../transport/index.ts";
import { eventually, turns } from "../waiting.testing.ts";
import { RecordingChannel, linkError } from "./client.testing.ts";
import type { ClientError, ClientErrorCode } from "./errors.ts";
import { LINK_REPLY_DEADLINE_MS, LINK_RESULT_DEADLINE_MS } from "./limits.ts";
import { link } from "./link.ts";
import { sealTicket } from "./ticket.ts";

afterEach(() => void vi.useRealTimers());

const MAIN = { channelType: ChannelType.Main };
const { publicKey } = await crypto.subtle.generateKey(
  { name: "RSA-OAEP", modulusLength: 1024, publicExponent: new Uint8Array([1, 0, 1]), hash: "SHA-1" },
  true,
  ["encrypt", "decrypt"],
);
const pubKey = new Uint8Array(await crypto.subtle.exportKey("spki", publicKey));
/** AUTH_SELECTION, AUTH_SPICE, MINI_HEADER */
const reply = encodeLinkReply({ error: LinkErr.Ok, pubKey, commonCaps: [0b1011], channelCaps: [9] });
/** What a client says after the reply: its choice of authentication, and the ticket. */
const ANSWER_BYTES = 4 + 128;

/** A server that answers the link message with bytes, and the ticket with more. */
function serve(first: Uint8Array, second: Uint8Array = new Uint8Array(0), pieceBytes = 1 << 20) {
  const [client, server] = createRedStreamPair();
  let heard = 0;
  let linkBytes: number | undefined;
  const say = (bytes: Uint8Array) => {
    for (let at = 0; at < bytes.length; at += pieceBytes) server.write(bytes.slice(at, at + pieceBytes));
  };
  server.onData = (bytes) => {
    heard += bytes.length;
    if (linkBytes === undefined) {
      linkBytes = heard;
      say(first);
    } else if (heard === linkBytes + ANSWER_BYTES) say(second);
  };
  return { client, server };
}

async function codeOf(work: Promise<unknown>): Promise<ClientErrorCode | "no error"> {
  return work.then(
    () => "no error" as const,
    (error: ClientError) => error.code,
  );
}

test("whatever a server refuses with, in its reply or behind the ticket, is told by its code", async () => {
  const codes = fc.oneof(
    fc.constantFrom(...Object.values(LinkErr).filter((code) => code !== LinkErr.Ok)),
    fc.integer({ min: 10, max: 0xffff_ffff }),
  );
  await fc.assert(
    fc.asyncProperty(codes, fc.boolean(), async (code, early) => {
      const bad = early ? serve(encodeLinkError(code)) : serve(reply, encodeLinkResult(code));
      let ended = false;
      bad.server.onClose = () => (ended = true);
      await expect(link(bad.client, MAIN)).rejects.toMatchObject({ code: "SERVER_REFUSED", linkError: code });
      await eventually(() => ended);
    }),
    { numRuns: 30 },
  );
});

test("the stage takes bytes in any pieces, and leaves what follows to the channel", async () => {
  const name = encodeMessage(mainChannel.server.name, { name: "of the machine" }, { miniHeader: true });
  const rest = new Uint8Array([...encodeLinkResult(LinkErr.Ok), ...name, ...name]);
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 300 }), async (pieceBytes) => {
      const { client, server } = serve(reply, rest, pieceBytes);
      expect(await link(client, MAIN)).toEqual({ miniHeader: true, commonCaps: [0b1011], channelCaps: [9] });
      server.close("said all");
      const main = new RecordingChannel(client, mainChannel);
      await eventually(() => main.closed !== undefined);
      expect(main.names).toEqual(["name", "name"]);
      expect(main.closed).toBe("said all");
    }),
    { numRuns: 40 },
  );
});

test("what does not speak SPICE is told from what hangs up, and neither leaves the connection open", async () => {
  const another = reply.slice();
  another[4] = 3;
  const huge = reply.slice();
  huge.fill(0xff, 12, 16);
  const broken = reply.slice();
  broken.fill(0xaa, 20, 20 + 162);
  const cases: [string, Uint8Array, ClientErrorCode][] = [
    ["a web server", new TextEncoder().encode("HTTP/1.1 400 Bad Request\r\n\r\n"), "SERVER_NOT_SPICE"],
    ["another version", another, "SERVER_NOT_SPICE"],
    ["a reply without an end", huge, "SERVER_NOT_SPICE"],
    ["no key", broken, "SERVER_NOT_SPICE"],
  ];
  for (const [what, bytes, code] of cases) {
    const { client, server } = serve(bytes);
    expect([what, await codeOf(link(client, MAIN))]).toEqual([what, code]);
    await eventually(() => server.closed || server.ending);
  }
  for (let length = 0; length < reply.length; length += 37) {
    const { client, server } = serve(reply.subarray(0, length));
    const code = codeOf(link(client, MAIN));
    await turns();
    server.close("enough");
    expect(await code).toBe("CHANNEL_CLOSED");
  }
});

test.each<[string, Uint8Array | undefined, number]>([
  ["the reply", undefined, LINK_REPLY_DEADLINE_MS],
  ["the result", reply, LINK_RESULT_DEADLINE_MS],
])("a server that keeps %s to itself is left at the deadline", async (what, said, deadlineMs) => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const { client, server } = serve(said ?? new Uint8Array(0));
  let ticket = false;
  const listen = server.onData!;
  let heard = 0;
  server.onData = (bytes) => {
    listen(bytes);
    heard += bytes.length;
    ticket = heard > ANSWER_BYTES;
  };
  let outcome = "";
  void link(client, MAIN).catch((error: ClientError) => (outcome = `${error.code}: ${error.message}`));
  await eventually(() => (said === undefined ? heard > 0 : ticket));
  vi.advanceTimersByTime(deadlineMs - 1);
  await turns();
  expect(outcome).toBe("");
  vi.advanceTimersByTime(1);
  await eventually(() => outcome !== "");
  expect(outcome).toContain("SERVER_SILENT");
  expect(outcome).toContain(what);
  await eventually(() => server.closed || server.ending);
  expect(vi.getTimerCount()).toBe(0);
});

test("who gives up is not kept waiting", async () => {
  const { client } = serve(new Uint8Array(0));
  const giveUp = new AbortController();
  const code = codeOf(link(client, MAIN, { signal: giveUp.signal }));
  giveUp.abort();
  expect(await code).toBe("CHANNEL_LEFT");
  expect(client.closed).toBe(true);
});

test("a ticket holds the password and no more than it can", async () => {
  expect(await sealTicket(pubKey, "ä".repeat(30))).toHaveLength(128);
  expect(await codeOf(sealTicket(pubKey, "ä".repeat(31)))).toBe("PASSWORD_TOO_LONG");
  expect(await codeOf(sealTicket(new Uint8Array(162), "x"))).toBe("SERVER_NOT_SPICE");
});

test("our own server's core lets the right password in, and says why it does not", async () => {
  using server = new TestServer({ password: "päss" });
  const dial = (): RedStream => server.dial();
  const terms = await link(dial(), { ...MAIN, password: "päss" });
  expect(terms.miniHeader).toBe(true);
  const refusals: [number, Parameters<typeof link>[1]][] = [
    [LinkErr.PermissionDenied, { ...MAIN, password: "pass" }],
    [LinkErr.BadConnectionId, { channelType: ChannelType.Display, connectionId: 77, password: "päss" }],
    [LinkErr.ChannelNotAvailable, { ...MAIN, channelId: 3, password: "päss" }],
  ];
  for (const [error, request] of refusals) expect(await linkError(dial(), request)).toBe(error);
});
