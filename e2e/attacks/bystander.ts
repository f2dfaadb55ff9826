import type { ChildProcess } from "node:child_process";
import { connect, type Socket } from "node:net";
import { Beat } from "./beat.ts";
import { forkEntry } from "./fork-entry.ts";

/** Threads on the honest client's way, each of which must be woken: relay, the browser's network process, its renderer's, core. */
const HOPS = 4;

/**
 * A chain of servers that nobody attacks and that do nothing but answer, as long as the way to core, asked as often as the honest client
 * asks. By how much longer their answers take beside an attack, the machine itself was short of processors: attackers, server, clients
 * and whatever else runs are all on this one.
 */
export class Bystander implements Disposable {
  readonly beat: Beat;
  readonly #servers: readonly ChildProcess[];
  readonly #socket: Socket;

  private constructor(servers: readonly ChildProcess[], socket: Socket) {
    this.#servers = servers;
    this.#socket = socket;
    this.beat = new Beat(
      () => socket.write("?"),
      () => socket.destroyed,
    );
    socket.on("data", () => this.beat.answered());
    socket.on("error", () => {});
  }

  static async start(): Promise<Bystander> {
    const servers: ChildProcess[] = [];
    let next: number | undefined;
    for (let hop = 0; hop < HOPS; hop++) {
      const server = forkEntry("./echo-server.ts", ...(next === undefined ? [] : [String(next)]));
      servers.push(server);
      next = await new Promise<number>((resolve, reject) => {
        server.once("message", (port) => resolve(Number(port)));
        server.once("exit", (code) => reject(new Error(`a bystander's server ended with ${code}`)));
      });
    }
    const socket = connect({ port: next!, host: "127.0.0.1", noDelay: true });
    await new Promise((resolve, reject) => socket.once("connect", resolve).once("error", reject));
    return new Bystander(servers, socket);
  }

  [Symbol.dispose](): void {
    this.beat[Symbol.dispose]();
    this.#socket.destroy();
    for (const server of this.#servers) if (server.connected) server.disconnect();
  }
}
