import { openRedStream } from "./red-stream.ts";
import { SOCKET_FLUSH_DEADLINE, SOCKET_HIGH_WATER, SOCKET_POLL, SOCKET_SEGMENT } from "./limits.ts";

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
/** RFC 6455: a close reason has at most 123 bytes. */
const MAX_REASON = 120;

/** A socket and the stream that it carries. */
export interface JoinedSocket {
  /** The stream's end for whoever reads and writes it; to be transferred or opened. */
  readonly port: MessagePort;
  /** Ends the wire from here, for when the thread that has `port` is gone and cannot. */
  cut(reason: string): void;
}

/**
 * Joins a WebSocket (open or still connecting) to a RedStream: bytes flow both ways until either side ends. Back-pressure: towards the
 * socket by its `bufferedAmount`; from it by pausing where the socket can (a browser's cannot: there the reader's limit ends a
 * peer that floods it).
 */
export function joinWebSocket(socket: WebSocketLike): JoinedSocket {
  const { port1, port2 } = new MessageChannel();
  const stream = openRedStream(port1);
  socket.binaryType = "arraybuffer";
  const outgoing: Uint8Array[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  let flushTimer: ReturnType<typeof setTimeout> | undefined;
  let finished = false;

  // Bytes count as read only when the socket took them: then the stream gives credit back to the writer.
  const pump = () => {
    timer = undefined;
    if (socket.readyState !== OPEN) return;
    for (;;) {
      const bytes = outgoing[0];
      if (bytes === undefined) break;
      if (socket.bufferedAmount > SOCKET_HIGH_WATER) {
        timer = setTimeout(pump, SOCKET_POLL);
        if (stream.ending) flushTimer ??= setTimeout(() => finish(UNTAKEN), SOCKET_FLUSH_DEADLINE);
        return;
      }
      const piece = bytes.subarray(0, SOCKET_SEGMENT) as Uint8Array<ArrayBuffer>;
      socket.send(piece);
      if (piece.length === bytes.length) outgoing.shift();
      else outgoing[0] = bytes.subarray(piece.length);
    }
    if (stream.onData === undefined) stream.onData = take;
  };
  const take = (bytes: Uint8Array) => {
    outgoing.push(bytes);
    if (timer === undefined) pump();
    // The socket is full: take nothing more, so that the writer's credit runs out.
    if (outgoing.length > 0) stream.onData = undefined;
  };

  const finish = (reason: string) => {
    if (finished) return;
    finished = true;
    clearTimeout(timer);
    clearTimeout(flushTimer);
    outgoing.length = 0;
    stream.close(reason);
    if (socket.readyState <= OPEN) socket.close(NORMAL_CLOSURE, closeReason(reason));
  };
  stream.onDrain = () => socket.resume?.();
  // All that was written before is with the socket or in `outgoing` by now.
  stream.onClose = (reason) => {
    const flush = () => {
      if (finished) return;
      if (socket.readyState === OPEN) {
        for (const bytes of outgoing.splice(0)) socket.send(bytes as Uint8Array<ArrayBuffer>);
      }
      finish(reason);
    };
    if (socket.readyState !== CONNECTING) return flush();
    socket.addEventListener("open", flush);
    flushTimer ??= setTimeout(() => finish(reason), SOCKET_FLUSH_DEADLINE);
  };
  socket.addEventListener("open", () => pump());
  socket.addEventListener("message", ({ data }: MessageEvent<ArrayBuffer | Uint8Array | string>) => {
    if (typeof data === "string") return finish("a text message on a binary stream");
    stream.write(data instanceof Uint8Array ? data : new Uint8Array(data));
    if (stream.credit <= 0) socket.pause?.();
  });
  socket.addEventListener("close", (event: CloseEvent) =>
    finish(event.reason || `WebSocket closed (${event.code})`),
  );
  socket.addEventListener("error", () => finish("WebSocket error"));
  stream.onData = take;
  return { port: port2, cut: finish };
}

/** As much of the words as a close frame holds; it counts bytes of UTF-8. */
function closeReason(reason: string): string {
  let cut = reason.slice(0, MAX_REASON);
  while (new TextEncoder().encode(cut).length > MAX_REASON) cut = cut.slice(0, -1);
  return cut;
}
