import { once } from "node:events";
import { createHash, randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { RELAY_CONTROL_PROTOCOL, RelayClose } from "../relay-control/index.ts";
import { ListenError } from "./relay.ts";
import { HELLO_DEADLINE_MS, JOIN_DEADLINE_MS, PING_INTERVAL_MS, SILENCE_LIMIT_MS } from "./limits.ts";
import { closing, LINK, readBytes, refusedStatus, stopClock, TestRelay } from "./relay.testing.ts";
import { eventually, turns } from "../waiting.testing.ts";

test("the bytes a client sends before its stream is joined arrive first and whole", async () => {
  await using relay = await TestRelay.start();
  const host = await relay.host();
  const client = relay.client();
  client.write(LINK.subarray(0, 7));
  client.write(Buffer.concat([LINK.subarray(7), Buffer.from("first")]));
  const open = await host.next("open");
  client.write(", second");
  expect(open.peer).toMatchObject({ transport: "tcp", secure: false });
  const stream = host.dial(open.id, open.token);
  const words = (await readBytes(stream, LINK.length + 13)).subarray(LINK.length);
  expect(words.toString()).toBe("first, second");
  stream.send(Buffer.from("answer"));
  expect((await readBytes(client, 6)).toString()).toBe("answer");
});

test("a WebSocket client with subprotocol binary is joined like a TCP one", async () => {
  await using relay = await TestRelay.start();
  const host = await relay.host();
  const client = relay.linkingWebSocket("/spice/display");
  const open = await host.next("open");
  expect(open.peer.transport).toBe("websocket");
  const stream = host.dial(open.id, open.token);
  expect(await readBytes(stream, LINK.length)).toEqual(LINK);
  expect(client.protocol).toBe("binary");
  stream.close(1000, "bye");
  expect(await closing(client)).toEqual({ code: 1000, reason: "bye" });
});

test("megabytes through slow readers arrive unchanged, in both directions", async () => {
  const limits = { highWaterBytes: 64 * 1024, lowWaterBytes: 16 * 1024 };
  await using relay = await TestRelay.start({ limits });
  const { client, stream } = await relay.joined(await relay.host());
  const payload = randomBytes(12 * 1024 * 1024);
  const digest = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");
  stream.pause();
  client.write(payload);
  const there = readBytes(stream, payload.length);
  stream.resume();
  expect(digest(await there)).toBe(digest(payload));
  client.pause();
  for (let at = 0; at < payload.length; at += 65536) stream.send(payload.subarray(at, at + 65536));
  const back = readBytes(client, payload.length);
  client.resume();
  expect(digest(await back)).toBe(digest(payload));
});

test("what a client sends before its stream is joined arrives behind its link, however much it is", async () => {
  await using relay = await TestRelay.start();
  const host = await relay.host();
  const client = relay.linking();
  const payload = randomBytes(4 * 1024 * 1024);
  client.write(payload);
  const { id, token } = await host.next("open");
  const stream = host.dial(id, token);
  const bytes = await readBytes(stream, LINK.length + payload.length);
  expect(bytes.subarray(LINK.length).equals(payload)).toBe(true);
});

test("without a host a TCP client gets a SPICE link error, and the log says why", async () => {
  await using relay = await TestRelay.start();
  const client = relay.client();
  client.write(LINK);
  const reply = await readBytes(client, 194);
  expect(reply.subarray(0, 4).toString("latin1")).toBe("REDQ");
  expect(reply.readUInt32LE(12)).toBe(178);
  expect(reply.readUInt32LE(16)).toBe(1);
  expect(relay.log.join("\n")).toContain("no tab is hosting");
  await once(client, "end");
});

test("without a host a WebSocket client is told to try again later", async () => {
  await using relay = await TestRelay.start();
  const end = await closing(relay.webSocket("/spice", { protocols: ["binary"] }));
  expect(end.code).toBe(RelayClose.tryAgainLater);
  expect(end.reason).toContain("no tab is hosting");
});

test("what the host refuses is refused with its reason", async () => {
  await using relay = await TestRelay.start();
  const host = await relay.host();
  const client = relay.linkingWebSocket();
  const open = await host.next("open");
  host.socket.send(JSON.stringify({ type: "refused", id: open.id, reason: "full" }));
  expect(await closing(client)).toEqual({ code: RelayClose.tryAgainLater, reason: "full" });
});

test("a host that does not answer loses the client after the deadline", async () => {
  await using relay = await TestRelay.start();
  const host = await relay.host();
  using clock = stopClock();
  const client = relay.linkingWebSocket();
  const open = await host.next("open");
  clock.pass(JOIN_DEADLINE_MS - 1);
  await turns();
  expect(client.readyState).toBe(client.OPEN);
  clock.pass(1);
  expect((await host.next("cancel")).id).toBe(open.id);
  expect((await closing(client)).reason).toContain("did not answer");
  // It is opened, since Chromium holds back what comes behind a WebSocket that failed.
  expect((await closing(host.dial(open.id, open.token))).reason).toBe("the client has left");
  expect(await refusedStatus(host.dial(open.id, open.token))).toBe(404);
});

test("a client that leaves before it is joined is cancelled", async () => {
  await using relay = await TestRelay.start();
  const host = await relay.host();
  const client = relay.linking();
  const open = await host.next("open");
  client.destroy();
  expect((await host.next("cancel")).id).toBe(open.id);
  await eventually(() => relay.relay.health.connections === 0);
});

test("a stream needs the token, and each token works once", async () => {
  await using relay = await TestRelay.start();
  const host = await relay.host();
  relay.linking();
  const open = await host.next("open");
  expect(await refusedStatus(host.dial(open.id, "0".repeat(32)))).toBe(404);
  expect(await refusedStatus(host.dial(open.id + 1, open.token))).toBe(404);
  expect(await refusedStatus(host.dial(open.id, open.token))).toBeUndefined();
  expect(await refusedStatus(host.dial(open.id, open.token))).toBe(404);
});

test("a newer control connection of the same host keeps its clients", async () => {
  await using relay = await TestRelay.start();
  const first = await relay.host("one");
  const { client, stream } = await relay.joined(first);
  const firstEnd = closing(first.socket);
  await relay.host("one");
  expect((await firstEnd).code).toBe(RelayClose.replaced);
  client.write("on");
  expect((await readBytes(stream, 2)).toString()).toBe("on");
});

test("when the tab goes, its clients' connections end and new ones are refused", async () => {
  await using relay = await TestRelay.start();
  const host = await relay.host();
  const { client, stream } = await relay.joined(host);
  client.resume();
  host.socket.terminate();
  stream.terminate();
  await once(client, "end");
  await eventually(() => relay.relay.health.hosting === false);
});

test("a client that half-closes still gets what is under way, then the end", async () => {
  await using relay = await TestRelay.start();
  const host = await relay.host();
  const { client, stream } = await relay.joined(host);
  const answer = readBytes(client, 4 * 1024 * 1024);
  for (let i = 0; i < 64; i++) stream.send(Buffer.alloc(65536, i));
  client.end("last words");
  expect((await readBytes(stream, 10)).toString()).toBe("last words");
  expect((await answer)[4 * 1024 * 1024 - 1]).toBe(63);
  await once(client, "close");
});

test("pages of other origins may neither host nor be clients unless they are allowed", async () => {
  await using relay = await TestRelay.start({ allowedOrigins: ["https://friend.example"] });
  const own = `http://127.0.0.1:${relay.httpPort}`;
  const status = (path: string, origin?: string, host?: string) =>
    refusedStatus(relay.webSocket(path, { origin, host }));
  expect(await status("/host", "http://evil.example")).toBe(403);
  expect(await status("/host", "http://127.0.0.1:1")).toBe(403);
  expect(await status("/host", "null")).toBe(403);
  expect(await status("/host", own)).toBeUndefined();
  expect(await status("/streams/1?token=0", "http://evil.example")).toBe(403);
  // A name made to resolve here would make the attacker's page our origin.
  expect(await status("/host", "http://evil.example", "evil.example")).toBe(403);
  expect(await status("/spice", "http://evil.example")).toBe(403);
  expect(await status("/spice", "http://localhost:3000")).toBe(403);
  expect(await status("/spice", "http://127.0.0.1:1")).toBe(403);
  expect(await status("/spice", "null")).toBe(403);
  expect(await status("/spice", "https://friend.example")).toBeUndefined();
  expect(await status("/spice", own)).toBeUndefined();
  expect(await status("/spice")).toBeUndefined();
});

test("a host that breaks the control contract is told what was wrong", async () => {
  await using relay = await TestRelay.start();
  const say = async (...messages: (string | Buffer)[]) => {
    const socket = relay.webSocket("/host");
    await once(socket, "open");
    for (const message of messages) socket.send(message);
    return closing(socket);
  };
  const { secret } = relay.relay;
  const hello = JSON.stringify({
    type: "hello",
    protocol: RELAY_CONTROL_PROTOCOL,
    name: "",
    version: "1",
    hostId: "x",
    secret,
  });
  expect((await say("{")).reason).toContain("not JSON");
  expect((await say('{"type":"status","clients":1}')).reason).toContain("hello comes first");
  expect((await say(hello, hello)).reason).toContain("hello comes once");
  expect((await say(hello, '{"type":"refused","id":"1"}')).reason).toContain("at id");
  expect((await say(hello, '{"type":"eat"}')).code).toBe(RelayClose.protocolError);
  expect((await say(Buffer.from(hello))).reason).toContain("text");
  expect((await say("x".repeat(20_000))).code).toBe(1009);
});

test("a control connection without hello is closed", async () => {
  await using relay = await TestRelay.start();
  using clock = stopClock();
  const socket = relay.webSocket("/host");
  const closed = closing(socket);
  await once(socket, "open");
  clock.pass(HELLO_DEADLINE_MS - 1);
  await turns();
  expect(socket.readyState).toBe(socket.OPEN);
  clock.pass(1);
  expect((await closed).code).toBe(RelayClose.silent);
});

test("a host that never answers pings is cut", async () => {
  await using relay = await TestRelay.start();
  using clock = stopClock();
  const host = await relay.host();
  const closed = closing(host.socket);
  clock.pass(SILENCE_LIMIT_MS);
  for (let asked = 0; asked < SILENCE_LIMIT_MS / PING_INTERVAL_MS; asked++) await host.next("ping");
  expect(relay.relay.health.hosting).toBe(true);
  clock.pass(PING_INTERVAL_MS);
  expect((await closed).code).toBe(1006);
  await eventually(() => relay.relay.health.hosting === false);
});

test("a host that answers pings stays, and is answered", async () => {
  await using relay = await TestRelay.start();
  using clock = stopClock();
  const host = await relay.host();
  host.socket.send('{"type":"ping"}');
  await host.next("pong");
  for (let asked = 0; asked < 10; asked++) {
    clock.pass(PING_INTERVAL_MS);
    await host.next("ping");
    host.say({ type: "pong" });
    // Answered in order: once this has come back, the pong was heard.
    host.socket.send('{"type":"ping"}');
    await host.next("pong");
  }
  expect(relay.relay.health.hosting).toBe(true);
});

test("a busy port is an error that names the port and the option", async () => {
  await using relay = await TestRelay.start();
  const second = TestRelay.start({ spicePort: relay.spicePort });
  await expect(second).rejects.toThrow(ListenError);
  await expect(second).rejects.toThrow(`port ${relay.spicePort} on 127.0.0.1 is in use`);
  await expect(second).rejects.toThrow("--spice-port");
});
