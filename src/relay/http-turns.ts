import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { HttpPace } from "./http-pace.ts";

/**
 * Gives a web server's parser the bytes of each connection so that no connection has more than one request there: the next one is
 * not looked at, and no more is read than what came with it, until the answer has left. Whose turn it is says the pace. Broken requests must be
 * answered by whoever watches `clientError` and `checkExpectation`.
 */
export class HttpTurns {
  readonly #pace: HttpPace;
  readonly #readers = new WeakMap<Socket, RequestReader>();

  constructor(pace: HttpPace) {
    this.#pace = pace;
  }

  watch(server: Server): void {
    server.on("connection", (socket: Socket) => {
      this.#readers.set(socket, new RequestReader(socket, this.#pace));
    });
    const began = ({ socket }: IncomingMessage, response: ServerResponse) =>
      this.#readers.get(socket)?.began(response);
    server.prependListener("request", began);
    server.prependListener("checkExpectation", began);
    server.prependListener("upgrade", ({ socket }: IncomingMessage) => this.#readers.get(socket)?.release());
    server.prependListener("clientError", (_, socket) => this.#readers.get(socket as Socket)?.discard());
  }
}

/** Stands between a socket and Node's parser, which listens to the socket's events. */
class RequestReader {
  readonly #socket: Socket;
  readonly #pace: HttpPace;
  readonly #parse: (bytes: Buffer) => void;
  readonly #finish: () => void;
  #held: Buffer | undefined;
  /** What stands in the line so far: nothing, or a carriage return alone; undefined: more than that. */
  #line: "" | "\r" | undefined = "";
  #ended = false;
  #asking = false;
  #answering = false;
  #hasAsked = false;
  #over = false;

  constructor(socket: Socket, pace: HttpPace) {
    this.#socket = socket;
    this.#pace = pace;
    // Node's own come last, as this is made right after them.
    this.#parse = take(socket, "data");
    this.#finish = take(socket, "end");
    socket.on("data", this.#received);
    socket.on("end", this.#peerEnded);
    socket.on("resume", this.#resumed);
    socket.once("close", () => {
      this.#over = true;
      this.#held = undefined;
      pace.forget(this.#turn);
    });
  }

  /** A request is with its handler. */
  began(response: ServerResponse): void {
    this.#answering = this.#hasAsked = true;
    response.once("close", () => {
      this.#answering = false;
      this.#next();
    });
  }

  /** Somebody else takes the socket, and what of it was read too early. */
  release(): void {
    this.#over = true;
    for (const [event, listener] of [
      ["data", this.#received],
      ["end", this.#peerEnded],
      ["resume", this.#resumed],
    ] as const) {
      this.#socket.off(event, listener as () => void);
    }
    if (this.#held !== undefined) this.#socket.unshift(this.#held);
    this.#held = undefined;
  }

  /** Nothing behind a fault is a request. */
  discard(): void {
    this.#over = true;
    this.#held = undefined;
    this.#pace.forget(this.#turn);
  }

  readonly #received = (bytes: Buffer): void => {
    if (this.#over) return;
    this.#held = this.#held === undefined ? bytes : Buffer.concat([this.#held, bytes]);
    this.#socket.pause();
    this.#next();
  };

  readonly #peerEnded = (): void => {
    this.#ended = true;
    this.#next();
  };

  /** Node resumes it by itself, to read the body of a request that was answered. */
  readonly #resumed = (): void => {
    if (this.#held !== undefined) this.#socket.pause();
  };

  #next(): void {
    if (this.#over || this.#asking || this.#answering) return;
    if (this.#held !== undefined) {
      this.#asking = true;
      this.#pace.ask(this.#turn, this.#hasAsked);
    } else if (this.#ended) {
      this.#over = true;
      this.#finish();
    }
  }

  readonly #turn = (): boolean => {
    this.#asking = false;
    const socket = this.#socket;
    if (this.#over || this.#held === undefined || socket.destroyed || socket.writableEnded) return false;
    if (socket.writableNeedDrain) {
      // The parser takes nothing before the answer's last bytes have left.
      this.#asking = true;
      socket.once("drain", () => this.#pace.ask(this.#turn, this.#hasAsked));
      return false;
    }
    const bytes = this.#held;
    const end = this.#endOfBlankLine(bytes);
    this.#held = end < bytes.length ? bytes.subarray(end) : undefined;
    this.#parse(bytes.subarray(0, end));
    if (this.#over) return true;
    // While it is answered, too: that is how one learns that the other side has left.
    if (this.#held === undefined) socket.resume();
    this.#next();
    return this.#answering;
  };

  /** The headers of a request end with a blank line: up to there, no more than one of them is complete. */
  #endOfBlankLine(bytes: Buffer): number {
    for (let at = 0; at < bytes.length; at++) {
      const byte = bytes[at];
      if (byte === 0x0a) {
        const isBlank = this.#line !== undefined;
        this.#line = "";
        if (isBlank) return at + 1;
      } else this.#line = byte === 0x0d && this.#line === "" ? "\r" : undefined;
    }
    return bytes.length;
  }
}

function take(socket: Socket, event: "data" | "end"): (bytes?: Buffer) => void {
  const listener = socket.listeners(event).at(-1) as ((bytes?: Buffer) => void) | undefined;
  if (listener === undefined) throw new TypeError(`the parser does not listen to ${event} of its socket`);
  socket.off(event, listener);
  return listener;
}
