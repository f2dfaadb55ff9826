import { connect } from "node:net";
import { afterEach, expect, test } from "vitest";
import { WebSocket as NodeWebSocket } from "ws";
import { link } from "../client/index.ts";
import { RecordingChannel, linkError } from "../client/client.testing.ts";
import type {
  ChannelConnect,
  GuestEvents,
  GuestMessages,
  Handlers,
  MainMessages,
  NoMessages,
  RedWorkerMessages,
} from "../dispatch/index.ts";
import { Dispatcher, RemoteError, LocalLiveness } from "../dispatch/index.ts";
import type { LogEntry } from "../log/index.ts";
import {
  ChannelType,
  LinkErr,
  baseClient,
  baseServer,
  decodeBody,
  displayChannel,
  encodeMessage,
  inputsChannel,
  mainChannel,
} from "../protocol/index.ts";
import type { RelayLimits } from "../relay/limits.ts";
import { TestRelay } from "../relay/relay.testing.ts";
import type { RedStream } from "../transport/index.ts";
import { createRedStreamPair, openRedStream } from "../transport/index.ts";
import type { CoreOptions } from "./core.ts";
import { Core } from "./core.ts";
import type {
  CoreStart,
  HostControlEvents,
  HostControlMessages,
  HostState,
  LinkFailed,
} from "./host-control.ts";
import { STATE_PAUSE_MS } from "./limits.ts";
import type { WebSocketConstructor } from "./relay-connection.ts";
import { eventually } from "../waiting.testing.ts";

const webSocket = NodeWebSocket as unknown as WebSocketConstructor;

const owned: (Disposable | AsyncDisposable)[] = [];
afterEach(async () => {
  // Cores first, while the threads they talk to still answer.
  const all = owned.splice(0).toReversed();
  for (const one of all) if (Symbol.asyncDispose in one) await one[Symbol.asyncDispose]();
  for (const one of all) if (Symbol.dispose in one) one[Symbol.dispose]();
});

function own<T extends Disposable | AsyncDisposable>(thing: T): T {
  owned.push(thing);
  return thing;
}

function makeCore(liveness: LocalLiveness, options: Partial<CoreOptions> = {}): Core {
  return own(new Core({ liveness, version: "test", webSocket, ...options }));
}

/** A red worker of few words. */
const redHandlers = (): Handlers<RedWorkerMessages> => ({
  attachCommands: () => {},
  connect: () => {},
  disconnectClient: () => {},
  migrateClient: () => {},
  stop: async () => {},
  resetImageCache: () => {},
  resetCursor: () => {},
  closeWorker: () => {},
  setMouseMode: () => {},
  setCompression: () => {},
  attachCanvas: () => {},
  readSurface: ({ surfaceId }) => ({ surfaceId, width: 1, height: 1, pixels: new Uint8Array(4) }),
  inspect: () => ({ surfaces: [], clients: [], commands: 3, queuedCommands: 0, dispatchers: [] }),
});

/** A page with its two workers, as threads see each other. */
class TestPage {
  readonly core: Dispatcher<HostControlMessages, HostControlEvents>;
  readonly states: HostState[] = [];
  readonly keys: number[][] = [];
  readonly failures: LinkFailed[] = [];
  readonly connects: ChannelConnect[] = [];
  readonly logged: LogEntry[] = [];
  readonly guestEvents: Dispatcher<GuestEvents, GuestMessages>;
  readonly main: Dispatcher<MainMessages, RedWorkerMessages>;

  /** What it says to core; `silent`: nobody has heard it yet. */
  readonly start: CoreStart;

  constructor(core: Core, liveness: LocalLiveness, name: string, options: { silent?: boolean } = {}) {
    const control = new MessageChannel();
    const guest = new MessageChannel();
    const red = new MessageChannel();
    this.core = new Dispatcher<HostControlMessages, HostControlEvents>(control.port2, {
      peer: "core",
      handlers: {
        stateChanged: (state) => void this.states.push(state),
        inputDropped: () => {},
        linkFailed: (failure) => void this.failures.push(failure),
        log: ({ entries }) => void this.logged.push(...entries),
      },
    });
    this.guestEvents = new Dispatcher(guest.port2, {
      peer: "core",
      handlers: {
        keyScancodes: ({ bytes }) => {
          this.keys.push([...bytes]);
          return 0;
        },
        mouseMotion: () => 0,
        mousePosition: () => 0,
        agentWrite: async () => {},
        clientMonitorsConfig: () => false,
      },
    });
    this.main = new Dispatcher(red.port2, {
      peer: "core",
      handlers: {
        ...redHandlers(),
        connect: (message) => void this.connects.push(message),
      },
    });
    owned.push(this.core, this.guestEvents, this.main);
    const ids = { guestId: `guest:${name}`, redId: `red:${name}`, pageId: `page:${name}` };
    for (const id of Object.values(ids)) liveness.holdAlive(id);
    const ports = { control: control.port1, guest: guest.port1, red: red.port1 };
    this.start = { type: "start", ...ports, ...ids, coreId: `core:${name}` };
    if (!options.silent) void core.start(this.start);
  }

  get state(): HostState | undefined {
    return this.states.at(-1);
  }

  async online(): Promise<void> {
    await eventually(() => this.state?.relay.state === "online");
  }
}

/** A client's TCP connection to the relay, as a stream. */
async function dial(relay: TestRelay): Promise<RedStream> {
  const socket = connect({ port: relay.spicePort, host: "127.0.0.1", noDelay: true });
  await new Promise((resolve) => socket.once("connect", resolve));
  const [near, far] = createRedStreamPair();
  socket.on("data", (bytes) => far.write(new Uint8Array(bytes)));
  socket.on("close", () => far.close("the connection ended"));
  socket.on("error", () => {});
  far.onData = (bytes) => void socket.write(bytes);
  far.onClose = () => socket.end();
  own({ [Symbol.dispose]: () => void socket.destroy() });
  return near;
}

async function linkMain(relay: TestRelay, password?: string) {
  const stream = await dial(relay);
  await link(stream, { channelType: ChannelType.Main, password });
  const main = new RecordingChannel(stream, mainChannel);
  await eventually(() => main.find(mainChannel.server.init) !== undefined);
  return { main, session: main.find(mainChannel.server.init)!.sessionId };
}

test("a TCP client reaches the tab through the relay, is shown to the page, and can be put out", async () => {
  const relay = own(await TestRelay.start());
  const liveness = new LocalLiveness();
  const page = new TestPage(makeCore(liveness), liveness, "one");
  const relayUrl = `ws://127.0.0.1:${relay.httpPort}/host`;
  const relaySecret = relay.relay.secret;
  await page.core.call("configure", { name: "machine", password: "pw", relayUrl, relaySecret });
  await page.online();
  expect(page.state).toMatchObject({ passwordSet: true, clients: [] });
  const refused = await linkError(await dial(relay), { channelType: ChannelType.Main, password: "no" });
  expect(refused).toBe(LinkErr.PermissionDenied);
  // The page hears of it, and so does the terminal in which the relay runs; nobody is said to have joined.
  await eventually(() => page.failures.length === 1 && relay.log.some((line) => /wrong password/.test(line)));
  expect(page.failures[0]).toMatchObject({ code: "PASSWORD_WRONG", failures: 1, delayMs: 0 });
  expect(relay.log.some((line) => /joined/.test(line))).toBe(false);

  const { main, session } = await linkMain(relay, "pw");
  await eventually(() => page.state?.clients.length === 1);
  expect(page.state!.clients[0]).toMatchObject({ transport: "tcp", channels: ["main"] });
  await eventually(() => relay.log.some((line) => /joined/.test(line)));
  const display = await dial(relay);
  await link(display, { channelType: ChannelType.Display, connectionId: session, password: "pw" });
  await eventually(() => page.connects.length === 1);
  const red = openRedStream(page.connects[0].port);
  const seen: number[] = [];
  display.onData = (bytes) => seen.push(...bytes);
  const mark = encodeMessage(displayChannel.server.mark, {}, { miniHeader: true });
  red.write(mark);
  await eventually(() => seen.length === mark.length);
  expect(await page.core.call("inspect", {})).toMatchObject({
    relay: "online",
    leaving: [],
    clients: [
      {
        channelClients: [
          { name: "main", place: "core", client: { pipe: 0 } },
          { name: "display", place: "red" },
        ],
      },
    ],
    dispatchers: [{ peer: "page", queued: 0 }, { peer: "guest" }, { peer: "red" }],
  });
  await eventually(() => relay.relay.health.clients === 1);

  const kick = page.core.call("kick", { clientId: page.state!.clients[0].id, reason: "good-bye" });
  let kicked = false;
  void kick.then(() => (kicked = true));
  page.core.send("keyScancodes", { bytes: [0x1e, 0x9e] });
  await eventually(() => page.keys.length === 1);
  // Keys do not wait until the client has read its good-bye.
  expect(kicked).toBe(false);
  await kick;
  await eventually(() => main.closed !== undefined);
  expect(main.find(mainChannel.server.notify)!.message).toBe("good-bye");
  await eventually(() => page.state?.clients.length === 0);
  await eventually(() => relay.log.some((line) => /^tcp client .* left$/.test(line)));
});

/** A network for one core: all its connections vanish at once, and new ones come to nothing while it is cut. */
function network() {
  const sockets = new Set<NodeWebSocket>();
  let isCut = false;
  class NetworkSocket extends NodeWebSocket {
    constructor(url: string, protocols?: string[]) {
      super(isCut ? "ws://127.0.0.1:9/" : url, protocols);
      sockets.add(this);
      // A dead machine's sockets tell nobody of it.
      this.on("error", () => {});
    }
  }
  return {
    webSocket: NetworkSocket as unknown as WebSocketConstructor,
    cut() {
      isCut = true;
      for (const socket of sockets) socket.terminate();
    },
    mend: () => void (isCut = false),
  };
}

/** A hosting page with one client at a relay, which has a main, an inputs and a display channel. */
async function hostWithClient(options: Partial<CoreOptions> = {}, limits: Partial<RelayLimits> = {}) {
  const relay = own(await TestRelay.start({ limits }));
  const liveness = new LocalLiveness();
  const core = makeCore(liveness, options);
  const config = {
    name: "machine",
    relayUrl: `ws://127.0.0.1:${relay.httpPort}/host`,
    relaySecret: relay.relay.secret,
  };
  const page = new TestPage(core, liveness, "one");
  await page.core.call("configure", config);
  await page.online();
  const { main, session } = await linkMain(relay);
  main.answers = true;
  const inputs = await dial(relay);
  await link(inputs, { channelType: ChannelType.Inputs, connectionId: session });
  const display = await dial(relay);
  await link(display, { channelType: ChannelType.Display, connectionId: session });
  await eventually(() => page.connects.length === 1);
  return {
    relay,
    liveness,
    core,
    config,
    page,
    main,
    inputs: new RecordingChannel(inputs, inputsChannel),
    display: new RecordingChannel(display, displayChannel),
  };
}

test.each(["red", "guest", "page"])(
  "when the %s dies, the sessions stay, and go on with the next page's machine",
  async (thread) => {
    const { relay, liveness, core, config, page, main, inputs, display } = await hostWithClient();
    const red = openRedStream(page.connects[0].port);
    const write = (bytes: Uint8Array) => red.write(bytes);
    write(encodeMessage(baseServer.setAck, { generation: 5, window: 20 }, { miniHeader: true }));
    const primary = { surfaceId: 0, width: 64, height: 48, format: 32, flags: 1 };
    write(encodeMessage(displayChannel.server.surfaceCreate, primary, { miniHeader: true }));
    await eventually(() => display.messages.length === 2);
    const init = { pixmapCacheId: 1, pixmapCacheSize: 9n, glzDictionaryId: 1, glzDictionaryWindowSize: 0 };
    display.send(displayChannel.client.init, init);
    // The beginning of a message, which the red worker takes with it.
    const ack = encodeMessage(baseClient.ackSync, { generation: 5 }, { miniHeader: true });
    display.sendRaw(ack.slice(0, 3));
    let read = 0;
    red.onData = (bytes) => (read += bytes.length);
    await eventually(() => read === 6 + 14 + 3);

    liveness.died(`${thread}:one`);
    inputs.send(inputsChannel.client.keyDown, { code: 0x1e });
    inputs.send(inputsChannel.client.keyUp, { code: 0x9e });
    await eventually(() => relay.relay.health.machine !== undefined);
    // Somebody who joins meanwhile waits for the picture as those do who are there.
    const { main: late, session } = await linkMain(relay);
    const lateDisplay = await dial(relay);
    await link(lateDisplay, { channelType: ChannelType.Display, connectionId: session });
    expect([main.closed, display.closed, inputs.closed]).toEqual([undefined, undefined, undefined]);

    const next = new TestPage(core, liveness, "two");
    await next.core.call("configure", config);
    await next.online();
    // A guest that lives goes on reading; else the keys wait for the next one.
    const keys = () => (thread === "red" ? page : next).keys.flat();
    await eventually(() => keys().length === 2);
    expect(keys()).toEqual([0x1e, 0x9e]);
    await eventually(() => next.connects.length === 2);
    const [resumed, joined] = next.connects;
    expect(joined.resume).toBeUndefined();
    expect(resumed).toMatchObject({
      clientId: page.connects[0].clientId,
      resume: {
        serial: 2n,
        generation: 5,
        surfaces: [{ surfaceId: 0, width: 64, height: 48, format: 32 }],
        marked: false,
      },
    });
    expect(decodeBody(displayChannel.client.init, resumed.resume!.init!)).toEqual(init);
    // Byte by byte where the other was cut off, in both directions.
    const nextRed = openRedStream(resumed.port);
    const heard: number[] = [];
    nextRed.onData = (bytes) => heard.push(...bytes);
    display.sendRaw(ack.slice(3));
    await eventually(() => heard.length === ack.length);
    expect(heard).toEqual([...ack]);
    nextRed.write(encodeMessage(displayChannel.server.mark, {}, { miniHeader: true }));
    await eventually(() => display.names.includes("mark"));
    expect(await next.core.call("inspect", {})).toMatchObject({
      clients: [{ channels: ["main", "inputs", "display"] }, { channels: ["main", "display"] }],
    });
    expect([main.closed, late.closed]).toEqual([undefined, undefined]);
    expect(relay.relay.health).toMatchObject({ hosting: true, clients: 2 });
  },
);

/** Its red worker has sent a surface, and the client the beginning of a message. */
async function halfway(display: RecordingChannel, page: TestPage) {
  const red = openRedStream(page.connects[0].port);
  const write = (bytes: Uint8Array) => red.write(bytes);
  write(encodeMessage(baseServer.setAck, { generation: 5, window: 20 }, { miniHeader: true }));
  const primary = { surfaceId: 0, width: 64, height: 48, format: 32, flags: 1 };
  write(encodeMessage(displayChannel.server.surfaceCreate, primary, { miniHeader: true }));
  const mark = encodeMessage(displayChannel.server.mark, {}, { miniHeader: true });
  // The client hears nothing of what its server could not end.
  write(mark.slice(0, 4));
  const init = { pixmapCacheId: 1, pixmapCacheSize: 9n, glzDictionaryId: 1, glzDictionaryWindowSize: 0 };
  display.send(displayChannel.client.init, init);
  const ack = encodeMessage(baseClient.ackSync, { generation: 5 }, { miniHeader: true });
  display.sendRaw(ack.slice(0, 3));
  let read = 0;
  red.onData = (bytes) => (read += bytes.length);
  await eventually(() => read === 6 + 14 + 3 && display.messages.length === 2);
  return { init, ack };
}

/** The client of {@link hostWithClient} goes on with `next`, whoever that is. */
async function expectGoesOn(
  next: TestPage,
  { main, inputs, display }: Awaited<ReturnType<typeof hostWithClient>>,
  { init, ack }: Awaited<ReturnType<typeof halfway>>,
) {
  await eventually(() => next.state?.clients[0]?.channels.length === 3);
  // The list of channels and the channel itself come over different ports.
  const connect = await eventually(() => next.connects.findLast(({ resume }) => resume !== undefined));
  expect(connect.resume).toMatchObject({
    serial: 2n,
    generation: 5,
    surfaces: [{ surfaceId: 0, width: 64, height: 48, format: 32 }],
    marked: false,
  });
  expect(decodeBody(displayChannel.client.init, Uint8Array.from(connect.resume!.init!))).toEqual(init);
  const red = openRedStream(connect.port);
  const heard: number[] = [];
  red.onData = (bytes) => heard.push(...bytes);
  display.sendRaw(ack.slice(3));
  await eventually(() => heard.length === ack.length);
  expect(heard).toEqual([...ack]);
  red.write(encodeMessage(displayChannel.server.mark, {}, { miniHeader: true }));
  await eventually(() => display.names.includes("mark"));
  inputs.send(inputsChannel.client.keyDown, { code: 0x1e });
  await eventually(() => next.keys.flat().includes(0x1e));
  // A session begins once.
  expect(main.names.filter((name) => name === "init").length).toBe(1);
  expect(inputs.names.filter((name) => name === "init").length).toBe(1);
  await eventually(() => main.find(mainChannel.server.mouseMode) !== undefined);
  expect([main.closed, inputs.closed, display.closed]).toEqual([undefined, undefined, undefined]);
}

test("a core that dies with its page leaves its clients at the relay, and the next core goes on with their sessions", async () => {
  const { webSocket, cut } = network();
  const host = await hostWithClient({ webSocket });
  const begun = await halfway(host.display, host.page);
  cut();
  // Four motions, of which the client hears nothing before there is somebody to read them.
  for (let i = 0; i < 5; i++)
    host.inputs.send(inputsChannel.client.mouseMotion, { dx: 1, dy: 1, buttonsState: 0 });
  await eventually(() => !host.relay.relay.health.hosting);
  const liveness = new LocalLiveness();
  const next = new TestPage(makeCore(liveness), liveness, "two");
  await next.core.call("configure", host.config);
  await expectGoesOn(next, host, begun);
  await eventually(() => host.inputs.names.includes("mouseMotionAck"));
  // Whoever joins now is another session, of the same server.
  const { session } = await linkMain(host.relay);
  expect(session).not.toBe(host.main.find(mainChannel.server.init)!.sessionId);
  await eventually(() => next.state?.clients.length === 2);
});

test("a core whose network was away for a while has its clients back", async () => {
  const { webSocket, cut, mend } = network();
  const host = await hostWithClient({ webSocket });
  const begun = await halfway(host.display, host.page);
  cut();
  await eventually(() => host.page.state?.clients.length === 0);
  mend();
  await expectGoesOn(host.page, host, begun);
});

test("the clients go with the place: whoever takes it over goes on with their sessions", async () => {
  const host = await hostWithClient();
  const begun = await halfway(host.display, host.page);
  const liveness = new LocalLiveness();
  const next = new TestPage(makeCore(liveness), liveness, "two");
  await next.core.call("configure", host.config);
  await eventually(() => next.state?.relay.state === "waiting");
  await next.core.call("takeOverRelay", {});
  await expectGoesOn(next, host, begun);
  await eventually(() => host.page.state?.clients.length === 0);
});

test("clients that nobody goes on with are told so and cut", async () => {
  const { webSocket, cut } = network();
  const { main, inputs, display, relay } = await hostWithClient({ webSocket }, { keptClientMs: 50 });
  cut();
  await eventually(
    () => main.closed !== undefined && inputs.closed !== undefined && display.closed !== undefined,
  );
  expect(main.find(mainChannel.server.notify)!.message).toBe(
    "The connection ended: the hosting tab was closed.",
  );
  await eventually(() => relay.relay.health.connections === 0);
});

test("a client that leaves while its server is away is let go by the next one", async () => {
  const { webSocket, cut } = network();
  const { relay, config, main, inputs, display } = await hostWithClient({ webSocket });
  cut();
  await eventually(() => !relay.relay.health.hosting);
  for (const channel of [main, inputs, display]) channel.close();
  const liveness = new LocalLiveness();
  const next = new TestPage(makeCore(liveness), liveness, "two");
  await next.core.call("configure", config);
  await next.online();
  await eventually(() => relay.relay.health.connections === 0 && next.state?.clients.length === 0);
});

test.each(["red", "guest", "page"])(
  "when the %s dies and nothing takes its place, clients are told and cut off, and the relay learns it",
  async (thread) => {
    const { relay, liveness, main, display, page } = await hostWithClient({ detachGraceMs: 20 });
    // Only a living red worker ends its own streams.
    if (thread === "guest") openRedStream(page.connects[0].port);
    liveness.died(`${thread}:one`);
    await eventually(() => main.closed !== undefined);
    expect(main.find(mainChannel.server.notify)!.message).toMatch(/ended|closed/);
    await eventually(() => display.closed !== undefined);
    await eventually(() => !relay.relay.health.hosting);
  },
);

test("a red worker that died is replaced alone: the guest, the page and the sessions do not notice", async () => {
  const { liveness, page, main, inputs, display } = await hostWithClient();
  liveness.died("red:one");
  const pixels = page.core.call("readSurface", { surfaceId: 0 });
  const red = new MessageChannel();
  const connects: ChannelConnect[] = [];
  own(
    new Dispatcher<NoMessages, RedWorkerMessages>(red.port2, {
      peer: "core",
      handlers: {
        ...redHandlers(),
        connect: (message) => void connects.push(message),
      },
    }),
  );
  liveness.holdAlive("red:other");
  await page.core.call("replaceRed", { red: red.port1, redId: "red:other" }, [red.port1]);
  await eventually(() => connects.length === 1);
  expect(connects[0]).toMatchObject({ clientId: page.connects[0].clientId, resume: { serial: 0n } });
  inputs.send(inputsChannel.client.keyDown, { code: 0x1e });
  await eventually(() => page.keys.length === 1);
  expect((await pixels).width).toBe(1);
  expect([main.closed, display.closed]).toEqual([undefined, undefined]);
  const peers = async () => (await page.core.call("inspect", {})).dispatchers.map(({ peer }) => peer);
  expect(await peers()).toEqual(["page", "guest", "red"]);
  // Its death is noticed like that of the first.
  liveness.died("red:other");
  expect(await peers()).toEqual(["page", "guest"]);
});

test("what a page has said that is gone already takes the machine from nobody", async () => {
  const liveness = new LocalLiveness();
  const core = makeCore(liveness);
  for (const thread of ["page", "guest"]) {
    const before = new TestPage(core, liveness, `before, ${thread}`, { silent: true });
    const page = new TestPage(core, liveness, `living, ${thread}`);
    await page.core.call("configure", { name: "machine" });
    // A reload: the page's words and its end reach core over ways of their own, and the words last.
    liveness.died(`${thread}:before, ${thread}`);
    await core.start(before.start);
    expect(await page.core.call("inspect", {})).toMatchObject({
      dispatchers: [{ peer: "page" }, { peer: "guest" }, { peer: "red" }],
    });
    expect(page.logged.some(({ message }) => message.includes("another page took over"))).toBe(false);
    await eventually(() => page.logged.some(({ message }) => /page that is gone is not taken/.test(message)));
    // Nobody holds its ports.
    await expect(before.core.call("state", {}, [], { deadlineMs: 50 })).rejects.toThrow();
  }
});

test("pages that live take the machine over in the order in which core hears of them", async () => {
  const liveness = new LocalLiveness();
  const core = makeCore(liveness);
  const pages = ["one", "two", "three"].map((name) => new TestPage(core, liveness, name));
  const last = pages[2];
  await last.core.call("configure", { name: "machine" });
  expect((await last.core.call("inspect", {})).dispatchers).toHaveLength(3);
  await eventually(
    () => last.logged.filter(({ message }) => /another page took over/.test(message)).length > 0,
  );
  for (const page of pages.slice(0, 2)) await expect(page.core.call("state", {})).rejects.toThrow(/is gone/);
});

test("what core has to say is in its log: told to the page, to the next one again, and part of inspect", async () => {
  const { liveness, core, page } = await hostWithClient();
  const port = new MessageChannel();
  const stranger = openRedStream(port.port1);
  void core.accept(port.port2, { transport: "tcp", address: "192.0.2.7:1", secure: false });
  stranger.write(new TextEncoder().encode("GET / HTTP/1.1"));
  const isRefusal = ({ domain, message }: LogEntry) =>
    domain === "links" && /192\.0\.2\.7:1 refused: .*not a SPICE client/.test(message);
  await eventually(() => page.logged.some(isRefusal));
  expect((await page.core.call("inspect", {})).log.some(isRefusal)).toBe(true);
  const next = new TestPage(core, liveness, "two");
  await eventually(() => next.logged.some(isRefusal));
  expect(next.logged.some(({ message }) => message.includes("another page took over"))).toBe(true);
});

test("a page that lets the machine go keeps its clients for the next", async () => {
  const { liveness, core, page, main } = await hostWithClient();
  await page.core.call("release", { reason: "another tab takes the machine over" });
  const next = new TestPage(core, liveness, "two");
  await eventually(() => next.connects.length === 1);
  expect(next.connects[0].clientId).toBe(page.connects[0].clientId);
  expect(main.closed).toBeUndefined();
});

test("a page that leaves on purpose hears when its clients are gone", async () => {
  const relay = own(await TestRelay.start());
  const liveness = new LocalLiveness();
  const page = new TestPage(makeCore(liveness), liveness, "one");
  const relayUrl = `ws://127.0.0.1:${relay.httpPort}/host`;
  const relaySecret = relay.relay.secret;
  await page.core.call("configure", { name: "machine", relayUrl, relaySecret });
  await page.online();
  const { main } = await linkMain(relay);
  await page.core.call("shutdown", { reason: "the hosting tab was closed" });
  await eventually(() => main.closed !== undefined);
  expect(main.find(mainChannel.server.notify)!.message).toBe("the hosting tab was closed");
  await eventually(() => !relay.relay.health.hosting);
});

test("a second host waits, takes over when told to, and the first is back when the place is free", async () => {
  const relay = own(await TestRelay.start());
  const liveness = new LocalLiveness();
  const relayUrl = `ws://127.0.0.1:${relay.httpPort}/host`;
  const relaySecret = relay.relay.secret;
  const first = new TestPage(makeCore(liveness), liveness, "one");
  await first.core.call("configure", { name: "one", relayUrl, relaySecret });
  await first.online();
  const second = new TestPage(makeCore(liveness), liveness, "two");
  await second.core.call("configure", { name: "two", relayUrl, relaySecret });
  await eventually(() => second.state?.relay.state === "waiting");
  expect(second.state!.relay).toEqual({ state: "waiting", host: "one", lost: false });
  expect(first.state!.relay.state).toBe("online");
  await second.core.call("takeOverRelay", {});
  await second.online();
  await eventually(() => first.state?.relay.state === "waiting");
  expect(first.state!.relay).toEqual({ state: "waiting", host: "two", lost: true });
  await second.core.call("shutdown", { reason: "the hosting tab was closed" });
  await first.online();
  await linkMain(relay);
});

test("a relay that does not know our secret is dialled again with another one only", async () => {
  const relay = own(await TestRelay.start());
  const liveness = new LocalLiveness();
  const relayUrl = `ws://127.0.0.1:${relay.httpPort}/host`;
  const page = new TestPage(makeCore(liveness), liveness, "one");
  await page.core.call("configure", { name: "machine", relayUrl });
  await eventually(() => page.state?.relay.state === "refused");
  expect(page.states.filter(({ relay }) => relay.state === "connecting")).toHaveLength(1);
  await page.core.call("configure", { name: "machine", relayUrl, relaySecret: relay.relay.secret });
  await page.online();
});

test("a relay that is not there is tried again", async () => {
  const relay = await TestRelay.start();
  const relayUrl = `ws://127.0.0.1:${relay.httpPort}/host`;
  const relaySecret = relay.relay.secret;
  await relay[Symbol.asyncDispose]();
  const liveness = new LocalLiveness();
  const page = new TestPage(makeCore(liveness), liveness, "one");
  await page.core.call("configure", { name: "machine", relayUrl, relaySecret });
  await eventually(() =>
    page.states.some(({ relay }) => relay.state === "connecting" && relay.attempt === 2),
  );
  expect(page.states.some(({ relay }) => relay.state === "offline")).toBe(true);
  await page.core.call("configure", { name: "machine" });
  await eventually(() => page.state?.relay.state === "off");
});

test("a configuration that cannot be is refused with words and changes nothing", async () => {
  const liveness = new LocalLiveness();
  const page = new TestPage(makeCore(liveness), liveness, "one");
  await page.core.call("configure", { name: "machine", password: "good" });
  const error = await page.core
    .call("configure", { name: "machine", password: "x".repeat(61) })
    .catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(RemoteError);
  expect((error as RemoteError).code).toBe("PASSWORD_TOO_LONG");
  expect((await page.core.call("state", {})).passwordSet).toBe(true);
});

test("pixels and keys go through core to the threads that have them", async () => {
  const liveness = new LocalLiveness();
  const page = new TestPage(makeCore(liveness), liveness, "one");
  expect((await page.core.call("readSurface", { surfaceId: 0 })).pixels).toHaveLength(4);
  await page.core.call("keyScancodes", { bytes: [1] });
  await eventually(() => page.keys.length === 1);
  page.guestEvents.send("tabletState", { enabled: true });
  await eventually(() => page.state?.absolutePointer === true);
});

test("however often clients change what the page is shown, it is told at a pace, and in the end the truth", async () => {
  const liveness = new LocalLiveness();
  const page = new TestPage(makeCore(liveness), liveness, "one");
  await page.core.call("state", {});
  const told = page.states.length;
  const began = performance.now();
  for (let i = 0; i < 300; i++) {
    page.guestEvents.send("tabletState", { enabled: i % 2 === 1 });
    await page.core.call("state", {});
  }
  await eventually(() => page.state?.absolutePointer === true);
  // The one at once and the one that the pause was for, besides those that are due.
  const due = (performance.now() - began) / STATE_PAUSE_MS;
  expect(page.states.length - told).toBeLessThanOrEqual(due + 2);
});
