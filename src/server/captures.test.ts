import { describe, expect, test } from "vitest";
import { link } from "../client/index.ts";
import { RecordingChannel } from "../client/client.testing.ts";
import { capturedStreams, haveCaptures } from "../protocol/captures.testing.ts";
import type { CapturedStream } from "../protocol/captures.testing.ts";
import type { LinkMess, ParsedMessage } from "../protocol/index.ts";
import { ChannelType, MessageParser, inputsChannel, mainChannel } from "../protocol/index.ts";
import { TestServer } from "./server.testing.ts";
import { eventually, turns } from "../waiting.testing.ts";

const streams = capturedStreams();
const linkOf = (stream: CapturedStream) => stream.linkValue as LinkMess;
const fromClients = (channelType: number) =>
  streams.filter(
    ({ name, linkValue }) => name.endsWith("c2s") && (linkValue as LinkMess).channelType === channelType,
  );
const answerTo = ({ name }: CapturedStream) =>
  streams.find((one) => one.name === name.replace("c2s", "s2c"))!;

function messagesOf({ table, miniHeader, messages }: CapturedStream): ParsedMessage[] {
  return [...new MessageParser({ channel: table, miniHeader }).push(messages.slice())];
}

/** Sends the captured bytes in pieces that fit nothing. */
async function replay(to: RecordingChannel, bytes: Uint8Array): Promise<void> {
  for (let at = 0, size = 1; at < bytes.length; at += size, size = (size * 5 + 3) % 61) {
    to.sendRaw(bytes.slice(at, at + size));
    await turns(1);
  }
}

describe.skipIf(!haveCaptures)("captured sessions of stock clients (skipped without the recordings)", () => {
  test.each(fromClients(ChannelType.Main))(
    "$name: the session opens in the reference server's order",
    async (capture) => {
      using server = new TestServer();
      server.reds.agentState(true);
      const { commonCaps, channelCaps } = linkOf(capture);
      const { main } = await server.linkMain({ commonCaps, channelCaps });
      await replay(main, capture.messages);
      // The reference opens with these; what follows depends on agent and time.
      const theirs = messagesOf(answerTo(capture)).map(({ name }) => name);
      const opening = theirs.slice(0, theirs.indexOf("channelsList") + 1);
      expect(opening.length).toBeGreaterThan(4);
      await eventually(() => main.names.includes("channelsList"));
      const ours = main.names.filter((name) => name !== "agentToken" && name !== "mouseMode");
      expect(ours.slice(0, opening.length)).toEqual(opening);
      expect(main.find(mainChannel.server.channelsList)!.channels.map(({ type }) => type)).toEqual([
        ChannelType.Display,
        ChannelType.Inputs,
        ChannelType.Cursor,
      ]);
      expect(main.closed).toBeUndefined();
    },
  );

  test.each(fromClients(ChannelType.Inputs))(
    "$name: every key reaches the guest, the pointer ends where it did",
    async (capture) => {
      using server = new TestServer();
      const { session, main } = await server.linkMain();
      server.reds.tabletState(true);
      main.send(mainChannel.client.mouseModeRequest, { mode: 2 });
      await eventually(() => server.reds.mouseMode === 2);
      const stream = server.dial();
      const { commonCaps, channelCaps } = linkOf(capture);
      await link(stream, {
        channelType: ChannelType.Inputs,
        connectionId: session,
        commonCaps,
        channelCaps,
      });
      const inputs = new RecordingChannel(stream, inputsChannel);
      await replay(inputs, capture.messages);

      const { client } = inputsChannel;
      const sent = messagesOf(capture);
      const typed = sent.flatMap((message) => {
        const code = (message.as(client.keyDown) ?? message.as(client.keyUp))?.code;
        if (code !== undefined) return [code & 0xff, code >> 8].filter((byte) => byte !== 0);
        return [...(message.as(client.keyScancode)?.data ?? [])];
      });
      const arrived = () =>
        server.guestLog.flatMap(([what, message]) =>
          what === "keys" ? (message as { bytes: number[] }).bytes : [],
        );
      // Lock keys that follow the client's lights come on top.
      const locks = new Set([0x3a, 0xba, 0x45, 0xc5, 0x46, 0xc6]);
      const letters = (bytes: number[]) => bytes.filter((byte) => !locks.has(byte));
      expect(typed.length).toBeGreaterThan(0);
      await eventually(() => letters(arrived()).length >= letters(typed).length);
      expect(letters(arrived())).toEqual(letters(typed));
      const last = sent
        .map((message) => message.as(client.mousePosition))
        .findLast((position) => position !== undefined);
      const positions = () => server.guestLog.filter(([what]) => what === "position").map(([, at]) => at);
      if (last) {
        await eventually(() => positions().length > 0);
        expect(positions().at(-1)).toMatchObject({ x: last.x, y: last.y });
      }
      const moves = sent.filter(({ name }) => name === "mousePosition" || name === "mouseMotion").length;
      await eventually(
        () => inputs.names.filter((name) => name === "mouseMotionAck").length === Math.floor(moves / 4),
      );
      expect(inputs.closed).toBeUndefined();
    },
  );
});
