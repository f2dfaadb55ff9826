import { expect, test } from "vitest";
import { MAX_PIPE_SIZE } from "../red/index.ts";
import { checkInspection, checkLog } from "./inspection-check.testing.ts";
import type { HostInspection } from "./inspection.ts";
import {
  channelClient,
  coreClient,
  corePart,
  dispatcher,
  guestPart,
  hostInspection,
  redPart,
} from "./inspection.testing.ts";

const finds = (inspection: HostInspection) => [...checkInspection(inspection)];
const red = redPart();
const client = coreClient();
const withChannels = (channelClients: typeof client.channelClients) =>
  corePart({ clients: [{ ...client, channelClients }] });

test("a host that rests is as the threading model says, with a client and without one", () => {
  expect(finds(hostInspection())).toEqual([]);
  const nobody = { core: corePart({ clients: [] }), red: redPart({ clients: [] }) };
  expect(finds(hostInspection(nobody))).toEqual([]);
});

test.each<[string, HostInspection, string]>([
  [
    "a thread that does not answer",
    {
      at: 0,
      threads: [{ kind: "core", name: "core", runsIn: "SharedWorker", silentSince: 1 }],
    },
    "core is silent",
  ],
  [
    "a message that core has not come to",
    hostInspection({ core: corePart({ queued: 2 }) }),
    "2 messages wait in core's MainDispatcher",
  ],
  ["a link under way", hostInspection({ core: corePart({ links: 2 }) }), "2 links are under way"],
  [
    "a client that never ends",
    hostInspection({ core: corePart({ leaving: [3] }) }),
    "client 3 is disconnecting",
  ],
  [
    "a client in the list that is going",
    hostInspection({ core: corePart({ clients: [{ ...client, disconnecting: true }] }) }),
    "client 1 is disconnecting",
  ],
  [
    "a session without main",
    hostInspection({ core: withChannels(client.channelClients.slice(1)) }),
    "client 1 has no main channel",
  ],
  [
    "two channels of one type and number",
    hostInspection({ core: withChannels([...client.channelClients, client.channelClients[1]]) }),
    "client 1 has channel inputs:0 twice",
  ],
  [
    "a handle of nothing",
    hostInspection({ red: { ...red, clients: red.clients.slice(0, 1) } }),
    "core says that a red worker has channel 1 4:0, and none has",
  ],
  [
    "a channel client without a handle",
    hostInspection({ core: corePart({ clients: [] }) }),
    "red has channel 2 of client 1, and core has not",
  ],
  [
    "a channel client twice",
    hostInspection({ red: { ...red, clients: [...red.clients, red.clients[0]] } }),
    "red has channel 2 of client 1 twice",
  ],
  [
    "a stream that stays on core",
    hostInspection({
      core: withChannels(
        client.channelClients.map((one) => (one.name === "cursor" ? { ...one, place: "waiting" } : one)),
      ),
    }),
    "channel cursor:0 of client 1 waits for red",
  ],
  [
    "a stream on two threads",
    hostInspection({
      core: withChannels(
        client.channelClients.map((one) =>
          one.name === "cursor" ? { ...one, client: channelClient() } : one,
        ),
      ),
    }),
    "channel cursor:0 of client 1 is on red, and its stream is not",
  ],
  [
    "a channel that nobody may link to",
    hostInspection({ core: corePart({ channels: corePart().channels.slice(0, 2) }) }),
    "client 1 has channel inputs:0, which is not registered",
  ],
  [
    "messages that nobody takes",
    hostInspection({ core: corePart({ dispatchers: [{ ...dispatcher("guest"), queued: 4 }] }) }),
    "4 messages of guest wait in core",
  ],
  [
    "calls that nobody answers",
    hostInspection({ core: corePart({ dispatchers: [{ ...dispatcher("red"), calls: 1 }] }) }),
    "1 calls of core to red are not answered",
  ],
  [
    "a pipe without an end",
    hostInspection({
      red: { ...red, clients: red.clients.map((one) => ({ ...one, pipe: MAX_PIPE_SIZE + 2 })) },
    }),
    `${MAX_PIPE_SIZE + 2} items wait in red for client 1`,
  ],
  [
    "a queue without an end",
    hostInspection({ red: redPart({ queuedCommands: 100_000 }) }),
    "100000 commands wait in red",
  ],
  [
    "a red worker that hears nothing",
    hostInspection({ guest: guestPart({ displays: [{ isServed: false, pendingBytes: 0 }] }) }),
    "the red worker of display 0 gets nothing of the guest",
  ],
  [
    "a guest that draws for nobody",
    hostInspection({
      guest: guestPart({
        displays: [
          { isServed: true, pendingBytes: 0 },
          { isServed: true, pendingBytes: 0 },
        ],
      }),
    }),
    "the guest draws for display 1, which has no red worker",
  ],
  [
    "credit that nobody keeps to",
    hostInspection({ guest: guestPart({ displays: [{ isServed: true, pendingBytes: 99_000_000 }] }) }),
    "99000000 bytes of display 0 are not drawn",
  ],
])("%s is found", (_, inspection, words) => {
  expect(finds(inspection)).toContain(words);
});

test("a guest that reads nothing holds one call for each of its devices, and no more", () => {
  const core = (calls: number) => corePart({ dispatchers: [{ ...dispatcher("guest"), calls }] });
  expect(finds(hostInspection({ core: core(4) }))).toEqual([]);
  expect(finds(hostInspection({ core: core(5) }))).toEqual(["5 calls of core to guest are not answered"]);
});

test("of the log, our own mistakes count, unless they were expected", () => {
  const line = { thread: "core", count: 1, at: 0 };
  const lines = [
    { ...line, level: "warning", domain: "links", message: "somebody else's" },
    { ...line, level: "critical", domain: "red", message: "ours" },
    { ...line, level: "warning", domain: "dispatcher", message: '"connect" failed' },
  ] as const;
  expect([...checkLog(lines, [])]).toEqual([
    "in the log: core, red: ours",
    'in the log: core, dispatcher: "connect" failed',
  ]);
  expect([...checkLog(lines, [/ours/, /connect/])]).toEqual([]);
});
