import { afterEach, expect, test } from "vitest";
import { Dispatcher } from "../dispatch/index.ts";
import type { RedInspection } from "../dispatch/index.ts";
import type { GuestInspection } from "../machine/control.ts";
import type { CoreInspection } from "../server/host-control.ts";
import { ByteRates } from "./byte-rates.ts";
import { channelClient, corePart, guestPart, redPart } from "./inspection.testing.ts";
import { Inspector } from "./inspector.ts";

interface Table<Part> {
  inspect(message: Record<string, never>): Part;
}

const owned: Disposable[] = [];
afterEach(() => {
  for (const one of owned.splice(0)) one[Symbol.dispose]();
});

/** The page's end towards a thread that answers so. */
function thread<Part>(peer: string, inspect: () => Part | Promise<Part>): Dispatcher<Table<Part>> {
  const { port1, port2 } = new MessageChannel();
  const end = new Dispatcher<Table<Part>>(port1, { peer });
  owned.push(
    end,
    new Dispatcher<Table<never>, Table<Part>>(port2, {
      peer: "page",
      handlers: { inspect } as never,
    }),
  );
  return end;
}

const PAGE = { phase: "running", dispatchers: [] } as const;

test("threads that hang are silent, the others are told all the same; each is asked for its own part only", async () => {
  let release = () => {};
  const hangs = new Promise<void>((resolve) => (release = resolve));
  const threads = {
    guest: thread<GuestInspection>("guest", () => guestPart()),
    core: thread<CoreInspection>("core", () => corePart()),
    isCoreShared: true,
    reds: [
      { display: 0, dispatcher: thread<RedInspection>("red", () => hangs.then(() => redPart())) },
      { display: 2, dispatcher: thread<RedInspection>("red", () => redPart({ commands: 5 })) },
    ],
  };
  // Long enough for whoever answers at all.
  const inspector = new Inspector(new ByteRates(), 2_000);
  const { threads: seen } = await inspector.inspect(threads, PAGE);
  expect(
    seen.map(({ name, part, silentSince }) => [name, part !== undefined, silentSince === undefined]),
  ).toEqual([
    ["page", true, true],
    ["guest", true, true],
    ["core", true, true],
    ["red", false, false],
    ["red 2", true, true],
  ]);
  release();
  const again = await inspector.inspect(threads, PAGE);
  expect(again.threads.every(({ part, silentSince }) => part && silentSince === undefined)).toBe(true);
});

test("bytes per second are those since the look before, on core and on red", async () => {
  let bytes = 1_000;
  let nowMs = 0;
  const stream = () => channelClient({ sentBytes: bytes, receivedBytes: 0 });
  const client = {
    ...corePart().clients[0],
    channelClients: [{ type: 1, id: 0, name: "main", place: "core" as const, client: stream() }],
  };
  const threads = {
    guest: thread<GuestInspection>("guest", () => guestPart()),
    core: thread<CoreInspection>("core", () =>
      corePart({
        clients: [{ ...client, channelClients: [{ ...client.channelClients[0], client: stream() }] }],
      }),
    ),
    isCoreShared: true,
    reds: [
      {
        display: 0,
        dispatcher: thread<RedInspection>("red", () =>
          redPart({ clients: [{ clientId: 1, channelType: 2, ...stream() }] }),
        ),
      },
    ],
  };
  const inspector = new Inspector(new ByteRates(() => nowMs), 20_000);
  const look = async () => {
    const { threads: seen } = await inspector.inspect(threads, PAGE);
    const [, , core, red] = seen;
    return [
      core.kind === "core" ? core.part?.clients[0].channelClients[0].bytesPerSecond : "no core",
      red.kind === "red" ? red.part?.clients[0].bytesPerSecond : "no red",
    ];
  };
  expect(await look()).toEqual([undefined, undefined]);
  bytes = 4_000;
  nowMs = 2_000;
  expect(await look()).toEqual([1_500, 1_500]);
});
