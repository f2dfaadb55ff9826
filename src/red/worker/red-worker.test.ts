import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { NoMessages, RedWorkerMessages } from "../../dispatch/index.ts";
import { Dispatcher } from "../../dispatch/index.ts";
import { ImageType, displayChannel } from "../../protocol/index.ts";
import type { RedCommand, RedDrawable } from "../../protocol/red-command.ts";
import { DISPLAY_INIT_TIMEOUT_MS, MAX_PIPE_SIZE, PIPE_STALL_MS, STOP_FLUSH_TIMEOUT_MS } from "../limits.ts";
import { TestRedWorker, bitmap, createSurface } from "./red-worker.testing.ts";
import { eventually, turns } from "../../waiting.testing.ts";

const open: Disposable[] = [];
// Time passes only where a test says so.
beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval"] });
});
afterEach(() => {
  for (const item of open.splice(0)) item[Symbol.dispose]();
  vi.useRealTimers();
});

function start(options: ConstructorParameters<typeof TestRedWorker>[0] = {}): TestRedWorker {
  const red = new TestRedWorker(options);
  open.push(red);
  return red;
}

function fill(color: number): RedDrawable {
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
    await eventually(() => red.credit === costs.reduce((a, b) => a + b));
    const credits = red.replies.flatMap((reply) => (reply.type === "credit" ? [reply.bytes] : []));
    expect(credits).toEqual(costs);
    expect(red.worker.inspect().commands).toBe(11);
  });

  it("holds the guest while a pipe is long, and goes on with an ACK", async () => {
    const red = start();
    await red.run([createSurface(0, 64, 48)]);
    const client = red.join({ silent: true });
    const cost = red.credit + red.post(fills(400));
    await eventually(() => red.worker.display.isBlocked);
    // Nothing is left to do but to wait for the client, or for the clock, which stands.
    const { commands } = red.worker.inspect();
    const { count } = red.worker.slices;
    await turns(20);
    expect(red.worker.slices.count).toBe(count);
    expect(red.worker.inspect().commands).toBe(commands);
    expect(commands).toBeLessThan(401);
    expect(red.credit).toBeLessThan(cost);
    // One command may bring one item too many, and no more.
    expect(red.inspection(client.clientId)?.pipe).toBe(MAX_PIPE_SIZE + 1);
    client.release();
    await eventually(() => red.credit === cost);
    await red.settle(client);
    // Nothing was collapsed: every fill arrived.
    expect(client.names.filter((name) => name === "drawFill")).toHaveLength(400);
    expect(client.rgb(0)).toEqual(await red.rgb());
  });

  it("does not let a client that acknowledges nothing hold the guest", async () => {
    const red = start();
    await red.run([createSurface(0, 64, 48)]);
    const slow = red.join({ silent: true });
    const quick = red.join();
    await red.settle(quick);
    const cost = red.credit + red.post(fills(2000));
    await eventually(() => red.worker.display.isBlocked);
    const { commands } = red.worker.inspect();
    await vi.advanceTimersByTimeAsync(PIPE_STALL_MS - 1);
    await turns(20);
    expect(red.worker.inspect().commands).toBe(commands);
    await vi.advanceTimersByTimeAsync(1);
    await eventually(() => red.credit === cost);
    await red.settle(quick);
    expect(quick.rgb(0)).toEqual(await red.rgb());
    expect(red.inspection(slow.clientId)?.pipe).toBeLessThanOrEqual(MAX_PIPE_SIZE);
    slow.release();
    await red.settle(slow);
    expect(slow.rgb(0)).toEqual(await red.rgb());
    expect(slow.names.length).toBeLessThan(200);
  });

  it("bounds what waits for a client that never reads, then drops it and says why", async () => {
    const stallMs = 10_000;
    const red = start({ pipeStallMs: 1, timeouts: { stallMs } });
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
    let collapses = 0;
    for (let i = 0; i < 300; i++) {
      const cost = red.credit + red.post([copy], data);
      await eventually(() => red.credit === cost || red.worker.display.isBlocked);
      if (red.worker.display.isBlocked) {
        collapses++;
        await vi.advanceTimersByTimeAsync(1);
      }
      await eventually(() => red.credit === cost);
      expect(red.inspection(deaf.clientId)?.pipe).toBeLessThanOrEqual(MAX_PIPE_SIZE + 1);
    }
    expect(collapses).toBeGreaterThan(0);
    expect(disconnected(red)).toEqual([]);
    // A first time to notice that it takes nothing, a second to be sure.
    await vi.advanceTimersByTimeAsync(2 * stallMs);
    expect(disconnected(red)).toEqual([
      {
        clientId: deaf.clientId,
        channelType: 2,
        channelId: 0,
        reason: expect.stringMatching(/took nothing/),
      },
    ]);
    expect(red.worker.inspect().clients).toEqual([]);
  });

  it("drops a display client that sends no INIT", async () => {
    const red = start();
    const silent = red.join({ withoutInit: true });
    await vi.advanceTimersByTimeAsync(DISPLAY_INIT_TIMEOUT_MS - 1);
    expect(disconnected(red)).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    await eventually(() => silent.closed !== undefined);
    expect(silent.closed).toMatch(/no INIT/);
    expect(disconnected(red)).toHaveLength(1);
  });

  it("takes what a display client says before its INIT, as spice-server does: the compression it wants holds", async () => {
    const red = start();
    await red.run([createSurface(0, 64, 48)]);
    const { client } = displayChannel;
    const early = red.join({ withoutInit: true });
    early.send(client.preferredCompression, { imageCompression: 1 });
    early.send(client.preferredVideoCodecType, { codecs: [1] });
    early.send(client.init, {
      pixmapCacheId: 1,
      pixmapCacheSize: 1n << 20n,
      glzDictionaryId: 1,
      glzDictionaryWindowSize: 1 << 20,
    });
    await red.settle(early);
    expect(early.imageTypes).toEqual([ImageType.Bitmap]);
    expect(disconnected(red)).toEqual([]);
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
    await eventually(() => bad.closed !== undefined);
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
    const red = start();
    await red.run([createSurface(0, 64, 48)]);
    const client = red.join({ silent: true });
    red.post(fills(400));
    await eventually(() => red.worker.display.isBlocked);
    red.worker.disconnectClient(client.clientId, 2);
    expect(red.worker.inspect().clients).toEqual([]);
    expect(red.worker.display.clients.size).toBe(0);
    expect(disconnected(red)).toEqual([]);
    // No timer of its own runs any more, and the guest goes on without the clock.
    expect(vi.getTimerCount()).toBe(0);
    await eventually(() => red.worker.inspect().commands === 401);
    await eventually(() => client.closed !== undefined);
  });

  it("lets clients leave and come back", async () => {
    const red = start();
    await red.run([createSurface(0, 64, 48), ...fills(5)]);
    const first = red.join();
    await red.settle(first);
    first[Symbol.dispose]();
    await eventually(() => disconnected(red).length > 0);
    expect(disconnected(red)).toMatchObject([{ clientId: first.clientId, channelType: 2 }]);
    await red.run(fills(30));
    const second = red.join();
    await red.settle(second);
    expect(second.rgb(0)).toEqual(await red.rgb());
  });

  it("serves its dispatcher: answers, errors in words, and silence once it is disposed of", async () => {
    const red = start();
    const { port1, port2 } = new MessageChannel();
    const served = new Dispatcher<NoMessages, RedWorkerMessages>(port1, {
      peer: "core",
      handlers: red.worker.handlers,
    });
    using dispatcher = new Dispatcher<RedWorkerMessages>(port2, { peer: "red" });
    const color = 0xabcdef;
    red.post([createSurface(0, 8, 8), { ...fill(color), bbox: { top: 0, left: 0, bottom: 8, right: 8 } }]);
    await eventually(() => red.worker.inspect().commands === 2);
    const { surfaceId, width, height, pixels } = await dispatcher.call("readSurface", { surfaceId: 0 });
    expect([surfaceId, width, height]).toEqual([0, 8, 8]);
    expect([...new Uint32Array(pixels.buffer)].map((word) => word & 0xffffff)).toEqual(
      Array.from({ length: 64 }, () => color),
    );
    await expect(dispatcher.call("readSurface", { surfaceId: 3 })).rejects.toThrow(/surface 3/);
    await expect(dispatcher.call("setCompression", { compression: 99 })).rejects.toThrow(/99/);
    await dispatcher.call("setCompression", { compression: 1 });
    expect(red.worker.display.compression).toBe(1);
    dispatcher.send("setMouseMode", { mode: 2 });
    const { surfaces, clients, commands } = await dispatcher.call("inspect", {});
    expect(red.worker.cursor.mouseMode).toBe(2);
    expect(surfaces).toEqual([{ id: 0, width: 8, height: 8, format: 32 }]);
    expect([clients, commands]).toEqual([[], 2]);
    served[Symbol.dispose]();
    dispatcher.send("setMouseMode", { mode: 1 });
    await turns(20);
    expect(red.worker.cursor.mouseMode).toBe(2);
  });

  it("STOP resolves when all that came before is drawn and sent; clients stay, and the guest may go on", async () => {
    const red = start();
    await red.run([createSurface(0, 64, 48)]);
    const quick = red.join();
    const silent = red.join({ silent: true });
    await red.settle(quick);
    await red.settle(silent);
    const timers = vi.getTimerCount();
    red.post(fills(400));
    await eventually(() => red.worker.inspect().queuedCommands > 0);
    let stopped = false;
    const stop = red.worker.stop().then(() => (stopped = true));
    await eventually(() => red.worker.display.isBlocked);
    await turns(20);
    expect(stopped).toBe(false);
    silent.release();
    await eventually(() => stopped);
    await stop;
    const { commands, queuedCommands, clients } = red.worker.inspect();
    expect([commands, queuedCommands, clients.map(({ pipe }) => pipe)]).toEqual([401, 0, [0, 0]]);
    for (const client of [quick, silent]) {
      await red.settle(client);
      expect(client.rgb(0)).toEqual(await red.rgb());
    }
    // Nothing to wait for: at once. And there is nothing to undo.
    await red.worker.stop();
    expect(vi.getTimerCount()).toBe(timers);
    await red.run(fills(3));
  });

  it("STOP waits for nobody for ever: who takes nothing in time is disconnected, the others stay", async () => {
    const red = start();
    await red.run([createSurface(0, 64, 48)]);
    const quick = red.join();
    const silent = red.join({ silent: true });
    await red.settle(quick);
    // Beyond what it may owe, and below what holds up the guest.
    await red.run(fills(60));
    const held = () => red.inspection(silent.clientId)?.pipe ?? 0;
    expect(held()).toBeGreaterThan(0);
    let stopped = false;
    void red.worker.stop().then(() => (stopped = true));
    // It says something now and then, so that it is not taken for dead.
    for (let passed = 0; passed < STOP_FLUSH_TIMEOUT_MS - 1; passed += 5_999.8) {
      silent.write(Uint8Array.of(6, 0, 12, 0, 0, 0, ...new Uint8Array(12)));
      await turns(5);
      await vi.advanceTimersByTimeAsync(5_999.8);
    }
    expect([stopped, held() > 0]).toEqual([false, true]);
    await vi.advanceTimersByTimeAsync(1);
    await eventually(() => stopped);
    expect(disconnected(red)).toEqual([
      expect.objectContaining({
        clientId: silent.clientId,
        reason: expect.stringMatching(/when the machine stopped/),
      }),
    ]);
    expect(red.inspection(quick.clientId)?.pipe).toBe(0);
  });

  it("RESET_IMAGE_CACHE and RESET_CURSOR come by themselves: the surfaces stay", async () => {
    const red = start();
    await red.run([createSurface(0, 64, 48), ...fills(3)]);
    const client = red.join();
    await red.settle(client);
    const before = client.names.length;
    await red.worker.handlers.resetImageCache({});
    await red.settle(client);
    // Of an empty cache of images there is nothing to forget.
    expect(client.names.slice(before)).toEqual(["invalAllPalettes"]);
    expect(client.rgb(0)).toEqual(await red.rgb());
    const shape = { unique: 0n, cursorType: 0, width: 1, height: 1, hotX: 0, hotY: 0 };
    const position = { x: 3, y: 4 };
    await red.run(
      [{ type: "cursorSet", position, visible: true, shape: { ...shape, data: { offset: 0, length: 4 } } }],
      new Uint8Array(4),
    );
    expect(red.worker.cursor.state.shape).toBeDefined();
    await red.worker.handlers.resetCursor({});
    expect(red.worker.cursor.state).toMatchObject({ shape: undefined, position: { x: 0, y: 0 } });
    expect(red.worker.inspect().surfaces).toHaveLength(1);
  });

  it("CLOSE_WORKER leaves nothing: no client, no surface, no timer, no port; and nobody gets in any more", async () => {
    const red = start();
    await red.run([createSurface(0, 64, 48)]);
    const client = red.join({ silent: true });
    red.post(fills(400));
    await eventually(() => red.worker.display.isBlocked);
    const stop = red.worker.stop();
    const pixels = red.worker.readSurface(0).catch((error: unknown) => error);
    await red.worker.handlers.closeWorker({});
    await stop;
    expect(await pixels).toBeInstanceOf(Error);
    expect(red.worker.inspect()).toMatchObject({ surfaces: [], clients: [], queuedCommands: 0 });
    expect([red.worker.isUnderWay, vi.getTimerCount()]).toEqual([false, 0]);
    await eventually(() => client.closed !== undefined);
    expect(() => red.join()).toThrow(/closed/);
    const { commands } = red.worker.inspect();
    red.post(fills(1));
    await turns(20);
    expect(red.worker.inspect()).toMatchObject({ commands, queuedCommands: 0 });
    // Once more, as whoever disposes of it does.
    red.worker[Symbol.dispose]();
  });
});
