import type { RedChannelClientOptions } from "../../channel/index.ts";
import type { ChannelConnect } from "../../dispatch/messages.ts";
import { MouseMode } from "../../protocol/index.ts";
import type { Point, RedCursorCmd } from "../../protocol/red-command.ts";
import { CLIENT_OVERSHOOT, openRedStream } from "../../transport/index.ts";
import { CursorChannelClient } from "./cursor-channel-client.ts";
import type { CursorState } from "./cursor-channel-client.ts";
import { takeCursorShape } from "./cursor-shape.ts";
import { CHANNEL_RECEIVE_BUFFER } from "../limits.ts";

/** Told of every change, for the tab's own screen. */
export type CursorListener = (state: CursorState) => void;

/**
 * The pointer of one QXL device (spice-server's CursorChannel): its last shape and place, kept for clients that come later, and the
 * clients. In client mouse mode moves are not forwarded: there the client knows best where its pointer is.
 */
export class CursorChannel implements Disposable {
  readonly clients = new Set<CursorChannelClient>();
  mouseMode: number = MouseMode.Server;
  onChange: CursorListener | undefined;
  #state: CursorState = initialState;

  get state(): CursorState {
    return this.#state;
  }

  /**
   * Joins a client; it gets INIT with the present shape.
   * @param simple whether the client has no cache and knows only ALPHA shapes; asked whenever a shape is sent.
   */
  connect(
    message: ChannelConnect,
    simple: () => boolean,
    onGone: (reason: string) => void,
    options: Pick<RedChannelClientOptions, "stallTimeoutMs" | "turns"> = {},
  ): CursorChannelClient {
    const client = new CursorChannelClient(() => this.#state, simple, {
      stream: openRedStream(message.port, { overshoot: CLIENT_OVERSHOOT }),
      miniHeader: message.miniHeader,
      capabilities: message.capabilities,
      receiveBuffer: CHANNEL_RECEIVE_BUFFER,
      ...options,
      resume: message.resume,
    });
    client.onDisconnect = (reason) => {
      this.clients.delete(client);
      onGone(reason);
    };
    this.clients.add(client);
    client.open();
    return client;
  }

  /**
   * Carries out a command of the cursor ring.
   * @throws RedCommandError if a shape is impossible.
   */
  process(command: RedCursorCmd, data: Uint8Array): void {
    const state = this.#state;
    switch (command.type) {
      case "cursorSet":
        this.#state = {
          ...state,
          position: clampPoint(command.position),
          visible: command.visible,
          shape: takeCursorShape(command.shape, data),
        };
        for (const client of this.clients) client.set(this.#state);
        break;
      case "cursorMove": {
        const appears = !state.visible;
        this.#state = { ...state, position: clampPoint(command.position), visible: true };
        if (appears || this.mouseMode === MouseMode.Server) {
          for (const client of this.clients) client.move(this.#state.position);
        }
        break;
      }
      case "cursorHide":
        this.#state = { ...state, visible: false };
        for (const client of this.clients) client.hide();
        break;
      case "cursorTrail":
        this.#state = {
          ...state,
          trail: { length: command.length & 0xffff, frequency: command.frequency & 0xffff },
        };
        for (const client of this.clients) client.trail(this.#state.trail);
        break;
      case "cursorReset":
        this.#state = initialState;
        for (const client of this.clients) client.reset();
        break;
    }
    this.onChange?.(this.#state);
  }

  [Symbol.dispose](): void {
    for (const client of this.clients) client[Symbol.dispose]();
  }
}

/** As spice-server starts: no shape, visible as soon as there is one. */
const initialState: CursorState = {
  position: { x: 0, y: 0 },
  visible: true,
  shape: undefined,
  trail: { length: 0, frequency: 0 },
};

/** Positions are i16 on the wire. */
function clampPoint({ x, y }: Point): Point {
  const clamp = (value: number): number => Math.max(-0x8000, Math.min(0x7fff, Math.trunc(value)));
  return { x: clamp(x), y: clamp(y) };
}
