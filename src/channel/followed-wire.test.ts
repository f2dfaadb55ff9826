import * as fc from "fast-check";
import { expect, test } from "vitest";
import {
  ChannelType,
  CommonCap,
  LinkError,
  baseServer,
  capsToWords,
  displayChannel,
  encodeLinkMess,
  encodeLinkReply,
  encodeLinkResult,
  encodeMessage,
  inputsChannel,
  mainChannel,
} from "../protocol/index.ts";
import { FollowedWire } from "./followed-wire.ts";

const TICKET = new Uint8Array(128).fill(7);
const MECHANISM = new Uint8Array(4).fill(1);

/** The link stage of a stock client: what it says, and what it hears. */
function linkStage(channelType: number, connectionId: number, options: { mini: boolean; selects: boolean }) {
  const commonCaps = capsToWords([
    CommonCap.AuthSpice,
    ...(options.mini ? [CommonCap.MiniHeader] : []),
    ...(options.selects ? [CommonCap.ProtocolAuthSelection] : []),
  ]);
  const mess = encodeLinkMess({ connectionId, channelType, channelId: 0, commonCaps, channelCaps: [1] });
  const reply = encodeLinkReply({
    error: LinkError.Ok,
    pubKey: new Uint8Array(162),
    commonCaps,
    channelCaps: [3],
  });
  return {
    said: [...mess, ...(options.selects ? MECHANISM : []), ...TICKET],
    heard: [...reply, ...encodeLinkResult(LinkError.Ok)],
  };
}

/** In pieces of these lengths, again and again. */
function* pieces(all: readonly number[], cuts: readonly number[]): Generator<Uint8Array> {
  for (let at = 0, cut = 0; at < all.length; at += cuts[cut++ % cuts.length])
    yield Uint8Array.from(all.slice(at, at + cuts[cut % cuts.length]));
}

const cuts = fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 8 });
const options = fc.record({ mini: fc.boolean(), selects: fc.boolean() });
/** How many bytes of the last message have come. */
const torn = fc.nat();

test("a display channel, wherever its server ends: what the client has, what it had begun to say, and not a byte of half a message", () => {
  fc.assert(
    fc.property(cuts, cuts, options, torn, torn, (toServer, toClient, how, tornSaid, tornHeard) => {
      const wire = new FollowedWire();
      const link = linkStage(ChannelType.Display, 77, how);
      const serverSays = <T>(def: Parameters<typeof encodeMessage<T>>[0], value: T) =>
        encodeMessage(def, value, { miniHeader: how.mini, serial: 1n });
      const surface = { surfaceId: 0, width: 20, height: 10, format: 32, flags: 1 };
      const heard = [
        ...serverSays(baseServer.setAck, { generation: 9, window: 20 }),
        ...serverSays(displayChannel.server.surfaceCreate, surface),
        ...serverSays(displayChannel.server.surfaceCreate, { ...surface, surfaceId: 3, flags: 0 }),
        ...serverSays(displayChannel.server.mark, {}),
        ...serverSays(displayChannel.server.surfaceDestroy, { surfaceId: 3 }),
      ];
      const init = { pixmapCacheId: 1, pixmapCacheSize: 9n, glzDictionaryId: 1, glzDictionaryWindowSize: 5 };
      const said = [...serverSays(displayChannel.client.init, init)];
      const next = [...serverSays(displayChannel.client.preferredCompression, { imageCompression: 4 })];
      const rest = next.slice(0, tornSaid % next.length);
      const unheard = [...serverSays(displayChannel.server.mark, {})];
      const unfinished = unheard.slice(0, tornHeard % unheard.length);

      const passed: number[] = [];
      for (const bytes of pieces([...link.said, ...said, ...rest], toServer)) wire.received(bytes);
      for (const bytes of pieces([...link.heard, ...heard, ...unfinished], toClient))
        for (const piece of wire.sent(bytes)) passed.push(...piece);
      expect(passed).toEqual([...link.heard, ...heard]);
      const checkpoint = wire.checkpoint();
      expect(checkpoint).toMatchObject({
        miniHeader: how.mini,
        link: { connectionId: 77, channelType: ChannelType.Display, channelCaps: [1] },
        resume: {
          serial: 5n,
          generation: 9,
          marked: true,
          surfaces: [{ surfaceId: 0, width: 20, height: 10, format: 32 }],
        },
      });
      expect([...checkpoint!.rest]).toEqual(rest);
      expect([...checkpoint!.resume.init!]).toEqual(said.slice(how.mini ? 6 : 18));
    }),
  );
});

test("main names its session in INIT, and inputs count what was not acknowledged", () => {
  const how = { mini: true, selects: true };
  const encode = <T>(def: Parameters<typeof encodeMessage<T>>[0], value: T) =>
    encodeMessage(def, value, { miniHeader: true });
  const main = new FollowedWire();
  const link = linkStage(ChannelType.Main, 0, how);
  for (const bytes of pieces(link.said, [50])) main.received(bytes);
  for (const bytes of pieces(link.heard, [50])) main.sent(bytes);
  // Without INIT there is no session to go on with.
  expect(main.checkpoint()).toBeUndefined();
  main.sent(
    encode(mainChannel.server.init, {
      sessionId: 4711,
      displayChannelsHint: 1,
      supportedMouseModes: 3,
      currentMouseMode: 1,
      agentConnected: 0,
      agentTokens: 10,
      multiMediaTime: 1,
      ramHint: 0,
    }),
  );
  expect(main.checkpoint()?.link.connectionId).toBe(4711);

  const inputs = new FollowedWire();
  const inputsLink = linkStage(ChannelType.Inputs, 4711, how);
  for (const bytes of pieces(inputsLink.said, [70])) inputs.received(bytes);
  for (const bytes of pieces(inputsLink.heard, [70])) inputs.sent(bytes);
  const motion = encode(inputsChannel.client.mouseMotion, { dx: 1, dy: 1, buttonsState: 0 });
  for (let i = 0; i < 7; i++) inputs.received(motion);
  inputs.sent(encode(inputsChannel.server.mouseMotionAck, {}));
  expect(inputs.checkpoint()?.resume).toMatchObject({ serial: 1n, motions: 3 });
});

test("what is no link, or one that is refused, is passed on as it is, and goes on with nobody", () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 5000, size: "max" }), { maxLength: 4 }),
      fc.boolean(),
      (noise, isRefused) => {
        const wire = new FollowedWire();
        const link = linkStage(ChannelType.Main, 0, { mini: true, selects: true });
        if (isRefused) {
          wire.received(Uint8Array.from(link.said));
          link.heard.splice(-4, 4, ...encodeLinkResult(LinkError.PermissionDenied));
          expect(wire.sent(Uint8Array.from(link.heard))).toEqual([Uint8Array.from(link.heard)]);
        }
        for (const bytes of noise) {
          wire.received(bytes);
          expect(wire.sent(bytes)).toEqual([bytes]);
        }
        expect(wire.linked).toBe(false);
        expect(wire.checkpoint()).toBeUndefined();
      },
    ),
  );
});
