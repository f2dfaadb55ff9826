import { expect, onTestFinished, test, vi } from "vitest";
import { link } from "../client/index.ts";
import { RecordingChannel, linkError } from "../client/client.testing.ts";
import type { ParsedMessage } from "../protocol/index.ts";
import {
  ChannelType,
  LinkErr,
  MessageParser,
  encodeMessage,
  inputsChannel,
  mainChannel,
} from "../protocol/index.ts";
import { Turns, openRedStream } from "../transport/index.ts";
import { TURN_MESSAGES } from "../channel/index.ts";
import {
  CONNECTIVITY_GRACE_MS,
  CONNECTIVITY_INTERVAL_MS,
  DISCONNECT_DEADLINE_MS,
  NET_TESTS_AT_ONCE,
  NET_TEST_REST_MS,
} from "./limits.ts";
import { PEER, TestServer } from "./server.testing.ts";
import { eventually, turns } from "../waiting.testing.ts";

test("a main link opens a session: INIT, NAME, UUID, three PINGs, and the channels on request", async () => {
  using server = new TestServer();
  const { main } = await server.linkMain();
  main.send(mainChannel.client.attachChannels, {});
  await eventually(() => main.names.includes("channelsList"));
  expect(main.names).toEqual(["init", "name", "uuid", "ping", "ping", "ping", "channelsList"]);
  expect(main.find(mainChannel.server.channelsList)!.channels).toEqual([
    { type: ChannelType.Display, id: 0 },
    { type: ChannelType.Inputs, id: 0 },
    { type: ChannelType.Cursor, id: 0 },
  ]);
  expect(server.reds.clients()).toMatchObject([{ address: PEER.address, channels: ["main"] }]);
});

test("a client without those capabilities gets neither NAME nor UUID, and full headers count from 1", async () => {
  using server = new TestServer();
  const stream = server.dial();
  await link(stream, { channelType: ChannelType.Main, commonCaps: [1] });
  const parser = new MessageParser({ miniHeader: false, channel: mainChannel.server });
  const messages: ParsedMessage[] = [];
  stream.onData = (bytes) => messages.push(...parser.push(bytes));
  const { attachChannels } = mainChannel.client;
  stream.write(encodeMessage(attachChannels, {}, { miniHeader: false, serial: 1n }));
  await eventually(() => messages.length === 5);
  expect(messages.map(({ name }) => name)).toEqual(["init", "ping", "ping", "ping", "channelsList"]);
  expect(messages.map(({ serial }) => serial)).toEqual([1n, 2n, 3n, 4n, 5n]);
});

test.each([
  // 256000 bytes in 300 ms are 6.8 Mbit/s, below the 10 of spice-server; in 100 ms they are 20.
  [300, true],
  [100, false],
])(
  "the net test measures the line: %i ms for its bytes, slow: %s, and the display hears it",
  async (tookMs, slow) => {
    let now = 1000;
    const clock = vi.spyOn(performance, "now").mockImplementation(() => now);
    onTestFinished(() => clock.mockRestore());
    using server = new TestServer({ pingIntervalMs: 0 });
    const { main, session } = await server.linkMain();
    await eventually(() => main.names.filter((name) => name === "ping").length === 3);
    const pings = main.messages
      .map((message) => message.as(mainChannel.server.ping))
      .filter((ping) => ping !== undefined);
    expect(pings[2].data).toHaveLength(256_000);
    const pong = (index: number) =>
      main.send(mainChannel.client.pong, { id: pings[index].id, timestamp: pings[index].timestamp });
    /** What main has sent so far was handled. */
    const handled = async (lists: number) => {
      main.send(mainChannel.client.attachChannels, {});
      await eventually(() => main.names.filter((name) => name === "channelsList").length === lists);
    };
    pong(0);
    now += 20;
    pong(1);
    await handled(1);
    now += tookMs;
    pong(2);
    await handled(2);
    await link(server.dial(), { channelType: ChannelType.Display, connectionId: session });
    await eventually(() => server.connects.length === 1);
    expect(server.connects[0].lowBandwidth).toBe(slow);
  },
);

test("lines are measured at a pace: sessions that come faster are let in without", async () => {
  let now = 1000;
  const clock = vi.spyOn(performance, "now").mockImplementation(() => now);
  onTestFinished(() => clock.mockRestore());
  using server = new TestServer({ pingIntervalMs: 0 });
  const measured: boolean[] = [];
  const join = async () => {
    const { main, stream } = await server.linkMain();
    main.send(mainChannel.client.attachChannels, {});
    await eventually(() => main.names.includes("channelsList"));
    measured.push(main.names.includes("ping"));
    stream.close();
  };
  for (let i = 0; i <= NET_TESTS_AT_ONCE; i++) await join();
  expect(measured).toEqual([...Array<boolean>(NET_TESTS_AT_ONCE).fill(true), false]);
  now += NET_TEST_REST_MS;
  await join();
  expect(measured.at(-1)).toBe(true);
});

test("what a session begins with comes in one piece", async () => {
  using server = new TestServer({ pingIntervalMs: 0 });
  const stream = server.dial();
  await link(stream, { channelType: ChannelType.Main, channelCaps: [0xf] });
  const parser = new MessageParser({ channel: mainChannel.server, miniHeader: true });
  const pieces: string[][] = [];
  stream.onData = (bytes) => void pieces.push([...parser.push(bytes)].map(({ name }) => name));
  await eventually(() => pieces.length > 0);
  expect(pieces[0]).toEqual(["init", "name", "uuid", "ping", "ping"]);
  stream.close();
});

test("display and cursor links go to the red worker with their stream; each only once per session", async () => {
  using server = new TestServer();
  const { session } = await server.linkMain();
  const stream = server.dial();
  await link(stream, {
    channelType: ChannelType.Display,
    connectionId: session,
    channelCaps: [0x27bf],
  });
  await eventually(() => server.connects.length === 1);
  expect(server.connects[0]).toMatchObject({ channelType: 2, channelId: 0, miniHeader: true });
  expect(server.connects[0].capabilities.channel).toEqual([0x27bf]);
  const moved = openRedStream(server.connects[0].port);
  const seen: number[] = [];
  stream.onData = (bytes) => seen.push(...bytes);
  moved.write(new Uint8Array([1, 2, 3]));
  await eventually(() => seen.length === 3);
  const again = await linkError(server.dial(), {
    channelType: ChannelType.Display,
    connectionId: session,
  });
  expect(again).toBe(LinkErr.Error);
});

test("losing main loses the session; losing inputs or display loses only that", async () => {
  using server = new TestServer();
  const first = await server.linkMain();
  const second = await server.linkMain();
  const inputs = await server.linkInputs(first.session);
  const display = { channelType: ChannelType.Display, connectionId: first.session };
  await link(server.dial(), display);
  await eventually(() => server.connects.length === 1);
  const [client] = server.reds.clients();
  expect(client.channels).toEqual(["main", "inputs", "display"]);

  inputs.close();
  await eventually(() => server.reds.clients()[0].channels.length === 2);
  const gone = { clientId: client.id, channelType: 2, channelId: 0, reason: "bad message" };
  server.red.send("channelClientDisconnected", gone);
  await eventually(() => server.reds.clients()[0].channels.length === 1);
  expect(server.reds.clients()[0].channels).toEqual(["main"]);
  // Told twice, or of somebody unknown: nothing happens.
  server.red.send("channelClientDisconnected", gone);
  server.red.send("channelClientDisconnected", { ...gone, clientId: 999 });

  await link(server.dial(), display);
  await eventually(() => server.connects.length === 2);
  first.main.close();
  await eventually(() => server.reds.clients().length === 1);
  await eventually(() => server.disconnects.length === 1);
  expect(server.disconnects[0]).toEqual({ clientId: client.id, channelType: 2 });
  expect(second.main.closed).toBeUndefined();
  const late = await linkError(server.dial(), display);
  expect(late).toBe(LinkErr.BadConnectionId);
});

test("a display whose client left before its thread got it leaves no trace", async () => {
  using server = new TestServer();
  const { session } = await server.linkMain();
  for (let i = 0; i < 5; i++) {
    const stream = server.dial();
    void link(stream, { channelType: ChannelType.Display, connectionId: session }).catch(() => {});
    // The end is behind the ticket: core sees both in the same turn.
    const write = stream.write.bind(stream);
    stream.write = (bytes) => {
      const isTicket = bytes.length === 128;
      write(bytes);
      if (isTicket) stream.close("changed my mind");
    };
    await eventually(() => stream.closed);
    await eventually(() => server.reds.links === 0);
  }
  await turns();
  for (const { port, clientId, channelType } of server.connects.splice(0)) {
    // The red worker sees the end and reports it.
    let ended = false;
    openRedStream(port).onClose = () => (ended = true);
    await eventually(() => ended);
    const end = { clientId, channelType, channelId: 0, reason: "left" };
    server.red.send("channelClientDisconnected", end);
  }
  await eventually(() => server.reds.clients()[0].channels.length === 1);
  expect(server.reds.clients()[0].channels).toEqual(["main"]);
  const again = await linkError(server.dial(), {
    channelType: ChannelType.Display,
    connectionId: session,
  });
  expect(again).toBe(LinkErr.Ok);
});

test("a dead red worker's streams are cut at the wire when their session ends", async () => {
  using server = new TestServer();
  const { session, main } = await server.linkMain();
  await link(server.dial(), { channelType: ChannelType.Display, connectionId: session });
  await link(server.dial(), { channelType: ChannelType.Cursor, connectionId: session });
  await eventually(() => server.connects.length === 2);
  server.qxl.peerDied("terminated");
  await server.reds.close("the display thread ended");
  expect(server.cuts).toEqual(["the display thread ended", "the display thread ended"]);
  await eventually(() => main.closed !== undefined);
});

test("several clients at once by default; with one only, the older has left before the newer hears INIT", async () => {
  using server = new TestServer();
  const first = await server.linkMain();
  const second = await server.linkMain();
  await link(server.dial(), { channelType: ChannelType.Display, connectionId: first.session });
  await eventually(() => server.connects.length === 1);
  expect(server.reds.clients()).toHaveLength(2);
  server.reds.configure({ name: "test", allowMultipleClients: false });
  const third = await server.linkMain();
  expect(server.disconnects).toHaveLength(1);
  expect(server.reds.clients()).toHaveLength(1);
  await eventually(() => first.main.closed !== undefined && second.main.closed !== undefined);
  expect(first.main.names.at(-1)).toBe("disconnecting");
  const [fourth, fifth] = await Promise.all([server.linkMain(), server.linkMain()]);
  await eventually(() => third.main.closed !== undefined);
  await eventually(() => [fourth, fifth].filter(({ main }) => main.closed === undefined).length === 1);
  expect(server.reds.clients()).toHaveLength(1);
});

test("with one client only, a newer one waits also for one that is already on its way out", async () => {
  let go = () => {};
  using server = new TestServer({ allowMultipleClients: false });
  server.redBusy = new Promise((resolve) => (go = resolve));
  const first = await server.linkMain();
  await link(server.dial(), { channelType: ChannelType.Display, connectionId: first.session });
  await eventually(() => server.connects.length === 1);
  first.main.close();
  await eventually(() => server.reds.clients().length === 0);
  const order: string[] = [];
  const next = server
    .linkMain()
    .then(() => order.push(`INIT after ${server.disconnects.length} disconnects`));
  await eventually(() => server.reds.links === 1);
  // As many turns as a whole link takes.
  await turns(50);
  expect(order).toEqual([]);
  go();
  await next;
  expect(order).toEqual(["INIT after 1 disconnects"]);
});

test("a kick, and the end of the server, wait until nothing is left of a client that was leaving already", async () => {
  let go = () => {};
  using server = new TestServer();
  server.redBusy = new Promise((resolve) => (go = resolve));
  const { main, session } = await server.linkMain();
  const [{ id }] = server.reds.clients();
  await link(server.dial(), { channelType: ChannelType.Display, connectionId: session });
  await eventually(() => server.connects.length === 1);
  main.close();
  await eventually(() => server.reds.clients().length === 0);
  const order: string[] = [];
  const kicked = server.reds.kick(id, "x").then(() => order.push(`kicked ${server.disconnects.length}`));
  const closed = server.reds.close("x").then(() => order.push(`closed ${server.disconnects.length}`));
  await turns(50);
  expect(order).toEqual([]);
  expect(server.reds.inspection.leaving).toEqual([id]);
  go();
  await Promise.all([kicked, closed]);
  expect(server.reds.inspection.leaving).toEqual([]);
  expect(order.toSorted()).toEqual(["closed 1", "kicked 1"]);
});

test("a display that its thread does not take is cut, and its place is free for another try", async () => {
  using server = new TestServer();
  const { session, main } = await server.linkMain();
  server.redFault = new RangeError("no memory for it");
  const wishes = { channelType: ChannelType.Display, connectionId: session };
  await link(server.dial(), wishes);
  await eventually(() => server.cuts.length === 1);
  expect(server.cuts[0]).toContain("did not take the channel");
  expect(server.log.some((line) => line.includes("no memory for it"))).toBe(true);
  expect(server.reds.clients()[0].channels).toEqual(["main"]);
  server.redFault = undefined;
  const again = await linkError(server.dial(), wishes);
  expect(again).toBe(LinkErr.Ok);
  await eventually(() => server.connects.length === 1);
  expect(main.closed).toBeUndefined();
});

test("an unknown or oversized message ends that channel alone", async () => {
  using server = new TestServer();
  const { main, session } = await server.linkMain();
  for (const bytes of [
    new Uint8Array([0xff, 0x7f, 0, 0, 0, 0]),
    new Uint8Array([104, 0, 0xff, 0xff, 0xff, 0x7f]),
    new Uint8Array([111, 0, 3, 0, 0, 0, 1, 2, 3]),
  ]) {
    const inputs = await server.linkInputs(session);
    inputs.sendRaw(bytes);
    await eventually(() => inputs.closed !== undefined);
    await eventually(() => server.reds.clients()[0].channels.length === 1);
  }
  expect(main.closed).toBeUndefined();
});

test("what makes no sense on main ends that session alone", async () => {
  using server = new TestServer();
  const good = await server.linkMain();
  const bad = [
    new Uint8Array([0xee, 3, 0, 0, 0, 0]),
    new Uint8Array([107, 0, 1, 8, 0, 0]), // AGENT_DATA of 2049 bytes
    new Uint8Array([4, 0, 0, 0, 0, 0]), // MIGRATE_FLUSH_MARK
  ];
  for (const bytes of bad) {
    const { main } = await server.linkMain();
    main.sendRaw(bytes);
    await eventually(() => main.closed !== undefined);
    await eventually(() => server.reds.clients().length === 1);
  }
  expect(good.main.closed).toBeUndefined();
});

/** A main channel whose server's timers the test moves. */
async function linkOnStoppedClock(server: TestServer) {
  const stream = server.dial();
  await link(stream, { channelType: ChannelType.Main });
  const main = new RecordingChannel(stream, mainChannel);
  await eventually(() => main.names.filter((name) => name === "ping").length >= 3);
  let answered = 0;
  /** Answers every PING so far. */
  const answer = () => {
    for (; answered < main.messages.length; answered++) {
      const ping = main.messages[answered].as(mainChannel.server.ping);
      if (ping) main.send(mainChannel.client.pong, { id: ping.id, timestamp: ping.timestamp });
    }
  };
  return { main, answer };
}

test("a client that neither reads nor answers is dropped after two looks and a grace; an idle one that answers is not", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval"] });
  onTestFinished(() => void vi.useRealTimers());
  using server = new TestServer({ pingIntervalMs: 10_000 });
  const dead = await linkOnStoppedClock(server);
  const idle = await linkOnStoppedClock(server);
  idle.answer();
  for (let passed = 0; passed < 2 * CONNECTIVITY_INTERVAL_MS; passed += 1000) {
    vi.advanceTimersByTime(1000);
    await turns();
    idle.answer();
    await turns();
  }
  expect(server.reds.clients()).toHaveLength(2);
  vi.advanceTimersByTime(CONNECTIVITY_GRACE_MS);
  await eventually(() => dead.main.closed !== undefined);
  expect(dead.main.closed).toContain("the client is dead");
  expect(server.reds.clients()).toHaveLength(1);
  expect(idle.main.closed).toBeUndefined();
});

test("nobody is dead whose answer waits with us, however long others keep us busy", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval"] });
  onTestFinished(() => void vi.useRealTimers());
  // The thread never comes to give a turn.
  const tasks: (() => void)[] = [];
  using server = new TestServer({ pingIntervalMs: 0, turns: new Turns((task) => tasks.push(task)) });
  const { main, answer } = await linkOnStoppedClock(server);
  // More than one turn's worth, and the PONGs behind it.
  for (let i = 0; i < 2 * TURN_MESSAGES; i++) main.send(mainChannel.client.clientInfo, { cacheSize: 0n });
  answer();
  await turns();
  for (let i = 0; i < 10; i++) {
    vi.advanceTimersByTime(CONNECTIVITY_INTERVAL_MS);
    await turns();
  }
  expect(main.closed).toBeUndefined();
  while (tasks.length > 0) tasks.shift()?.();
  await turns();
  expect(server.reds.clients()).toHaveLength(1);
});

test("a red worker that hangs holds a client's end for a named time; then the wire is cut here", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval"] });
  onTestFinished(() => void vi.useRealTimers());
  using server = new TestServer({ pingIntervalMs: 0 });
  server.redBusy = new Promise(() => {});
  const { main } = await linkOnStoppedClock(server);
  const { sessionId } = main.find(mainChannel.server.init)!;
  await link(server.dial(), { channelType: ChannelType.Display, connectionId: sessionId });
  await eventually(() => server.connects.length === 1);
  const [{ id }] = server.reds.clients();
  main.close();
  await eventually(() => server.reds.clients().length === 0);
  let gone = false;
  void server.reds.kick(id, "x").then(() => (gone = true));
  vi.advanceTimersByTime(DISCONNECT_DEADLINE_MS - 1);
  await turns();
  expect([gone, server.cuts.length]).toEqual([false, 0]);
  vi.advanceTimersByTime(1);
  await eventually(() => gone);
  expect(server.cuts).toHaveLength(1);
});

test("a client that asks and asks and never reads is disconnected, and nobody else", async () => {
  using server = new TestServer();
  const good = await server.linkMain();
  const stream = server.dial();
  await link(stream, { channelType: ChannelType.Main });
  // Each ATTACH_CHANNELS is answered with 16 bytes: beyond the stream's credit they wait in the pipe, up to its limit.
  const request = encodeMessage(mainChannel.client.attachChannels, {}, { miniHeader: true });
  const flood = new Uint8Array(70_000 * request.length).map((_, index) => request[index % request.length]);
  stream.write(flood);
  await eventually(() => server.log.some((line) => line.includes("the client does not read")));
  await eventually(() => server.reds.clients().length === 1);
  expect(good.main.closed).toBeUndefined();
});

test("closing the server tells clients why, and lets nobody in again", async () => {
  using server = new TestServer();
  const { main } = await server.linkMain();
  await server.reds.close("the hosting tab was closed");
  await eventually(() => main.closed !== undefined);
  expect(main.names).toContain("notify");
  expect(main.find(mainChannel.server.notify)!.message).toBe("the hosting tab was closed");
  expect(main.names.at(-1)).toBe("disconnecting");
  expect(server.reds.clients()).toEqual([]);
  const late = await linkError(server.dial(), { channelType: ChannelType.Main });
  expect(late).toBe(LinkErr.Error);
});

test("a kicked client is gone with all its channels, the others stay", async () => {
  using server = new TestServer();
  const first = await server.linkMain();
  const inputs = await server.linkInputs(first.session);
  const second = await server.linkMain();
  await server.reds.kick(server.reds.clients()[0].id, "make room");
  await eventually(() => first.main.closed !== undefined && inputs.closed !== undefined);
  expect(first.main.find(mainChannel.server.notify)!.message).toBe("make room");
  expect(second.main.closed).toBeUndefined();
  expect(server.reds.clients()).toHaveLength(1);
});

test("what became of the machine is said to every client, and to those who join while it stands still", async () => {
  using server = new TestServer();
  const said = (main: { messages: readonly ParsedMessage[] }) =>
    main.messages.flatMap((message) => message.as(mainChannel.server.notify)?.message ?? []);
  const first = await server.linkMain();
  server.reds.power("The machine is switched off.", true);
  await eventually(() => said(first.main).length === 1);
  expect(said(first.main)).toEqual(["The machine is switched off."]);
  expect(server.reds.standing).toBe("The machine is switched off.");
  const second = await server.linkMain();
  await eventually(() => said(second.main).length === 1);
  expect(said(second.main)).toEqual(["The machine is switched off."]);
  server.reds.power("The machine starts.", false);
  await eventually(() => said(second.main).length === 2 && said(first.main).length === 2);
  expect(server.reds.standing).toBeUndefined();
  const third = await server.linkMain();
  third.main.send(mainChannel.client.attachChannels, {});
  await eventually(() => third.main.names.includes("channelsList"));
  expect(said(third.main)).toEqual([]);
  expect(server.reds.clients().length).toBe(3);
});

test("several displays: a display and a cursor channel each, and INIT says how many", async () => {
  using server = new TestServer({ displays: 3 });
  const { main } = await server.linkMain();
  expect(main.find(mainChannel.server.init)!.displayChannelsHint).toBe(3);
  main.send(mainChannel.client.attachChannels, {});
  await eventually(() => main.names.includes("channelsList"));
  const channel = (type: number) => (id: number) => ({ type, id });
  expect(main.find(mainChannel.server.channelsList)!.channels).toEqual([
    ...[0, 1, 2].map(channel(ChannelType.Display)),
    { type: ChannelType.Inputs, id: 0 },
    ...[0, 1, 2].map(channel(ChannelType.Cursor)),
  ]);
});

test("a display whose device the guest does not drive yet is linked, and goes on when its red worker comes", async () => {
  using server = new TestServer({ displays: 2 });
  const { session } = await server.linkMain();
  await link(server.dial(), { channelType: ChannelType.Display, channelId: 1, connectionId: session });
  await eventually(() => server.reds.clients()[0].channels.length === 2);
  expect(server.connects).toEqual([]);
  server.reds.attachQxl(server.qxl, 1);
  await eventually(() => server.connects.length === 1);
  expect(server.connects[0]).toMatchObject({ channelType: ChannelType.Display, channelId: 1 });
});

test("a display more is told to clients that are there, one less ends its channels only", async () => {
  using server = new TestServer();
  const { main, session } = await server.linkMain();
  server.reds.configure({ name: "test", displays: 2 });
  await eventually(() => main.names.includes("channelsList"));
  expect(main.find(mainChannel.server.channelsList)!.channels).toEqual([
    { type: ChannelType.Display, id: 1 },
    { type: ChannelType.Cursor, id: 1 },
  ]);
  const stream = server.dial();
  const request = { channelType: ChannelType.Cursor, channelId: 1, connectionId: session };
  await link(stream, request);
  await eventually(() => server.reds.clients()[0].channels.length === 2);
  server.reds.configure({ name: "test" });
  await eventually(() => stream.closed !== undefined);
  expect(server.reds.clients()).toMatchObject([{ channels: ["main"] }]);
  expect(await linkError(server.dial(), request)).not.toBe(LinkErr.Ok);
});

test("a client's position carries its display to the guest's tablet", async () => {
  using server = new TestServer({ displays: 2 });
  server.reds.tabletState(true, 2);
  const { session } = await server.linkMain();
  const inputs = await server.linkInputs(session);
  const { main } = await server.linkMain();
  main.send(mainChannel.client.mouseModeRequest, { mode: 2 });
  await eventually(() => server.reds.mouseMode === 2);
  inputs.send(inputsChannel.client.mousePosition, { x: 5, y: 6, buttonsState: 0, displayId: 1 });
  await eventually(() => server.guestLog.some(([name]) => name === "position"));
  expect(server.guestLog.find(([name]) => name === "position")![1]).toEqual({
    x: 5,
    y: 6,
    dz: 0,
    buttons: 0,
    displayId: 1,
  });
});

test("a machine that stops waits for what its red workers have to send, one that is not there for nothing", async () => {
  let go = () => {};
  using server = new TestServer({ displays: 2 });
  server.redBusy = new Promise((resolve) => (go = resolve));
  const order: string[] = [];
  const stopping = server.reds.vmStop().then(() => order.push("stopped"));
  await eventually(() => server.redLog.includes("stop"));
  await turns(20);
  expect(order).toEqual([]);
  go();
  await stopping;
  // One that dies over it has nothing more to send.
  server.redBusy = new Promise(() => {});
  const again = server.reds.vmStop();
  await eventually(() => server.redLog.filter((name) => name === "stop").length === 2);
  server.qxl.peerDied("terminated");
  await again;
});

test("when the server ends, its red workers end in order, behind the last of their clients", async () => {
  using server = new TestServer();
  const { session } = await server.linkMain();
  await link(server.dial(), { channelType: ChannelType.Display, connectionId: session });
  await eventually(() => server.connects.length === 1);
  await server.reds.close("the end");
  await eventually(() => server.redLog.includes("closeWorker"));
  expect(server.redLog.filter((name) => /disconnect|close/.test(name))).toEqual([
    "disconnectClient",
    "closeWorker",
  ]);
});
