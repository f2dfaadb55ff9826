import { connect, type Socket } from "node:net";
import {
  AuthMechanism,
  CommonCap,
  LINK_HEADER_SIZE,
  capsToWords,
  decodeLinkReply,
  decodeStruct,
  encodeLinkMess,
  encodeStruct,
  linkAuthMechanism,
  linkHeader,
} from "../../src/protocol/index.ts";
import { makeTicket } from "../../src/server/link-client.testing.ts";

const SET_ACK = 3;
const PING = 4;
const ACK_SYNC = 1;
const ACK = 2;
const PONG = 3;
const MINI_HEADER_BYTES = 6;

/** What a link asks for. */
export interface RawLink {
  readonly connectionId?: number;
  readonly channelType: number;
  readonly channelId?: number;
  readonly password?: string;
}

/** A message with a mini header: u16 type, u32 size (here any that is wanted), the body. */
export function rawMessage(type: number, body: Uint8Array = new Uint8Array(), size = body.length): Buffer {
  const header = Buffer.alloc(MINI_HEADER_BYTES);
  header.writeUInt16LE(type & 0xffff, 0);
  header.writeUInt32LE(size >>> 0, 2);
  return Buffer.concat([header, body]);
}

/** 32-bit words, little-endian. */
export function words(...values: number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  values.forEach((value, index) => bytes.writeUInt32LE(value >>> 0, 4 * index));
  return bytes;
}

/** The link message as stock clients send it, for whoever wants to break it. */
export function rawLinkMessage({ connectionId = 0, channelType, channelId = 0 }: RawLink): Buffer {
  const commonCaps = capsToWords([
    CommonCap.ProtocolAuthSelection,
    CommonCap.AuthSpice,
    CommonCap.MiniHeader,
  ]);
  const channelCaps = [0xffff_ffff];
  return Buffer.from(encodeLinkMess({ connectionId, channelType, channelId, commonCaps, channelCaps }));
}

/** A TCP connection that does what it likes: it links, acknowledges and pongs as it should, and sends whatever bytes it is told. */
export class RawChannel implements Disposable {
  readonly socket: Socket;
  closed = false;
  /** Messages received. */
  received = 0;
  onMessage: ((type: number, body: Buffer) => void) | undefined;
  #bytes: Buffer = Buffer.alloc(0);
  #linked = false;
  #window = 0;
  #sinceAck = 0;
  #wake: (() => void) | undefined;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (piece: Buffer) => {
      this.#bytes = this.#bytes.length > 0 ? Buffer.concat([this.#bytes, piece]) : piece;
      if (this.#linked) this.#parse();
      this.#wake?.();
    });
    socket.on("close", () => {
      this.closed = true;
      this.#wake?.();
    });
    socket.on("error", () => {});
  }

  static async open(port: number): Promise<RawChannel> {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    const channel = new RawChannel(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("error", reject);
    });
    return channel;
  }

  /** Runs the link stage. @returns LinkErr of the reply or of the result */
  async link(wish: RawLink, deadlineMs = 30_000): Promise<number> {
    const deadline = performance.now() + deadlineMs;
    this.socket.write(rawLinkMessage(wish));
    const header = decodeStruct("linkHeader", linkHeader, await this.#take(LINK_HEADER_SIZE, deadline));
    const reply = decodeLinkReply(await this.#take(header.size, deadline));
    if (reply.error !== 0) return reply.error;
    const mechanism = { authMechanism: AuthMechanism.Spice };
    this.socket.write(encodeStruct("linkAuthMechanism", linkAuthMechanism, mechanism));
    this.socket.write(makeTicket(reply.pubKey, wish.password ?? ""));
    const result = (await this.#take(4, deadline)).readUInt32LE(0);
    this.#linked = true;
    this.#parse();
    return result;
  }

  send(type: number, body?: Uint8Array, size?: number): void {
    if (!this.closed) this.socket.write(rawMessage(type, body, size));
  }

  /** Writes as fast as the peer takes it; false once the connection has ended. */
  async pour(bytes: Uint8Array): Promise<boolean> {
    if (this.closed) return false;
    if (!this.socket.write(bytes)) {
      await new Promise<void>((resolve) => {
        const go = () => {
          this.socket.off("drain", go);
          this.socket.off("close", go);
          resolve();
        };
        this.socket.on("drain", go);
        this.socket.on("close", go);
      });
    }
    return !this.closed;
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }

  async #take(count: number, untilMs: number): Promise<Buffer> {
    while (this.#bytes.length < count) {
      if (this.closed) throw new Error("the server closed the link");
      const left = untilMs - performance.now();
      if (left <= 0) throw new Error("the server is silent");
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.min(left, 500));
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    const taken = this.#bytes.subarray(0, count);
    this.#bytes = this.#bytes.subarray(count);
    return taken;
  }

  #parse(): void {
    while (this.#bytes.length >= MINI_HEADER_BYTES) {
      const type = this.#bytes.readUInt16LE(0);
      const end = MINI_HEADER_BYTES + this.#bytes.readUInt32LE(2);
      if (this.#bytes.length < end) return;
      const body = this.#bytes.subarray(MINI_HEADER_BYTES, end);
      this.#bytes = this.#bytes.subarray(end);
      this.received++;
      if (type === SET_ACK) {
        this.#window = body.readUInt32LE(4);
        this.#sinceAck = 0;
        this.send(ACK_SYNC, body.subarray(0, 4));
      } else if (type === PING) this.send(PONG, body.subarray(0, 12));
      if (this.#window > 0 && ++this.#sinceAck >= this.#window) {
        this.#sinceAck = 0;
        this.send(ACK);
      }
      this.onMessage?.(type, body);
    }
  }
}
