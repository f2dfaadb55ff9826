import { encodeMessage } from "../protocol/headers.ts";
import { mainChannel } from "../protocol/main.ts";
import { ChannelType, NotifySeverity, NotifyVisibility } from "../protocol/enums.ts";
import type { WireCheckpoint } from "../channel/followed-wire.ts";
import type { LinkResume } from "../relay-control/index.ts";

/** A client's connection as it is told to the tab that goes on with it. */
export function linkResume({ link, miniHeader, resume }: WireCheckpoint): LinkResume {
  const { connectionId: session, channelType, channelId, commonCaps, channelCaps } = link;
  const { serial, generation, motions, init, compression, marked, surfaces } = resume;
  return {
    session,
    channelType,
    channelId,
    commonCaps,
    channelCaps,
    miniHeader,
    serial: Number(serial),
    generation,
    marked,
    surfaces,
    ...(motions !== undefined && { motions }),
    ...(init !== undefined && { init: Buffer.from(init).toString("hex") }),
    ...(compression !== undefined && { compression }),
  };
}

/** The last words to a client that nobody goes on with, where its channel has words: a NOTIFY on main. */
export function farewell(
  { link, miniHeader, resume }: WireCheckpoint,
  words: string,
): Uint8Array | undefined {
  if (link.channelType !== ChannelType.Main) return undefined;
  const notify = {
    timeStamp: BigInt(Date.now()) * 1_000_000n,
    severity: NotifySeverity.Error,
    visibility: NotifyVisibility.High,
    what: 0,
    message: words,
  };
  return encodeMessage(mainChannel.server.notify, notify, { serial: resume.serial + 1n, miniHeader });
}
