import * as fc from "fast-check";
import { expect, test, vi } from "vitest";
import type { MessageDef } from "../protocol/index.ts";
import {
  MessageParser,
  MigrateFlags,
  baseClient,
  baseServer,
  channels,
  displayChannel,
  encodeBody,
  encodeMessage,
  inputsChannel,
  mainChannel,
} from "../protocol/index.ts";
import { arbitraryOf } from "../protocol/schema.testing.ts";
import type { RedStream } from "../transport/index.ts";
import { createRedStreamPair } from "../transport/index.ts";
import { eventually, turns } from "../waiting.testing.ts";
import type { ChannelOptions } from "./channel.ts";
import { ClientChannel } from "./channel.ts";
import { RecordingChannel } from "./client.testing.ts";
import { UNKNOWN_MESSAGE_MAX } from "./limits.ts";

/** A channel and its server's end. */
function pair(options: Partial<ChannelOptions> = {}, schema = mainChannel as (typeof channels)[number]) {
  const [transport, stream] = createRedStreamPair();
  const miniHeader = options.miniHeader ?? true;
  const channel = new ClientChannel(schema, { transport, miniHeader, ...options });
  const heard: string[] = [];
  const parser = new MessageParser({ channel: schema.client, miniHeader });
  const serials: (bigint | undefined)[] = [];
  stream.onData = (bytes) => {
    for (const { name, serial } of parser.push(bytes)) {
      heard.push(name);
      serials.push(serial);
    }
  };
  channel.start();
  let serial = 0n;
  const say = <T>(definition: MessageDef<T>, value: T) =>
    stream.write(encodeMessage(definition, value, { miniHeader, serial: ++serial }));
  return { channel, stream, say, heard, serials };
}

const time = (value: number) => [mainChannel.server.multiMediaTime, { time: value }] as const;

test("messages come out as they went in, however the stream is cut, and types that nobody knows are handed on", async () => {
  const known = fc.constantFrom(...channels).chain((schema) =>
    fc.record({
      schema: fc.constant(schema),
      miniHeader: fc.boolean(),
      messages: fc.array(
        fc.oneof(
          fc
            .constantFrom(...Object.values(schema.server).filter(({ id }) => id > 8))
            .chain((def) => arbitraryOf(def).map((value) => ({ id: def.id, body: encodeBody(def, value) }))),
          fc.record({ id: fc.integer({ min: 0x4000, max: 0xffff }), body: fc.uint8Array({ maxLength: 40 }) }),
        ),
        { maxLength: 6 },
      ),
      cuts: fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1 }),
    }),
  );
  await fc.assert(
    fc.asyncProperty(known, async ({ schema, miniHeader, messages, cuts }) => {
      const [transport, stream] = createRedStreamPair();
      const channel = new ClientChannel(schema, { transport, miniHeader });
      const got: { id: number; body: number[] }[] = [];
      const unknown: number[] = [];
      channel.onMessage = ({ id, body }) => got.push({ id, body: [...body] });
      channel.onUnknown = (type) => unknown.push(type);
      channel.start();
      const bytes = new Uint8Array(
        messages.flatMap(({ id, body }, index) => [...framed(id, body, miniHeader, index + 1)]),
      );
      for (let at = 0, cut = 0; at < bytes.length; at += cuts[cut++ % cuts.length])
        stream.write(bytes.slice(at, at + cuts[cut % cuts.length]));
      stream.close("all said");
      await eventually(() => channel.end !== undefined);
      expect(channel.end).toEqual({ code: "CHANNEL_CLOSED", reason: "all said" });
      expect(got).toEqual(messages.map(({ id, body }) => ({ id, body: [...body] })));
      expect(unknown).toEqual(messages.map(({ id }) => id).filter((id) => id >= 0x4000));
      expect(channel.received).toBe(BigInt(messages.length));
    }),
    { numRuns: 80 },
  );
});

/** A message with its header, as no encoder of ours would write those of unknown types. */
function framed(
  id: number,
  body: Uint8Array,
  miniHeader: boolean,
  serial: number,
  size = body.length,
): Uint8Array {
  const head = new DataView(new ArrayBuffer(miniHeader ? 6 : 18));
  if (!miniHeader) head.setBigUint64(0, BigInt(serial), true);
  head.setUint16(miniHeader ? 0 : 8, id, true);
  head.setUint32(miniHeader ? 2 : 10, size, true);
  return new Uint8Array([...new Uint8Array(head.buffer), ...body]);
}

test("one ACK is sent for each window of messages, whatever the windows are", async () => {
  const windows = fc.array(
    fc.record({ window: fc.integer({ min: 0, max: 7 }), messages: fc.integer({ min: 0, max: 30 }) }),
    { minLength: 1, maxLength: 4 },
  );
  await fc.assert(
    fc.asyncProperty(windows, fc.boolean(), async (rounds, miniHeader) => {
      const { channel, say, heard, serials } = pair({ miniHeader });
      const expected: string[] = [];
      let counted = 0;
      let open = 0;
      /** The message that opens a window still belongs to the one before. */
      const count = () => {
        if (open > 0 && ++counted % open === 0) expected.push("ack");
      };
      for (const [generation, { window, messages }] of rounds.entries()) {
        say(baseServer.setAck, { generation, window });
        count();
        expected.push("ackSync");
        [open, counted] = [window, 0];
        for (let i = 0; i < messages; i++) {
          say(...time(i));
          count();
        }
      }
      say(baseServer.ping, { id: 1, timestamp: 5n, data: new Uint8Array(100) });
      count();
      await eventually(() => heard.includes("pong"));
      expect(heard).toEqual([...expected, "pong"]);
      if (!miniHeader) expect(serials).toEqual(serials.map((_, index) => BigInt(index + 1)));
      channel.close();
    }),
    { numRuns: 60 },
  );
});

test("acknowledgements that are held back are all sent when they are let go", async () => {
  const { channel, say, heard } = pair({ holdsAcks: true });
  say(baseServer.setAck, { generation: 1, window: 5 });
  for (let i = 0; i < 17; i++) say(...time(i));
  await eventually(() => channel.received === 18n);
  await turns();
  expect(heard).toEqual(["ackSync"]);
  channel.releaseAcks();
  for (let i = 0; i < 3; i++) say(...time(i));
  await eventually(() => heard.length === 5);
  expect(heard.slice(1)).toEqual(["ack", "ack", "ack", "ack"]);
});

test("DISCONNECTING, NOTIFY and the end are told in words and codes", async () => {
  const { channel, say, stream } = pair();
  const notes: string[] = [];
  const ends: unknown[] = [];
  channel.onNotify = (text) => notes.push(text);
  channel.onEnd = (end) => ends.push(end);
  say(baseServer.notify, { timeStamp: 0n, severity: 1, visibility: 2, what: 0, message: "good-bye" });
  say(baseServer.disconnecting, { timeStamp: 0n, reason: 7 });
  stream.close("put out");
  await eventually(() => ends.length > 0);
  expect(notes).toEqual(["good-bye"]);
  expect(ends).toEqual([{ code: "CHANNEL_DISCONNECTED", reason: "put out", linkError: 7 }]);
  channel.send(baseClient.ack, {});
  channel.close();
  expect(ends).toHaveLength(1);
});

test("after MIGRATE nothing more is said but the flush mark, and what is to be taken along is handed on", async () => {
  const { channel, say, heard } = pair();
  const told: unknown[] = [];
  channel.onMigrate = (flags) => told.push(flags);
  channel.onMigrateData = (data) => told.push([...data]);
  const { NeedFlush, NeedDataTransfer } = MigrateFlags;
  say(baseServer.migrate, { flags: NeedFlush | NeedDataTransfer });
  say(baseServer.migrateData, { data: new Uint8Array([1, 2, 3]) });
  await eventually(() => told.length === 2);
  channel.send(mainChannel.client.attachChannels, {});
  await eventually(() => heard.length > 0);
  await turns();
  expect(heard).toEqual(["migrateFlushMark"]);
  expect(told).toEqual([3, [1, 2, 3]]);
  expect(channel.migrating).toBe(true);
});

test("a list's messages and those of a sub list take effect before the message that carries them", async () => {
  const [transport, stream] = createRedStreamPair();
  const main = new RecordingChannel(transport, mainChannel, { miniHeader: false });
  const sub = {
    type: mainChannel.server.name.id,
    data: encodeBody(mainChannel.server.name, { name: "first" }),
  };
  const header = { miniHeader: false, serial: 1n };
  stream.write(
    encodeMessage(baseServer.list, { subMessages: [sub, { type: 999, data: new Uint8Array(3) }] }, header),
  );
  // The sub list of a message lies behind its body: a count, and where each is.
  const list = encodeBody(baseServer.list, { subMessages: [sub] });
  const body = new Uint8Array([1, 2, 3, 4, ...list]);
  const view = new DataView(body.buffer);
  // Pointers count from the beginning of the body.
  view.setUint32(4 + 2, view.getUint32(4 + 2, true) + 4, true);
  const message = framed(baseServer.migrateData.id, body, false, 2);
  new DataView(message.buffer).setUint32(14, 4, true);
  stream.write(message);
  await eventually(() => main.received === 2n);
  expect(main.names).toEqual(["list", "name", "unknown 999", "name", "migrateData"]);
});

test.each<[string, Uint8Array, string]>([
  ["a message larger than it may be", new Uint8Array([106, 0, 0xff, 0xff, 0xff, 0xff]), "SERVER_MESSAGE"],
  [
    "an unknown message larger than any",
    framed(0x7777, new Uint8Array(0), true, 0, UNKNOWN_MESSAGE_MAX + 1),
    "SERVER_MESSAGE",
  ],
  ["a body that is too short", framed(baseServer.setAck.id, new Uint8Array(3), true, 0), "SERVER_MESSAGE"],
  ["an end within a message", new Uint8Array([106, 0, 4, 0, 0, 0, 1]), "CHANNEL_CLOSED"],
])("%s ends the channel, and says so once", async (_, bytes, code) => {
  const { channel, stream } = pair();
  const ends: { code: string; error?: unknown }[] = [];
  channel.onEnd = (end) => ends.push(end);
  let closed = false;
  stream.onClose = () => (closed = true);
  stream.write(bytes.slice());
  if (code === "CHANNEL_CLOSED") stream.close("torn");
  await eventually(() => ends.length > 0);
  if (code !== "CHANNEL_CLOSED") await eventually(() => closed);
  expect(ends).toMatchObject([{ code, error: expect.any(Error) }]);
});

test("whoever throws at a message ends the channel with it, and nothing else", async () => {
  const { channel, say } = pair();
  const mistake = new Error("a mistake of the viewer's");
  channel.onMessage = () => {
    throw mistake;
  };
  say(...time(1));
  await eventually(() => channel.end !== undefined);
  expect(channel.end).toMatchObject({ code: "CHANNEL_FAILED", error: mistake });
});

test("WAIT_FOR_CHANNELS: what is behind it waits for the other channel, and goes on when that has come so far", async () => {
  let go = () => {};
  const others = new Promise<void>((resolve) => (go = resolve));
  const waited: unknown[] = [];
  const { channel, say } = pair({
    othersDelivered: (awaited) => {
      waited.push(...awaited);
      return others;
    },
  });
  const seen: string[] = [];
  channel.onMessage = ({ name }) => seen.push(name);
  const waitList = [{ channelType: 2, channelId: 0, messageSerial: 9n }];
  say(...time(1));
  say(baseServer.waitForChannels, { waitList });
  say(...time(2));
  say(...time(3));
  await eventually(() => waited.length > 0);
  await turns();
  expect(seen).toEqual(["multiMediaTime", "waitForChannels"]);
  expect(waited).toEqual(waitList);
  go();
  await eventually(() => seen.length === 4);
  say(...time(4));
  await eventually(() => seen.length === 5);
});

test("what is waited for comes, or the deadline, or the channel's end with its reason", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  try {
    const { channel, say, stream } = pair();
    const wait = (count: bigint, deadlineMs = 1000) =>
      channel
        .until(() => (channel.received >= count ? channel.received : undefined), `message ${count}`, {
          deadlineMs,
        })
        .catch((error: Error & { code: string }) => `${error.code}: ${error.message}`);
    const first = wait(1n);
    say(...time(1));
    expect(await first).toBe(1n);
    const late = wait(2n);
    vi.advanceTimersByTime(1000);
    expect(await late).toContain("SERVER_SILENT: message 2");
    const lost = wait(2n, 5000);
    stream.close("gone");
    expect(await lost).toContain("CHANNEL_CLOSED: message 2: the channel ended first: gone");
    expect(await wait(2n)).toContain("gone");
    expect(vi.getTimerCount()).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});

test("this side's end is told to the server and to nobody here", async () => {
  const { channel, stream } = pair({}, inputsChannel as (typeof channels)[number]);
  let reason = "";
  stream.onClose = (words) => (reason = words);
  const onEnd = vi.fn();
  channel.onEnd = onEnd;
  channel[Symbol.dispose]();
  await eventually(() => reason !== "");
  expect(reason).toBe("the client leaves");
  expect(onEnd).not.toHaveBeenCalled();
  expect(channel.end?.code).toBe("CHANNEL_LEFT");
});

test("a stream's writer is not needed to be a RedStream: anything that carries bytes will do", () => {
  const written: number[] = [];
  const wire: Pick<RedStream, "write" | "onData" | "unread" | "onClose" | "close"> = {
    write: (bytes) => void written.push(...bytes),
    onData: undefined,
    onClose: undefined,
    unread: () => {},
    close: () => {},
  };
  const channel = new ClientChannel(displayChannel, { transport: wire, miniHeader: true });
  channel.start();
  wire.onData?.(encodeMessage(baseServer.setAck, { generation: 3, window: 20 }, { miniHeader: true }));
  expect(written).toEqual([...encodeMessage(baseClient.ackSync, { generation: 3 }, { miniHeader: true })]);
});
