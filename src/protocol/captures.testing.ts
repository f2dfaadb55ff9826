import { existsSync, readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { hasCap } from "./caps.ts";
import { channelByType } from "./channels.ts";
import { CommonCap } from "./enums.ts";
import type { LinkMess, LinkReply } from "./link.ts";
import { LINK_HEADER_SIZE, TICKET_SIZE, decodeLinkHeader, decodeLinkMess, decodeLinkReply } from "./link.ts";
import type { MessageTable } from "./message.ts";

/** Recordings of stock clients against the reference server. They lie beside the project and are no part of it. */
const CAPTURES = path.resolve(import.meta.dirname, "../../../shared/captures");

/** One direction of a captured connection, cut into the link stage and the messages behind it. */
export interface CapturedStream {
  readonly name: string;
  readonly table: MessageTable;
  readonly miniHeader: boolean;
  /** Header and link message, or header and reply, as they were. */
  readonly link: Uint8Array;
  readonly linkValue: LinkMess | LinkReply;
  readonly messages: Uint8Array;
}

/** Whether there are any. */
export const haveCaptures = existsSync(CAPTURES);

/** Both directions of every captured connection. */
export function capturedStreams(): CapturedStream[] {
  if (!haveCaptures) return [];
  return readdirSync(CAPTURES).flatMap((folder) =>
    path.extname(folder) === "" ? connections(path.join(CAPTURES, folder)) : [],
  );
}

function connections(folder: string): CapturedStream[] {
  const files = readdirSync(folder).filter((file) => /^\d+-.*-c2s\.bin$/.test(file));
  return files.flatMap((file) => {
    const name = `${path.basename(folder)}/${file.replace("-c2s.bin", "")}`;
    const read = (suffix: string) =>
      Uint8Array.from(readFileSync(path.join(folder, file.replace("c2s", suffix))));
    return connection(name, plain(read("c2s")), plain(read("s2c")));
  });
}

function connection(name: string, c2s: Uint8Array, s2c: Uint8Array): CapturedStream[] {
  const request = linkStage(c2s);
  const reply = linkStage(s2c);
  const mess = decodeLinkMess(request.body);
  const answer = decodeLinkReply(reply.body);
  const miniHeader = [mess, answer].every((side) => hasCap(side.commonCaps, CommonCap.MiniHeader));
  const selection = [mess, answer].every((side) => hasCap(side.commonCaps, CommonCap.ProtocolAuthSelection));
  const schema = channelByType(mess.channelType)!;
  return [
    {
      name: `${name} c2s`,
      table: schema.client,
      miniHeader,
      link: request.whole,
      linkValue: mess,
      messages: c2s.subarray(request.whole.length + (selection ? 4 : 0) + TICKET_SIZE),
    },
    {
      name: `${name} s2c`,
      table: schema.server,
      miniHeader,
      link: reply.whole,
      linkValue: answer,
      messages: s2c.subarray(reply.whole.length + 4),
    },
  ];
}

function linkStage(stream: Uint8Array): { whole: Uint8Array; body: Uint8Array } {
  const { size } = decodeLinkHeader(stream);
  const whole = stream.subarray(0, LINK_HEADER_SIZE + size);
  return { whole, body: whole.subarray(LINK_HEADER_SIZE) };
}

/** The bytes inside of WebSocket frames, if the stream starts with an HTTP upgrade; else the stream itself. */
function plain(stream: Uint8Array): Uint8Array {
  const text = Buffer.from(stream);
  if (
    !text
      .subarray(0, 5)
      .toString("latin1")
      .match(/^(GET |HTTP)/)
  )
    return stream;
  const payloads: Uint8Array[] = [];
  const view = new DataView(stream.buffer);
  for (let at = text.indexOf("\r\n\r\n") + 4; at + 2 <= stream.length;) {
    const opcode = stream[at] & 0x0f;
    const masked = stream[at + 1] >= 0x80;
    let length = stream[at + 1] & 0x7f;
    at += 2;
    if (length === 126) length = view.getUint16(at);
    if (length === 127) length = Number(view.getBigUint64(at));
    at += length > 0xffff ? 8 : length > 125 ? 2 : 0;
    const mask = masked ? stream.subarray(at, at + 4) : new Uint8Array(4);
    at += masked ? 4 : 0;
    if (opcode < 8) payloads.push(stream.slice(at, at + length).map((byte, index) => byte ^ mask[index & 3]));
    at += length;
  }
  return Uint8Array.from(Buffer.concat(payloads));
}
