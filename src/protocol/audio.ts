import { channel } from "./base.ts";
import { AudioDataMode, AudioFmt, ChannelType } from "./enums.ts";
import { AUDIO_MESSAGE_MAX } from "./limits.ts";
import { clientMessage, message } from "./message.ts";
import { array, bytes, enumeration, rest, u16, u32, u8 } from "./schema.ts";

const audio = { maxSize: AUDIO_MESSAGE_MAX };
const mode = enumeration(u16, "AudioDataMode", AudioDataMode);
const format = enumeration(u16, "AudioFmt", AudioFmt);

/** PlaybackChannel of spice.proto: sound from the guest. Times are multimedia time in milliseconds. */
export const playbackChannel = channel(
  ChannelType.Playback,
  "playback",
  {
    data: message(101, "data", { time: u32, data: bytes(rest) }, audio),
    mode: message(102, "mode", { time: u32, mode, data: bytes(rest) }, audio),
    start: message(103, "start", { channels: u32, format, frequency: u32, time: u32 }),
    stop: message(104, "stop", {}),
    volume: message(105, "volume", { volume: array(u16, u8) }),
    mute: message(106, "mute", { mute: u8 }),
    latency: message(107, "latency", { latencyMs: u32 }),
  },
  {},
);

/** RecordChannel of spice.proto: sound for the guest. */
export const recordChannel = channel(
  ChannelType.Record,
  "record",
  {
    start: message(101, "start", { channels: u32, format, frequency: u32 }),
    stop: message(102, "stop", {}),
    volume: message(103, "volume", { volume: array(u16, u8) }),
    mute: message(104, "mute", { mute: u8 }),
  },
  {
    data: clientMessage(101, "data", { time: u32, data: bytes(rest) }, audio),
    mode: clientMessage(102, "mode", { time: u32, mode, data: bytes(rest) }, audio),
    startMark: clientMessage(103, "startMark", { time: u32 }),
  },
);
