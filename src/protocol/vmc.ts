import { channel } from "./base.ts";
import { ChannelType, DataCompressionType, PortEvent, VscMessageType } from "./enums.ts";
import { VMC_MESSAGE_MAX } from "./limits.ts";
import { clientMessage, message } from "./message.ts";
import { bytes, enumeration, lengthOf, pointerTo, rest, text, u32, u8, when } from "./schema.ts";

const vmc = { maxSize: VMC_MESSAGE_MAX };

const compressed = {
  type: enumeration(u8, "DataCompressionType", DataCompressionType),
  // Any type but NONE has bits set, and only then is there a size.
  uncompressedSize: when("type", 0xff, u32),
  compressedData: bytes(rest),
};
/** Both directions say the same. */
const spicevmc = {
  data: message(101, "data", { data: bytes(rest) }, vmc),
  compressedData: message(102, "compressedData", compressed, vmc),
};
const spicevmcClient = {
  data: clientMessage(101, "data", { data: bytes(rest) }, vmc),
  compressedData: clientMessage(102, "compressedData", compressed, vmc),
};

const event = enumeration(u8, "PortEvent", PortEvent);
const portServer = {
  ...spicevmc,
  init: message(201, "init", {
    nameSize: lengthOf("name", u32),
    name: pointerTo(text("nameSize")),
    opened: u8,
  }),
  event: message(202, "event", { event }),
};
const portClient = { ...spicevmcClient, event: clientMessage(201, "event", { event }) };

/** UsbredirChannel of spice.proto: SpicevmcChannel, usbredir packets as bytes. */
export const usbredirChannel = channel(ChannelType.Usbredir, "usbredir", spicevmc, spicevmcClient);

/** PortChannel of spice.proto: a named byte pipe to the guest. */
export const portChannel = channel(ChannelType.Port, "port", portServer, portClient);

/** WebDAVChannel of spice.proto: a port that speaks the phodav multiplexing. */
export const webdavChannel = channel(ChannelType.Webdav, "webdav", portServer, portClient);

const vscMessage = {
  type: enumeration(u32, "VscMessageType", VscMessageType),
  readerId: u32,
  data: bytes(u32),
};

/** SmartcardChannel of spice.proto. Little-endian here; the guest's device end is big-endian. */
export const smartcardChannel = channel(
  ChannelType.Smartcard,
  "smartcard",
  { data: message(101, "data", vscMessage, vmc) },
  { data: clientMessage(101, "data", vscMessage, vmc) },
);
