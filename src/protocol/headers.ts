import { Decoder } from "./decode.ts";
import type { Encoder } from "./encode.ts";
import type { ProtocolFault } from "./errors.ts";
import { ProtocolError } from "./errors.ts";
import { subMessages } from "./base.ts";
import { BODY_BUFFER_MIN } from "./limits.ts";
import type { MessageDef, MessageTable } from "./message.ts";
import { decodeBody, encoderFor } from "./message.ts";
import type { Infer } from "./schema.ts";

/** SpiceDataHeader: serial u64, type u16, size u32, sub_list u32. */
export const FULL_HEADER_SIZE = 18;
/** SpiceMiniDataHeader, if both sides have the MINI_HEADER capability: type u16, size u32. */
export const MINI_HEADER_SIZE = 6;

/** How a message is framed. */
export interface HeaderOptions {
  readonly miniHeader: boolean;
  /** Only full headers carry it; counts this sender's messages on the channel from 1. */
  readonly serial?: bigint;
}

/**
 * A whole message, header and body, in one array.
 * @throws SchemaError if the value does not fit the schema.
 */
export function encodeMessage<T>(def: MessageDef<T>, value: T, options: HeaderOptions): Uint8Array {
  const encoder = encoderFor(def, value, headerSize(options));
  return encoder.finish(headerWriter(def, encoder, options));
}

/**
 * A whole message in pieces to be sent one after the other. Long byte fields are not copied: they are the caller's own arrays, and
 * must stay untouched until they are sent.
 */
export function encodeMessageParts<T>(def: MessageDef<T>, value: T, options: HeaderOptions): Uint8Array[] {
  const encoder = encoderFor(def, value, headerSize(options));
  return encoder.parts(headerWriter(def, encoder, options));
}

function headerSize(options: HeaderOptions): number {
  return options.miniHeader ? MINI_HEADER_SIZE : FULL_HEADER_SIZE;
}

function headerWriter(
  def: MessageDef<unknown>,
  encoder: Encoder,
  options: HeaderOptions,
): (view: DataView) => void {
  return (view) => {
    if (options.miniHeader) {
      view.setUint16(0, def.id, true);
      view.setUint32(2, encoder.length, true);
      return;
    }
    view.setBigUint64(0, options.serial ?? 0n, true);
    view.setUint16(8, def.id, true);
    view.setUint32(10, encoder.length, true);
    view.setUint32(14, 0, true);
  };
}

/** One message as it arrived. `body` may be a view on the bytes that were pushed. */
export class ParsedMessage {
  readonly def: MessageDef<unknown>;
  readonly id: number;
  readonly name: string;
  /** Of a full header; undefined with mini headers, where both sides count. */
  readonly serial: bigint | undefined;
  /** Offset of a sub message list in the body, 0 for none. Only full headers have one. */
  readonly subList: number;
  readonly body: Uint8Array;

  constructor(def: MessageDef<unknown>, body: Uint8Array, serial: bigint | undefined, subList: number) {
    this.def = def;
    this.id = def.id;
    this.name = def.name;
    this.body = body;
    this.serial = serial;
    this.subList = subList;
  }

  /**
   * The decoded body, decoded anew at each access. Prefer `decodeBody(def, body)`, which knows the type.
   * @throws SchemaError
   */
  get value(): unknown {
    return decodeBody(this.def, this.body);
  }

  /** Looks at the body, whether or not anybody wants its value. @throws SchemaError */
  validate(): void {
    decodeBody(this.def, this.body);
  }

  /** The value, typed, if this is a message of `def`; else undefined. */
  as<T>(def: MessageDef<T>): T | undefined {
    return this.def === def ? decodeBody(def, this.body) : undefined;
  }

  /**
   * The messages of the sub list, which take effect before this one; empty if there is none.
   * @throws SchemaError
   */
  get subMessages(): Infer<typeof subMessages> {
    if (this.subList === 0) return [];
    return new Decoder(this.name, this.body, this.subList).read(subMessages) as Infer<typeof subMessages>;
  }
}

interface Header {
  readonly def: MessageDef<unknown>;
  readonly size: number;
  readonly serial: bigint | undefined;
  readonly subList: number;
}

const EMPTY = new Uint8Array(0);

/** What a {@link MessageParser} accepts. */
export interface MessageParserOptions {
  readonly miniHeader: boolean;
  /** The direction that is read: `schema.client` in a server, `schema.server` in a client. */
  readonly channel: MessageTable;
  /** Largest body in bytes, below that of each message's own definition; by default only the latter counts. */
  readonly maxMessageSize?: number;
  /** What a type that is not in the table is taken for; by default the stream ends there. */
  readonly unknown?: (type: number) => MessageDef<unknown>;
}

/**
 * Cuts a byte stream into messages. Takes any chunking; keeps no more than one unfinished message, in at most twice
 * the bytes that have arrived, whatever its header announces. After an error the stream is unreadable and the parser stays failed.
 */
export class MessageParser {
  readonly #mini: boolean;
  readonly #table: ReadonlyMap<number, MessageDef<unknown>>;
  readonly #maxSize: number;
  #large: { readonly id: number; readonly size: number } | undefined;
  readonly #unknown: MessageParserOptions["unknown"];
  /** Chunks not yet cut, oldest first; the first is read from `#start`. Empty between two pushes, if each is iterated to its end. */
  readonly #chunks: Uint8Array[] = [];
  #start = 0;
  /** Header being collected, and how much of it is there. */
  readonly #head: Uint8Array;
  #headFilled = 0;
  #header: Header | undefined;
  /** Body being collected, grown as its bytes arrive, and how much of it is there. */
  #body = EMPTY;
  #bodyFilled = 0;
  #error: ProtocolError | undefined;

  constructor(options: MessageParserOptions) {
    this.#mini = options.miniHeader;
    this.#head = new Uint8Array(options.miniHeader ? MINI_HEADER_SIZE : FULL_HEADER_SIZE);
    this.#table = byId(options.channel);
    this.#maxSize = options.maxMessageSize ?? Number.MAX_SAFE_INTEGER;
    this.#unknown = options.unknown;
  }

  /** One type of message may have a body of `size` bytes from now on, if that is more than the others may. */
  awaitLarge(id: number, size: number): void {
    this.#large = size > this.#maxSize ? { id, size } : undefined;
  }

  /**
   * Takes over `bytes` and gives the messages which they complete. They are cut while iterating: what is left over when the loop is
   * broken off comes with the next push.
   * @throws ProtocolError (while iterating) for an unknown or too large message.
   */
  push(bytes: Uint8Array): Iterable<ParsedMessage> {
    if (bytes.length > 0) this.#chunks.push(bytes);
    return this.#cut();
  }

  /** Gives back what was pushed and not cut, for a reader that breaks off; bytes of a message already begun stay. */
  takeRest(): Uint8Array {
    const [first, ...others] = this.#chunks;
    const start = this.#start;
    this.#chunks.length = 0;
    this.#start = 0;
    if (first === undefined) return EMPTY;
    if (others.length === 0) return first.subarray(start);
    const rest = new Uint8Array(others.reduce((sum, chunk) => sum + chunk.length, first.length - start));
    let at = 0;
    for (const chunk of [first.subarray(start), ...others]) {
      rest.set(chunk, at);
      at += chunk.length;
    }
    return rest;
  }

  /** Bytes of an unfinished message, its header included. */
  get pending(): number {
    return this.#headFilled + this.#bodyFilled;
  }

  /**
   * Says that the stream is over.
   * @throws ProtocolError if that is inside a message.
   */
  end(): void {
    if (this.pending === 0) return;
    const what =
      this.#header === undefined
        ? "a message header"
        : `${this.#header.def.name} (${this.#header.size} bytes)`;
    throw this.#fail("truncated", `the stream ended inside ${what}, ${this.pending} bytes after its start`);
  }

  *#cut(): Generator<ParsedMessage> {
    for (;;) {
      if (this.#error !== undefined) throw this.#error;
      if (this.#header === undefined) {
        this.#headFilled = this.#fill(this.#head, this.#headFilled);
        if (this.#headFilled < this.#head.length) return;
        this.#header = this.#readHeader();
      }
      const body = this.#takeBody(this.#header.size);
      if (body === undefined) return;
      const { def, serial, subList } = this.#header;
      this.#header = undefined;
      this.#headFilled = 0;
      yield new ParsedMessage(def, body, serial, subList);
    }
  }

  #readHeader(): Header {
    const view = new DataView(this.#head.buffer);
    const at = this.#mini ? 0 : 8;
    const type = view.getUint16(at, true);
    const size = view.getUint32(at + 2, true);
    const subList = this.#mini ? 0 : view.getUint32(14, true);
    const def = this.#table.get(type) ?? this.#unknown?.(type);
    if (def === undefined) {
      throw this.#fail(
        "unknown-message",
        `message type ${type} (${size} bytes) does not exist on this channel`,
      );
    }
    const limit = Math.min(def.maxSize, this.#large?.id === type ? this.#large.size : this.#maxSize);
    if (size > limit) {
      throw this.#fail("message-too-large", `${def.name} announces ${size} bytes, ${limit} are allowed here`);
    }
    if (subList !== 0 && subList >= size) {
      throw this.#fail("bad-sub-list", `${def.name} has its sub list at byte ${subList} of ${size}`);
    }
    return { def, size, serial: this.#mini ? undefined : view.getBigUint64(0, true), subList };
  }

  #fail(fault: ProtocolFault, problem: string): ProtocolError {
    this.#error = new ProtocolError(fault, problem);
    this.#chunks.length = 0;
    this.#body = EMPTY;
    return this.#error;
  }

  /** The body if all of it is there: a view on the chunk that has it, or the buffer in which its pieces were collected. */
  #takeBody(size: number): Uint8Array | undefined {
    if (size === 0) return EMPTY;
    const chunk = this.#chunks[0];
    if (this.#bodyFilled === 0 && chunk !== undefined && chunk.length - this.#start >= size) {
      const view = chunk.subarray(this.#start, this.#start + size);
      this.#consume(size);
      return view;
    }
    while (this.#chunks.length > 0 && this.#bodyFilled < size) {
      const wanted = Math.min(size, this.#bodyFilled + this.#chunks[0].length);
      if (this.#body.length < wanted) {
        const grown = new Uint8Array(
          Math.min(size, Math.max(wanted, 2 * this.#body.length, BODY_BUFFER_MIN)),
        );
        grown.set(this.#body.subarray(0, this.#bodyFilled));
        this.#body = grown;
      }
      this.#bodyFilled = this.#fill(this.#body, this.#bodyFilled);
    }
    if (this.#bodyFilled < size) return undefined;
    const body = this.#body;
    this.#body = EMPTY;
    this.#bodyFilled = 0;
    return body;
  }

  /** Copies what the chunks have behind the `filled` bytes of `target`, and returns how many it has then. */
  #fill(target: Uint8Array, filled: number): number {
    while (filled < target.length && this.#chunks.length > 0) {
      const piece = this.#chunks[0].subarray(this.#start, this.#start + target.length - filled);
      target.set(piece, filled);
      filled += piece.length;
      this.#consume(piece.length);
    }
    return filled;
  }

  /** Moves on by `size` bytes, which the first chunk has. */
  #consume(size: number): void {
    this.#start += size;
    if (this.#start < this.#chunks[0].length) return;
    this.#chunks.shift();
    this.#start = 0;
  }
}

const tables = new WeakMap<MessageTable, ReadonlyMap<number, MessageDef<unknown>>>();

function byId(table: MessageTable): ReadonlyMap<number, MessageDef<unknown>> {
  let map = tables.get(table);
  if (map === undefined) {
    map = new Map(Object.values(table).map((def) => [def.id, def]));
    tables.set(table, map);
  }
  return map;
}
