import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";

type Stage = "new" | "idle" | "answering";

interface Place {
  readonly stage: Stage;
  /** It has begun to ask, and may have to wait for its turn. */
  heard: boolean;
}

/**
 * The connections of a web server, of which there are only so many: one more cuts the one that has got on with nothing for longest: it
 * has asked nothing, or taken no byte of its answer. Those at an answer come last, but before a newcomer that has had no time
 * to ask: whoever is among the older half could have. Upgraded ones are whoever's took them.
 */
export class HttpPlaces {
  readonly #limit: number;
  /** In the order in which they last got on: came, began to ask, were heard, took bytes, had their answer. */
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
    let older = this.#limit / 2;
    for (const [socket, { stage }] of this.#places) {
      if (stage !== "answering") return socket;
      if (--older <= 0) break;
    }
    return this.#places.keys().next().value;
  }
}
