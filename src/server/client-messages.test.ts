import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ChannelSchema, MessageDef } from "../protocol/index.ts";
import * as protocol from "../protocol/index.ts";
import { MessageParser, baseClient, encodeBody, inputsChannel, mainChannel } from "../protocol/index.ts";
import { arbitraryOf } from "../protocol/schema.testing.ts";
import { TestServer } from "./server.testing.ts";
import { eventually } from "../waiting.testing.ts";

const isSchema = (value: unknown): value is ChannelSchema =>
  typeof value === "object" && value !== null && "client" in value && "server" in value && "type" in value;

/** Every channel there is, found by what it is, so that a new one is not forgotten. */
const CHANNELS = (Object.values(protocol) as readonly unknown[]).filter(isSchema);

const clientMessages = CHANNELS.flatMap((schema) =>
  Object.values(schema.client).map((def): [string, ChannelSchema, MessageDef<unknown>] => [
    `${schema.name}.${def.name}`,
    schema,
    def,
  ]),
);

/** A mini header and the body. */
function framed(def: MessageDef<unknown>, body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(6 + body.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, def.id, true);
  view.setUint32(2, body.length, true);
  bytes.set(body, 6);
  return bytes;
}

/** A body of the message, the same each time. */
const sampleOf = (def: MessageDef<unknown>): Uint8Array =>
  encodeBody(def, fc.sample(arbitraryOf(def), { seed: 7, numRuns: 1 })[0]);

/** Whether the fields end where the message does, so that there is no "behind". */
const takesRest = (def: MessageDef<unknown>): boolean =>
  JSON.stringify(def.schema, (_key, value: unknown) => (typeof value === "bigint" ? 0 : value)).includes(
    '"rest"',
  );

test("all channels are looked at", () => {
  expect(CHANNELS.map(({ name }) => name).toSorted()).toEqual(
    [
      "main",
      "display",
      "inputs",
      "cursor",
      "playback",
      "record",
      "smartcard",
      "usbredir",
      "port",
      "webdav",
    ].toSorted(),
  );
  expect(clientMessages.length).toBeGreaterThan(80);
});

describe("a client's message, as libspice's parsers take it", () => {
  test.each(clientMessages)("%s: bytes behind it are ignored", (_name, schema, def) => {
    fc.assert(
      fc.property(arbitraryOf(def), fc.uint8Array({ minLength: 1, maxLength: 40 }), (value, more) => {
        const body = encodeBody(def, value);
        if (body.length + more.length > def.maxSize) return;
        const parser = new MessageParser({ miniHeader: true, channel: schema.client });
        const [message] = parser.push(framed(def, Uint8Array.from([...body, ...more])));
        expect(message.def).toBe(def);
        if (!takesRest(def)) expect(encodeBody(def, message.value)).toEqual(body);
      }),
      { numRuns: 30 },
    );
  });

  test.each(clientMessages)("%s: one that is too short is none", (_name, schema, def) => {
    const body = sampleOf(def);
    // What takes all there is may be of any length.
    const cuts = takesRest(def) ? [] : Array.from({ length: body.length }, (_, length) => length);
    for (const length of cuts) {
      const parser = new MessageParser({ miniHeader: true, channel: schema.client });
      const [message] = parser.push(framed(def, body.subarray(0, length)));
      expect(() => message.value).toThrow(def.name);
    }
  });
});

/** What ends a session or a channel on purpose, as in spice-server, or has an agent's own rules. */
const ENDS = new Set<MessageDef<unknown>>([
  baseClient.migrateFlushMark,
  baseClient.migrateData,
  mainChannel.client.agentData,
] as MessageDef<unknown>[]);

describe("at a living server", () => {
  const ofChannel = (schema: ChannelSchema) =>
    clientMessages.flatMap(([name, of, def]) => (of === schema ? [[name, def] as const] : []));

  test("every message of main, with bytes behind it, repeated, and in any order, ends nothing", async () => {
    using server = new TestServer({ pingIntervalMs: 0 });
    const { main, session } = await server.linkMain();
    const defs = ofChannel(mainChannel as ChannelSchema).filter(([, def]) => !ENDS.has(def));
    for (const more of [0, 1, 2, 5, 100]) {
      for (const [, def] of [...defs, ...defs.toReversed()])
        main.sendRaw(framed(def, Uint8Array.from([...sampleOf(def), ...new Uint8Array(more)])));
    }
    main.send(mainChannel.client.attachChannels, {});
    await eventually(() => main.names.at(-1) === "channelsList" || main.closed !== undefined);
    expect(main.closed).toBeUndefined();
    const inputs = await server.linkInputs(session);
    await eventually(() => inputs.names.includes("init"));
  });

  test("a MOUSE_MODE_REQUEST of 4 bytes and a KEY_UP of 5 do what they say", async () => {
    using server = new TestServer({ pingIntervalMs: 0 });
    server.reds.tabletState(true);
    const { main, session } = await server.linkMain();
    main.sendRaw(Uint8Array.from([105, 0, 4, 0, 0, 0, 2, 0, 0, 0]));
    await eventually(() => server.reds.mouseMode === 2);
    const inputs = await server.linkInputs(session);
    inputs.sendRaw(Uint8Array.from([101, 0, 5, 0, 0, 0, 0x1e, 0, 0, 0, 9]));
    inputs.sendRaw(Uint8Array.from([102, 0, 5, 0, 0, 0, 0x9e, 0, 0, 0, 9]));
    const keys = () => server.guestLog.flatMap(([, message]) => (message as { bytes: number[] }).bytes);
    await eventually(() => keys().length === 2);
    expect(keys()).toEqual([0x1e, 0x9e]);
  });

  test("migration messages of nobody's migration get spice-server's answers", async () => {
    using server = new TestServer({ pingIntervalMs: 0 });
    const { main } = await server.linkMain();
    const { client } = mainChannel;
    main.send(client.migrateConnected, {});
    main.send(client.migrateConnectError, {});
    main.send(client.migrateDstDoSeamless, { srcVersion: 1 });
    main.send(client.migrateEnd, {});
    main.send(client.migrateConnectedSeamless, {});
    main.send(client.attachChannels, {});
    await eventually(() => main.names.includes("channelsList"));
    const answers = main.names.filter((name) => name.startsWith("migrate") || name === "channelsList");
    expect(answers).toEqual(["migrateCancel", "migrateDstSeamlessNack", "migrateCancel", "channelsList"]);
    expect(main.closed).toBeUndefined();
  });

  test("every message of inputs, with bytes behind it and repeated, ends nothing", async () => {
    using server = new TestServer({ pingIntervalMs: 0 });
    const { session } = await server.linkMain();
    const inputs = await server.linkInputs(session);
    const defs = ofChannel(inputsChannel as ChannelSchema).filter(([, def]) => !ENDS.has(def));
    for (const more of [0, 3, 64])
      for (const [, def] of [...defs, ...defs])
        inputs.sendRaw(framed(def, Uint8Array.from([...sampleOf(def), ...new Uint8Array(more)])));
    inputs.send(inputsChannel.client.mousePress, { button: 3, buttonsState: 4 });
    await eventually(
      () =>
        server.guestLog.some(([, message]) => (message as { buttons?: number }).buttons === 4) ||
        inputs.closed !== undefined,
      "the press behind them all, or the channel's end",
    );
    expect(inputs.closed).toBeUndefined();
  });

  test("a message that is too short ends its channel, and only that", async () => {
    using server = new TestServer({ pingIntervalMs: 0 });
    const { main, session } = await server.linkMain();
    for (const [name, def] of ofChannel(inputsChannel as ChannelSchema)) {
      const body = sampleOf(def);
      if (body.length === 0 || takesRest(def)) continue;
      const inputs = await server.linkInputs(session);
      inputs.sendRaw(framed(def, body.subarray(0, body.length - 1)));
      await eventually(() => inputs.closed !== undefined);
      expect([name, inputs.closed]).toEqual([name, expect.stringContaining(def.name)]);
      await eventually(() => server.reds.clients()[0].channels.length === 1);
    }
    expect(main.closed).toBeUndefined();
    const bystander = await server.linkMain();
    for (const [name, def] of ofChannel(mainChannel as ChannelSchema)) {
      const body = sampleOf(def);
      if (body.length === 0 || takesRest(def)) continue;
      const victim = await server.linkMain();
      victim.main.sendRaw(framed(def, body.subarray(0, body.length - 1)));
      await eventually(() => victim.main.closed !== undefined);
      expect([name, victim.main.closed]).toEqual([name, expect.stringContaining(def.name)]);
    }
    expect([main.closed, bystander.main.closed]).toEqual([undefined, undefined]);
    await eventually(() => server.reds.clients().length === 2);
  });
});
