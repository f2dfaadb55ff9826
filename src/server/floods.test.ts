import { describe, expect, test } from "vitest";
import { RecordingChannel } from "../client/client.testing.ts";
import { TURN_MESSAGES } from "../channel/index.ts";
import type { MessageDef } from "../protocol/index.ts";
import {
  AgentMessageType,
  MouseMode,
  baseClient,
  encodeMessage,
  inputsChannel,
  mainChannel,
} from "../protocol/index.ts";
import type { TurnTaker } from "../transport/index.ts";
import { Turns } from "../transport/index.ts";
import { TestServer } from "./server.testing.ts";
import { eventually } from "../waiting.testing.ts";

/** The real turns of a thread, counted: the unit of work by which one client's wait for another is measured. */
class CountedTurns extends Turns {
  given = 0;
  override ask(taker: TurnTaker): void {
    let counted = this.#counted.get(taker);
    if (counted === undefined) {
      counted = {
        takeTurn: () => {
          this.given++;
          taker.takeTurn();
        },
      };
      this.#counted.set(taker, counted);
    }
    super.ask(counted);
  }
  override forget(taker: TurnTaker): void {
    const counted = this.#counted.get(taker);
    if (counted) super.forget(counted);
  }
  readonly #counted = new WeakMap<TurnTaker, TurnTaker>();
}

const mini = <T>(def: MessageDef<T>, value: T) => encodeMessage(def, value, { miniHeader: true });

function repeated(message: Uint8Array, count: number): Uint8Array {
  const bytes = new Uint8Array(message.length * count);
  for (let i = 0; i < count; i++) bytes.set(message, i * message.length);
  return bytes;
}

const joined = (...messages: Uint8Array[]) => Uint8Array.from(messages.flatMap((bytes) => [...bytes]));

const { client: inputs } = inputsChannel;
const { client: main } = mainChannel;

/** What one message, or a few, of each kind looks like, and the channel that it floods. */
const FLOODS: readonly (readonly [
  what: string,
  channel: "main" | "inputs",
  bytes: Uint8Array,
  messages: number,
])[] = [
  ["MOUSE_MOTION", "inputs", mini(inputs.mouseMotion, { dx: 1, dy: -1, buttonsState: 0 }), 1],
  ["MOUSE_POSITION", "inputs", mini(inputs.mousePosition, { x: 1, y: 1, buttonsState: 0, displayId: 0 }), 1],
  [
    "MOUSE_PRESS and MOUSE_RELEASE",
    "inputs",
    joined(
      mini(inputs.mousePress, { button: 1, buttonsState: 1 }),
      mini(inputs.mouseRelease, { button: 1, buttonsState: 0 }),
    ),
    2,
  ],
  ["KEY_DOWN", "inputs", mini(inputs.keyDown, { code: 0x1e }), 1],
  [
    "KEY_SCANCODE of 2000 bytes",
    "inputs",
    mini(inputs.keyScancode, { data: new Uint8Array(2000).fill(0x2a) }),
    1,
  ],
  [
    "KEY_MODIFIERS",
    "inputs",
    joined(mini(inputs.keyModifiers, { modifiers: 7 }), mini(inputs.keyModifiers, { modifiers: 0 })),
    2,
  ],
  ["ACK", "inputs", mini(baseClient.ack, {}), 1],
  ["ACK_SYNC", "main", mini(baseClient.ackSync, { generation: 0xdeadbeef }), 1],
  ["PONG", "main", mini(baseClient.pong, { id: 0xeeeeeeee, timestamp: 0n }), 1],
  ["AGENT_TOKEN", "main", mini(main.agentToken, { numTokens: 0xffffffff }), 1],
  ["AGENT_START", "main", mini(main.agentStart, { numTokens: 0xffffffff }), 1],
  ["AGENT_DATA of nobody's agent", "main", mini(main.agentData, { data: new Uint8Array(2048) }), 1],
  ["empty AGENT_DATA", "main", mini(main.agentData, { data: new Uint8Array(0) }), 1],
  [
    "MOUSE_MODE_REQUEST to and fro",
    "main",
    joined(
      mini(main.mouseModeRequest, { mode: MouseMode.Client }),
      mini(main.mouseModeRequest, { mode: MouseMode.Server }),
    ),
    2,
  ],
  ["CLIENT_INFO", "main", mini(main.clientInfo, { cacheSize: 0n }), 1],
];

/** Turns between an honest client's word and its answer: its own, one of each flooding channel, and a few events of the thread itself. */
const TURNS_AT_MOST = 12;

/** The honest client asks; how many turns others had before it has its answer. */
async function asks(turns: CountedTurns, honest: RecordingChannel): Promise<number> {
  const acks = () => honest.names.filter((name) => name === "mouseMotionAck").length;
  const before = acks();
  const given = turns.given;
  for (let i = 0; i < 4; i++) honest.send(inputs.mouseMotion, { dx: 1, dy: 1, buttonsState: 0 });
  await eventually(() => acks() > before);
  return turns.given - given;
}

describe("beside a client that floods, an honest one", () => {
  test.each(FLOODS)("waits for a few turns only: %s", async (_what, channel, bytes, messages) => {
    const turns = new CountedTurns();
    using server = new TestServer({ turns, pingIntervalMs: 0 });
    server.reds.tabletState(true);
    const good = await server.linkMain();
    const honest = await server.linkInputs(good.session);
    const bad = await server.linkMain();
    const badInputs = await server.linkInputs(bad.session);
    await eventually(() => honest.names.includes("init") && badInputs.names.includes("init"));
    const quiet = await asks(turns, honest);
    expect(quiet).toBeLessThanOrEqual(1);

    const flooding = channel === "main" ? bad.main : badInputs;
    const count = Math.ceil(900_000 / bytes.length);
    flooding.sendRaw(repeated(bytes, count));
    // It is under way.
    const start = turns.given;
    await eventually(() => turns.given > start || server.guestLog.length > 0);
    const waits: number[] = [];
    for (let i = 0; i < 20; i++) waits.push(await asks(turns, honest));
    expect(Math.max(...waits)).toBeLessThanOrEqual(TURNS_AT_MOST);
    // Otherwise there was no flood beside it.
    expect(count * messages).toBeGreaterThan(400);
    expect([honest.closed, good.main.closed]).toEqual([undefined, undefined]);
    expect(good.main.messages.length).toBeLessThan(1000);
  });

  test("40 000 motions of one are a handful for the guest, and none of the other's is lost", async () => {
    using server = new TestServer({ pingIntervalMs: 0 });
    const good = await server.linkMain();
    const honest = await server.linkInputs(good.session);
    const bad = await server.linkMain();
    const badInputs = await server.linkInputs(bad.session);
    const motions = 40_000;
    const one = mini(inputs.mouseMotion, { dx: 1, dy: -1, buttonsState: 0 });
    badInputs.sendRaw(repeated(one, motions));
    honest.send(inputs.mousePress, { button: 1, buttonsState: 1 });
    honest.send(inputs.mouseRelease, { button: 1, buttonsState: 0 });
    // INIT and one ack in four.
    await eventually(() => badInputs.messages.length === 1 + motions / 4);
    const sum = () =>
      server.guestLog.reduce((total, [, message]) => total + ((message as { dx?: number }).dx ?? 0), 0);
    await eventually(() => sum() === motions);
    expect(server.guestLog.length).toBeLessThan((2 * motions) / TURN_MESSAGES);
    const buttons = server.guestLog.map(([, message]) => (message as { buttons: number }).buttons);
    expect(buttons.filter((state, index) => state !== (buttons[index - 1] ?? 0))).toEqual([1, 0]);
  });
});

describe("a guest that takes no keys", () => {
  /** Presses and releases of so many keys. */
  const typed = (count: number) =>
    Array.from({ length: count }, (_, index) => 0x10 + (index % 0x28)).flatMap((key) => [key, key | 0x80]);
  const keysOf = (server: TestServer) =>
    server.guestLog.flatMap(([name, message]) =>
      name === "keys" ? (message as { bytes: number[] }).bytes : [],
    );

  test.each([513, 5000])(
    "holds back whoever types, not the others' pointers, and gets all %i characters in the end",
    async (count) => {
      let wake: (dropped: number) => void = () => {};
      using server = new TestServer({ pingIntervalMs: 0 });
      const good = await server.linkMain();
      const typist = await server.linkInputs(good.session);
      const other = await server.linkMain();
      const pointer = await server.linkInputs(other.session);
      server.keyboardBusy = new Promise((resolve) => (wake = resolve));
      const bytes = typed(count);
      for (const code of bytes) typist.send(code & 0x80 ? inputs.keyUp : inputs.keyDown, { code });
      await eventually(() => server.guestLog.length === 1);
      // The other's pointer goes on, its own key has the next turn.
      pointer.send(inputs.keyDown, { code: 1 });
      pointer.send(inputs.mouseMotion, { dx: 5, dy: 5, buttonsState: 0 });
      await eventually(() => server.guestLog.some(([name]) => name === "motion"));
      expect(keysOf(server).length).toBeLessThanOrEqual(4);
      expect(typist.closed).toBeUndefined();
      server.keyboardBusy = undefined;
      wake(0);
      await eventually(() => keysOf(server).length === bytes.length + 1);
      const all = keysOf(server);
      expect(all.indexOf(1)).toBeLessThanOrEqual(8);
      expect(all.filter((code) => code !== 1)).toEqual(bytes);
      expect(good.main.names).not.toContain("notify");
    },
  );

  test("what a client has typed still arrives after it left, then its keys are let go", async () => {
    let wake: (dropped: number) => void = () => {};
    using server = new TestServer({ pingIntervalMs: 0 });
    const { session } = await server.linkMain();
    const typist = await server.linkInputs(session);
    server.keyboardBusy = new Promise((resolve) => (wake = resolve));
    const bytes = [...typed(300), 0x2a];
    for (const code of bytes) typist.send(inputs.keyDown, { code });
    typist.close();
    await eventually(() => server.guestLog.length === 1);
    server.keyboardBusy = undefined;
    wake(0);
    await eventually(() => keysOf(server).length === bytes.length + 1);
    expect(keysOf(server)).toEqual([...bytes, 0xaa]);
  });

  test("says so to the client, the log and the page when presses had to go", async () => {
    using server = new TestServer({ pingIntervalMs: 0, droppedNoticeMs: 0 });
    const dropped: unknown[] = [];
    server.reds.onInputDropped = (event) => dropped.push(event);
    const { main: at, session } = await server.linkMain();
    const typist = await server.linkInputs(session);
    server.keyboardBusy = Promise.resolve(7);
    typist.send(inputs.keyDown, { code: 0x1e });
    await eventually(() => at.names.includes("notify"));
    expect(at.find(mainChannel.server.notify)!.message).toContain("7 presses were dropped");
    expect(server.log.some((line) => line.includes("7 presses were dropped"))).toBe(true);
    expect(dropped).toEqual([{ count: 7, clientId: 1 }]);
    // The page's own typing goes the same way.
    await server.reds.hand.localKeys([0x1f]);
    await eventually(() => dropped.length === 2);
    expect(dropped[1]).toEqual({ count: 7 });
  });

  test("clients that come, type and go do not fill our memory; their keys are let go all the same", async () => {
    using server = new TestServer({ pingIntervalMs: 0 });
    server.keyboardBusy = new Promise(() => {});
    const { session } = await server.linkMain();
    for (let i = 0; i < 40; i++) {
      const typist = await server.linkInputs(session);
      await eventually(() => typist.names.includes("init"));
      typist.send(inputs.keyScancode, { data: new Uint8Array(4000).fill(0x2a) });
      typist.close();
      await eventually(() => server.reds.clients()[0].channels.length === 1);
    }
    expect(
      server.log.filter((line) => line.includes("of clients that left are dropped")).length,
    ).toBeGreaterThan(4);
  });
});

test("an agent that does not read holds back its pointer, keeps every click, and in the end says what went", async () => {
  let wake = () => {};
  using server = new TestServer({ pingIntervalMs: 0 });
  server.agentBusy = new Promise((resolve) => (wake = resolve));
  const { main: at, session } = await server.linkMain();
  const hand = await server.linkInputs(session);
  server.reds.agentState(true);
  at.send(main.mouseModeRequest, { mode: MouseMode.Client });
  await eventually(() => server.reds.mouseMode === MouseMode.Client);
  const clicks = 500;
  for (let i = 0; i < clicks; i++) {
    hand.send(inputs.mousePress, { button: 1, buttonsState: 1 });
    hand.send(inputs.mouseRelease, { button: 1, buttonsState: 0 });
  }
  // Keys go on meanwhile.
  const other = await server.linkMain();
  const keys = await server.linkInputs(other.session);
  keys.send(inputs.keyDown, { code: 0x1e });
  await eventually(() => server.guestLog.some(([name]) => name === "keys"));
  server.agentBusy = undefined;
  wake();
  const states = () =>
    server.guestLog.flatMap(([name, bytes]) => {
      if (name !== "agent") return [];
      const view = new DataView((bytes as Uint8Array).slice().buffer);
      return view.getUint32(12, true) === AgentMessageType.MouseState ? [view.getUint32(36, true)] : [];
    });
  await eventually(() => states().length === 2 * clicks);
  expect(states()).toEqual(Array.from({ length: 2 * clicks }, (_, index) => ((index + 1) % 2) * 2));
  expect(at.names).not.toContain("notify");
});

test("a session that has done nothing since its link gives its place to a newcomer; one that talks keeps it", async () => {
  using server = new TestServer({ pingIntervalMs: 0 });
  const talking = await server.linkMain();
  talking.main.send(main.attachChannels, {});
  await eventually(() => talking.main.names.includes("channelsList"));
  for (let i = 0; i < 40; i++) await server.linkMain();
  expect(talking.main.closed).toBeUndefined();
  expect(server.reds.clients().length).toBe(32);
});
