import { playbackChannel, recordChannel } from "./audio.ts";
import { cursorChannel } from "./cursor.ts";
import { displayChannel } from "./display.ts";
import { inputsChannel } from "./inputs.ts";
import { mainChannel } from "./main.ts";
import type { ChannelSchema } from "./message.ts";
import { portChannel, smartcardChannel, usbredirChannel, webdavChannel } from "./vmc.ts";

/** Every channel that has a schema, in the order of their types. The obsolete tunnel (7) has none. */
export const channels: readonly ChannelSchema[] = [
  mainChannel,
  displayChannel,
  inputsChannel,
  cursorChannel,
  playbackChannel,
  recordChannel,
  smartcardChannel,
  usbredirChannel,
  portChannel,
  webdavChannel,
];

/** The schema of a SpiceChannelType, or undefined. */
export function channelByType(type: number): ChannelSchema | undefined {
  return channels.find((channel) => channel.type === type);
}
