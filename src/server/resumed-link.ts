import type { ChannelResume } from "../dispatch/index.ts";
import { CodedError } from "../errors/index.ts";
import type { LinkResume } from "../relay-control/index.ts";
import type { StreamPort, Wire } from "../transport/index.ts";
import { CLIENT_OVERSHOOT, openRedStream } from "../transport/index.ts";
import type { AuthenticatedLink } from "./link.ts";

/** A channel of a session that another server had, as far as its client had come with it. */
export type ResumedLink = AuthenticatedLink & { readonly resume: ChannelResume };

/** Why a connection that another server had does not go on with this one. */
export class NotResumed extends CodedError {
  override readonly name = "NotResumed";
  readonly code = "NOT_RESUMED";
}

/** The link that a client once made, by what the relay kept of it. Its client is not asked again: the server before let it in. */
export function resumedLink(port: StreamPort, wire: Wire | undefined, kept: LinkResume): ResumedLink {
  const { serial, generation, motions, init, compression, marked, surfaces } = kept;
  return {
    stream: openRedStream(port, { overshoot: CLIENT_OVERSHOOT }),
    connectionId: kept.session,
    channelType: kept.channelType,
    channelId: kept.channelId,
    capabilities: { common: kept.commonCaps, channel: kept.channelCaps },
    miniHeader: kept.miniHeader,
    wire,
    resume: {
      serial: BigInt(serial),
      generation,
      marked,
      surfaces,
      ...(motions !== undefined && { motions }),
      ...(init !== undefined && { init: bytesOf(init) }),
      ...(compression !== undefined && { compression }),
    },
  };
}

function bytesOf(hexadecimal: string): Uint8Array {
  return Uint8Array.from(hexadecimal.match(/../g) ?? [], (digits) => Number.parseInt(digits, 16));
}
