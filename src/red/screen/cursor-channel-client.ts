import { RedChannelClient } from "../../channel/index.ts";
import type { RedChannelClientOptions } from "../../channel/index.ts";
import type { SpiceCursor } from "../../protocol/index.ts";
import { CursorFlags, cursorChannel } from "../../protocol/index.ts";
import type { Point } from "../../protocol/red-command.ts";
import type { CursorShape } from "./cursor-shape.ts";
import { toAlphaShape } from "./cursor-shape.ts";
import { CURSOR_CACHE_SIZE, CURSOR_PIPE_SIZE } from "../limits.ts";

/** Where the pointer is and what it looks like. */
export interface CursorState {
  readonly position: Point;
  readonly visible: boolean;
  readonly shape: CursorShape | undefined;
  readonly trail: { readonly length: number; readonly frequency: number };
}

/** The cursor channel of one client (spice-server's CursorChannelClient), with the client's shape cache mirrored. */
export class CursorChannelClient extends RedChannelClient {
  readonly #current: () => CursorState;
  readonly #simple: () => boolean;
  readonly #isResumed: boolean;
  /** Whether INIT was sent since the beginning or the last RESET: spice-gtk ignores everything else before it, and a second one. */
  #initDone = false;
  /** Unique ids the client has cached, least recently used first. */
  readonly #cache = new Set<bigint>();

  constructor(
    current: () => CursorState,
    simple: () => boolean,
    options: Omit<RedChannelClientOptions, "schema" | "handleAcks">,
  ) {
    super({ ...options, schema: cursorChannel, handleAcks: true });
    this.#current = current;
    this.#simple = simple;
    this.#isResumed = options.resume !== undefined;
  }

  override open(): void {
    super.open();
    this.pushSetAck();
    if (this.#isResumed) this.reset();
    this.#add(() => {});
  }

  set(state: CursorState): void {
    this.#add(() => this.#sendSet(state));
  }

  move(position: Point): void {
    this.#add(() => this.send(cursorChannel.server.move, { position }));
  }

  hide(): void {
    this.#add(() => this.send(cursorChannel.server.hide, {}));
  }

  trail(trail: CursorState["trail"]): void {
    this.#add(() => this.send(cursorChannel.server.trail, trail));
  }

  /** The device was reset: the client forgets shape and cache, and is sent INIT before anything else. */
  reset(): void {
    this.#addAlways(() => {
      this.#cache.clear();
      this.send(cursorChannel.server.invalAll, {});
    });
    this.#addAlways(() => {
      this.#initDone = false;
      this.send(cursorChannel.server.reset, {});
    });
  }

  /** The channel has no messages from clients but the common ones. */
  protected override handleMessage(): void {}

  /** Sends it, or INIT if that is due: that tells the state as it is by then. */
  #add(send: () => void): void {
    this.#addAlways(() => (this.#initDone ? send() : this.#sendInit()));
  }

  /** A client that does not keep up gets the state as it is by then instead of how it came about. */
  #addAlways(send: () => void): void {
    if (this.migrating) return;
    if (this.pipe.length < CURSOR_PIPE_SIZE) return this.pipeAdd({ bytes: 0, send });
    this.pipe.clear();
    this.pipeAdd({ bytes: 0, send: () => this.#sendState() });
  }

  /** Shape, place and visibility as they are now, by messages that may come at any time (INIT may not). */
  #sendState(): void {
    if (!this.#initDone) return this.#sendInit();
    const state = this.#current();
    if (state.shape === undefined) {
      this.#initDone = false;
      return this.send(cursorChannel.server.reset, {});
    }
    this.#sendSet(state);
    if (!state.visible) this.send(cursorChannel.server.hide, {});
  }

  #sendInit(): void {
    this.#initDone = true;
    const { position, visible, shape, trail } = this.#current();
    this.send(cursorChannel.server.init, {
      position,
      trailLength: trail.length,
      trailFrequency: trail.frequency,
      visible: visible ? 1 : 0,
      cursor: this.#wireCursor(shape),
    });
    // spice-html5 takes the shape from SET only.
    if (this.#simple() && shape !== undefined) this.#sendSet(this.#current());
  }

  #sendSet({ position, visible, shape }: CursorState): void {
    this.send(cursorChannel.server.set, {
      position,
      visible: visible ? 1 : 0,
      cursor: this.#wireCursor(shape),
    });
  }

  /** The shape, or a reference to the client's cache. Makes room in that cache first. */
  #wireCursor(shape: CursorShape | undefined): SpiceCursor {
    if (shape === undefined) return { flags: CursorFlags.None, data: new Uint8Array(0) };
    if (this.#simple()) return wireShape(0, toAlphaShape(shape));
    const { unique } = shape;
    if (unique === 0n) return wireShape(0, shape);
    if (this.#cache.delete(unique)) {
      this.#cache.add(unique);
      return wireShape(CursorFlags.FromCache, shape);
    }
    const oldest = this.#cache.size >= CURSOR_CACHE_SIZE ? this.#cache.values().next().value : undefined;
    if (oldest !== undefined) {
      this.#cache.delete(oldest);
      this.send(cursorChannel.server.invalOne, { id: oldest });
    }
    this.#cache.add(unique);
    return wireShape(CursorFlags.CacheMe, shape);
  }

  /** It has no state to carry over: the next server tells its own. */
  protected override get migrateFlags(): number {
    return 0;
  }

  protected override released(): void {
    this.#cache.clear();
  }
}

function wireShape(flags: number, shape: CursorShape): SpiceCursor {
  const { unique, type, width, height, hotX, hotY, data } = shape;
  return {
    flags,
    header: { unique, type, width, height, hotSpotX: hotX, hotSpotY: hotY },
    data: flags === CursorFlags.FromCache ? new Uint8Array(0) : data,
  };
}
