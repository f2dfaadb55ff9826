import { afterEach, describe, expect, it } from "vitest";
import type { ParsedMessage } from "../../protocol/index.ts";
import {
  ChannelType,
  CursorFlags,
  CursorType,
  MessageParser,
  baseClient,
  baseServer,
  cursorChannel,
  encodeMessage,
} from "../../protocol/index.ts";
import type { RedCommand } from "../../protocol/red-command.ts";
import type { RedStream } from "../../transport/index.ts";
import { openRedStream } from "../../transport/index.ts";
import { cursorDataBytes } from "./cursor-shape.ts";
import { spiceHtml5Caps } from "../display/display-client.testing.ts";
import { CURSOR_CACHE_SIZE, CURSOR_PIPE_SIZE } from "../limits.ts";
import { TestRedWorker } from "../worker/red-worker.testing.ts";
import { eventually, turns } from "../../waiting.testing.ts";

const { server } = cursorChannel;
const open: Disposable[] = [];
afterEach(() => {
  for (const item of open.splice(0)) item[Symbol.dispose]();
});

/** A cursor client on a real stream that keeps what it got. */
class CursorPeer {
  readonly messages: ParsedMessage[] = [];
  readonly #red: TestRedWorker;
  readonly #clientId: number;
  readonly #stream: RedStream;
  #acks: boolean;
  #bytes = 0;
  #owed = 0;

  constructor(red: TestRedWorker, clientId = 77, acks = true) {
    this.#red = red;
    this.#clientId = clientId;
    this.#acks = acks;
    const { port1, port2 } = new MessageChannel();
    this.#stream = openRedStream(port2);
    open.push({ [Symbol.dispose]: () => this.#stream.close() });
    const parser = new MessageParser({ channel: server, miniHeader: true });
    this.#stream.onData = (bytes) => {
      this.#bytes += bytes.length;
      for (const message of parser.push(bytes)) this.#take(message);
    };
    red.worker.connect({
      clientId,
      channelType: ChannelType.Cursor,
      channelId: 0,
      capabilities: { common: [], channel: [] },
      miniHeader: true,
      lowBandwidth: false,
      port: port1,
    });
  }

  #take(message: ParsedMessage): void {
    const ack = message.as(baseServer.setAck);
    if (ack !== undefined) {
      this.#stream.write(
        encodeMessage(baseClient.ackSync, { generation: ack.generation }, { miniHeader: true }),
      );
    } else this.messages.push(message);
    if (++this.#owed === 20) {
      this.#owed = 0;
      if (this.#acks) this.#stream.write(encodeMessage(baseClient.ack, {}, { miniHeader: true }));
    }
  }

  /** Acknowledges everything, also in future. */
  catchUp(): void {
    this.#acks = true;
    for (let i = 0; i < 10; i++) this.#stream.write(encodeMessage(baseClient.ack, {}, { miniHeader: true }));
  }

  async settle(): Promise<void> {
    await turns(1);
    await eventually(() => {
      const entry = this.#red.worker
        .inspect()
        .clients.find(
          ({ clientId, channelType }) => clientId === this.#clientId && channelType === ChannelType.Cursor,
        );
      if (entry === undefined) throw new Error("the server dropped the client");
      return entry.pipe === 0 && entry.sentBytes === this.#bytes;
    }, "the cursor's client has all that there is for it");
  }

  /** Names of the messages since the last call. */
  async names(): Promise<string[]> {
    await this.settle();
    return this.messages.splice(0).map(({ name }) => name);
  }

  async take(): Promise<ParsedMessage[]> {
    await this.settle();
    return this.messages.splice(0);
  }
}

function start(): TestRedWorker {
  const red = new TestRedWorker();
  open.push(red);
  return red;
}

function set(unique: bigint, type: number = CursorType.Alpha, visible = true): RedCommand {
  return {
    type: "cursorSet",
    position: { x: 3, y: 4 },
    visible,
    shape: {
      unique,
      cursorType: type,
      width: 8,
      height: 4,
      hotX: 1,
      hotY: 2,
      data: { offset: 0, length: cursorDataBytes(type, 8, 4) },
    },
  };
}

const pixels = new Uint8Array(4096).map((_, i) => i * 7);

function flagsOf(message: ParsedMessage): number | undefined {
  return (message.as(server.set) ?? message.as(server.init))?.cursor.flags;
}

describe("CursorChannel", () => {
  it("tells a new client what there is", async () => {
    const red = start();
    const early = new CursorPeer(red);
    const [first] = await early.take();
    expect(first.as(server.init)).toMatchObject({
      visible: 1,
      position: { x: 0, y: 0 },
      cursor: { flags: CursorFlags.None },
    });
    await red.run([set(5n), { type: "cursorMove", position: { x: 30, y: 40 } }], pixels);
    const late = new CursorPeer(red, 78);
    const [init] = await late.take();
    expect(init.as(server.init)).toEqual({
      position: { x: 30, y: 40 },
      trailLength: 0,
      trailFrequency: 0,
      visible: 1,
      cursor: {
        flags: CursorFlags.CacheMe,
        header: { unique: 5n, type: CursorType.Alpha, width: 8, height: 4, hotSpotX: 1, hotSpotY: 2 },
        data: pixels.subarray(0, 128),
      },
    });
  });

  it("sends a shape once and then its id, but never caches id 0", async () => {
    const red = start();
    const peer = new CursorPeer(red);
    await peer.names();
    await red.run([set(5n), set(6n), set(5n), set(0n), set(0n)], pixels);
    const { CacheMe, FromCache } = CursorFlags;
    expect((await peer.take()).map(flagsOf)).toEqual([CacheMe, CacheMe, FromCache, 0, 0]);
  });

  it("makes room in the client's cache, oldest use first", async () => {
    const red = start();
    const peer = new CursorPeer(red);
    await peer.names();
    for (let id = 1; id <= CURSOR_CACHE_SIZE; id++) await red.run([set(BigInt(id))], pixels);
    await red.run([set(1n)], pixels);
    await peer.take();
    await red.run([set(9999n), set(1n), set(2n)], pixels);
    const messages = await peer.take();
    expect(messages.map(({ name }) => name)).toEqual(["invalOne", "set", "set", "invalOne", "set"]);
    expect(messages[0].as(server.invalOne)).toEqual({ id: 2n });
    expect(flagsOf(messages[2])).toBe(CursorFlags.FromCache);
    expect(messages[3].as(server.invalOne)).toEqual({ id: 3n });
  });

  it("forwards moves in server mouse mode, and in client mode only when the pointer appears", async () => {
    const red = start();
    const peer = new CursorPeer(red);
    await peer.names();
    const move: RedCommand = { type: "cursorMove", position: { x: 9, y: 9 } };
    await red.run([move, { type: "cursorHide" }]);
    expect(await peer.names()).toEqual(["move", "hide"]);
    red.worker.cursor.mouseMode = 2;
    await red.run([move, move]);
    expect(await peer.names()).toEqual(["move"]);
  });

  it("resets: the client forgets its cache, a later client gets no shape", async () => {
    const red = start();
    const peer = new CursorPeer(red);
    await red.run([set(5n)], pixels);
    await peer.names();
    await red.run([{ type: "cursorReset" }, set(5n)], pixels);
    const messages = await peer.take();
    expect(messages.map(({ name }) => name)).toEqual(["invalAll", "reset", "init"]);
    expect(flagsOf(messages[2])).toBe(CursorFlags.CacheMe);
  });

  it.each(Object.entries(CursorType))("passes shapes of type %s on unchanged", async (_name, type) => {
    const red = start();
    const peer = new CursorPeer(red);
    await peer.names();
    await red.run([set(0n, type)], pixels);
    const [message] = await peer.take();
    expect(message.as(server.set)?.cursor.data).toEqual(pixels.subarray(0, cursorDataBytes(type, 8, 4)));
  });

  it("gives spice-html5 ALPHA shapes without cache, also at the start", async () => {
    const red = start();
    await red.run([set(5n, CursorType.Mono)], pixels);
    const display = red.join({ caps: spiceHtml5Caps });
    const peer = new CursorPeer(red, display.clientId);
    const messages = await peer.take();
    expect(messages.map(({ name }) => name)).toEqual(["init", "set"]);
    const cursor = messages[1].as(server.set)?.cursor;
    expect(cursor?.flags).toBe(0);
    expect(cursor?.header?.type).toBe(CursorType.Alpha);
    expect(cursor?.data).toHaveLength(8 * 4 * 4);
  });

  it("refuses impossible shapes and keeps the last one", async () => {
    const red = start();
    const peer = new CursorPeer(red);
    await peer.names();
    const good = set(5n);
    if (good.type !== "cursorSet") throw new Error("unreachable");
    const { shape } = good;
    const bad: RedCommand[] = [
      { ...good, shape: { ...shape, cursorType: 9 } },
      { ...good, shape: { ...shape, width: 0 } },
      { ...good, shape: { ...shape, width: 65_535, height: 65_535 } },
      { ...good, shape: { ...shape, data: { offset: 0, length: 12 } } },
      { ...good, shape: { ...shape, data: { offset: 4090, length: 128 } } },
    ];
    await red.run([good, ...bad], pixels);
    expect(red.worker.droppedCommands).toBe(bad.length);
    expect(await peer.names()).toEqual(["set"]);
  });

  it("gives a client that fell behind the present state instead of the whole story", async () => {
    const red = start();
    const peer = new CursorPeer(red, 77, false);
    await red.run([set(5n)], pixels);
    const moves = Array.from({ length: 500 }, (_, x): RedCommand => ({
      type: "cursorMove",
      position: { x, y: 1 },
    }));
    await red.run([...moves, set(6n), { type: "cursorHide" }], pixels);
    peer.catchUp();
    const messages = await peer.take();
    expect(messages.length).toBeLessThan(40 + CURSOR_PIPE_SIZE + 5);
    expect(messages.at(-1)?.name).toBe("hide");
    const shapes = messages.flatMap((message) => message.as(server.set) ?? []);
    expect(shapes.at(-1)?.cursor.header?.unique).toBe(6n);
  });
});
