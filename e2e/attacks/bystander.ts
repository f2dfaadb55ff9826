import type { ChildProcess } from "node:child_process";
import { connect, type Socket } from "node:net";
import { Beat } from "./beat.ts";
import { forkEntry } from "./fork-entry.ts";

/**
 * A server that nobody attacks and that does nothing but answer, asked as often as the honest client asks. By how much longer its
 * answers take beside an attack, the machine itself was short of processors: attackers, server and clients are all on this one.
 */
export class Bystander implements Disposable {
  readonly beat: Beat;
  readonly #server: ChildProcess;
  readonly #socket: Socket;

  private constructor(server: ChildProcess, socket: Socket) {
    this.#server = server;
    this.#socket = socket;
    this.beat = new Beat(
      () => socket.write("?"),
      () => socket.destroyed,
    );
    socket.on("data", () => this.beat.answered());
    socket.on("error", () => {});
  }

  static async start(): Promise<Bystander> {
    const server = forkEntry("./echo-server.ts");
    const port = await new Promise<number>((resolve, reject) => {
      server.once("message", (port) => resolve(Number(port)));
      server.once("exit", (code) => reject(new Error(`the bystander's server ended with ${code}`)));
    });
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    await new Promise((resolve, reject) => socket.once("connect", resolve).once("error", reject));
    return new Bystander(server, socket);
  }

  [Symbol.dispose](): void {
    this.beat[Symbol.dispose]();
    this.#socket.destroy();
    if (this.#server.connected) this.#server.disconnect();
  }
}
