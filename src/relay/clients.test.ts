import { once } from "node:events";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { expect, test, vi } from "vitest";
import { RelayClose } from "../relay-control/index.ts";
import { DEFAULT_RELAY_LIMITS, LINK_DEADLINE_MS, REFUSAL_DEADLINE_MS } from "./limits.ts";
import { closing, LINK, readBytes, stopClock, TestRelay, TICKET, WillingHost } from "./relay.testing.ts";
import { SparseLog } from "./sparse-log.ts";
import { eventually, turns } from "../waiting.testing.ts";

const WHOLE = Buffer.concat([LINK, TICKET]);

/** An honest client: it says all at once, as stock clients do, and hears that it is in. */
async function honestTcp(relay: TestRelay): Promise<Socket> {
  const client = relay.client();
  client.write(WHOLE);
  expect((await readBytes(client, 2)).toString()).toBe("in");
  return client;
}

async function honestWebSocket(relay: TestRelay) {
  const client = relay.webSocket("/spice", { protocols: ["binary"] });
  client.on("open", () => client.send(WHOLE));
  expect((await readBytes(client, 2)).toString()).toBe("in");
  return client;
}

/** Connections that come back after they were cut. */
class Flood implements Disposable {
  readonly #open = new Set<{ destroy(): void }>();
  #cut: (() => void)[] = [];
  #over = false;
  cuts = 0;

  keep(make: () => { destroy(): void; once(event: "close", listener: () => void): unknown }): void {
    const one = make();
    this.#open.add(one);
    one.once("close", () => {
      this.#open.delete(one);
      this.cuts++;
      if (!this.#over) this.#cut.push(() => this.keep(make));
    });
  }

  comeBack(most: number): void {
    for (const again of this.#cut.splice(0, most)) again();
  }

  [Symbol.dispose](): void {
    this.#over = true;
    for (const one of this.#open) one.destroy();
  }
}

function rawSocket(port: number, words: Buffer | string = ""): Socket {
  const socket = connect({ port, host: "127.0.0.1" }).on("error", () => {});
  socket.resume();
  if (words.length > 0) socket.write(words);
  return socket;
}

test("an honest client always gets in, by TCP and WebSocket, beside 2000 silent, slow and half-open connections", async () => {
  await using relay = await TestRelay.start();
  const { host } = new WillingHost(relay, await relay.host());
  const kept = await honestTcp(relay);
  using flood = new Flood();
  const slow = new Set<{ socket: Socket; said: number }>();
  const makers = [
    () => rawSocket(relay.spicePort),
    () => {
      const one = { socket: rawSocket(relay.spicePort, LINK.subarray(0, 1)), said: 1 };
      slow.add(one);
      one.socket.once("close", () => slow.delete(one));
      return one.socket;
    },
    // Only its ticket is still to be said.
    () => rawSocket(relay.spicePort, LINK),
    // It closes its half and keeps ours.
    () => {
      const socket = connect({ port: relay.spicePort, host: "127.0.0.1", allowHalfOpen: true });
      return socket.on("error", () => {}).end(LINK.subarray(0, 20));
    },
    () => {
      const socket = relay.webSocket("/spice");
      return Object.assign(socket, { destroy: () => socket.terminate() });
    },
    () => {
      const socket = relay.webSocket("/spice");
      socket.on("open", () => socket.send(LINK.subarray(0, 9)));
      return Object.assign(socket, { destroy: () => socket.terminate() });
    },
  ];
  for (let round = 0; round < 20; round++) {
    for (let i = 0; i < 100; i++) flood.keep(makers[i % makers.length]);
    flood.comeBack(100);
    for (const one of slow) one.socket.write(LINK.subarray(one.said, ++one.said));
    await honestTcp(relay).then((client) => client.destroy());
    await honestWebSocket(relay).then((client) => client.terminate());
  }
  expect(relay.relay.health.connections).toBeLessThanOrEqual(
    DEFAULT_RELAY_LIMITS.clientConnections + DEFAULT_RELAY_LIMITS.waitingConnections,
  );
  expect(flood.cuts).toBeGreaterThan(500);
  // Whoever is in stays in.
  expect(kept.readyState).toBe("open");
  expect(host.socket.readyState).toBe(host.socket.OPEN);
  // The flood did not become one of lines.
  expect(relay.log.length).toBeLessThan(flood.cuts / 4);
}, 180_000);

test("the host hears of a client once its whole link message is there, and of nobody else", async () => {
  await using relay = await TestRelay.start();
  const host = await relay.host();
  const opened: string[] = [];
  host.socket.on("message", (data) => opened.push(String(data)));
  const client = relay.client();
  for (const byte of LINK.subarray(0, -1)) client.write(Buffer.of(byte));
  const webSocket = relay.webSocket("/spice");
  await once(webSocket, "open");
  webSocket.send(LINK.subarray(0, 10));
  webSocket.send(LINK.subarray(10, -1));
  // The relay has read them all when it has answered what came behind them.
  host.say({ type: "ping" });
  await host.next("pong");
  expect(opened.filter((text) => text.includes('"open"'))).toEqual([]);
  client.write(LINK.subarray(-1));
  expect((await host.next("open")).peer.transport).toBe("tcp");
  webSocket.send(LINK.subarray(-1));
  expect((await host.next("open")).peer.transport).toBe("websocket");
});

test("what is no SPICE is told so at its first byte, and the host never hears of it", async () => {
  await using relay = await TestRelay.start();
  const host = await relay.host();
  for (const words of ["GET / HTTP/1.1\r\n\r\n", "\x16\x03\x01", "R\0", "REDq"]) {
    const client = relay.client();
    client.write(words);
    const reply = await readBytes(client, 194);
    expect(reply.subarray(0, 4).toString()).toBe("REDQ");
    // SPICE_LINK_ERR_INVALID_MAGIC
    expect(reply.readUInt32LE(16)).toBe(2);
    await once(client, "end");
  }
  const webSocket = relay.webSocket("/spice");
  webSocket.on("open", () => webSocket.send(Buffer.from("hello")));
  const reply = readBytes(webSocket, 194);
  expect((await closing(webSocket)).reason).toContain("does not speak SPICE");
  expect((await reply).readUInt32LE(16)).toBe(2);
  relay.linking();
  expect((await host.next("open")).id).toBe(6);
});

test("a header that cannot be is the host's to answer, with the protocol's own error", async () => {
  await using relay = await TestRelay.start();
  const host = await relay.host();
  for (const size of [0, 3, 17, 4097, 0xffff_ffff]) {
    const header = Buffer.from(LINK.subarray(0, 16));
    header.writeUInt32LE(size, 12);
    relay.client().write(header);
    const { id, token } = await host.next("open");
    expect(await readBytes(host.dial(id, token), 16)).toEqual(header);
  }
});

test("a link that is not said in time ends, however slowly it is said", async () => {
  await using relay = await TestRelay.start();
  await relay.host();
  using clock = stopClock();
  const [silent, slow] = [relay.client(), relay.client()];
  const webSocket = relay.webSocket("/spice");
  const ends: string[] = [];
  silent.resume().once("end", () => ends.push("silent"));
  slow.resume().once("end", () => ends.push("slow"));
  const closed = closing(webSocket);
  slow.write(LINK.subarray(0, 3));
  await eventually(() => relay.relay.health.connections === 3);
  clock.pass(LINK_DEADLINE_MS - 1);
  slow.write(LINK.subarray(3, 6));
  await turns();
  expect(ends).toEqual([]);
  expect(webSocket.readyState).toBe(webSocket.OPEN);
  clock.pass(1);
  const end = await closed;
  expect(end).toMatchObject({ code: RelayClose.tryAgainLater });
  expect(end.reason).toContain("did not say its link in time");
  // Those by TCP may still say it, to hear why not.
  clock.pass(REFUSAL_DEADLINE_MS);
  await eventually(() => ends.length === 2);
});

test("when places are short the one that has said least for longest goes", async () => {
  await using relay = await TestRelay.start({ limits: { clientConnections: 3 } });
  const { host, heard, linked } = new WillingHost(relay, await relay.host());
  const gone: string[] = [];
  const come = (name: string, words: Buffer) => {
    const client = rawSocket(relay.spicePort, words);
    client.once("close", () => gone.push(name));
    return client;
  };
  const channel = come("channel", WHOLE);
  await eventually(() => linked.size === 1);
  come("silent", Buffer.alloc(0));
  await eventually(() => relay.relay.health.connections === 2);
  come("link", LINK);
  await eventually(() => heard.size === 2);
  come("second", LINK);
  await eventually(() => gone.length === ["silent"].length);
  expect(gone).toEqual(["silent"]);
  await eventually(() => heard.size === 3);
  come("third", LINK);
  await eventually(() => gone.length === ["silent", "link"].length);
  expect(gone).toEqual(["silent", "link"]);
  await eventually(() => heard.size === 4);
  const full = [come("fourth", WHOLE)];
  await eventually(() => linked.size === 2);
  full.push(come("fifth", WHOLE));
  await eventually(() => linked.size === 3);
  // Then the relay has heard of them too.
  host.say({ type: "ping" });
  await host.next("pong");
  expect(gone).toEqual(["silent", "link", "second", "third"]);
  // All are channels: there is no place for one more.
  come("sixth", WHOLE);
  await eventually(() => gone.length === 5);
  expect(gone[4]).toBe("sixth");
  expect([channel, ...full].map(({ readyState }) => readyState)).toEqual(["open", "open", "open"]);
});

test("beside a crowd of half links that renews itself at 50 a second every honest client gets in, within a second each", async () => {
  await using relay = await TestRelay.start();
  const { heard } = new WillingHost(relay, await relay.host());
  const crowd: Socket[] = [];
  using clock = stopClock();
  // A crowd that is far more than the places, one in each 20 ms of a clock that stands still meanwhile.
  for (let i = 1; i <= 400; i++) {
    crowd.push(rawSocket(relay.spicePort, LINK));
    await eventually(() => heard.size >= i);
    clock.pass(20);
    if (i % 20 !== 0) continue;
    await honestTcp(relay).then((client) => client.destroy());
    heard.delete([...heard].at(-1)!);
  }
  expect(relay.relay.health.pending).toBe(0);
  await eventually(() => relay.relay.health.connections <= DEFAULT_RELAY_LIMITS.linkingClients);
  for (const one of crowd) one.destroy();
}, 120_000);

test("who waits is not cut for those who come, and who has a place keeps it for as long as a ticket takes", async () => {
  await using relay = await TestRelay.start({ limits: { linkingClients: 2 } });
  const { heard, linked } = new WillingHost(relay, await relay.host());
  using clock = stopClock();
  const gone: string[] = [];
  const come = (name: string, words: Buffer) => {
    const client = rawSocket(relay.spicePort, words);
    client.once("close", () => gone.push(name));
    return client;
  };
  come("one", LINK);
  await eventually(() => heard.size === 1);
  clock.pass(1);
  come("two", LINK);
  await eventually(() => heard.size === 2);
  const honest = come("honest", WHOLE);
  await eventually(() => relay.relay.health.pending === 1);
  clock.pass(DEFAULT_RELAY_LIMITS.linkGraceMs - 2);
  await turns();
  expect([gone, linked.size]).toEqual([[], 0]);
  clock.pass(1);
  await eventually(() => linked.size === 1);
  await eventually(() => gone.length === 1);
  expect(gone).toEqual(["one"]);
  expect(honest.readyState).toBe("open");
});

test("the host is asked for so many at once; of the others the oldest and the newest come in turn", async () => {
  await using relay = await TestRelay.start({ limits: { pendingClients: 2 } });
  const host = await relay.host();
  for (let i = 1; i <= 7; i++) {
    relay.linking();
    await eventually(() => relay.relay.health.pending === i);
  }
  const asked = [await host.next("open"), await host.next("open")];
  expect(asked.map(({ id }) => id)).toEqual([1, 2]);
  host.say({ type: "refused", id: 1 });
  expect((await host.next("open")).id).toBe(3);
  host.dial(2, asked[1].token);
  expect((await host.next("open")).id).toBe(7);
  host.say({ type: "refused", id: 3 });
  expect((await host.next("open")).id).toBe(4);
  host.say({ type: "refused", id: 4 });
  expect((await host.next("open")).id).toBe(6);
});

test("a flood of links is told to the host at a pace, however quickly it answers", async () => {
  const day = 86_400_000;
  await using relay = await TestRelay.start({ limits: { linksAtOnce: 3, linkRestMs: day } });
  const host = await relay.host();
  for (let i = 1; i <= 3; i++) {
    relay.linking();
    host.say({ type: "refused", id: (await host.next("open")).id });
  }
  const others = Array.from({ length: 20 }, () => relay.linking());
  await eventually(() => relay.relay.health.pending === 20);
  const heard: string[] = [];
  host.socket.on("message", (data) => heard.push(String(data)));
  host.say({ type: "ping" });
  await expect.poll(() => heard.length).toBeGreaterThan(0);
  expect(heard.filter((text) => text.includes('"open"'))).toEqual([]);
  for (const one of others) one.destroy();
});

test("links that waited for their pace come when they are due, all of them", async () => {
  await using relay = await TestRelay.start({ limits: { linksAtOnce: 1, linkRestMs: 5 } });
  const { host } = new WillingHost(relay, await relay.host());
  await Promise.all(Array.from({ length: 20 }, () => honestTcp(relay)));
  expect(host.socket.readyState).toBe(host.socket.OPEN);
});

test("a WebSocket message that grows and grows before the link is cut before it is whole", async () => {
  await using relay = await TestRelay.start({ limits: { earlyWebSocketBytes: 1_000 } });
  await relay.host();
  const client = relay.webSocket("/spice");
  await once(client, "open");
  const ended = closing(client);
  for (let i = 0; i < 40; i++) client.send(LINK.subarray(0, i === 0 ? 20 : 50), { fin: false });
  expect((await ended).code).toBe(1006);
});

test("the terminal hears who joined and left, and who was not let in and why", async () => {
  await using relay = await TestRelay.start();
  const host = await relay.host();
  const { client, id } = await relay.joined(host);
  expect(relay.log.join("\n")).not.toContain("joined");
  host.say({ type: "linked", id, channel: "main" });
  await expect.poll(() => relay.log.at(-1)).toMatch(/^tcp client 127\.0\.0\.1:\d+ joined$/);
  client.destroy();
  await expect.poll(() => relay.log.at(-1)).toMatch(/^tcp client 127\.0\.0\.1:\d+ left$/);
  host.say({ type: "linkFailed", address: "192.0.2.1:5", reason: "PASSWORD_WRONG", failures: 1, delayMs: 0 });
  await eventually(() => relay.log.at(-1) === "client 192.0.2.1:5 not let in: wrong password");
  host.say({
    type: "linkFailed",
    address: "192.0.2.1:6",
    reason: "PASSWORD_WRONG",
    failures: 3,
    delayMs: 1500,
  });
  await expect
    .poll(() => relay.log.at(-1))
    .toBe("client 192.0.2.1:6 not let in: wrong password (3 in a row, answered after 1.5 s)");
});

test("lines of a kind are said up to a burst, then counted; kinds are limited too", () => {
  vi.useFakeTimers();
  try {
    const lines: string[] = [];
    using log = new SparseLog((line) => lines.push(line), 1_000);
    for (let i = 0; i < 100; i++) log.say("knocks", `knock ${i}`);
    log.say("other", "another");
    expect(lines).toHaveLength(11);
    vi.advanceTimersByTime(1_000);
    expect(lines.at(-1)).toBe("… and 90 more: knocks");
    log.say("knocks", "again");
    expect(lines.at(-1)).toBe("again");
    for (let i = 0; i < 1_000; i++) log.say(`kind ${i}`, "line");
    expect(lines.length).toBeLessThan(100);
  } finally {
    vi.useRealTimers();
  }
});
