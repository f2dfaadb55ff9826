import { expect, test } from "vitest";
import { RecordingChannel } from "../client/client.testing.ts";
import { AgentMessageType, VdiPort, agentMessages, mainChannel } from "../protocol/index.ts";
import {
  ChunkReader,
  encodeAgentMessage,
  encodeChunk,
  encodeMouseState,
  wrapAgentMessage,
} from "./agent-wire.ts";
import { AGENT_CLIENT_QUEUE, AGENT_PIECE, AGENT_WINDOW } from "./limits.ts";
import { TestServer } from "./server.testing.ts";
import { eventually, turns } from "../waiting.testing.ts";

const { client, server: wire } = mainChannel;

/** What the guest's agent got, chunk by chunk. */
function agentGot(server: TestServer): { port: number; piece: Uint8Array }[] {
  const reader = new ChunkReader();
  return server.guestLog.flatMap(([what, bytes]) =>
    what === "agent" ? [...reader.push(bytes as Uint8Array)] : [],
  );
}

/** The bytes of the messages that a VDI port carried. */
const carried = (server: TestServer, port: number) =>
  agentGot(server)
    .filter((chunk) => chunk.port === port)
    .flatMap(({ piece }) => [...piece]);

async function withAgent(server: TestServer, tokens = 1000): Promise<RecordingChannel> {
  const { main } = await server.linkMain();
  if (!server.reds.agentConnected) server.reds.agentState(true);
  main.send(client.agentStart, { numTokens: tokens });
  // A round trip: the start was handled when the list of channels comes.
  main.send(client.attachChannels, {});
  await eventually(() => main.names.includes("channelsList"));
  return main;
}

const dataAt = (main: RecordingChannel) =>
  main.messages.flatMap((message) => [...(message.as(wire.agentData)?.data ?? [])]);

const message = (size: number, fill = 7) =>
  wrapAgentMessage(AgentMessageType.Clipboard, new Uint8Array(size).fill(fill));

const sendPieces = (main: RecordingChannel, bytes: Uint8Array, from = 0, to = bytes.length) => {
  for (let at = from; at < to; at += AGENT_PIECE)
    main.send(client.agentData, { data: bytes.slice(at, Math.min(at + AGENT_PIECE, to)) });
};

test("a client hears that the agent came, with its tokens, and that it went", async () => {
  using server = new TestServer();
  const { main } = await server.linkMain();
  const old = await server.linkMain({ channelCaps: [] });
  server.reds.agentState(true);
  server.reds.agentState(false);
  await eventually(
    () => main.names.includes("agentDisconnected") && old.main.names.includes("agentDisconnected"),
  );
  expect(main.find(wire.agentConnectedTokens)).toEqual({ numTokens: AGENT_WINDOW });
  expect(old.main.names).toContain("agentConnected");
  server.reds.agentState(true);
  const late = await server.linkMain();
  expect(late.main.find(wire.init)).toMatchObject({ agentConnected: 1, agentTokens: AGENT_WINDOW });
});

test("messages travel both ways in VDI chunks, however the guest's port cuts them", async () => {
  using server = new TestServer();
  const main = await withAgent(server);
  const out = message(5000);
  sendPieces(main, out);
  await eventually(() => carried(server, VdiPort.Client).length === out.length);
  expect(carried(server, VdiPort.Client)).toEqual([...out]);
  const back = message(100, 9);
  const reply = encodeAgentMessage(agentMessages.reply, { type: AgentMessageType.MouseState, error: 1 });
  const port = new Uint8Array([...encodeChunk(VdiPort.Server, reply), ...encodeChunk(VdiPort.Client, back)]);
  for (const byte of port) await server.reds.agentData(Uint8Array.of(byte));
  await eventually(() => dataAt(main).length >= back.length);
  expect(dataAt(main)).toEqual([...back]);
});

test("tokens are given back when the guest took the data; beyond its window a client is dropped", async () => {
  using server = new TestServer();
  const good = await withAgent(server);
  for (let i = 0; i < 3 * AGENT_WINDOW; i++) {
    const granted = () =>
      good.messages.reduce((sum, one) => sum + (one.as(wire.agentToken)?.numTokens ?? 0), AGENT_WINDOW);
    await eventually(() => granted() > i);
    good.send(client.agentData, { data: message(10) });
  }
  let free = () => {};
  server.agentBusy = new Promise((resolve) => (free = resolve));
  const greedy = await withAgent(server);
  for (let i = 0; i < AGENT_WINDOW + 2; i++) greedy.send(client.agentData, { data: message(10) });
  await eventually(() => greedy.closed !== undefined);
  free();
  expect(good.closed).toBeUndefined();
  expect(server.reds.clients()).toHaveLength(1);
});

test("two clients' messages are not torn by each other, and the pointer goes between their pieces", async () => {
  using server = new TestServer();
  const a = await withAgent(server);
  const b = await withAgent(server);
  const first = message(3 * AGENT_PIECE, 1);
  const second = message(100, 2);
  sendPieces(a, first, 0, AGENT_PIECE);
  await eventually(() => agentGot(server).length === 1);
  b.send(client.agentData, { data: second });
  server.reds.hand.localPosition(5, 6, 0, 0);
  await eventually(() => agentGot(server).length === 2);
  expect(agentGot(server)[1]).toEqual({ port: VdiPort.Server, piece: encodeMouseState(5, 6, 0, 0) });
  sendPieces(a, first, AGENT_PIECE);
  await eventually(() => carried(server, VdiPort.Client).length === first.length + second.length);
  expect(carried(server, VdiPort.Client)).toEqual([...first, ...second]);
});

test("a client that leaves in the middle of a message leaves the agent in step", async () => {
  using server = new TestServer();
  const a = await withAgent(server);
  const b = await withAgent(server);
  const half = message(AGENT_PIECE, 1);
  sendPieces(a, half, 0, 100);
  await eventually(() => agentGot(server).length === 1);
  a.close();
  await eventually(() => server.reds.clients().length === 1);
  const whole = message(50, 2);
  b.send(client.agentData, { data: whole });
  const expected = [...half.slice(0, 100), ...new Uint8Array(half.length - 100), ...whole];
  await eventually(() => carried(server, VdiPort.Client).length === expected.length);
  expect(carried(server, VdiPort.Client)).toEqual(expected);
  b.close();
  const farewell = encodeAgentMessage(agentMessages.clientDisconnected, {});
  await eventually(() => carried(server, VdiPort.Server).length === farewell.length);
  expect(carried(server, VdiPort.Server)).toEqual([...farewell]);
});

test("who starts in the middle of the agent's message hears only of the next", async () => {
  using server = new TestServer();
  const early = await withAgent(server);
  const running = message(100, 1);
  await server.reds.agentData(encodeChunk(VdiPort.Client, running.slice(0, 60)));
  const late = await withAgent(server);
  await server.reds.agentData(encodeChunk(VdiPort.Client, running.slice(60)));
  const next = message(10, 2);
  await server.reds.agentData(encodeChunk(VdiPort.Client, next));
  await eventually(() => dataAt(late).length >= next.length);
  await eventually(() => dataAt(early).length >= running.length + next.length);
  expect(dataAt(early)).toEqual([...running, ...next]);
  expect(dataAt(late)).toEqual([...next]);
});

test("without tokens nothing is sent, the guest's agent waits, and goes on when tokens come", async () => {
  using server = new TestServer();
  const main = await withAgent(server, 1);
  const pieces = Math.ceil(AGENT_CLIENT_QUEUE / AGENT_PIECE) + 3;
  const whole = message(pieces * AGENT_PIECE - 20);
  let taken = 0;
  const feed = (async () => {
    for (let at = 0; at < whole.length; at += AGENT_PIECE) {
      await server.reds.agentData(encodeChunk(VdiPort.Client, whole.slice(at, at + AGENT_PIECE)));
      taken++;
    }
  })();
  await eventually(() => taken >= AGENT_CLIENT_QUEUE / AGENT_PIECE);
  await turns();
  expect(taken).toBeLessThan(pieces);
  expect(dataAt(main)).toHaveLength(AGENT_PIECE);
  main.send(client.agentToken, { numTokens: 100 });
  await feed;
  await eventually(() => dataAt(main).length === whole.length);
  // The same wait ends when the slow client leaves.
  const other = await withAgent(server, 0);
  let done = false;
  void (async () => {
    for (let i = 0; i < pieces; i++)
      await server.reds.agentData(encodeChunk(VdiPort.Client, message(AGENT_PIECE - 20)));
    done = true;
  })();
  await eventually(() => dataAt(main).length > whole.length);
  expect(done).toBe(false);
  other.close();
  main.send(client.agentToken, { numTokens: 1000 });
  await eventually(() => done);
});

test("the hosting page's wish is one like a client's: the last counts", async () => {
  using server = new TestServer();
  server.reds.monitorsConfig([{ x: 0, y: 0, width: 800, height: 600, depth: 32 }]);
  server.reds.monitorsConfig([{ x: 0, y: 0, width: 1000, height: 700, depth: 32 }]);
  const last = { heads: [{ x: 0, y: 0, width: 1000, height: 700, depth: 32 }] };
  await eventually(() => server.guestLog.length === 2);
  expect(server.guestLog.at(-1)).toEqual(["monitors", last]);
});

test("a monitors config goes to the device; if it declines, to the agent", async () => {
  using server = new TestServer();
  const main = await withAgent(server);
  const monitors = [
    { width: 1280, height: 720, depth: 32, x: 0, y: 0 },
    { width: 0, height: 0, depth: 32, x: 0, y: 0 },
  ];
  const wish = encodeAgentMessage(agentMessages.monitorsConfig, {
    flags: 0,
    monitors,
    physicalSizes: undefined,
  });
  main.send(client.agentData, { data: wish });
  await eventually(() => server.guestLog.length === 1);
  expect(server.guestLog[0]).toEqual(["monitors", { heads: monitors }]);
  server.deviceTakesHeads = false;
  main.send(client.agentData, { data: wish });
  await eventually(() => carried(server, VdiPort.Server).length > 0);
  expect(carried(server, VdiPort.Server)).toEqual([...wish]);
});

test("positions are overtaken by newer ones, clicks of the wheel are not", async () => {
  using server = new TestServer();
  await withAgent(server);
  let free = () => {};
  server.agentBusy = new Promise((resolve) => (free = resolve));
  for (const x of [1, 2, 3]) server.reds.hand.localPosition(x, 0, 0, 0);
  for (let i = 0; i < 2; i++) {
    server.reds.hand.localPosition(3, 0, 1, 0);
    server.reds.hand.localPosition(3, 0, 0, 0);
  }
  free();
  const states = [
    [1, 0],
    [3, 0],
    [3, 16],
    [3, 0],
    [3, 16],
    [3, 0],
  ].flatMap(([x, buttons]) => [...encodeMouseState(x, 0, buttons, 0)]);
  await eventually(() => carried(server, VdiPort.Server).length >= states.length);
  expect(carried(server, VdiPort.Server)).toEqual(states);
});

test("a guest whose agent talks nonsense loses its agent until it opens the port again", async () => {
  using server = new TestServer();
  const main = await withAgent(server);
  await server.reds.agentData(new Uint8Array(16).fill(0xff));
  await eventually(() => main.names.includes("agentDisconnected"));
  await server.reds.agentData(new Uint8Array(16).fill(0xff));
  expect(server.reds.agentConnected).toBe(false);
  server.reds.agentState(true);
  expect(server.reds.agentConnected).toBe(true);
  expect(main.closed).toBeUndefined();
});

test("AGENT_START twice, data before it, and garbage in it", async () => {
  using server = new TestServer();
  const main = await withAgent(server);
  const whole = message(3000);
  sendPieces(main, whole, 0, AGENT_PIECE);
  main.send(client.agentStart, { numTokens: 5 });
  sendPieces(main, whole, AGENT_PIECE);
  await eventually(() => carried(server, VdiPort.Client).length === whole.length);
  const early = await server.linkMain();
  early.main.send(client.agentData, { data: new Uint8Array(5) });
  early.main.send(client.agentStart, { numTokens: 5 });
  early.main.send(client.agentData, { data: new Uint8Array(5) });
  await eventually(() => early.main.closed !== undefined);
  expect(main.closed).toBeUndefined();
});
