import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import type { IncomingHttpHeaders } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createRelay } from "./relay.ts";
import type { Relay, RelayOptions } from "./relay.ts";
import { WebServer } from "./web-server.ts";
import type { WebServerOptions } from "./web-server.ts";

/** An answer of a web server. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
  /** The bytes as text. */
  readonly body: string;
}

/**
 * Asks on a connection of its own. By node:http, because fetch would tidy up the paths, unpack what comes, and forbid the
 * headers that matter here.
 */
export async function ask(
  port: number,
  path: string,
  headers: Readonly<Record<string, string>> = {},
  method = "GET",
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    request({ host: "127.0.0.1", port, path, headers, method, agent: false }, (response) => {
      const pieces: Buffer[] = [];
      response.on("data", (piece: Buffer) => pieces.push(piece));
      response.on("error", reject);
      response.on("end", () => {
        const bytes = Buffer.concat(pieces);
        resolve({ status: response.statusCode!, headers: response.headers, bytes, body: bytes.toString() });
      });
    })
      .on("error", reject)
      .end();
  });
}

/** Raw bytes, where every HTTP library would tidy up what matters: what comes back until the server closes, or upgrades. */
export async function talk(port: number, text: string): Promise<string> {
  return new Promise((resolve) => {
    let answer = "";
    const socket = connect(port, "127.0.0.1");
    socket.on("data", (piece) => {
      answer += piece.toString("latin1");
      if (answer.startsWith("HTTP/1.1 101")) socket.destroy();
    });
    socket.on("error", () => {});
    socket.on("close", () => resolve(answer));
    socket.write(text);
  });
}

/** What a test's server is made of. */
export interface TestWebServerOptions {
  /** Files below the folder that holds `dist` and `guest`; the page is always there. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  readonly relay?: RelayOptions;
  readonly web?: Partial<WebServerOptions>;
  /** False: it is still being prepared. @default true */
  readonly ready?: boolean;
}

/** A relay and its web server on free loopback ports, with a page of one line. */
export class TestWebServer implements AsyncDisposable {
  static readonly PAGE = "<title>page</title>";
  readonly relay: Relay;
  readonly web: WebServer;
  readonly spicePort: number;
  readonly #folder: string;

  private constructor(relay: Relay, web: WebServer, spicePort: number, folder: string) {
    this.relay = relay;
    this.web = web;
    this.spicePort = spicePort;
    this.#folder = folder;
  }

  static async start({ files, relay, web, ready = true }: TestWebServerOptions = {}): Promise<TestWebServer> {
    const folder = await mkdtemp(join(tmpdir(), "spicetab-web-"));
    for (const [path, data] of Object.entries({ "dist/index.html": TestWebServer.PAGE, ...files })) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), data);
    }
    const theRelay = createRelay({ spicePort: 0, ...relay });
    const { port } = await theRelay.listen();
    const server = new WebServer({
      relay: theRelay,
      hosts: ["127.0.0.1"],
      port: 0,
      version: "1",
      guest: "console",
      pageFolder: join(folder, "dist"),
      guestFolder: join(folder, "guest"),
      ...web,
    });
    await server.listen();
    server.ready = ready;
    return new TestWebServer(theRelay, server, port, folder);
  }

  /** Where it is asked: a Host header. */
  get host(): string {
    return `127.0.0.1:${this.web.port}`;
  }

  get(path: string, headers: Readonly<Record<string, string>> = {}, method = "GET"): Promise<Answer> {
    return ask(this.web.port, path, headers, method);
  }

  talk(text: string): Promise<string> {
    return talk(this.web.port, text);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.web[Symbol.dispose]();
    await this.relay[Symbol.asyncDispose]();
    await rm(this.#folder, { recursive: true });
  }
}
