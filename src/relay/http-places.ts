import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";

type Stage = "silent" | "idle" | "answering";

/** What is cut first when places are short. */
const ORDER: readonly Stage[] = ["silent", "idle", "answering"];

/**
 * The connections of a web server, of which there are only so many: one more cuts the one that has asked nothing for
 * longest, then the one that has been idle for longest, then the one that is longest at one answer. Upgraded ones are
 * whoever's took them.
 */
export class HttpPlaces {
  readonly #limit: number;
  /** In the order in which they came to their stage. */
  readonly #sockets = new Map<Socket, Stage>();

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
    server.on("upgrade", (request: IncomingMessage) => void this.#sockets.delete(request.socket));
  }

  #come(socket: Socket): void {
    socket.once("close", () => this.#sockets.delete(socket));
    if (this.#sockets.size >= this.#limit) this.#first()?.destroy();
    this.#sockets.set(socket, "silent");
  }

  #move(socket: Socket, stage: Stage): void {
    if (this.#sockets.delete(socket)) this.#sockets.set(socket, stage);
  }

  #first(): Socket | undefined {
    for (const wanted of ORDER) {
      for (const [socket, stage] of this.#sockets) if (stage === wanted) return socket;
    }
    return undefined;
  }
}
