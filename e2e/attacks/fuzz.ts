import * as fc from "fast-check";
import {
  cursorChannel,
  displayChannel,
  encodeBody,
  inputsChannel,
  mainChannel,
} from "../../src/protocol/index.ts";
import type { ChannelSchema } from "../../src/protocol/index.ts";
import { arbitraryOf } from "../../src/protocol/schema.testing.ts";
import { pause, scaled } from "./attack.ts";
import type { Attack, Target } from "./attack.ts";
import { RawChannel, rawLinkMessage, rawMessage, words } from "./raw-channel.ts";
import { RawSession } from "./raw-session.ts";

const CONNECTIONS = 10_000;
const AT_ONCE = 6;
const CHANNELS: readonly ChannelSchema[] = [mainChannel, displayChannel, inputsChannel, cursorChannel];
const ODD = [
  0, 1, 2, 3, 4, 7, 8, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x1_0000, 0x7fff_ffff, 0x8000_0000,
  0xffff_fffe, 0xffff_ffff,
];

/** Numbers that follow from a seed (xorshift). */
class Dice {
  #state: number;
  constructor(seed: number) {
    this.#state = seed >>> 0 || 1;
  }
  /** A whole number below `limit`. */
  roll(limit: number): number {
    let state = this.#state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#state = state >>> 0;
    return this.#state % limit;
  }
  pick<T>(values: readonly T[]): T {
    return values[this.roll(values.length)];
  }
}

/** True messages of a channel's client, made from its schema. */
function corpus(schema: ChannelSchema, seed: number): { type: number; body: Uint8Array }[] {
  return Object.values(schema.client).flatMap((def) =>
    fc
      .sample(arbitraryOf(def), { numRuns: 8, seed })
      .map((value) => ({ type: def.id, body: encodeBody(def, value) })),
  );
}

function mutated({ type, body }: { type: number; body: Uint8Array }, dice: Dice): Buffer {
  let bytes = Buffer.from(body);
  let kind = type;
  let size: number | undefined;
  for (let times = 1 + dice.roll(3); times > 0; times--) {
    const at = dice.roll(bytes.length + 1);
    switch (dice.roll(7)) {
      case 0:
        if (bytes.length > 0) bytes[dice.roll(bytes.length)] = dice.roll(256);
        break;
      case 1:
        if (bytes.length >= 4) bytes.writeUInt32LE(dice.pick(ODD), dice.roll(bytes.length - 3));
        break;
      case 2:
        kind = dice.roll(4) > 0 ? 101 + dice.roll(16) : dice.roll(0x1_0000);
        break;
      case 3:
        size = dice.pick(ODD);
        break;
      case 4:
        bytes = bytes.subarray(0, at);
        break;
      case 5:
        bytes = Buffer.concat([bytes, Buffer.alloc(dice.roll(3000), dice.roll(256))]);
        break;
      default:
        bytes = Buffer.concat([bytes.subarray(0, at), words(dice.pick(ODD)), bytes.subarray(at)]);
    }
  }
  return rawMessage(kind, bytes, size);
}

/** One connection whose link is broken somewhere. */
async function fuzzLink({ port }: Target, dice: Dice, sessionId: number): Promise<void> {
  using channel = await RawChannel.open(port);
  const connectionId = dice.roll(3) > 0 ? sessionId : dice.roll(2 ** 31);
  let bytes = rawLinkMessage({ channelType: dice.roll(14), connectionId, channelId: dice.roll(3) });
  switch (dice.roll(4)) {
    case 0:
      bytes.writeUInt32LE(dice.pick(ODD), 4 * dice.roll(Math.floor(bytes.length / 4)));
      break;
    case 1:
      bytes[dice.roll(bytes.length)] = dice.roll(256);
      break;
    case 2:
      bytes = bytes.subarray(0, dice.roll(bytes.length));
      break;
    default:
      bytes = Buffer.concat([bytes, Buffer.alloc(dice.roll(5000), dice.roll(256))]);
  }
  channel.socket.write(bytes);
  await pause(dice.roll(100));
}

/** One channel that links as it should and then says what it should not, in pieces of any size. */
async function fuzzChannel(
  target: Target,
  dice: Dice,
  messages: ReadonlyMap<ChannelSchema, ReturnType<typeof corpus>>,
) {
  const schema = dice.pick(CHANNELS);
  const types = schema === mainChannel ? [] : [schema.type];
  using session = await RawSession.join(target.port, types, {
    password: target.password,
    init: dice.roll(2) > 0,
  });
  const channel = schema === mainChannel ? session.main : session.channel(schema.type);
  const known = messages.get(schema)!;
  const said = Array.from({ length: 1 + dice.roll(25) }, () => {
    const message = dice.pick(known);
    return dice.roll(2) > 0 ? mutated(message, dice) : rawMessage(message.type, message.body);
  });
  for (let rest = Buffer.concat(said); rest.length > 0 && !channel.closed;) {
    const length = dice.roll(4) > 0 ? rest.length : 1 + dice.roll(50);
    channel.socket.write(rest.subarray(0, length));
    rest = rest.subarray(length);
    if (dice.roll(3) === 0) await pause(1);
  }
  await pause(dice.roll(100));
  return channel.closed;
}

/** Thousands of connections made from a seed: broken links, and true channels with broken messages. */
export function fuzz(seed: number): Attack {
  return {
    name: `fuzzed connections, seed ${seed}`,
    async run(target) {
      const dice = new Dice(seed);
      const messages = new Map(CHANNELS.map((schema) => [schema, corpus(schema, seed)]));
      using anchor = await RawSession.join(target.port, [], { password: target.password });
      let left = scaled(CONNECTIONS, target);
      const count = left;
      let [cut, refused] = [0, 0];
      const work = async () => {
        while (left-- > 0) {
          try {
            if (dice.roll(100) < 45) await fuzzLink(target, dice, anchor.id);
            else if (await fuzzChannel(target, dice, messages)) cut++;
          } catch {
            // Whoever makes this noise may be refused; that others are not is watched by the honest client.
            refused++;
          }
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, work));
      return `${count} connections, ${cut} cut for what they said, ${refused} not let in`;
    },
  };
}
