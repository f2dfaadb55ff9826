import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { link } from "../client/index.ts";
import { encodeLinkMess, inputsChannel, mainChannel } from "../protocol/index.ts";
import type { MessageDef } from "../protocol/index.ts";
import { ChannelType, encodeBody } from "../protocol/index.ts";
import { arbitraryOf } from "../protocol/schema.testing.ts";
import type { RedStream } from "../transport/index.ts";
import { TestServer } from "./server.testing.ts";
import * as fc from "fast-check";
import { eventually, turns } from "../waiting.testing.ts";

/** Numbers at the edges of what a field holds. */
const ODD = [
  0, 1, 2, 3, 4, 7, 8, 127, 128, 255, 256, 0x7fff, 0x8000, 0xffff, 0x10000, 0x7fffffff, 0x80000000,
  0xffffffff,
];

/** Whatever a hostile client may do with a connection, as plain data, so that a failure can be made smaller. */
const mutation = fc.oneof(
  fc.record({ kind: fc.constant("byte" as const), at: fc.nat(), value: fc.nat(255) }),
  fc.record({ kind: fc.constant("word" as const), at: fc.nat(), value: fc.constantFrom(...ODD) }),
  fc.record({
    kind: fc.constant("type" as const),
    value: fc.oneof(fc.integer({ min: 1, max: 7 }), fc.integer({ min: 100, max: 115 }), fc.nat(65535)),
  }),
  fc.record({ kind: fc.constant("size" as const), value: fc.constantFrom(...ODD) }),
  fc.record({ kind: fc.constant("cut" as const), at: fc.nat() }),
  fc.record({ kind: fc.constant("more" as const), count: fc.nat(3000), value: fc.nat(255) }),
);
type Mutation = typeof mutation extends fc.Arbitrary<infer T> ? T : never;

const message = (defs: readonly MessageDef<unknown>[]) =>
  fc.tuple(
    fc.oneof(
      ...defs.map((def) => arbitraryOf(def).map((value) => ({ id: def.id, body: encodeBody(def, value) }))),
    ),
    fc.array(mutation, { maxLength: 3 }),
    fc.nat(40),
  );

const ofTable = (table: object) => Object.values(table) as MessageDef<unknown>[];

const connection = fc.oneof(
  fc.record({
    kind: fc.constant("link" as const),
    mutations: fc.array(mutation, { maxLength: 3 }),
    tail: fc.uint8Array({ maxLength: 200 }),
  }),
  fc.record({
    kind: fc.constant("main" as const),
    messages: fc.array(message(ofTable(mainChannel.client)), { minLength: 1, maxLength: 12 }),
  }),
  fc.record({
    kind: fc.constant("inputs" as const),
    messages: fc.array(message(ofTable(inputsChannel.client)), { minLength: 1, maxLength: 12 }),
  }),
);

function frame({ id, body }: { id: number; body: Uint8Array }, mutations: readonly Mutation[]): Uint8Array {
  let type = id;
  let bytes: Uint8Array = body.slice();
  let size: number | undefined;
  for (const change of mutations) {
    if (change.kind === "type") type = change.value;
    else if (change.kind === "size") size = change.value;
    else bytes = changed(bytes, change);
  }
  const framed = new Uint8Array(6 + bytes.length);
  const view = new DataView(framed.buffer);
  view.setUint16(0, type & 0xffff, true);
  view.setUint32(2, size ?? bytes.length, true);
  framed.set(bytes, 6);
  return framed;
}

function changed(bytes: Uint8Array, change: Mutation): Uint8Array {
  const result = bytes.slice();
  switch (change.kind) {
    case "byte":
      if (result.length > 0) result[change.at % result.length] = change.value;
      return result;
    case "word":
      if (result.length >= 4)
        new DataView(result.buffer).setUint32(change.at % (result.length - 3), change.value, true);
      return result;
    case "cut":
      return result.subarray(0, change.at % (result.length + 1)).slice();
    case "more":
      return Uint8Array.from([...result, ...new Uint8Array(change.count).fill(change.value)]);
    default:
      return result;
  }
}

/** In pieces of `size` bytes, 0 for one piece. */
function write(stream: RedStream, bytes: Uint8Array, size: number): void {
  const step = size === 0 ? bytes.length : size;
  for (let at = 0; at < bytes.length; at += step) stream.write(bytes.slice(at, at + step));
}

const problems: unknown[] = [];
const note = (error: unknown) => void problems.push(error);
beforeAll(() => {
  process.on("unhandledRejection", note);
  process.on("uncaughtException", note);
});
afterAll(() => {
  process.off("unhandledRejection", note);
  process.off("uncaughtException", note);
});

/** Runs in a nightly fuzz are longer: SPICETAB_FUZZ_RUNS. */
const RUNS = Number(process.env.SPICETAB_FUZZ_RUNS ?? 150);
const SEED = Number(process.env.SPICETAB_FUZZ_SEED ?? 20_261);

test("whatever a client sends, only that client ends, and nothing of it is left", async () => {
  const mistakes = vi.spyOn(console, "error");
  using server = new TestServer({ linkDeadlineMs: 60_000, pingIntervalMs: 0, droppedNoticeMs: 0 });
  server.reds.agentState(true);
  const good = await server.linkMain();
  const hand = await server.linkInputs(good.session);
  await eventually(() => hand.names.includes("init"));
  const linkMess = encodeLinkMess({
    connectionId: 0,
    channelType: 1,
    channelId: 0,
    commonCaps: [0b1011],
    channelCaps: [0xf],
  });

  await fc.assert(
    fc.asyncProperty(connection, async (what) => {
      const stream = server.dial();
      stream.onClose = () => {};
      if (what.kind === "link") {
        const bytes = what.mutations.reduce<Uint8Array>(changed, linkMess);
        stream.write(bytes.slice());
        await turns(1);
        stream.write(what.tail.slice());
      } else {
        // Inputs need a session of their own: the good one has its channel.
        const session = what.kind === "main" ? undefined : await server.linkMain();
        const wishes = session
          ? { channelType: ChannelType.Inputs, connectionId: session.session }
          : { channelType: ChannelType.Main, channelCaps: [0xf] };
        await link(stream, wishes);
        stream.onData = () => {};
        for (const [body, mutations, piece] of what.messages) write(stream, frame(body, mutations), piece);
        await turns(1);
        session?.main.close();
      }
      stream.close("the client leaves");
      await eventually(() => server.reds.clients().length === 1 && server.reds.links === 0);
      server.guestLog.length = 0;
      server.log.length = 0;
    }),
    { numRuns: RUNS, seed: SEED, endOnFailure: RUNS > 1000 },
  );

  expect(good.main.closed).toBeUndefined();
  expect(server.reds.clients().map(({ channels }) => channels)).toEqual([["main", "inputs"]]);
  // It is served as ever.
  server.guestLog.length = 0;
  hand.send(inputsChannel.client.keyDown, { code: 0x1e });
  await eventually(() =>
    server.guestLog.some(
      ([name, message]) => name === "keys" && (message as { bytes: number[] }).bytes.includes(0x1e),
    ),
  );
  // No mistake of ours came to light on the way, neither here nor in a task of its own.
  await turns(1);
  expect(problems).toEqual([]);
  expect(mistakes).not.toHaveBeenCalled();
  mistakes.mockRestore();
}, 240_000);
