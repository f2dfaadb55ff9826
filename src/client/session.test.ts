import { afterEach, expect, test, vi } from "vitest";
import {
  ChannelType,
  CursorType,
  LinkErr,
  MOTION_ACK_BUNCH,
  MouseMode,
  agentMessages,
} from "../protocol/index.ts";
import type { RedCommand } from "../protocol/red-command.ts";
import { TestRedWorker, createSurface } from "../red/worker/red-worker.testing.ts";
import { TestServer } from "../server/server.testing.ts";
import { createRedStreamPair } from "../transport/index.ts";
import { eventually, turns } from "../waiting.testing.ts";
import type { ClientError } from "./errors.ts";
import { DIAL_DEADLINE_MS, SESSION_DEADLINE_MS } from "./limits.ts";
import type { SessionOptions } from "./session.ts";
import { SpiceSession } from "./session.ts";

afterEach(() => void vi.useRealTimers());

const connect = (server: TestServer, options: Partial<SessionOptions> = {}) =>
  SpiceSession.connect({ dial: async () => server.dial(), ...options });

const keysOf = (server: TestServer) =>
  server.guestLog.flatMap(([what, message]) =>
    what === "keys" ? (message as { bytes: number[] }).bytes : [],
  );

test("a session opens with our own core: what there is, keys to the guest, and an end that leaves nothing", async () => {
  using server = new TestServer({ password: "pw" });
  const session = await connect(server, { password: "pw" });
  expect(session.offered.map(({ type }) => type)).toEqual([
    ChannelType.Display,
    ChannelType.Inputs,
    ChannelType.Cursor,
  ]);
  expect(session.main.name).toBe("test");
  expect(session.main.uuid).toHaveLength(16);
  const inputs = await session.open("inputs");
  await inputs.until(() => inputs.modifiers, "INIT of the inputs", { deadlineMs: 30_000 });
  inputs.scancodes(new Uint8Array([0x1e, 0x9e, 0xe0, 0x48, 0xe0, 0xc8]));
  await eventually(() => keysOf(server).length === 6);
  expect(keysOf(server)).toEqual([0x1e, 0x9e, 0xe0, 0x48, 0xe0, 0xc8]);
  expect(server.reds.clients()[0].channels).toEqual(["main", "inputs"]);
  session.close();
  await eventually(() => server.reds.clients().length === 0);
  expect(session.ended).toBe(true);
});

test("full headers do as well", async () => {
  using server = new TestServer();
  using session = await connect(server, { commonCaps: [0b11] });
  const inputs = await session.open("inputs");
  expect([session.main.miniHeader, inputs.miniHeader]).toEqual([false, false]);
  inputs.scancodes(new Uint8Array([0x1e]));
  await eventually(() => keysOf(server).length === 1);
});

test("motions go out in bunches that the server acknowledges, what moves meanwhile is added up, and none is lost", async () => {
  using server = new TestServer();
  using session = await connect(server);
  const inputs = await session.open("inputs");
  const travelled = () =>
    server.guestLog.flatMap(([what, message]) => (what === "motion" ? [(message as { dx: number }).dx] : []));
  for (let i = 0; i < 1000; i++) inputs.move(1, 0, 0);
  expect(inputs.motionsInFlight).toBe(2 * MOTION_ACK_BUNCH);
  await eventually(() => travelled().reduce((sum, dx) => sum + dx, 0) === 1000);
  await eventually(() => inputs.motionsInFlight < MOTION_ACK_BUNCH);
  // A click first sends where the pointer is by then.
  for (let i = 0; i < 20; i++) inputs.move(0, 1, 0);
  inputs.press(1, 1);
  inputs.release(1, 0);
  const buttons = () =>
    server.guestLog.flatMap(([what, message]) =>
      what === "motion" ? [(message as { buttons: number }).buttons] : [],
    );
  await eventually(() => buttons().includes(1) && buttons().at(-1) === 0);
});

test("the pointer's mode is asked for and told", async () => {
  using server = new TestServer();
  server.reds.tabletState(true);
  using session = await connect(server);
  const modes: number[] = [];
  session.main.onMouseMode = (mode) => modes.push(mode);
  session.main.requestMouseMode(MouseMode.Client);
  await eventually(() => modes.at(-1) === MouseMode.Client);
  session.main.requestMouseMode(MouseMode.Server);
  await eventually(() => modes.at(-1) === MouseMode.Server);
  expect(session.main.mouseMode).toBe(MouseMode.Server);
});

test("display and cursor of a real red worker, joined by the core: the pictures are the same", async () => {
  using server = new TestServer();
  using red = new TestRedWorker();
  using session = await connect(server);
  await red.run([createSurface(0, 64, 48)]);
  const opened = Promise.all([session.open("display"), session.open("cursor")]);
  await eventually(() => server.connects.length === 2);
  for (const message of server.connects) red.worker.connect(message);
  const [display, cursor] = await opened;
  const changes: string[] = [];
  display.on.drawn = ({ operation }) => changes.push(operation.type);
  const box = { top: 5, left: 6, bottom: 40, right: 50 };
  const fill: RedCommand = {
    type: "draw",
    surfaceId: 0,
    effect: 1,
    mmTime: 0,
    bbox: box,
    operation: { type: "fill", brush: { type: "solid", color: 0x12_34_56 }, rop: 8 },
  };
  await eventually(() => display.marked);
  const pixels = new Uint8Array(8 * 4 * 4).map((_, index) => index * 3);
  const shape = { unique: 5n, cursorType: CursorType.Alpha, width: 8, height: 4, hotX: 1, hotY: 2 };
  const set: RedCommand = {
    type: "cursorSet",
    position: { x: 3, y: 4 },
    visible: true,
    shape: { ...shape, data: { offset: 0, length: pixels.length } },
  };
  await red.run(
    [fill, set, { type: "cursorMove", position: { x: 9, y: 8 } }, { ...set, visible: false }],
    pixels,
  );
  await eventually(() => changes.length > 0 && cursor.position?.x === 3 && !cursor.visible);
  const surface = display.surfaces.get(0)!;
  const seen = new Uint32Array(surface.bytes.buffer).map((word) => word & 0xff_ff_ff);
  expect(seen).toEqual(await red.rgb());
  expect(seen[5 * 64 + 6]).toBe(0x12_34_56);
  expect(cursor.shape).toEqual({
    type: CursorType.Alpha,
    width: 8,
    height: 4,
    hotSpotX: 1,
    hotSpotY: 2,
    data: pixels,
  });
  expect(cursor.cached).toBe(1);
});

test("when the main channel ends, so does all, once, and with the server's reason", async () => {
  using server = new TestServer();
  const session = await connect(server);
  const inputs = await session.open("inputs");
  const ends: unknown[] = [];
  session.onEnd = (end) => ends.push(end);
  session.onChannelEnd = (channel) => ends.push(channel.schema.name);
  await server.reds.kick(server.reds.clients()[0].id, "make room");
  await eventually(() => ends.includes("inputs") || session.ended);
  await eventually(() => session.ended && inputs.end !== undefined);
  expect(ends.at(-1)).toMatchObject({ code: "CHANNEL_DISCONNECTED", linkError: LinkErr.Ok });
  expect(ends.filter((end) => typeof end !== "string")).toHaveLength(1);
  await expect(session.open("cursor")).rejects.toMatchObject({ code: "CHANNEL_LEFT" });
});

test("a channel that ends is gone alone, and can be opened again; twice at once it cannot", async () => {
  using server = new TestServer();
  using session = await connect(server);
  const [first, again] = await Promise.allSettled([session.open("inputs"), session.open("inputs")]);
  expect([first.status, again.status]).toEqual(["fulfilled", "rejected"]);
  const gone: string[] = [];
  session.onChannelEnd = ({ schema }) => gone.push(schema.name);
  const inputs = first.status === "fulfilled" ? first.value : undefined;
  // KEY_DOWN without its code: the server ends the channel for it.
  inputs!.send({ ...inputs!.schema.client.ack, id: 101 }, {});
  await eventually(() => gone.length === 1);
  expect(session.ended).toBe(false);
  await eventually(() => server.reds.clients()[0].channels.length === 1);
  expect((await session.open("inputs")).end).toBeUndefined();
});

test("a wrong password, a refused connection and an unknown channel are told apart, and leave nothing open", async () => {
  using server = new TestServer({ password: "pw" });
  await expect(connect(server)).rejects.toMatchObject({
    code: "SERVER_REFUSED",
    linkError: LinkErr.PermissionDenied,
  });
  const unreachable = connect(server, { dial: () => Promise.reject(new Error("no route")) });
  await expect(unreachable).rejects.toMatchObject({
    code: "SERVER_UNREACHABLE",
    message: expect.stringContaining("no route"),
  });
  using session = await connect(server, { password: "pw" });
  await expect(session.open("display", 9)).rejects.toMatchObject({ linkError: LinkErr.ChannelNotAvailable });
  await eventually(() => server.reds.links === 0);
  expect(server.reds.clients()).toHaveLength(1);
});

test("each wait has its end: a connection that is not made, and a server that says nothing after the link", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const outcome = (work: Promise<unknown>) => {
    const seen = { text: "" };
    work.catch((error: ClientError) => (seen.text = `${error.code}: ${error.message}`));
    return seen;
  };
  let late: (stream: ReturnType<TestServer["dial"]>) => void = () => {};
  const dial = () => new Promise<ReturnType<TestServer["dial"]>>((resolve) => (late = resolve));
  const silent = outcome(SpiceSession.connect({ dial }));
  vi.advanceTimersByTime(DIAL_DEADLINE_MS);
  await eventually(() => silent.text !== "");
  expect(silent.text).toContain("SERVER_SILENT: the connection for channel 1:0");
  const [near, far] = createRedStreamPair();
  late(near);
  await eventually(() => near.closed);
  far.close();

  // The list of channels is what a client has to ask for.
  using server = new TestServer();
  const stream = server.dial();
  const write = stream.write.bind(stream);
  stream.write = (bytes) => {
    const isAttachChannels = bytes.length === 6 && bytes[0] === 104;
    if (!isAttachChannels) write(bytes);
  };
  const mute = outcome(SpiceSession.connect({ dial: async () => stream }));
  await eventually(() => server.reds.clients().length === 1);
  await eventually(() => {
    vi.advanceTimersByTime(SESSION_DEADLINE_MS / 50);
    return mute.text !== "";
  });
  expect(mute.text).toContain("SERVER_SILENT: the list of channels");
  await eventually(() => server.reds.clients().length === 0);
});

test("leaving while a channel is being opened ends that too", async () => {
  using server = new TestServer();
  const streams: ReturnType<TestServer["dial"]>[] = [];
  const session = await connect(server, {
    dial: async () => {
      const stream = server.dial();
      streams.push(stream);
      return stream;
    },
  });
  const opening = session.open("inputs").catch((error: ClientError) => error.code);
  await eventually(() => streams.length === 2);
  session.close();
  expect(await opening).toBe("CHANNEL_LEFT");
  expect(streams.every(({ closed }) => closed)).toBe(true);
  await eventually(() => server.reds.clients().length === 0 && server.reds.links === 0);
});

test("what is for the agent goes out by the server's tokens, whole and in order", async () => {
  using server = new TestServer();
  server.reds.agentState(true);
  using session = await connect(server);
  const { main } = session;
  await eventually(() => main.agentConnected);
  const data = new Uint8Array(60_000).map((_, index) => index);
  main.sendToAgent(agentMessages.clipboard, { type: 1, data });
  expect(main.agentQueueBytes).toBeGreaterThan(0);
  const arrived = () =>
    server.guestLog.filter(([what]) => what === "agent").map(([, bytes]) => bytes as Uint8Array);
  await eventually(() => main.agentQueueBytes === 0);
  await eventually(() => arrived().reduce((sum, bytes) => sum + bytes.length, 0) > data.length);
  await turns();
  expect(main.end).toBeUndefined();
});
