import { once } from "node:events";
import { expect, test } from "vitest";
import { RELAY_CONTROL_PROTOCOL, RelayClose } from "../relay-control/index.ts";
import { closing, readBytes, TestRelay } from "./relay.testing.ts";

/** A host with a client whose stream is joined. */
async function hostWithClient(relay: TestRelay, hostId: string) {
  const host = await relay.host(hostId);
  return { host, ...(await relay.joined(host)) };
}

test("a program without the secret hosts nothing, cuts nobody and is asked for no stream", async () => {
  await using relay = await TestRelay.start();
  const { client, stream } = await hostWithClient(relay, "one");
  for (const secret of ["", "wrong", relay.relay.secret.slice(1), `${relay.relay.secret}x`]) {
    // Knowing the host's own id helps nobody.
    const thief = await relay.hello("one", secret);
    const heard: string[] = [];
    thief.socket.on("message", (data) => heard.push(String(data)));
    expect((await closing(thief.socket)).code).toBe(RelayClose.secretRefused);
    expect(heard).toEqual([]);
  }
  expect(relay.relay.health).toMatchObject({ hosting: true, host: "tab one", waitingHosts: 0 });
  expect(relay.log.filter((line) => line.includes("does not know the secret"))).toHaveLength(4);
  expect(relay.log.join()).not.toContain(relay.relay.secret);
  client.write("on");
  expect((await readBytes(stream, 2)).toString()).toBe("on");
});

test("a tab whose page speaks another version of the control protocol hears so, and hosts nothing", async () => {
  await using relay = await TestRelay.start();
  const host = await relay.hello("one", relay.relay.secret, RELAY_CONTROL_PROTOCOL + 1);
  const { code, reason } = await closing(host.socket);
  expect([code, String(reason)]).toEqual([
    RelayClose.otherProtocol,
    expect.stringMatching(new RegExp(`not ${RELAY_CONTROL_PROTOCOL + 1}$`)),
  ]);
  expect(relay.relay.health.hosting).toBe(false);
});

test("what comes behind a refused hello is not listened to", async () => {
  await using relay = await TestRelay.start();
  const thief = await relay.hello("one", "wrong");
  thief.say({
    type: "hello",
    protocol: RELAY_CONTROL_PROTOCOL,
    name: "",
    version: "1",
    hostId: "one",
    secret: relay.relay.secret,
  });
  thief.say({ type: "takeOver" });
  expect((await closing(thief.socket)).code).toBe(RelayClose.secretRefused);
  expect(relay.relay.health.hosting).toBe(false);
});

test("a second tab is told that the place is occupied, and the first keeps its clients", async () => {
  await using relay = await TestRelay.start();
  const { client, stream } = await hostWithClient(relay, "one");
  const second = await relay.hello("two");
  expect(await second.next("occupied")).toEqual({ type: "occupied", host: "tab one", lost: false });
  expect(relay.relay.health).toMatchObject({ host: "tab one", waitingHosts: 1 });
  client.write("on");
  expect((await readBytes(stream, 2)).toString()).toBe("on");
});

test("a tab that waits takes the place when its person says so; the other waits on and gets it back when it is free", async () => {
  await using relay = await TestRelay.start();
  const { host: first, client } = await hostWithClient(relay, "one");
  client.resume();
  const second = await relay.hello("two");
  await second.next("occupied");
  const clientEnd = once(client, "end");
  second.say({ type: "takeOver" });
  await second.next("welcome");
  expect(await first.next("occupied")).toEqual({ type: "occupied", host: "tab two", lost: true });
  await clientEnd;
  relay.linking();
  await second.next("open");
  second.socket.close(1000);
  await first.next("welcome");
  expect(relay.relay.health).toMatchObject({ host: "tab one", waitingHosts: 0 });
  expect(first.socket.readyState).toBe(first.socket.OPEN);
});

test("only a tab that waits can take over", async () => {
  await using relay = await TestRelay.start();
  const first = await relay.host("one");
  first.say({ type: "takeOver" });
  first.say({ type: "ping" });
  await first.next("pong");
  const early = relay.webSocket("/host");
  early.on("open", () => early.send('{"type":"takeOver"}'));
  expect((await closing(early)).reason).toContain("hello comes first");
  expect(relay.relay.health.host).toBe("tab one");
});

test("the place goes to who waits longest, once its own tab has had time to come back", async () => {
  await using relay = await TestRelay.start({ limits: { hostReturnMs: 1_000_000 } });
  const first = await relay.host("one");
  const second = await relay.hello("two");
  await second.next("occupied");
  first.socket.terminate();
  await expect.poll(() => relay.relay.health.hosting).toBe(false);
  // The reload of the first is back, long before its time is over.
  await relay.host("one");
  expect(relay.relay.health).toMatchObject({ host: "tab one", waitingHosts: 1 });
});

test("a newer control connection of a waiting tab replaces its older one", async () => {
  await using relay = await TestRelay.start();
  await relay.host("one");
  const second = await relay.hello("two");
  await second.next("occupied");
  const ended = closing(second.socket);
  await (await relay.hello("two")).next("occupied");
  expect((await ended).code).toBe(RelayClose.replaced);
  expect(relay.relay.health.waitingHosts).toBe(1);
});

test("tabs beyond the limit are told to try again later", async () => {
  await using relay = await TestRelay.start({ limits: { controlConnections: 2 } });
  await relay.host("one");
  await (await relay.hello("two")).next("occupied");
  expect((await closing((await relay.hello("three")).socket)).code).toBe(RelayClose.tryAgainLater);
});

test("control connections that say nothing keep no honest tab out: the oldest of them go", async () => {
  await using relay = await TestRelay.start({ limits: { unprovenControls: 4 } });
  const silent = Array.from({ length: 40 }, () => relay.webSocket("/host"));
  await Promise.all(silent.map((socket) => once(socket, "open")));
  await relay.host("one");
  expect(silent.filter(({ readyState }) => readyState === 1).length).toBeLessThanOrEqual(4);
});
