import { afterEach, describe, expect, it, vi } from "vitest";
import type { RedWorkerMessages } from "../dispatch/index.ts";
import { Dispatcher, serveDispatcher } from "../dispatch/index.ts";
import { displayChannel } from "../protocol/index.ts";
import type { RedCommand } from "../protocol/red-command.ts";
import { MAX_PIPE_SIZE } from "./limits.ts";
import { TestRedWorker, bitmap, createSurface } from "./red-worker.testing.ts";

const open: Disposable[] = [];
afterEach(() => {
  for (const item of open.splice(0)) item[Symbol.dispose]();
});

function start(options: ConstructorParameters<typeof TestRedWorker>[0] = {}): TestRedWorker {
  const red = new TestRedWorker(options);
  open.push(red);
  return red;
}

function fill(color: number): RedCommand {
  const bbox = { top: color % 40, left: color % 60, bottom: 48, right: 64 };
  const brush = { type: "solid", color } as const;
  return {
    type: "draw",
    surfaceId: 0,
    effect: 1,
    mmTime: 0,
    bbox,
    operation: { type: "fill", brush, rop: 8 },
  };
}

const fills = (count: number): RedCommand[] => Array.from({ length: count }, (_, i) => fill(i * 7919));

function disconnected(red: TestRedWorker): unknown[] {
  return red.told.filter(({ type }) => type === "channelClientDisconnected").map(({ message }) => message);
}

describe("RedWorker", () => {
  it("gives credit back for what it carried out, in order", async () => {
    const red = start();
    const costs = [
      red.post([createSurface(0, 64, 48)]),
      red.post(fills(10)),
      red.post([], new Uint8Array(1000)),
    ];
    await vi.waitFor(() => expect(red.credit).toBe(costs.reduce((a, b) => a + b)));
    const credits = red.replies.flatMap((reply) => (reply.type === "credit" ? [reply.bytes] : []));
    expect(credits).toEqual(costs);
    expect(red.worker.inspect().commands).toBe(11);
  });

  it("holds the guest while a pipe is long, and goes on with an ACK", async () => {
    const red = start({ pipeStallTime: 60_000 });
    await red.run([createSurface(0, 64, 48)]);
    const client = red.join({ silent: true });
    const cost = red.credit + red.post(fills(400));
    await vi.waitFor(() => expect(red.inspection(client.clientId)?.pipe).toBeGreaterThan(MAX_PIPE_SIZE));
    expect(red.credit).toBeLessThan(cost);
    expect(red.worker.inspect().commands).toBeLessThan(401);
    client.release();
    await vi.waitFor(() => expect(red.credit).toBe(cost));
    await red.settle(client);
    // Nothing was collapsed: every fill arrived.
    expect(client.names.filter((name) => name === "drawFill")).toHaveLength(400);
    expect(client.rgb(0)).toEqual(await red.rgb());
  });

  it("does not let a client that acknowledges nothing hold the guest", async () => {
    const red = start({ pipeStallTime: 5 });
    await red.run([createSurface(0, 64, 48)]);
    const slow = red.join({ silent: true });
    const quick = red.join();
    await red.run(fills(2000));
    await red.settle(quick);
    expect(quick.rgb(0)).toEqual(await red.rgb());
    expect(red.inspection(slow.clientId)?.pipe).toBeLessThanOrEqual(MAX_PIPE_SIZE);
    slow.release();
    await red.settle(slow);
    expect(slow.rgb(0)).toEqual(await red.rgb());
    expect(slow.names.length).toBeLessThan(200);
  });

  it("bounds what waits for a client that never reads, then drops it and says why", async () => {
    const red = start({ pipeStallTime: 1, timeouts: { stall: 50 } });
    await red.run([createSurface(0, 256, 256)]);
    const deaf = red.join({ deaf: true, compression: 1 });
    const data = crypto.getRandomValues(new Uint8Array(65_536));
    const area = { top: 0, left: 0, bottom: 128, right: 128 };
    const operation = {
      type: "copy",
      src: bitmap(8, 128, 128, 512),
      srcArea: area,
      rop: 8,
      scaleMode: 0,
    } as const;
    const copy: RedCommand = { type: "draw", surfaceId: 0, effect: 1, mmTime: 0, bbox: area, operation };
    for (let i = 0; i < 300; i++) {
      await red.run([copy], data);
      expect(red.inspection(deaf.clientId)?.pipe ?? 0).toBeLessThanOrEqual(MAX_PIPE_SIZE + 1);
    }
    await vi.waitFor(() =>
      expect(disconnected(red)).toEqual([
        {
          clientId: deaf.clientId,
          channelType: 2,
          channelId: 0,
          reason: expect.stringMatching(/took nothing/),
        },
      ]),
    );
    expect(red.worker.inspect().clients).toEqual([]);
  });

  it("drops a display client that sends no INIT", async () => {
    const red = start({ timeouts: { init: 20 } });
    const silent = red.join({ withoutInit: true });
    await vi.waitFor(() => expect(silent.closed).toMatch(/no INIT/));
    expect(disconnected(red)).toHaveLength(1);
  });

  it("drops a display client that sends something before INIT", async () => {
    const red = start();
    const wrong = red.join({ withoutInit: true });
    wrong.send(displayChannel.client.preferredCompression, { imageCompression: 1 });
    await vi.waitFor(() => expect(wrong.closed).toMatch(/before INIT/));
    expect(disconnected(red)).toHaveLength(1);
  });

  it.each([
    ["a second INIT", 101, 14],
    ["an unknown message", 999, 0],
    ["a message beyond the receive buffer", 105, 2000],
  ])("drops a client after %s; guest and other clients go on", async (_name, type, size) => {
    const red = start();
    await red.run([createSurface(0, 64, 48)]);
    const bad = red.join();
    const good = red.join();
    await red.settle(bad);
    const bytes = new Uint8Array(6 + size);
    new DataView(bytes.buffer).setUint16(0, type, true);
    new DataView(bytes.buffer).setUint32(2, size, true);
    bad.write(bytes);
    await vi.waitFor(() => expect(bad.closed).toBeDefined());
    expect(disconnected(red)).toMatchObject([{ clientId: bad.clientId }]);
    await red.run(fills(20));
    await red.settle(good);
    expect(good.rgb(0)).toEqual(await red.rgb());
  });

  it("tolerates reports of video streams and codec wishes", async () => {
    const red = start();
    const client = red.join();
    await red.settle(client);
    const { client: messages } = displayChannel;
    client.send(messages.preferredVideoCodecType, { codecs: [1, 2] });
    client.send(messages.streamReport, {
      streamId: 1,
      uniqueId: 1,
      startFrameMmTime: 0,
      endFrameMmTime: 0,
      numFrames: 0,
      numDrops: 0xffffffff,
      lastFrameDelay: 0,
      audioDelay: 0,
    });
    await red.run([createSurface(0, 64, 48)]);
    await red.settle(client);
    expect(client.closed).toBeUndefined();
  });

  it("leaves nothing behind of a client that core disconnects, and tells core nothing it knows", async () => {
    const red = start({ pipeStallTime: 60_000 });
    await red.run([createSurface(0, 64, 48)]);
    const client = red.join({ silent: true });
    red.post(fills(400));
    await vi.waitFor(() => expect(red.inspection(client.clientId)?.pipe).toBeGreaterThan(MAX_PIPE_SIZE));
    red.worker.disconnectClient(client.clientId, 2);
    expect(red.worker.inspect().clients).toEqual([]);
    expect(red.worker.display.clients.size).toBe(0);
    expect(disconnected(red)).toEqual([]);
    // The guest goes on at once.
    await vi.waitFor(() => expect(red.worker.inspect().commands).toBe(401));
    await vi.waitFor(() => expect(client.closed).toBeDefined());
  });

  it("lets clients leave and come back", async () => {
    const red = start();
    await red.run([createSurface(0, 64, 48), ...fills(5)]);
    const first = red.join();
    await red.settle(first);
    first[Symbol.dispose]();
    await vi.waitFor(() => expect(disconnected(red)).toHaveLength(1));
    await red.run(fills(30));
    const second = red.join();
    await red.settle(second);
    expect(second.rgb(0)).toEqual(await red.rgb());
  });

  it("serves its dispatcher", async () => {
    const red = start();
    const { port1, port2 } = new MessageChannel();
    using served = serveDispatcher<RedWorkerMessages>(port1, red.worker.handlers);
    using dispatcher = new Dispatcher<RedWorkerMessages>(port2, { peer: "red" });
    red.post([createSurface(0, 8, 8), fill(0xff0000)]);
    await vi.waitFor(() => expect(red.worker.inspect().commands).toBe(2));
    const { width, pixels } = await dispatcher.call("readSurface", { surfaceId: 0 });
    expect([width, pixels.length]).toEqual([8, 256]);
    await expect(dispatcher.call("readSurface", { surfaceId: 3 })).rejects.toThrow(/surface 3/);
    await expect(dispatcher.call("setCompression", { compression: 99 })).rejects.toThrow(/99/);
    await dispatcher.call("setCompression", { compression: 1 });
    expect(red.worker.display.compression).toBe(1);
    expect((await dispatcher.call("inspect", {})).surfaces).toEqual([
      { id: 0, width: 8, height: 8, format: 32 },
    ]);
    expect(served).toBeDefined();
  });
});
