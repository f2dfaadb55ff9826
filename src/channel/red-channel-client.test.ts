import { afterEach, describe, expect, it, vi } from "vitest";
import type { ParsedMessage } from "../protocol/index.ts";
import {
  MessageParser,
  baseClient,
  baseServer,
  cursorChannel,
  encodeMessage,
  inputsChannel,
} from "../protocol/index.ts";
import type { RedStream } from "../transport/index.ts";
import { Turns, openRedStream } from "../transport/index.ts";
import type { RedChannelClientOptions } from "./red-channel-client.ts";
import { CORK_BYTES, TURN_BYTES, TURN_MESSAGES } from "./limits.ts";
import { RedChannelClient } from "./red-channel-client.ts";
import { eventually, turns } from "../waiting.testing.ts";

class TestClient extends RedChannelClient {
  readonly handled: string[] = [];
  override open(): void {
    super.open();
    this.pushSetAck();
  }
  /** Reads no further behind a message of this name. */
  holdAt: string | undefined;
  protected override handleMessage(message: ParsedMessage): void {
    this.handled.push(message.name);
    if (message.name === this.holdAt) this.holdReading();
  }
  goOn(): void {
    this.resumeReading();
  }
}

/** The client's side: a real stream and a real parser. */
class Peer {
  readonly stream: RedStream;
  readonly received: ParsedMessage[] = [];
  readonly miniHeader: boolean;
  closed: string | undefined;

  constructor(port: MessagePort, miniHeader: boolean, reads = true) {
    this.miniHeader = miniHeader;
    this.stream = openRedStream(port);
    const parser = new MessageParser({ channel: cursorChannel.server, miniHeader });
    this.stream.onClose = (reason) => (this.closed = reason);
    if (reads) this.stream.onData = (bytes) => this.received.push(...parser.push(bytes));
  }

  names(): string[] {
    return this.received.map(({ name }) => name);
  }

  ackSync(generation: number): void {
    this.stream.write(
      encodeMessage(baseClient.ackSync, { generation }, { miniHeader: this.miniHeader, serial: 1n }),
    );
  }

  ack(): void {
    this.stream.write(encodeMessage(baseClient.ack, {}, { miniHeader: this.miniHeader, serial: 1n }));
  }
}

const open: Disposable[] = [];
afterEach(() => {
  for (const item of open.splice(0)) item[Symbol.dispose]();
});

function connect(
  options: Partial<RedChannelClientOptions> = {},
  reads = true,
): { client: TestClient; peer: Peer; gone: string[] } {
  const { port1, port2 } = new MessageChannel();
  const miniHeader = options.miniHeader ?? true;
  const client = new TestClient({
    stream: openRedStream(port1),
    schema: cursorChannel,
    miniHeader,
    capabilities: { common: [], channel: [0b101] },
    handleAcks: true,
    pingIntervalMs: 0,
    ...options,
  });
  const gone: string[] = [];
  client.onDisconnect = (reason) => gone.push(reason);
  client.open();
  const peer = new Peer(port2, miniHeader, reads);
  open.push(client, peer.stream);
  return { client, peer, gone };
}

const hide = (client: TestClient) => ({ bytes: 0, send: () => client.send(cursorChannel.server.hide, {}) });

describe("RedChannelClient", () => {
  it("ends when a message for it cannot be made, and says why", async () => {
    const logged = vi.spyOn(console, "error").mockImplementation(() => {});
    const { client, peer, gone } = connect();
    client.open();
    await eventually(() => peer.names().includes("setAck"));
    peer.ackSync(1);
    client.pipe.add({
      bytes: 0,
      send: () => {
        throw new RangeError("no such picture");
      },
    });
    expect(() => client.push()).not.toThrow();
    expect(gone).toEqual(["a message could not be made: no such picture"]);
    expect(logged).toHaveBeenCalledOnce();
    logged.mockRestore();
  });

  it("sends SET_ACK, stops at two windows, goes on with an ACK", async () => {
    const { client, peer } = connect();
    for (let i = 0; i < 100; i++) client.pipeAdd(hide(client));
    // SET_ACK itself counts, as in spice-server.
    expect(client.pipe.length).toBe(61);
    await eventually(() => peer.received.length === 40);
    expect(peer.received[0].as(baseServer.setAck)).toEqual({ generation: 1, window: 20 });
    peer.ackSync(1);
    peer.ack();
    await eventually(() => peer.received.length === 60);
    for (let i = 0; i < 3; i++) peer.ack();
    await eventually(() => peer.received.length === 101);
    expect(client.pipe.length).toBe(0);
  });

  it("numbers its messages from 1 in full headers", async () => {
    const { client, peer } = connect({ miniHeader: false });
    for (let i = 0; i < 5; i++) client.pipeAdd(hide(client));
    await eventually(() => peer.received.length === 6);
    expect(peer.received.map(({ serial }) => serial)).toEqual([1n, 2n, 3n, 4n, 5n, 6n]);
    expect(client.serial).toBe(6n);
  });

  it("measures latency by PING: the smallest round trip counts, PONGs that answer nothing do not", async () => {
    let now = 1000;
    const clock = vi.spyOn(performance, "now").mockImplementation(() => now);
    try {
      const { client, peer, gone } = connect();
      const pong = (id: number) =>
        peer.stream.write(encodeMessage(baseClient.pong, { id, timestamp: 0n }, { miniHeader: true }));
      const measure = async (milliseconds: number) => {
        const id = client.ping()!;
        await eventually(() => peer.received.some((message) => message.as(baseServer.ping)?.id === id));
        pong(id + 1000);
        await eventually(() => client.receivedBytes % 36 === 18);
        expect(client.pingsInFlight).toBe(1);
        now += milliseconds;
        pong(id);
        await eventually(() => client.pingsInFlight === 0);
        return client.latencyMs;
      };
      expect(client.latencyMs).toBeUndefined();
      expect(await measure(40)).toBe(40);
      expect(await measure(25)).toBe(25);
      expect(await measure(90)).toBe(25);
      expect(gone).toEqual([]);
    } finally {
      clock.mockRestore();
    }
  });

  it.each([
    ["an unknown message", Uint8Array.of(0xff, 0x7f, 0, 0, 0, 0), /message type 32767/],
    ["an oversized message", Uint8Array.of(3, 0, 0xff, 0xff, 0xff, 0xff), /pong announces 4294967295 bytes/],
    ["a truncated body", Uint8Array.of(1, 0, 2, 0, 0, 0, 1, 2), /ackSync/],
    ["an uncalled migration", Uint8Array.of(4, 0, 0, 0, 0, 0), /no migration/],
  ])("disconnects after %s and says why", async (_name, bytes, words) => {
    const { client, peer, gone } = connect();
    peer.stream.write(bytes);
    await eventually(() => gone.length > 0);
    expect(gone).toEqual([expect.stringMatching(words)]);
    expect(client.connected).toBe(false);
    expect(await eventually(() => peer.closed)).toMatch(words);
  });

  it("releases everything at disconnect, once, and sends nothing after", () => {
    const { client, gone } = connect();
    for (let i = 0; i < 100; i++) client.pipeAdd(hide(client));
    const sent = client.sentMessages;
    client.disconnect("enough");
    client.disconnect("again");
    client.pipeAdd(hide(client));
    expect(gone).toEqual(["enough"]);
    expect(client.pipe.length).toBe(0);
    expect(client.sentMessages).toBe(sent);
  });

  it("drops a client that takes nothing, but neither an idle one nor one whose words wait with us", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      const manual = manualTurns();
      const stallTimeoutMs = 30_000;
      const idle = connect({ stallTimeoutMs });
      const stuck = connect({ stallTimeoutMs }, false);
      const heard = connect({ stallTimeoutMs, turns: manual.turns }, false);
      heard.peer.stream.write(acks(TURN_MESSAGES + 1));
      await eventually(() => heard.client.waitingBytes > 0);
      for (const { client } of [stuck, heard]) for (let i = 0; i < 100; i++) client.pipeAdd(hide(client));
      vi.advanceTimersByTime(stallTimeoutMs - 1);
      expect(stuck.gone).toEqual([]);
      vi.advanceTimersByTime(1);
      expect(stuck.gone).toEqual([expect.stringMatching(/took nothing/)]);
      vi.advanceTimersByTime(10 * stallTimeoutMs);
      expect(heard.gone).toEqual([]);
      expect(idle.gone).toEqual([]);
      // Its words have been read, and it has taken nothing since.
      manual.runAll();
      vi.advanceTimersByTime(2 * stallTimeoutMs);
      expect(heard.gone).toEqual([expect.stringMatching(/took nothing/)]);
    } finally {
      vi.useRealTimers();
    }
  });
});

/** Turns that the test gives out. */
function manualTurns() {
  const tasks: (() => void)[] = [];
  const run = () => tasks.shift()?.();
  return {
    turns: new Turns((task) => tasks.push(task)),
    run,
    runAll: () => {
      while (tasks.length > 0) run();
    },
  };
}

/** So many ACKs that nobody asked for. */
const acks = (count: number) => new Uint8Array(6 * count).map((_, index) => (index % 6 === 0 ? 2 : 0));

/** So many ACK_SYNCs, whose generations nobody gave. */
const syncs = (count: number) =>
  new Uint8Array(10 * count).map((_, index) => [1, 0, 4, 0, 0, 0, 9, 9, 9, 9][index % 10]);

const pongs = (count: number) =>
  new Uint8Array(18 * count).map((_, index) => (index % 18 === 0 ? 3 : index % 18 === 2 ? 12 : 0));

describe("what a client sends is read by turns", () => {
  it.each([
    ["ACKs", acks, 6],
    ["ACK_SYNCs", syncs, 10],
    ["PONGs", pongs, 18],
  ])(
    "%s: no more than a turn's messages are handled before the next client's",
    async (_what, flood, size) => {
      const manual = manualTurns();
      const flooder = connect({ turns: manual.turns });
      const honest = connect({ turns: manual.turns });
      const count = 20_000;
      flooder.peer.stream.write(flood(count));
      await eventually(() => flooder.client.waitingBytes > 0);
      expect(flooder.client.receivedBytes).toBe(TURN_MESSAGES * size);
      expect(flooder.client.waitingBytes).toBe((count - TURN_MESSAGES) * size);
      // The honest one is heard at once, without a turn of the flooder's in between.
      honest.peer.ackSync(1);
      await eventually(() => honest.client.receivedBytes > 0);
      expect(flooder.client.receivedBytes).toBe(TURN_MESSAGES * size);
      // And in the worst case, when both have to wait for their turns, after one of the flooder's.
      honest.peer.stream.write(acks(TURN_MESSAGES));
      await eventually(() => honest.client.receivedBytes === 10 + TURN_MESSAGES * 6 - 6);
      manual.run();
      expect(flooder.client.receivedBytes).toBe(2 * TURN_MESSAGES * size);
      manual.run();
      expect(honest.client.receivedBytes).toBe(10 + TURN_MESSAGES * 6);
      manual.runAll();
      expect(flooder.client.receivedBytes).toBe(count * size);
      expect(flooder.client.waitingBytes).toBe(0);
      expect([flooder.gone, honest.gone]).toEqual([[], []]);
    },
  );

  it("a large message arrives over several turns, as many bytes in each as a turn has", async () => {
    const manual = manualTurns();
    const { client, peer, gone } = connect({ turns: manual.turns, receiveBuffer: 200_000 });
    const body = 100_000;
    peer.stream.write(Uint8Array.from([5, 0, 0xa0, 0x86, 1, 0, ...new Uint8Array(body)]));
    await eventually(() => client.waitingBytes > 0);
    for (let turn = 1; client.waitingBytes > 0; turn++) {
      expect(client.receivedBytes).toBe(turn * TURN_BYTES);
      manual.run();
    }
    expect(client.receivedBytes).toBe(6 + body);
    // MIGRATE_DATA, which the cursor's channel does not look at.
    expect(gone).toEqual([]);
  });

  it("bytes that wait for their turn use up their sender's credit", async () => {
    const manual = manualTurns();
    const { client, peer } = connect({ turns: manual.turns });
    const whole = peer.stream.credit;
    while (peer.stream.credit > 0) peer.stream.write(acks(1000));
    const written = whole - peer.stream.credit;
    await eventually(() => client.receivedBytes + client.waitingBytes === written);
    expect(client.receivedBytes).toBe(TURN_MESSAGES * 6);
    expect(peer.stream.credit).toBeLessThanOrEqual(0);
    let drained = false;
    peer.stream.onDrain = () => (drained = true);
    manual.runAll();
    await eventually(() => drained);
    expect(client.receivedBytes).toBe(written);
  });

  it("the answers of a turn go out together, and in order", async () => {
    const manual = manualTurns();
    const { client, peer } = connect({ turns: manual.turns });
    await eventually(() => peer.received.length > 0);
    for (let i = 0; i < 500; i++) client.pipeAdd(hide(client));
    await eventually(() => peer.received.length === 40);
    let frames = 0;
    const read = peer.stream.onData!;
    peer.stream.onData = (bytes) => {
      frames++;
      expect(bytes.length).toBeLessThanOrEqual(CORK_BYTES);
      read(bytes);
    };
    peer.ackSync(1);
    peer.stream.write(acks(10));
    await eventually(() => peer.received.length === 40 + 200);
    expect(frames).toBeLessThanOrEqual(2);
    expect(client.sentMessages).toBe(240);
  });

  it("holds back everything behind a message at the channel's wish, also the peer's end, and loses nothing", async () => {
    const { client, peer, gone } = connect({ schema: inputsChannel });
    client.holdAt = "keyDown";
    peer.stream.write(Uint8Array.from([101, 0, 4, 0, 0, 0, 0x1e, 0, 0, 0]));
    peer.stream.write(acks(3));
    peer.stream.write(pongs(2));
    peer.stream.close("good-bye");
    const rest = 3 * 6 + 2 * 18;
    await eventually(() => client.waitingBytes === rest);
    await turns(1);
    expect(gone).toEqual([]);
    expect(client.receivedBytes).toBe(10);
    client.goOn();
    await eventually(() => gone.length > 0);
    expect(gone).toEqual(["good-bye"]);
    expect(client.receivedBytes).toBe(10 + rest);
  });
});
