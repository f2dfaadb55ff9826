import type { Socket } from "node:net";
import { ClientChannel, encodeLinkRequest } from "../../src/client/index.ts";
import type { LinkRequest } from "../../src/client/index.ts";
import { linkError } from "../../src/client/client.testing.ts";
import { dialTcp, type NodeSocketTransport } from "../../src/client/transports/node-socket.ts";
import { channelByType } from "../../src/protocol/index.ts";
import type { ChannelSchema, ParsedMessage } from "../../src/protocol/index.ts";

const MINI_HEADER_BYTES = 6;
const LINK_DEADLINE_MS = 30_000;
const EVERY_CAPABILITY = [0xffff_ffff];

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
export function rawLinkMessage(request: LinkRequest): Buffer {
  return Buffer.from(encodeLinkRequest({ ...request, channelCaps: EVERY_CAPABILITY }));
}

/** A TCP connection that links, acknowledges and pongs as it should, and sends whatever bytes it is told. */
export class RawChannel implements Disposable {
  readonly socket: Socket;
  closed = false;
  onMessage: ((message: ParsedMessage) => void) | undefined;
  readonly #transport: NodeSocketTransport;
  #received = 0;

  private constructor(transport: NodeSocketTransport) {
    this.#transport = transport;
    this.socket = transport.socket;
    this.socket.on("close", () => (this.closed = true));
  }

  static async open(port: number): Promise<RawChannel> {
    return new RawChannel(await dialTcp(port));
  }

  /** Messages received. */
  get received(): number {
    return this.#received;
  }

  /** Runs the link stage. @returns LinkErr of the reply or of the result */
  async link(wish: LinkRequest): Promise<number> {
    const schema = channelByType(wish.channelType);
    if (schema === undefined) throw new RangeError(`no channel has the type ${wish.channelType}`);
    const deadlines = { replyDeadlineMs: LINK_DEADLINE_MS, resultDeadlineMs: LINK_DEADLINE_MS };
    const error = await linkError(this.#transport, { ...wish, channelCaps: EVERY_CAPABILITY }, deadlines);
    if (error === 0) this.#listen(schema);
    return error;
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

  /** What is heard is counted, not kept: a flood's answers are many. */
  #listen(schema: ChannelSchema): void {
    const channel = new ClientChannel(schema, { transport: this.#transport, miniHeader: true });
    channel.onMessage = (message) => {
      this.#received++;
      this.onMessage?.(message);
    };
    channel.start();
  }
}
