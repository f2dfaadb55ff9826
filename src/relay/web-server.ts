import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { handlePageRequest } from "./page-requests.ts";
import type { PageRequestsOptions } from "./page-requests.ts";
import { PROXY_KEEP_ALIVE_MS } from "./limits.ts";
import { ProxyFront } from "./proxy.ts";
import type { ProxyOptions } from "./proxy.ts";
import { ListenError } from "./relay.ts";
import { serveFile } from "./static-files.ts";

/**
 * What the page may load and run: its own files, nothing else. v86 compiles WebAssembly at run time, which needs
 * 'wasm-unsafe-eval'; lit builds its style sheets as objects, so inline styles stay forbidden.
 */
const CONTENT_SECURITY_POLICY = [
  "default-src 'self'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "worker-src 'self'",
  "img-src 'self' data: blob:",
  "connect-src 'self' ws: wss:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'self'",
].join("; ");

/** Options of the server of the built page. */
export interface WebServerOptions extends PageRequestsOptions {
  /** Folder of the built page (vite's outDir). */
  readonly pageFolder: string;
  /** Addresses to listen on, all at the same port. */
  readonly hosts: readonly string[];
  readonly port: number;
  /** @default no proxy is believed */
  readonly proxy?: ProxyOptions;
}

/** Serves the built page, the guest's files and the relay's upgrades from one port. */
export class WebServer implements AsyncDisposable {
  /** Until this is true, everything is answered with 503: the ports are taken before the long preparations. */
  ready = false;
  readonly #options: WebServerOptions;
  readonly #front: ProxyFront;
  readonly #servers: Server[] = [];

  /** @throws TypeError naming a proxy's address that is none */
  constructor(options: WebServerOptions) {
    this.#options = options;
    this.#front = new ProxyFront(options.proxy);
  }

  /** 0 before `listen`. */
  get port(): number {
    return (this.#servers[0]?.address() as AddressInfo | undefined)?.port ?? 0;
  }

  /** @throws ListenError */
  async listen(): Promise<void> {
    for (const host of this.#options.hosts) {
      const server = createServer((request, response) => void this.#handle(request, response));
      if (this.#options.proxy !== undefined) server.keepAliveTimeout = PROXY_KEEP_ALIVE_MS;
      server.on("upgrade", (request, socket, head) => {
        if (
          this.#front.receive(request) !== undefined ||
          !this.#options.relay.handleUpgrade(request, socket, head)
        )
          socket.destroy();
      });
      const port = this.port || this.#options.port;
      await new Promise<void>((resolve, reject) => {
        server.once("error", (error) =>
          reject(new ListenError("the page", host, port, error, "--http-port")),
        );
        server.listen(port, host, resolve);
      });
      this.#servers.push(server);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = this.#servers.map(
      (server) => new Promise<void>((resolve) => server.close(() => resolve())),
    );
    for (const server of this.#servers) server.closeAllConnections();
    await Promise.all(closed);
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const verdict = this.#front.receive(request);
    if (verdict !== undefined) {
      const text = { "Content-Type": "text/plain; charset=utf-8" };
      if ("redirect" in verdict) response.writeHead(308, { ...text, Location: verdict.redirect }).end();
      else response.writeHead(400, text).end(`${verdict.refusal}\n`);
      return;
    }
    if (!this.ready) {
      response.writeHead(503, { "Content-Type": "text/plain; charset=utf-8", "Retry-After": "5" });
      response.end("spicetab is still being prepared; see the terminal in which it was started.\n");
      return;
    }
    if (await handlePageRequest(this.#options, request, response)) return;
    response.setHeader("Content-Security-Policy", CONTENT_SECURITY_POLICY);
    response.setHeader("X-Content-Type-Options", "nosniff");
    response.setHeader("Referrer-Policy", "no-referrer");
    const path = URL.parse(request.url ?? "/", "http://relay")?.pathname ?? "/";
    const file = path.endsWith("/") ? `${path}index.html` : path;
    // Vite puts the hash of the content into the names below assets/.
    const { copies } = this.#options;
    const immutable = (name: string) => name.startsWith("/assets/");
    if (await serveFile(this.#options.pageFolder, file, request, response, { immutable, copies })) return;
    response.writeHead(404, { "Content-Type": "text/plain; charset=utf-8" }).end("There is nothing here.\n");
  }
}
