import { randomBytes } from "node:crypto";
import { connect } from "node:net";
import { expect, test } from "@playwright/test";
import { RecordingChannel, linkError } from "../src/client/client.testing.ts";
import { link } from "../src/client/index.ts";
import { dialTcp } from "../src/client/transports/node-socket.ts";
import { ChannelType, LinkErr, displayChannel, inputsChannel, mainChannel } from "../src/protocol/index.ts";
import { spiceGtkCaps } from "../src/red/display/display-client.testing.ts";
import { HostTab, Server } from "./support/host.ts";
import { difference } from "./support/ppm.ts";
import { spicyScreenshot } from "./support/stock-clients.ts";

/** Sends bytes and gives what came back until the server closed. */
async function talk(port: number, bytes: Uint8Array, end = false): Promise<Uint8Array> {
  const socket = connect(port, "127.0.0.1");
  const seen: Uint8Array[] = [];
  socket.on("data", (piece) => seen.push(new Uint8Array(piece)));
  socket.on("error", () => {});
  socket.on("connect", () => (end ? socket.end(bytes) : socket.write(bytes)));
  await new Promise((resolve) => socket.on("close", resolve));
  return new Uint8Array(Buffer.concat(seen));
}

function linkHeader(major: number, size: number, body = 0): Uint8Array {
  const bytes = new Uint8Array(16 + body);
  const view = new DataView(bytes.buffer);
  [0x51444552, major, 2, size].forEach((word, i) => view.setUint32(i * 4, word, true));
  return bytes;
}

const replyError = (reply: Uint8Array) => new DataView(reply.buffer, reply.byteOffset).getUint32(16, true);

test("whatever a client sends ends that connection alone, with its error; guest and other clients go on", async () => {
  await using server = await Server.start();
  await using tab = await HostTab.open(server.url);
  await tab.ready();
  const port = server.spicePort;

  const good = await dialTcp(port);
  await link(good, { channelType: ChannelType.Main });
  const main = new RecordingChannel(good, mainChannel, { answers: true });
  await expect.poll(() => main.find(mainChannel.server.init)?.sessionId).toBeTruthy();
  const session = main.find(mainChannel.server.init)!.sessionId;

  await test.step("links that cannot be", async () => {
    expect(replyError(await talk(port, new Uint8Array(randomBytes(4096)).fill(1, 0, 4)))).toBe(
      LinkErr.InvalidMagic,
    );
    expect(replyError(await talk(port, linkHeader(9, 26, 26)))).toBe(LinkErr.VersionMismatch);
    expect(replyError(await talk(port, linkHeader(2, 0xffff_ffff)))).toBe(LinkErr.InvalidData);
    expect(replyError(await talk(port, linkHeader(2, 3)))).toBe(LinkErr.InvalidData);
    await talk(port, linkHeader(2, 26), true);
    await talk(port, new Uint8Array(0), true);
    for (const [wish, code] of [
      [{ channelType: ChannelType.Display, connectionId: (session ^ 1) >>> 0 }, LinkErr.BadConnectionId],
      [{ channelType: 77, connectionId: session }, LinkErr.ChannelNotAvailable],
    ] as const) {
      const transport = await dialTcp(port);
      expect(await linkError(transport, wish)).toBe(code);
      transport.socket.destroy();
    }
  });

  await test.step("messages that cannot be, on every channel", async () => {
    for (const channelType of [ChannelType.Inputs, ChannelType.Display, ChannelType.Cursor]) {
      for (const bytes of [
        new Uint8Array([0xee, 0x7f, 4, 0, 0, 0, 1, 2, 3, 4]),
        new Uint8Array([1, 0, 0xff, 0xff, 0xff, 0xff]),
        new Uint8Array([101, 0, 1, 0, 0, 0, 9]),
        new Uint8Array(randomBytes(2000)).fill(0xfe, 0, 2),
      ]) {
        const transport = await dialTcp(port);
        await link(transport, { channelType, connectionId: session });
        const closed = new Promise((resolve) => transport.socket.on("close", resolve));
        transport.onData = () => {};
        transport.write(bytes);
        await closed;
        // Core hears of the end from the channel's own thread; until then the session has that channel.
        await tab.until(() =>
          window.spicetab.session.state.clients.every((client) => client.channels.length === 1),
        );
      }
    }
  });

  await test.step("a client that never reads and one that never finishes its link", async () => {
    const transport = await dialTcp(port);
    await link(transport, {
      channelType: ChannelType.Display,
      connectionId: session,
      channelCaps: spiceGtkCaps,
    });
    const deaf = new RecordingChannel(transport, displayChannel);
    deaf.send(displayChannel.client.init, {
      pixmapCacheId: 1,
      pixmapCacheSize: 20n << 20n,
      glzDictionaryId: 1,
      glzDictionaryWindowSize: 0,
    });
    await expect.poll(() => deaf.names).toContain("mark");
    transport.socket.pause();
    const { socket: half } = await dialTcp(port);
    const halfClosed = new Promise((resolve) => half.on("close", resolve));
    half.write(linkHeader(2, 26));

    // The guest goes on drawing for everybody else, whatever these two do.
    const inputs = await dialTcp(port);
    await link(inputs, { channelType: ChannelType.Inputs, connectionId: session });
    const keys = new RecordingChannel(inputs, inputsChannel, { answers: true });
    await expect.poll(() => keys.names).toContain("init");
    const hasDisplay = () =>
      tab.page.evaluate(() =>
        window.spicetab.session.state.clients.some((client) => client.channels.includes("display")),
      );
    await expect.poll(hasDisplay).toBe(true);
    let lines = 0;
    await expect
      .poll(
        async () => {
          const before = await tab.surface();
          // A line unlike the last in the terminal: some drawings, each of which the deaf client should acknowledge.
          const letter = 0x1e + (lines++ % 9);
          for (const code of [letter, letter | 0x80, 0x1c, 0x9c]) {
            keys.send(inputsChannel.client.keyScancode, { data: new Uint8Array([code]) });
          }
          await expect
            .poll(async () => difference(await tab.surface(), before) ?? "same", { timeout: 30_000 })
            .not.toBe("same");
          return hasDisplay();
        },
        { timeout: 180_000, intervals: [500] },
      )
      .toBe(false);
    await halfClosed;
    transport.socket.destroy();
    inputs.socket.destroy();
  });

  await test.step("afterwards all is well", async () => {
    expect(main.closed).toBeUndefined();
    const shot = await spicyScreenshot(port);
    expect(shot.code, shot.stderr).toBe(0);
    expect(difference(shot.picture!, await tab.restingSurface())).toBeUndefined();
    expect(tab.errors).toEqual([]);
  });
  good.socket.destroy();
});
