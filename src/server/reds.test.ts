import { afterEach, expect, test } from "vitest";
import type { ChannelConnect, GuestMessages, RedWorkerMessages } from "../dispatch/index.ts";
import { Dispatcher, serveDispatcher } from "../dispatch/index.ts";
import { ChannelType, LinkErr, MouseMode, inputsChannel, mainChannel } from "../protocol/index.ts";
import type { RedStream } from "../transport/index.ts";
import { openRedStream } from "../transport/index.ts";
import { eventually } from "../transport/compliance.testing.ts";
import { ChannelAtClient, linkAsClient, type LinkWishes } from "./link-client.testing.ts";
import { Reds, type RedsOptions } from "./reds.ts";

const PEER = { transport: "tcp", address: "127.0.0.1:40000", secure: false };
const owned: Disposable[] = [];
afterEach(() => {
  for (const one of owned.splice(0)) one[Symbol.dispose]();
});

/** Reds with threads around it that note what they are told. */
function makeServer(options: Partial<RedsOptions> = {}) {
  const guestLog: unknown[][] = [];
  const connects: ChannelConnect[] = [];
  const disconnects: { clientId: number; channelType: number }[] = [];
  const guestChannel = new MessageChannel();
  const redChannel = new MessageChannel();
  const note = (name: string) => (message: object) => void guestLog.push([name, message]);
  const guest = new Dispatcher<GuestMessages>(guestChannel.port1, { peer: "guest" });
  const qxl = new Dispatcher<RedWorkerMessages>(redChannel.port1, { peer: "red" });
  owned.push(
    guest,
    qxl,
    serveDispatcher<GuestMessages>(guestChannel.port2, {
      keyScancodes: note("keys"),
      mouseMotion: note("motion"),
      mousePosition: note("position"),
      agentWrite: async ({ bytes }) => void guestLog.push(["agent", bytes]),
      clientMonitorsConfig: (message) => {
        guestLog.push(["monitors", message]);
        return true;
      },
    }),
    serveDispatcher<RedWorkerMessages>(redChannel.port2, {
      attachCommands: () => {},
      connect: (message) => void connects.push(message),
      disconnectClient: (message) => void disconnects.push(message),
      setMouseMode: () => {},
      setCompression: () => {},
      attachCanvas: () => {},
      readSurface: () => {
        throw new Error("no surface");
      },
      inspect: () => ({ surfaces: [], clients: [], commands: 0 }),
    }),
  );
  const reds = new Reds({ guest, qxl }, { name: "test", ...options });
  const dial = (): RedStream => {
    const { port1, port2 } = new MessageChannel();
    void reds.accept(port2, PEER);
    return openRedStream(port1);
  };
  return { reds, dial, guestLog, connects, disconnects };
}

type Server = ReturnType<typeof makeServer>;

async function linkMain(server: Server, wishes: Partial<LinkWishes> = {}) {
  const stream = server.dial();
  const link = await linkAsClient(stream, { channelType: ChannelType.Main, channelCaps: [0xf], ...wishes });
  expect(link.resultError).toBe(LinkErr.Ok);
  const main = new ChannelAtClient(stream, mainChannel);
  await eventually(() => main.find(mainChannel.server.init) !== undefined);
  return { main, session: main.find(mainChannel.server.init)!.sessionId };
}

test("a main link opens a session: INIT, NAME, UUID, three PINGs, and the channels on request", async () => {
  const server = makeServer();
  const { main } = await linkMain(server);
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

test("with a password, only its ticket is let in; others get PERMISSION_DENIED", async () => {
  const server = makeServer({ password: "päss" });
  await linkMain(server, { password: "päss" });
  for (const password of ["", "päs", "pässs", "x".repeat(60)]) {
    const link = await linkAsClient(server.dial(), { channelType: ChannelType.Main, password });
    expect(link.resultError).toBe(LinkErr.PermissionDenied);
  }
  expect(server.reds.clients()).toHaveLength(1);
});

test("every link has its own key, so a ticket overheard is worth nothing", async () => {
  const server = makeServer({ password: "secret" });
  await linkMain(server, { password: "secret" });
  const { makeTicket } = await import("./link-client.testing.ts");
  const keys = new Set<string>();
  for (let i = 0; i < 3; i++) {
    const stream = server.dial();
    const seen: number[] = [];
    stream.onData = (bytes) => seen.push(...bytes);
    const { encodeLinkMess } = await import("../protocol/index.ts");
    stream.write(
      encodeLinkMess({ connectionId: 0, channelType: 1, channelId: 0, commonCaps: [], channelCaps: [] }),
    );
    await eventually(() => seen.length >= 16 + 178);
    const key = new Uint8Array(seen.slice(20, 182));
    keys.add(key.join());
    expect(makeTicket(key, "secret")).toHaveLength(128);
    stream.close();
  }
  expect(keys.size).toBe(3);
});

test("bad links are answered with the protocol's own errors and end only themselves", async () => {
  const server = makeServer({ linkDeadline: 300 });
  const { main, session } = await linkMain(server);
  const cases: [string, Uint8Array, number][] = [
    ["garbage", new TextEncoder().encode("HELO there, nobody"), LinkErr.InvalidMagic],
    ["another major version", header(3, 26), LinkErr.VersionMismatch],
    ["an oversized message", header(2, 4097), LinkErr.InvalidData],
    ["an undersized message", header(2, 17), LinkErr.InvalidData],
    ["too many capabilities", withBody({ numCommonCaps: 5000 }), LinkErr.InvalidData],
    [
      "capabilities beyond the message",
      withBody({ capsOffset: 4000, numCommonCaps: 1 }),
      LinkErr.InvalidData,
    ],
  ];
  for (const [what, bytes, expected] of cases) {
    const stream = server.dial();
    const seen: number[] = [];
    let closed = false;
    stream.onData = (piece) => seen.push(...piece);
    stream.onClose = () => (closed = true);
    stream.write(bytes);
    await eventually(() => closed);
    expect([what, new DataView(new Uint8Array(seen).buffer).getUint32(16, true)]).toEqual([what, expected]);
  }
  const wishes: [Partial<LinkWishes>, number][] = [
    [{ channelType: ChannelType.Display, connectionId: session + 1 }, LinkErr.BadConnectionId],
    [{ channelType: ChannelType.Display, connectionId: 0 }, LinkErr.BadConnectionId],
    [{ channelType: ChannelType.Main, connectionId: session }, LinkErr.BadConnectionId],
    [{ channelType: ChannelType.Display, channelId: 7, connectionId: session }, LinkErr.ChannelNotAvailable],
    [{ channelType: 99, connectionId: session }, LinkErr.ChannelNotAvailable],
  ];
  for (const [wish, expected] of wishes) {
    const link = await linkAsClient(server.dial(), { channelType: 1, ...wish });
    expect([wish, link.resultError]).toEqual([wish, expected]);
  }
  // A client that stays silent is dropped at the deadline, not kept.
  const silent = server.dial();
  let reason = "";
  silent.onData = () => {};
  silent.onClose = (words) => (reason = words);
  await eventually(() => reason !== "");
  expect(reason).toContain("no whole link within 300 ms");
  await eventually(() => server.reds.links === 0);
  expect(main.closed).toBeUndefined();
});

test("display and cursor links go to the red worker with their stream; each only once per session", async () => {
  const server = makeServer();
  const { session } = await linkMain(server);
  const stream = server.dial();
  const link = await linkAsClient(stream, {
    channelType: ChannelType.Display,
    connectionId: session,
    channelCaps: [0x27bf],
  });
  expect(link.resultError).toBe(LinkErr.Ok);
  await eventually(() => server.connects.length === 1);
  expect(server.connects[0]).toMatchObject({ channelType: 2, channelId: 0, miniHeader: true });
  expect(server.connects[0].capabilities.channel).toEqual([0x27bf]);
  const moved = openRedStream(server.connects[0].port);
  const seen: number[] = [];
  stream.onData = (bytes) => seen.push(...bytes);
  moved.write(new Uint8Array([1, 2, 3]));
  await eventually(() => seen.length === 3);
  const again = await linkAsClient(server.dial(), {
    channelType: ChannelType.Display,
    connectionId: session,
  });
  expect(again.resultError).toBe(LinkErr.Error);
});

test("losing main loses the session; losing inputs or display loses only that", async () => {
  const server = makeServer();
  const first = await linkMain(server);
  const second = await linkMain(server);
  const inputsStream = server.dial();
  await linkAsClient(inputsStream, { channelType: ChannelType.Inputs, connectionId: first.session });
  await linkAsClient(server.dial(), { channelType: ChannelType.Display, connectionId: first.session });
  await eventually(() => server.connects.length === 1);
  const [client] = server.reds.clients();
  expect(client.channels).toEqual(["main", "inputs", "display"]);

  inputsStream.close("gone");
  await eventually(() => server.reds.clients()[0].channels.length === 2);
  server.reds.channelClientDisconnected({
    clientId: client.id,
    channelType: 2,
    channelId: 0,
    reason: "bad message",
  });
  expect(server.reds.clients()[0].channels).toEqual(["main"]);

  await linkAsClient(server.dial(), { channelType: ChannelType.Display, connectionId: first.session });
  await eventually(() => server.connects.length === 2);
  first.main.close();
  await eventually(() => server.reds.clients().length === 1);
  await eventually(() => server.disconnects.length === 1);
  expect(server.disconnects[0]).toEqual({ clientId: client.id, channelType: 2 });
  expect(second.main.closed).toBeUndefined();
});

test("keys reach the guest in order and are let go when their client leaves", async () => {
  const server = makeServer();
  const { session } = await linkMain(server);
  const stream = server.dial();
  await linkAsClient(stream, { channelType: ChannelType.Inputs, connectionId: session });
  const inputs = new ChannelAtClient(stream, inputsChannel);
  inputs.send(inputsChannel.client.keyDown, { code: 0x1d });
  inputs.send(inputsChannel.client.keyScancode, { data: new Uint8Array([0xe0, 0x48]) });
  inputs.send(inputsChannel.client.keyDown, { code: 0x1e });
  inputs.send(inputsChannel.client.keyUp, { code: 0x9e });
  await eventually(() => server.guestLog.length === 4);
  inputs.close();
  await eventually(() => server.guestLog.length === 5);
  const bytes = server.guestLog.map(([, message]) => (message as { bytes: number[] }).bytes);
  expect(bytes).toEqual([[0x1d], [0xe0, 0x48], [0x1e], [0x9e], [0x9d, 0xe0, 0xc8]]);
});

test("mouse modes: relative until the guest takes positions, then absolute at the client's wish; one ack in four", async () => {
  const server = makeServer();
  const { main, session } = await linkMain(server);
  const stream = server.dial();
  await linkAsClient(stream, { channelType: ChannelType.Inputs, connectionId: session });
  const inputs = new ChannelAtClient(stream, inputsChannel);
  inputs.send(inputsChannel.client.mouseMotion, { dx: 3, dy: -2, buttonsState: 0 });
  inputs.send(inputsChannel.client.mousePosition, { x: 9, y: 9, buttonsState: 0, displayId: 0 });
  await eventually(() => server.guestLog.length === 1);
  expect(server.guestLog[0]).toEqual(["motion", { dx: 3, dy: -2, dz: 0, buttons: 0 }]);

  main.send(mainChannel.client.mouseModeRequest, { mode: MouseMode.Client });
  server.reds.tabletState(true);
  await eventually(() => main.find(mainChannel.server.mouseMode) !== undefined);
  expect(main.find(mainChannel.server.mouseMode)).toEqual({
    supportedModes: 3,
    currentMode: MouseMode.Server,
  });
  main.send(mainChannel.client.mouseModeRequest, { mode: MouseMode.Client });
  await eventually(() => server.reds.mouseMode === MouseMode.Client);
  inputs.send(inputsChannel.client.mousePosition, { x: 100, y: 50, buttonsState: 0, displayId: 0 });
  inputs.send(inputsChannel.client.mousePress, { button: 1, buttonsState: 1 });
  inputs.send(inputsChannel.client.mousePress, { button: 4, buttonsState: 1 });
  inputs.send(inputsChannel.client.mousePosition, { x: 101, y: 50, buttonsState: 1, displayId: 0 });
  await eventually(() => server.guestLog.length === 5);
  expect(server.guestLog.slice(1)).toEqual([
    ["position", { x: 100, y: 50, dz: 0, buttons: 0 }],
    ["position", { x: 100, y: 50, dz: 0, buttons: 1 }],
    ["position", { x: 100, y: 50, dz: -1, buttons: 1 }],
    ["position", { x: 101, y: 50, dz: 0, buttons: 1 }],
  ]);
  await eventually(() => inputs.names.includes("mouseMotionAck"));
  expect(inputs.names.filter((name) => name === "mouseMotionAck")).toHaveLength(1);
});

test("an unknown or oversized message ends that channel alone", async () => {
  const server = makeServer();
  const { main, session } = await linkMain(server);
  for (const bytes of [
    new Uint8Array([0xff, 0x7f, 0, 0, 0, 0]),
    new Uint8Array([104, 0, 0xff, 0xff, 0xff, 0x7f]),
  ]) {
    const stream = server.dial();
    await linkAsClient(stream, { channelType: ChannelType.Inputs, connectionId: session });
    const inputs = new ChannelAtClient(stream, inputsChannel);
    inputs.sendRaw(bytes);
    await eventually(() => inputs.closed !== undefined);
    await eventually(() => server.reds.clients()[0].channels.length === 1);
  }
  expect(main.closed).toBeUndefined();
});

test("closing the server tells clients why", async () => {
  const server = makeServer();
  const { main } = await linkMain(server);
  await server.reds.close("the hosting tab was closed");
  await eventually(() => main.closed !== undefined);
  expect(main.names).toContain("notify");
  expect(main.find(mainChannel.server.notify)!.message).toBe("the hosting tab was closed");
  expect(main.names).toContain("disconnecting");
  expect(server.reds.clients()).toEqual([]);
});

function header(major: number, size: number): Uint8Array {
  const bytes = new Uint8Array(16 + Math.min(size, 64));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0x51444552, true);
  view.setUint32(4, major, true);
  view.setUint32(8, 2, true);
  view.setUint32(12, size, true);
  return bytes;
}

function withBody(fields: { numCommonCaps?: number; capsOffset?: number }): Uint8Array {
  const bytes = header(2, 26).slice(0, 16 + 26);
  const view = new DataView(bytes.buffer);
  bytes[20] = 1;
  view.setUint32(22, fields.numCommonCaps ?? 0, true);
  view.setUint32(30, fields.capsOffset ?? 18, true);
  return bytes;
}
