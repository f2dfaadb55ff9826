import { afterEach, describe, expect, it, vi } from "vitest";
import type { ParsedMessage } from "../protocol/index.ts";
import { MessageParser, baseClient, baseServer, cursorChannel, encodeMessage } from "../protocol/index.ts";
import type { RedStream } from "../transport/index.ts";
import { openRedStream } from "../transport/index.ts";
import type { RedChannelClientOptions } from "./red-channel-client.ts";
import { RedChannelClient } from "./red-channel-client.ts";

class TestClient extends RedChannelClient {
  readonly handled: string[] = [];
  override open(): void {
    super.open();
    this.pushSetAck();
  }
  protected override handleMessage(message: ParsedMessage): void {
    this.handled.push(message.name);
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
    pingInterval: 0,
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
    await vi.waitFor(() => expect(peer.names()).toContain("setAck"));
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
    await vi.waitFor(() => expect(peer.received).toHaveLength(40));
    expect(peer.received[0].as(baseServer.setAck)).toEqual({ generation: 1, window: 20 });
    peer.ackSync(1);
    peer.ack();
    await vi.waitFor(() => expect(peer.received).toHaveLength(60));
    for (let i = 0; i < 3; i++) peer.ack();
    await vi.waitFor(() => expect(peer.received).toHaveLength(101));
    expect(client.pipe.length).toBe(0);
  });

  it("numbers its messages from 1 in full headers", async () => {
    const { client, peer } = connect({ miniHeader: false });
    for (let i = 0; i < 5; i++) client.pipeAdd(hide(client));
    await vi.waitFor(() => expect(peer.received).toHaveLength(6));
    expect(peer.received.map(({ serial }) => serial)).toEqual([1n, 2n, 3n, 4n, 5n, 6n]);
    expect(client.serial).toBe(6n);
  });

  it("measures latency by PING", async () => {
    const { client, peer } = connect();
    const id = client.ping();
    await vi.waitFor(() => expect(peer.names()).toContain("ping"));
    const ping = peer.received
      .map((message) => message.as(baseServer.ping))
      .find((value) => value !== undefined);
    expect(ping?.id).toBe(id);
    peer.stream.write(
      encodeMessage(
        baseClient.pong,
        { id: ping?.id ?? 0, timestamp: ping?.timestamp ?? 0n },
        { miniHeader: true },
      ),
    );
    await vi.waitFor(() => expect(client.latency).toBeGreaterThanOrEqual(0));
  });

  it.each([
    ["an unknown message", Uint8Array.of(0xff, 0x7f, 0, 0, 0, 0), /message type 32767/],
    ["an oversized message", Uint8Array.of(3, 0, 0xff, 0xff, 0xff, 0xff), /pong announces 4294967295 bytes/],
    ["a truncated body", Uint8Array.of(1, 0, 2, 0, 0, 0, 1, 2), /ackSync/],
    ["an uncalled migration", Uint8Array.of(4, 0, 0, 0, 0, 0), /no migration/],
  ])("disconnects after %s and says why", async (_name, bytes, words) => {
    const { client, peer, gone } = connect();
    peer.stream.write(bytes);
    await vi.waitFor(() => expect(gone).toEqual([expect.stringMatching(words)]));
    expect(client.connected).toBe(false);
    await vi.waitFor(() => expect(peer.closed).toMatch(words));
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

  it("drops a client that takes nothing, but not an idle one", async () => {
    const idle = connect({ stallTimeout: 30 });
    const stuck = connect({ stallTimeout: 30 }, false);
    for (let i = 0; i < 100; i++) stuck.client.pipeAdd(hide(stuck.client));
    await vi.waitFor(() => expect(stuck.gone).toEqual([expect.stringMatching(/took nothing/)]));
    expect(idle.gone).toEqual([]);
  });
});
