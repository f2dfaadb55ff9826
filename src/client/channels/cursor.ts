import type { ParsedMessage, SpiceCursor } from "../../protocol/index.ts";
import { CursorFlags, cursorChannel } from "../../protocol/index.ts";
import { ClientChannel, valueOf } from "../channel.ts";
import type { ChannelOptions } from "../channel.ts";
import { ClientError } from "../errors.ts";
import { CURSOR_CACHE_ENTRIES } from "../limits.ts";

/** A pointer's shape, as the server sent it once. */
export interface CursorShape {
  /** SpiceCursorType: how `data` is to be read. */
  readonly type: number;
  readonly width: number;
  readonly height: number;
  readonly hotSpotX: number;
  readonly hotSpotY: number;
  readonly data: Uint8Array;
}

/** Where the pointer is, in pixels of the screen. */
export interface CursorPosition {
  readonly x: number;
  readonly y: number;
}

const { server } = cursorChannel;

/** The cursor channel: the pointer that the guest wants shown, and in server mouse mode where it is. */
export class CursorChannel extends ClientChannel<typeof cursorChannel> {
  /** Told after each change. */
  onChange: (() => void) | undefined;
  readonly #shapes = new Map<bigint, CursorShape>();
  #shape: CursorShape | undefined;
  #position: CursorPosition | undefined;
  #visible = false;

  constructor(options: ChannelOptions) {
    super(cursorChannel, options);
  }

  /** Undefined while the guest has given none. */
  get shape(): CursorShape | undefined {
    return this.#shape;
  }

  /** Undefined until the server has told. */
  get position(): CursorPosition | undefined {
    return this.#position;
  }

  get visible(): boolean {
    return this.#visible;
  }

  /** Shapes that are kept. */
  get cached(): number {
    return this.#shapes.size;
  }

  protected override handle(message: ParsedMessage): void {
    switch (message.def) {
      case server.init: {
        const { position, visible, cursor } = valueOf(message, server.init);
        this.#shapes.clear();
        this.#set(position, visible, cursor);
        break;
      }
      case server.set: {
        const { position, visible, cursor } = valueOf(message, server.set);
        this.#set(position, visible, cursor);
        break;
      }
      case server.move:
        this.#position = valueOf(message, server.move).position;
        this.#visible = true;
        break;
      case server.hide:
        this.#visible = false;
        break;
      case server.reset:
        this.#shape = undefined;
        this.#visible = false;
        break;
      case server.invalOne:
        this.#shapes.delete(valueOf(message, server.invalOne).id);
        return;
      case server.invalAll:
        this.#shapes.clear();
        return;
      default:
        // TRAIL: nobody shows trails.
        return;
    }
    this.onChange?.();
  }

  protected override disposed(): void {
    this.#shapes.clear();
  }

  #set(position: CursorPosition, visible: number, cursor: SpiceCursor): void {
    this.#position = position;
    this.#visible = visible !== 0;
    this.#shape = this.#shapeOf(cursor);
  }

  #shapeOf({ flags, header, data }: SpiceCursor): CursorShape | undefined {
    if (header === undefined) return undefined;
    const { unique, type, width, height, hotSpotX, hotSpotY } = header;
    if ((flags & CursorFlags.FromCache) !== 0) {
      const known = this.#shapes.get(unique);
      if (known === undefined)
        throw new ClientError("SERVER_MISSING", `cursor ${unique} is not in the cache`);
      return known;
    }
    const shape = { type, width, height, hotSpotX, hotSpotY, data: data.slice() };
    if ((flags & CursorFlags.CacheMe) !== 0) {
      this.#shapes.set(unique, shape);
      if (this.#shapes.size > CURSOR_CACHE_ENTRIES)
        throw new ClientError("SERVER_LIMIT", `more than ${CURSOR_CACHE_ENTRIES} cursors are to be cached`);
    }
    return shape;
  }
}
