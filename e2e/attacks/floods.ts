import {
  ChannelType,
  baseClient,
  displayChannel,
  encodeBody,
  inputsChannel,
  mainChannel,
} from "../../src/protocol/index.ts";
import { pause, scaled } from "./attack.ts";
import type { Attack, Target } from "./attack.ts";
import { RawChannel, rawMessage, words } from "./raw-channel.ts";
import { RawSession, displayInit } from "./raw-session.ts";

const { Display, Inputs, Main } = ChannelType;
/** VD_AGENT_PROTOCOL, VD_AGENT_MONITORS_CONFIG of vd_agent.h. */
const AGENT_PROTOCOL = 1;
const AGENT_MONITORS_CONFIG = 2;
const HUGE = 0xffff_ffff;

const fate = (channel: RawChannel) => (channel.closed ? "was cut" : "was let be");

const join = ({ port, password }: Target, types: readonly number[], init = true) =>
  RawSession.join(port, types, { password, init });

/** Pours `count` copies of a block, or as many as the server takes in a minute. */
async function pour(channel: RawChannel, block: Uint8Array, count: number): Promise<number> {
  const end = performance.now() + 60_000;
  let sent = 0;
  while (sent < count && performance.now() < end && (await channel.pour(block))) sent++;
  return sent;
}

const repeat = (one: Uint8Array, count: number) => Buffer.concat(Array.from({ length: count }, () => one));

/** Each: one client that has joined and does too much of something. */
export const FLOODS: readonly Attack[] = [
  {
    name: "mouse motions without an end",
    async run(target) {
      using bad = await join(target, [Inputs]);
      const { mouseMotion } = inputsChannel.client;
      const one = rawMessage(mouseMotion.id, encodeBody(mouseMotion, { dx: 1, dy: -1, buttonsState: 0 }));
      const sent = await pour(bad.channel(Inputs), repeat(one, 1000), scaled(1000, target));
      return `${sent * 1000} motions, ${bad.channel(Inputs).received} answers, ${fate(bad.channel(Inputs))}`;
    },
  },
  {
    name: "pointer positions and buttons without an end",
    async run(target) {
      using bad = await join(target, [Inputs]);
      const { mousePosition, mousePress, mouseRelease } = inputsChannel.client;
      const position = { x: 5, y: 5, buttonsState: 0, displayId: 0 };
      const middle = { button: 2, buttonsState: 2 };
      const block = repeat(
        Buffer.concat([
          rawMessage(mousePosition.id, encodeBody(mousePosition, position)),
          rawMessage(mousePress.id, encodeBody(mousePress, middle)),
          rawMessage(mouseRelease.id, encodeBody(mouseRelease, { ...middle, buttonsState: 0 })),
        ]),
        300,
      );
      const sent = await pour(bad.channel(Inputs), block, scaled(300, target));
      return `${sent * 900} messages, ${fate(bad.channel(Inputs))}`;
    },
  },
  {
    name: "keys by the megabyte",
    async run(target) {
      using bad = await join(target, [Inputs]);
      // Releases of a key that nobody pressed: the guest is not what is attacked here.
      const body = Buffer.alloc(2000, 0xaa);
      const block = repeat(rawMessage(inputsChannel.client.keyScancode.id, body), 50);
      const sent = await pour(bad.channel(Inputs), block, scaled(1000, target));
      return `${sent * 50} messages of ${body.length} bytes, ${fate(bad.channel(Inputs))}`;
    },
  },
  {
    name: "agent data that nobody asked for",
    async run(target) {
      using bad = await join(target, []);
      bad.main.send(mainChannel.client.agentStart.id, words(HUGE));
      const piece = Buffer.concat([words(1, AGENT_PROTOCOL, 0, 0, HUGE), Buffer.alloc(2028)]);
      for (let i = 0; i < scaled(200, target); i++) bad.main.send(mainChannel.client.agentData.id, piece);
      await pause(500);
      return fate(bad.main);
    },
  },
  {
    name: "tokens, mouse modes, channel lists and clipboards over and over",
    async run(target) {
      using bad = await join(target, []);
      const { agentToken, mouseModeRequest, attachChannels } = mainChannel.client;
      const block = repeat(
        Buffer.concat([
          rawMessage(agentToken.id, words(HUGE)),
          rawMessage(mouseModeRequest.id, Buffer.from([1, 0])),
          rawMessage(attachChannels.id),
        ]),
        100,
      );
      const sent = await pour(bad.main, block, scaled(100, target));
      return `${sent * 300} messages, ${fate(bad.main)}`;
    },
  },
  {
    name: "absurd monitors",
    async run(target) {
      const seen: string[] = [];
      for (const count of [1, 0, 256, 257, HUGE]) {
        using bad = await join(target, []);
        bad.main.send(mainChannel.client.agentStart.id, words(10));
        const one = words(0xffff, 0xffff, 32, 100_000, 0x7fff_ffff);
        const heads = repeat(one, Math.min(count, 40));
        const body = Buffer.concat([words(count, 0), heads]);
        const message = Buffer.concat([words(1, AGENT_MONITORS_CONFIG, 0, 0, body.length), body]);
        bad.main.send(mainChannel.client.agentData.id, message);
        await pause(300);
        seen.push(`${count}: ${fate(bad.main)}`);
      }
      return seen.join(", ");
    },
  },
  {
    name: "absurd caches in INIT, and INIT twice",
    async run(target) {
      const seen: string[] = [];
      for (const [cache, window] of [
        [-1n, -1],
        [(1n << 63n) - 1n, 0x7fff_ffff],
        [-(1n << 63n), -(2 ** 31)],
        [0n, 0],
      ] as const) {
        using bad = await join(target, [Display], false);
        const display = bad.channel(Display);
        for (let i = 0; i < 2; i++) display.send(displayChannel.client.init.id, displayInit(cache, window));
        await pause(300);
        seen.push(`${cache}: ${fate(display)}`);
      }
      return seen.join(", ");
    },
  },
  {
    name: "every compression and video codec there is not",
    async run(target) {
      using bad = await join(target, [Display]);
      const display = bad.channel(Display);
      const { preferredCompression, preferredVideoCodecType } = displayChannel.client;
      for (let i = 0; i < 256; i++) display.send(preferredCompression.id, Buffer.from([i]));
      for (let i = 0; i < scaled(2000, target); i++)
        display.send(preferredVideoCodecType.id, Buffer.from([255, ...Array<number>(255).fill(9)]));
      await pause(500);
      return fate(display);
    },
  },
  {
    name: "acknowledgements and pongs that nobody waits for",
    async run(target) {
      using bad = await join(target, [Display]);
      const { ack, ackSync, pong } = baseClient;
      const block = repeat(
        Buffer.concat([
          repeat(rawMessage(ack.id), 10),
          rawMessage(pong.id, Buffer.alloc(12, 0xee)),
          rawMessage(ackSync.id, words(0xdead_beef)),
        ]),
        100,
      );
      const sent = await pour(bad.channel(Display), block, scaled(20, target));
      await pause(500);
      return `${sent * 1200} messages, ${fate(bad.channel(Display))}`;
    },
  },
  {
    name: "the same channel again and again",
    async run(target) {
      using bad = await join(target, [Display]);
      let refused = 0;
      for (let i = 0; i < 20; i++) {
        using again = await RawChannel.open(target.port);
        const wish = { connectionId: bad.id, channelType: Display, password: target.password };
        if ((await again.link(wish).catch(() => -1)) !== 0) refused++;
      }
      return `${refused} of 20 refused, the first ${fate(bad.channel(Display))}`;
    },
  },
  {
    name: "sessions one after another, each left without a word",
    async run(target) {
      const count = scaled(200, target);
      let joined = 0;
      for (let i = 0; i < count; i++) {
        using one = await RawChannel.open(target.port);
        if ((await one.link({ channelType: Main, password: target.password }).catch(() => -1)) === 0)
          joined++;
      }
      return `${joined} of ${count} joined`;
    },
  },
  {
    name: "a display client that reads nothing",
    async run(target) {
      using bad = await join(target, [Display]);
      bad.channel(Display).socket.pause();
      await pause(15_000 * Math.max(0.2, target.scale));
      return fate(bad.channel(Display));
    },
  },
];
