import type { AddressInfo } from "node:net";
import * as fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { ChannelTracker } from "../../channel/index.ts";
import type { ChannelConnect } from "../../dispatch/messages.ts";
import { ChannelType } from "../../protocol/index.ts";
import type { RedCommand } from "../../protocol/red-command.ts";
import { joinWebSocket, openRedStream } from "../../transport/index.ts";
import type { JoinedSocket, WebSocketLike } from "../../transport/index.ts";
import {
  SIDE,
  arbitraryCachingCommands,
  arbitraryCommands,
  batchData,
  createAll,
} from "../red-commands.testing.ts";
import { TestRedWorker, createSurface } from "../worker/red-worker.testing.ts";
import { TestDisplayClient, spiceHtml5Caps } from "./display-client.testing.ts";
import type { TestClientOptions } from "./display-client.testing.ts";
import { eventually, turns as pass } from "../../waiting.testing.ts";

let server: WebSocketServer;
beforeAll(async () => {
  server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: false });
  await new Promise((resolve) => server.once("listening", resolve));
});
afterAll(() => server.close());

/** A display client on a real WebSocket; what it writes goes out in pieces of `pieceBytes`. */
async function dial(options: TestClientOptions, pieceBytes: number) {
  const accepted = new Promise<WebSocket>((resolve) => server.once("connection", resolve));
  const { port } = server.address() as AddressInfo;
  const socket = new WebSocket(`ws://127.0.0.1:${port}`, { perMessageDeflate: false });
  const wire = joinWebSocket((await accepted) as unknown as WebSocketLike);
  const tracker = new ChannelTracker();
  wire.watcher = tracker;
  await new Promise((resolve) => (socket.readyState === 1 ? resolve(0) : socket.once("open", resolve)));
  const client = new TestDisplayClient(options);
  const near = openRedStream(client.port);
  let paused = false;
  let held: Uint8Array[] = [];
  const send = (bytes: Uint8Array) => {
    for (let at = 0; at < bytes.length; at += pieceBytes) socket.send(bytes.slice(at, at + pieceBytes));
  };
  near.onData = (bytes) => (paused ? void held.push(bytes) : send(bytes));
  socket.on("message", (data: Buffer) => near.write(new Uint8Array(data)));
  return {
    client,
    wire,
    tracker,
    /** The client's answers stop in the midst of a message, then go on. */
    tear: () => {
      paused = true;
    },
    mend: () => {
      paused = false;
      for (const bytes of held.splice(0)) send(bytes);
      held = [];
    },
    [Symbol.dispose]: () => {
      client[Symbol.dispose]();
      socket.terminate();
    },
  };
}

const connectMessage = (client: TestDisplayClient, wire: Pick<JoinedSocket, "port">): ChannelConnect => ({
  clientId: 7,
  channelType: ChannelType.Display,
  channelId: 0,
  capabilities: client.capabilities,
  miniHeader: client.miniHeader,
  lowBandwidth: false,
  port: openRedStream(wire.port).detach(),
});

/** The client's picture is the worker's, and it holds nothing that the worker has not. */
async function expectSame(red: TestRedWorker, client: TestDisplayClient): Promise<void> {
  const ids = red.worker.inspect().surfaces.map(({ id }) => id);
  if (!ids.includes(0)) return void (await eventually(() => !client.surfaces.has(0)));
  const server = await red.rgb();
  const isSame = () => {
    if (client.failure !== undefined) throw client.failure;
    return client.surfaces.has(0) && client.rgb(0).every((pixel, at) => pixel === server[at]);
  };
  await eventually(isSame, () => `equal pictures, after ${client.names.join(" ")}`);
  expect([...client.surfaces.keys()].filter((id) => !ids.includes(id))).toEqual([]);
}

interface Life {
  readonly commands: readonly RedCommand[];
  /** Turns of the event loop until the worker is gone: what it sent by then is anyone's guess. */
  readonly turns: number;
  readonly tears: boolean;
}

/** A client through the lives of several red workers, each with the same machine's commands anew and more. */
async function live(
  options: TestClientOptions,
  pieceBytes: number,
  lives: readonly Life[],
  sides: readonly number[],
) {
  using line = await dial(options, pieceBytes);
  const { client, wire, tracker } = line;
  tracker.begin(ChannelType.Display, client.miniHeader, { read: 0, written: 0 });
  let message = connectMessage(client, wire);
  let before: TestRedWorker | undefined;
  for (const [index, { commands, turns, tears }] of lives.entries()) {
    const red = new TestRedWorker();
    try {
      const primary = createSurface(0, sides[index], sides[index]);
      let posted = red.post([...createAll.slice(1), primary]);
      red.worker.connect(message);
      posted += red.post(commands, batchData);
      if (tears) line.tear();
      if (index < lives.length - 1) await pass(turns);
      else {
        line.mend();
        await eventually(() => red.credit === posted);
        await expectSame(red, client);
        return client;
      }
      const checkpoint = tracker.checkpoint();
      if (checkpoint === undefined) throw new Error("the wire cannot be followed");
      const port = wire.rejoin(checkpoint.rest);
      message = { ...connectMessage(client, { port }), resume: checkpoint.resume };
      line.mend();
    } finally {
      before?.[Symbol.dispose]();
      before = red;
    }
  }
  throw new Error("no life");
}

const life = fc.record({
  commands: fc.oneof(arbitraryCommands, arbitraryCachingCommands),
  turns: fc.integer({ min: 0, max: 60 }),
  tears: fc.boolean(),
});

test.each<[string, TestClientOptions]>([
  ["a client of spice-gtk's kind", {}],
  ["one with full headers, whose serials must go on", { miniHeader: false }],
  ["one of spice-html5's kind", { caps: spiceHtml5Caps }],
])(
  "%s goes on with the next red worker, whenever its own is gone, and sees what is there",
  async (_, options) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(life, { minLength: 2, maxLength: 4 }),
        fc.integer({ min: 1, max: 20 }),
        fc.array(fc.constantFrom(SIDE, SIDE, SIDE + 8), { minLength: 4, maxLength: 4 }),
        async (lives, pieceBytes, sides) => {
          await live(options, pieceBytes, lives, sides);
        },
      ),
      { numRuns: 12, endOnFailure: true },
    );
  },
);

test("a picture of the same size is painted over, not taken away and put up again", async () => {
  const lives = [0, 1, 2].map(() => ({ commands: [], turns: 400, tears: false }));
  const client = await live({}, 1000, lives, [SIDE, SIDE, SIDE]);
  expect(client.names.filter((name) => name === "surfaceCreate" || name === "mark")).toEqual([
    "surfaceCreate",
    "mark",
  ]);
  expect(client.names).not.toContain("surfaceDestroy");
});
