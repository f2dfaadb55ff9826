import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";

type Stage = "new" | "idle" | "answering";

interface Place {
  readonly stage: Stage;
  /** It has begun to ask, and may have to wait for its turn. */
  heard: boolean;
}

/** What is cut first when places are short. */
const ORDER: readonly Stage[] = ["new", "idle", "answering"];

/**
 * The connections of a web server, of which there are only so many: one more cuts the one that has asked nothing for
 * longest, then the one that has been idle for longest, then the one that has taken no byte of its answer for longest. Upgraded ones are
 * whoever's took them.
 */
export class HttpPlaces {
  readonly #limit: number;
  /** In the order in which they came to their stage, or got on in it. */
  readonly #places = new Map<Socket, Place>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  watch(server: Server): void {
    server.on("connection", (socket: Socket) => this.#come(socket));
    server.on("request", (request: IncomingMessage, response: ServerResponse) => {
      const { socket } = request;
      this.#move(socket, "answering");
      response.once("close", () => this.#move(socket, "idle"));
    });
    server.on("upgrade", (request: IncomingMessage) => void this.#places.delete(request.socket));
  }

  #come(socket: Socket): void {
    socket.once("close", () => this.#places.delete(socket));
    // A write that had to wait is through: whoever takes nothing never gets there.
    socket.on("drain", () => {
      if (this.#places.get(socket)?.stage === "answering") this.#move(socket, "answering");
    });
    // Whoever has begun to ask goes behind those that say nothing; more bytes are no more right to a place.
    socket.on("data", () => {
      const place = this.#places.get(socket);
      if (place === undefined || place.heard || place.stage === "answering") return;
      this.#move(socket, place.stage);
      this.#places.get(socket)!.heard = true;
    });
    if (this.#places.size >= this.#limit) this.#first()?.destroy();
    this.#places.set(socket, { stage: "new", heard: false });
  }

  #move(socket: Socket, stage: Stage): void {
    if (this.#places.delete(socket)) this.#places.set(socket, { stage, heard: false });
  }

  #first(): Socket | undefined {
    for (const wanted of ORDER) {
      for (const [socket, { stage }] of this.#places) if (stage === wanted) return socket;
    }
    return undefined;
  }
}
