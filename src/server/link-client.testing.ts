import { constants, createPublicKey, publicEncrypt } from "node:crypto";
import type { ChannelSchema, MessageDef, ParsedMessage } from "../protocol/index.ts";
import {
  AuthMechanism,
  CommonCap,
  LINK_HEADER_SIZE,
  MessageParser,
  baseClient,
  baseServer,
  capsToWords,
  decodeLinkReply,
  decodeStruct,
  encodeLinkMess,
  encodeMessage,
  encodeStruct,
  linkAuthMechanism,
  linkHeader,
} from "../protocol/index.ts";
import type { RedStream } from "../transport/index.ts";
import { LinkReader } from "./link-reader.ts";

/** What a stock client announces (spice-gtk 0.42), plus the session it joins. */
export interface LinkWishes {
  readonly connectionId?: number;
  readonly channelType: number;
  readonly channelId?: number;
  readonly channelCaps?: readonly number[];
  readonly commonCaps?: readonly number[];
  readonly password?: string;
}

/** The ticket as every client makes it: OAEP with SHA-1, the password and a NUL. */
export function makeTicket(publicKey: Uint8Array, password: string): Uint8Array {
  const key = createPublicKey({ key: Buffer.from(publicKey), format: "der", type: "spki" });
  return publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING }, Buffer.from(`${password}\0`));
}

/** Runs the client's side of the link stage; the numbers are LinkErr. */
export async function linkAsClient(
  stream: RedStream,
  wishes: LinkWishes,
): Promise<{ replyError: number; resultError?: number; channelCaps: readonly number[] }> {
  const reader = new LinkReader(stream);
  const commonCaps =
    wishes.commonCaps ??
    capsToWords([CommonCap.ProtocolAuthSelection, CommonCap.AuthSasl, CommonCap.MiniHeader]);
  stream.write(
    encodeLinkMess({
      // Tests make wrong ids by flipping bits, which JavaScript gives a sign.
      connectionId: (wishes.connectionId ?? 0) >>> 0,
      channelType: wishes.channelType,
      channelId: wishes.channelId ?? 0,
      commonCaps,
      channelCaps: wishes.channelCaps ?? [],
    }),
  );
  const header = decodeStruct("linkHeader", linkHeader, await reader.read(LINK_HEADER_SIZE));
  const reply = decodeLinkReply(await reader.read(header.size));
  if (reply.error !== 0) return { replyError: reply.error, channelCaps: reply.channelCaps };
  stream.write(encodeStruct("linkAuthMechanism", linkAuthMechanism, { authMechanism: AuthMechanism.Spice }));
  stream.write(makeTicket(reply.pubKey, wishes.password ?? ""));
  const result = await reader.read(4);
  reader.release();
  return {
    replyError: 0,
    resultError: new DataView(result.buffer).getUint32(0, true),
    channelCaps: reply.channelCaps,
  };
}

/** A linked channel seen from the client: what arrived, and a way to answer. */
export class ChannelAtClient {
  readonly messages: ParsedMessage[] = [];
  closed: string | undefined;
  /** A client that answers no PING is taken for dead after a while. */
  answersPings = false;
  readonly #stream: RedStream;

  constructor(stream: RedStream, schema: ChannelSchema) {
    this.#stream = stream;
    const parser = new MessageParser({ miniHeader: true, channel: schema.server });
    stream.onData = (bytes) => {
      for (const message of parser.push(bytes)) {
        this.messages.push(message);
        const ping = message.as(baseServer.ping);
        if (ping === undefined || !this.answersPings) continue;
        this.send(baseClient.pong, { id: ping.id, timestamp: ping.timestamp });
      }
    };
    stream.onClose = (reason) => (this.closed = reason);
  }

  send<T>(def: MessageDef<T>, value: T): void {
    this.#stream.write(encodeMessage(def, value, { miniHeader: true }));
  }

  sendRaw(bytes: Uint8Array): void {
    this.#stream.write(bytes);
  }

  get names(): string[] {
    return this.messages.map((message) => message.name);
  }

  /** The first message of that kind, decoded. */
  find<T>(def: MessageDef<T>): T | undefined {
    return this.messages.find((message) => message.def === def)?.as(def);
  }

  close(): void {
    this.#stream.close("the client leaves");
  }
}
