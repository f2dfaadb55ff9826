import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { WebSocketServer, WebSocket as NodeWebSocket } from "ws";
import { RELAY_CONTROL_PROTOCOL } from "../relay-control/index.ts";
import { stopClock } from "../relay/relay.testing.ts";
import { eventually } from "../waiting.testing.ts";
import type { RelayState } from "./host-control.ts";
import { RELAY_PING_INTERVAL_MS } from "./limits.ts";
import type { RelayConnectionOptions, WebSocketConstructor } from "./relay-connection.ts";
import { RelayConnection } from "./relay-connection.ts";

const owned: (() => void)[] = [];
afterEach(() => {
  for (const end of owned.splice(0).toReversed()) end();
});

const WELCOME = JSON.stringify({
  type: "welcome",
  protocol: RELAY_CONTROL_PROTOCOL,
  version: "1",
  spice: [],
  webSocketUrl: "",
});

/** A relay's control endpoint that can be made to say nothing. */
async function listen(port = 0) {
  const server = new WebSocketServer({ port, host: "127.0.0.1" });
  await once(server, "listening");
  const relay = {
    port: (server.address() as AddressInfo).port,
    hellos: [] as string[],
    /** Pings whose answer has arrived. */
    answered: 0,
    isFrozen: false,
    close: () => {
      for (const client of server.clients) client.terminate();
      server.close();
    },
  };
  server.on("connection", (socket) => {
    socket.on("message", (data) => {
      const message = JSON.parse(String(data)) as { type: string; hostId: string };
      if (relay.isFrozen) return;
      if (message.type === "ping") {
        socket.send(JSON.stringify({ type: "pong" }));
        // The answer to this one comes from behind it.
        socket.ping();
        socket.once("pong", () => relay.answered++);
      }
      if (message.type !== "hello") return;
      relay.hellos.push(message.hostId);
      socket.send(WELCOME);
    });
  });
  owned.push(relay.close);
  return relay;
}

function dial(port: number, options: Partial<RelayConnectionOptions> = {}) {
  const states: RelayState[] = [];
  const connection = new RelayConnection({
    url: `ws://127.0.0.1:${port}/host`,
    name: "machine",
    version: "1",
    hostId: "one",
    secret: "secret",
    refusal: () => undefined,
    onClient: () => {},
    onState: (state) => states.push(state),
    webSocket: NodeWebSocket as unknown as WebSocketConstructor,
    ...options,
  });
  owned.push(() => connection[Symbol.dispose]());
  return { states, names: () => states.map(({ state }) => state) };
}

test("a relay that takes the connection and says nothing is given up, dialled again, and lost meanwhile", async () => {
  const silent = createServer(() => {}).listen(0, "127.0.0.1");
  await once(silent, "listening");
  owned.push(() => silent.close());
  const { states } = dial((silent.address() as AddressInfo).port, { dialDeadlineMs: 30 });
  await eventually(() => states.length >= 3);
  const reason = "the relay does not answer";
  expect(states.slice(0, 3)).toEqual([
    { state: "connecting", attempt: 1 },
    { state: "offline", reason },
    { state: "connecting", attempt: 2, reason },
  ]);
});

test("one that freezes is said not to answer, and has the same host again when it goes on", async () => {
  const relay = await listen();
  const { states, names } = dial(relay.port, { pingIntervalMs: 30 });
  await eventually(() => names().at(-1) === "online");
  relay.isFrozen = true;
  await eventually(() => states.some((state) => state.state === "offline"));
  expect(states.find(({ state }) => state === "offline")).toEqual({
    state: "offline",
    reason: "the relay does not answer",
  });
  relay.isFrozen = false;
  await eventually(() => names().at(-1) === "online");
  expect(new Set(relay.hellos)).toEqual(new Set(["one"]));
  expect(relay.hellos.length).toBeGreaterThan(1);
});

test("when there is a network again, a relay that was lost is dialled at once", async () => {
  const relay = await listen();
  using clock = stopClock();
  const network = new EventTarget();
  const { names } = dial(relay.port, { network });
  await eventually(() => names().at(-1) === "online");
  relay.close();
  await eventually(() => names().at(-1) === "offline");
  const back = await listen(relay.port);
  // The clock stands: nothing but the network's word makes it dial.
  network.dispatchEvent(new Event("online"));
  await eventually(() => names().at(-1) === "online");
  expect(back.hellos).toEqual(["one"]);
  clock.pass(0);
});

test("what seems to be there is asked when the network has changed, and not waited for longer", async () => {
  const relay = await listen();
  using clock = stopClock();
  const network = new EventTarget();
  const { names } = dial(relay.port, { network });
  await eventually(() => names().at(-1) === "online");
  network.dispatchEvent(new Event("online"));
  await eventually(() => relay.answered === 1);
  // It has answered, so the next look finds it well.
  clock.pass(RELAY_PING_INTERVAL_MS);
  expect(names().at(-1)).toBe("online");
  relay.isFrozen = true;
  network.dispatchEvent(new Event("online"));
  clock.pass(RELAY_PING_INTERVAL_MS);
  expect(names().at(-1)).toBe("offline");
});
