import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { answerBrokenRequests } from "./broken-requests.ts";
import { handlePageRequest } from "./page-requests.ts";
import type { PageRequestsOptions } from "./page-requests.ts";
import { HttpPace } from "./http-pace.ts";
import { HttpPlaces } from "./http-places.ts";
import { HttpTurns } from "./http-turns.ts";
import {
  CLOSE_DEADLINE_MS,
  HTTP_HEADERS_MS,
  HTTP_LOOK_MS,
  HTTP_REQUEST_MS,
  LISTEN_BACKLOG,
  MAX_HTTP_CONNECTIONS,
  PROXY_KEEP_ALIVE_MS,
  STALL_LIMIT_MS,
} from "./limits.ts";
import { ProxyFront } from "./proxy.ts";
import type { ProxyOptions } from "./proxy.ts";
import { refuseUpgrade } from "./refused-upgrade.ts";
import { ListenError } from "./relay.ts";
import { serveFile } from "./static-files.ts";
import { answerWaiting } from "./waiting-page.ts";

/** Options of the server of the built page. */
export interface WebServerOptions extends PageRequestsOptions {
  /** Folder of the built page (vite's outDir). */
  readonly pageFolder: string;
  /** Addresses to listen on, all at the same port. */
  readonly hosts: readonly string[];
  readonly port: number;
  /** @default MAX_HTTP_CONNECTIONS */
  readonly maxConnections?: number;
  /** @default no proxy is believed */
  readonly proxy?: ProxyOptions;
}

/** Serves the built page, the guest's files and the relay's upgrades from one port. */
export class WebServer implements Disposable {
  /** Until this is true, everything is answered with 503: the ports are taken before the long preparations. */
  ready = false;
  /** Until then: what is being done, in a few words for people. */
  preparing = "";
  readonly #options: WebServerOptions;
  readonly #front: ProxyFront;
  readonly #places: HttpPlaces;
  readonly #pace: HttpPace;
  readonly #turns: HttpTurns;
  readonly #servers: Server[] = [];

  /** @throws TypeError naming a proxy's address that is none */
  constructor(options: WebServerOptions) {
    this.#pace = options.pace ?? new HttpPace();
    this.#turns = new HttpTurns(this.#pace);
    this.#options = { ...options, pace: this.#pace };
    this.#front = new ProxyFront(options.proxy);
    this.#places = new HttpPlaces(options.maxConnections ?? MAX_HTTP_CONNECTIONS);
  }

  /** 0 before `listen`. */
  get port(): number {
    return (this.#servers[0]?.address() as AddressInfo | undefined)?.port ?? 0;
  }

  /** @throws ListenError */
  async listen(): Promise<void> {
    for (const host of this.#options.hosts) {
      const server = createServer(
        {
          headersTimeout: HTTP_HEADERS_MS,
          requestTimeout: HTTP_REQUEST_MS,
          connectionsCheckingInterval: HTTP_LOOK_MS,
          // A request without one is refused by the policy, in its own words.
          requireHostHeader: false,
        },
        (request, response) => void this.#handle(request, response),
      );
      // Whoever reads no byte of its answer for so long is gone.
      server.timeout = STALL_LIMIT_MS;
      this.#turns.watch(server);
      this.#places.watch(server);
      const { access } = this.#options.relay;
      answerBrokenRequests(server, (request) => access.headers(request), CLOSE_DEADLINE_MS);
      if (this.#options.proxy !== undefined) server.keepAliveTimeout = PROXY_KEEP_ALIVE_MS;
      server.on("upgrade", (request, socket, head) => {
        const verdict = this.#front.receive(request);
        const { relay } = this.#options;
        if (verdict === undefined && relay.handleUpgrade(request, socket, head)) return;
        const [status, words] =
          verdict === undefined || "redirect" in verdict
            ? [404, "nothing here takes an upgrade"]
            : [400, verdict.refusal];
        refuseUpgrade(socket, status, words, relay.access.headers(request), CLOSE_DEADLINE_MS);
      });
      const port = this.port || this.#options.port;
      await new Promise<void>((resolve, reject) => {
        server.once("error", (error) =>
          reject(new ListenError("the page", host, port, error, "--http-port")),
        );
        server.listen({ port, host, backlog: LISTEN_BACKLOG }, resolve);
      });
      this.#servers.push(server);
    }
  }

  /** Gives the ports back at once. Sockets that were handed to the relay are the relay's to end. */
  [Symbol.dispose](): void {
    for (const server of this.#servers) {
      server.close();
      server.closeAllConnections();
    }
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const verdict = this.#front.receive(request);
    const { access } = this.#options.relay;
    response.setHeaders(new Map(Object.entries(access.headers(request))));
    if (verdict !== undefined) {
      const text = { "Content-Type": "text/plain; charset=utf-8" };
      if ("redirect" in verdict) response.writeHead(308, { ...text, Location: verdict.redirect }).end();
      else response.writeHead(400, text).end(`${verdict.refusal}\n`);
      return;
    }
    if (!this.ready && access.refusal(request) === undefined) {
      answerWaiting(request, response, this.preparing);
      return;
    }
    if (await handlePageRequest(this.#options, request, response)) return;
    if (request.method !== "GET" && request.method !== "HEAD") {
      response.writeHead(405, { Allow: "GET, HEAD", "Content-Type": "text/plain; charset=utf-8" });
      response.end("only GET\n");
      return;
    }
    const path = URL.parse(request.url ?? "/", "http://relay")?.pathname ?? "/";
    const file = path.endsWith("/") ? `${path}index.html` : path;
    // Vite puts the hash of the content into the names below assets/.
    const { copies } = this.#options;
    const immutable = (name: string) => name.startsWith("/assets/");
    if (
      await serveFile(this.#options.pageFolder, file, request, response, {
        immutable,
        copies,
        pace: this.#pace,
      })
    )
      return;
    response.writeHead(404, { "Content-Type": "text/plain; charset=utf-8" }).end("There is nothing here.\n");
  }
}
