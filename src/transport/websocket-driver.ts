import { closeReason } from "../formats/index.ts";
import type { RedStream } from "./contract.ts";
import type { StreamPort } from "./local-port.ts";
import { LocalPort } from "./local-port.ts";
import { openRedStream } from "./red-stream.ts";
import type { Wire, WireWatcher } from "./wire.ts";
import { SOCKET_FLUSH_DEADLINE_MS, SOCKET_HIGH_WATER, SOCKET_POLL_MS, SOCKET_SEGMENT } from "./limits.ts";

/** What the driver needs of a WebSocket: the browser's, or the `ws` package's in Node. */
export interface WebSocketLike {
  binaryType: string;
  readonly readyState: number;
  readonly bufferedAmount: number;
  send(data: Uint8Array<ArrayBuffer>): void;
  close(code?: number, reason?: string): void;
  /** Only sockets outside browsers can stop reading. */
  pause?(): void;
  resume?(): void;
  addEventListener(type: "open" | "close" | "error" | "message", listener: (event: never) => void): void;
}

const CONNECTING = 0;
const OPEN = 1;
const NORMAL_CLOSURE = 1000;
const UNTAKEN = "the peer does not read, and the stream has ended";

/** A socket and the stream that it carries. */
export interface JoinedSocket extends Wire {
  /** The stream's end for whoever reads and writes it; to be opened on this thread. */
  readonly port: StreamPort;
}

/**
 * Joins a WebSocket (open or still connecting) to a RedStream: bytes flow both ways until either side ends. Back-pressure: towards the
 * socket by its `bufferedAmount`; from it by pausing where the socket can (a browser's cannot: there the reader's limit ends a
 * peer that floods it).
 */
export function joinWebSocket(socket: WebSocketLike): JoinedSocket {
  return new WebSocketDriver(socket);
}

class WebSocketDriver implements JoinedSocket {
  readonly port: StreamPort;
  watcher: WireWatcher | undefined;
  readonly #socket: WebSocketLike;
  #stream: RedStream;
  /** Read from the stream, and not yet with the socket. */
  readonly #outgoing: Uint8Array[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #flushTimer: ReturnType<typeof setTimeout> | undefined;
  #finished = false;

  constructor(socket: WebSocketLike) {
    this.#socket = socket;
    socket.binaryType = "arraybuffer";
    const [near, far] = LocalPort.pair();
    this.port = far;
    this.#stream = this.#join(near);
    socket.addEventListener("open", () => this.#pump());
    socket.addEventListener("message", ({ data }: MessageEvent<ArrayBuffer | Uint8Array | string>) =>
      this.#receive(data),
    );
    socket.addEventListener("close", (event: CloseEvent) =>
      this.cut(event.reason || `WebSocket closed (${event.code})`),
    );
    socket.addEventListener("error", () => this.cut("WebSocket error"));
    this.#stream.onData = (bytes) => this.#take(bytes);
  }

  get ended(): boolean {
    return this.#finished;
  }

  rejoin(first?: Uint8Array): MessagePort {
    const { port1, port2 } = new MessageChannel();
    const old = this.#stream;
    old.onData = old.onDrain = old.onClose = undefined;
    old.close("the stream goes on with another thread");
    this.#stream = this.#join(port1);
    if (this.#finished) this.#stream.close("the wire has ended");
    else if (this.#outgoing.length === 0) this.#stream.onData = (bytes) => this.#take(bytes);
    if (first !== undefined) this.#stream.write(first);
    this.#socket.resume?.();
    return port2;
  }

  cut(reason: string): void {
    if (this.#finished) return;
    this.#finished = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#flushTimer);
    this.#outgoing.length = 0;
    this.#stream.close(reason);
    if (this.#socket.readyState <= OPEN) this.#socket.close(NORMAL_CLOSURE, closeReason(reason));
  }

  #join(port: StreamPort): RedStream {
    const stream = openRedStream(port);
    stream.onDrain = () => this.#socket.resume?.();
    stream.onClose = (reason) => this.#streamEnded(reason);
    return stream;
  }

  #receive(data: ArrayBuffer | Uint8Array | string): void {
    if (typeof data === "string") return this.cut("a text message on a binary stream");
    const bytes = data instanceof Uint8Array ? data : new Uint8Array(data);
    this.watcher?.received(bytes);
    this.#stream.write(bytes);
    if (this.#stream.credit <= 0) this.#socket.pause?.();
  }

  #take(bytes: Uint8Array): void {
    this.watcher?.sent(bytes);
    this.#outgoing.push(bytes);
    if (this.#timer === undefined) this.#pump();
    // The socket is full: take nothing more, so that the writer's credit runs out.
    if (this.#outgoing.length > 0) this.#stream.onData = undefined;
  }

  /** Bytes count as read only when the socket took them: then the stream gives credit back to the writer. */
  #pump(): void {
    this.#timer = undefined;
    const socket = this.#socket;
    if (socket.readyState !== OPEN) return;
    for (;;) {
      const bytes = this.#outgoing[0];
      if (bytes === undefined) break;
      if (socket.bufferedAmount > SOCKET_HIGH_WATER) {
        this.#timer = setTimeout(() => this.#pump(), SOCKET_POLL_MS);
        if (this.#stream.ending)
          this.#flushTimer ??= setTimeout(() => this.cut(UNTAKEN), SOCKET_FLUSH_DEADLINE_MS);
        return;
      }
      const piece = bytes.subarray(0, SOCKET_SEGMENT) as Uint8Array<ArrayBuffer>;
      socket.send(piece);
      if (piece.length === bytes.length) this.#outgoing.shift();
      else this.#outgoing[0] = bytes.subarray(piece.length);
    }
    this.#stream.onData ??= (bytes) => this.#take(bytes);
  }

  /** All that was written before is with the socket or in `#outgoing` by now. */
  #streamEnded(reason: string): void {
    const flush = () => {
      if (this.#finished) return;
      if (this.#socket.readyState === OPEN) {
        for (const bytes of this.#outgoing.splice(0)) this.#socket.send(bytes as Uint8Array<ArrayBuffer>);
      }
      this.cut(reason);
    };
    if (this.#socket.readyState !== CONNECTING) return flush();
    this.#socket.addEventListener("open", flush);
    this.#flushTimer ??= setTimeout(() => this.cut(reason), SOCKET_FLUSH_DEADLINE_MS);
  }
}
