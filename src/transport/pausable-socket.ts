import { SOCKET_FLUSH_DEADLINE_MS, SOCKET_TURN_MESSAGES } from "./limits.ts";
import type { TurnTaker, Turns } from "./turns.ts";
import { threadTurns } from "./turns.ts";
import type { WebSocketLike } from "./websocket-driver.ts";

/** The part of WebSocketStream (WHATWG's proposal, shipped by Chromium) that is used. */
interface WebSocketStreamLike {
  readonly opened: Promise<{
    readonly readable: ReadableStream<Uint8Array<ArrayBuffer> | ArrayBuffer | string>;
    readonly writable: WritableStream<Uint8Array<ArrayBuffer>>;
  }>;
  readonly closed: Promise<{ readonly closeCode?: number; readonly reason?: string }>;
  close(options?: { closeCode?: number; reason?: string }): void;
}

/** How one is made. */
export type WebSocketStreamConstructor = new (
  url: string,
  options?: { protocols?: string[] },
) => WebSocketStreamLike;

type SocketEvent = "open" | "close" | "error" | "message";

const CONNECTING = 0;
const OPEN = 1;
const CLOSING = 2;
const CLOSED = 3;
const ABNORMAL_CLOSURE = 1006;

/**
 * A WebSocket of a browser that can stop reading: what the other end sends then waits in its own socket instead of in our memory. Over
 * WebSocketStream, where the browser has it. Reads by turns, as the channels do.
 */
export class PausableWebSocket implements WebSocketLike, TurnTaker {
  binaryType = "arraybuffer";
  readyState = CONNECTING;
  bufferedAmount = 0;
  readonly #stream: WebSocketStreamLike;
  readonly #listeners = new Map<SocketEvent, ((event: never) => void)[]>();
  #writer: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>> | undefined;
  /** Settles when the last of what was sent has left. */
  #written: Promise<void> = Promise.resolve();
  #paused = false;
  #wake: (() => void) | undefined;
  readonly #turns: Turns;
  /** What is left of its turn. */
  #messagesLeft = SOCKET_TURN_MESSAGES;

  constructor(
    url: string,
    protocol: string,
    constructor: WebSocketStreamConstructor,
    turns: Turns = threadTurns,
  ) {
    this.#turns = turns;
    this.#stream = new constructor(url, { protocols: [protocol] });
    // The end is told by `closed`, however it comes.
    this.#stream.opened.then(({ readable, writable }) => this.#opened(readable, writable)).catch(() => {});
    this.#stream.closed.then(
      ({ closeCode, reason }) => this.#closed(closeCode ?? ABNORMAL_CLOSURE, reason ?? ""),
      (error: unknown) => this.#closed(...closeOf(error)),
    );
  }

  addEventListener(type: SocketEvent, listener: (event: never) => void): void {
    this.#listeners.set(type, [...(this.#listeners.get(type) ?? []), listener]);
  }

  send(data: Uint8Array<ArrayBuffer>): void {
    if (this.readyState !== OPEN || this.#writer === undefined) return;
    const { length } = data;
    this.bufferedAmount += length;
    const taken = () => {
      this.bufferedAmount -= length;
    };
    this.#written = this.#writer.write(data).then(taken, taken);
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#wake?.();
  }

  takeTurn(): void {
    this.#messagesLeft = SOCKET_TURN_MESSAGES;
    this.#wake?.();
  }

  close(code?: number, reason?: string): void {
    if (this.readyState >= CLOSING) return;
    this.readyState = CLOSING;
    // What was written goes out first, as with a WebSocket; but not for ever.
    const late = setTimeout(() => this.#stream.close({ closeCode: code, reason }), SOCKET_FLUSH_DEADLINE_MS);
    void this.#written.then(() => {
      clearTimeout(late);
      this.#stream.close({ closeCode: code, reason });
    });
    this.resume();
  }

  #emit(type: SocketEvent, event: object): void {
    for (const listener of this.#listeners.get(type) ?? []) listener(event as never);
  }

  #opened(
    readable: ReadableStream<Uint8Array<ArrayBuffer> | ArrayBuffer | string>,
    writable: WritableStream<Uint8Array<ArrayBuffer>>,
  ): void {
    if (this.readyState !== CONNECTING) return;
    this.readyState = OPEN;
    this.#writer = writable.getWriter();
    this.#emit("open", {});
    void this.#read(readable.getReader());
  }

  async #read(
    reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer> | ArrayBuffer | string>,
  ): Promise<void> {
    try {
      for (;;) {
        while ((this.#paused || this.#messagesLeft === 0) && this.readyState === OPEN) {
          if (this.#messagesLeft === 0) this.#turns.ask(this);
          await new Promise<void>((resolve) => (this.#wake = resolve));
        }
        const { value, done } = await reader.read();
        if (done || value === undefined) return;
        this.#messagesLeft = Math.max(this.#messagesLeft - 1, 0);
        if (this.readyState === OPEN) this.#emit("message", { data: value });
      }
    } catch {
      // `closed` tells why.
    }
  }

  #closed(code: number, reason: string): void {
    if (this.readyState === CLOSED) return;
    this.readyState = CLOSED;
    this.#turns.forget(this);
    this.resume();
    this.#emit("close", { code, reason });
  }
}

/** WebSocketError carries them; anything else is a connection that broke. */
function closeOf(error: unknown): [code: number, reason: string] {
  const { closeCode, reason } = error as { closeCode?: number | null; reason?: string };
  return [closeCode ?? ABNORMAL_CLOSURE, reason ?? ""];
}

/** This browser's, where it has one. */
export function webSocketStream(): WebSocketStreamConstructor | undefined {
  return (globalThis as { WebSocketStream?: WebSocketStreamConstructor }).WebSocketStream;
}
