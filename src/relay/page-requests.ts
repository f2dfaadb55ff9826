import type { IncomingMessage, ServerResponse } from "node:http";
import { CONNECTION_FILE_TYPE, connectionFile } from "../formats/index.ts";
import { bearerSecret, isSameSecret } from "./secret.ts";
import type { SpiceAddress } from "../relay-control/index.ts";
import type { Reachable } from "./reachable.ts";
import type { Relay, RelayHealth } from "./relay.ts";
import type { HttpPace } from "./http-pace.ts";
import { serveFile } from "./static-files.ts";
import type { CompressedCopies } from "./compressed-copies.ts";

/** What the page learns from `/config.json`. */
export interface PageConfig {
  readonly version: string;
  readonly guest: "console" | "desktop";
  /** Folder of the guest's files, relative to the page; its `manifest.json` names them. */
  readonly guestBaseUrl: string;
  /** Keyboard layout that the guest is given. */
  readonly keyboard?: string;
  readonly displays?: number;
  /** Clients must know it; empty: none is asked for. */
  readonly password: string;
  /**
   * Milliseconds that the password still lets people in; absent: for ever. Not a point in time: the clock of the computer
   * that hosts may be wrong, or set otherwise.
   */
  readonly passwordValidForMs?: number;
  /** Where SPICE clients connect to, as reachable from where this request came. */
  readonly spice: readonly SpiceAddress[];
  /** Absolute ws: or wss: URL for clients. */
  readonly webSocketUrl: string;
}

/** What anybody learns from `/healthz`: whether there is a machine, and how to join it from where the request came. */
export type PageHealth = RelayHealth & Reachable;

/** What the server answers besides the files of the page. */
export interface PageRequestsOptions {
  readonly relay: Relay;
  readonly version: string;
  readonly guest: "console" | "desktop";
  readonly password?: string;
  /** Milliseconds since 1970, by this machine's clock, from which on the password lets nobody in. @default never */
  readonly passwordValidUntil?: number;
  readonly keyboard?: string;
  readonly displays?: number;
  /** Folder with one folder per guest level. */
  readonly guestFolder: string;
  readonly copies?: CompressedCopies;
  /** See StaticFilesOptions. */
  readonly pace?: HttpPace;
}

/**
 * Answers what may not be asked here, and /config.json, /healthz, /spicetab.vv and /guest/<level>/…, and puts the policy's
 * headers on every answer; false: the request is for someone else.
 * @param styles see AccessPolicy.headers
 */
export async function handlePageRequest(
  options: PageRequestsOptions,
  request: IncomingMessage,
  response: ServerResponse,
  styles: "files" | "inline" = "files",
): Promise<boolean> {
  const { access } = options.relay;
  response.setHeaders(new Map(Object.entries(access.headers(request, styles))));
  const refusal = access.refusal(request);
  if (refusal !== undefined) return answer(response, refusal.status, "text/plain", refusal.words);
  const path = URL.parse(request.url ?? "/", "http://relay")?.pathname ?? "/";
  const isGuest = path.startsWith("/guest/");
  if (!isGuest && path !== "/config.json" && path !== "/healthz" && path !== "/spicetab.vv") return false;
  if (request.method !== "GET" && request.method !== "HEAD") {
    response.setHeader("Allow", "GET, HEAD");
    return answer(response, 405, "text/plain", "only GET");
  }
  if (isGuest) {
    // Guest files carry their build in the query, so that a new build is a new address.
    const immutable = (_: string, query: URLSearchParams) => query.has("build");
    const { copies, pace } = options;
    // A proxy that buffered tens of megabytes would write them to its disk, and the page's progress would stand still.
    response.setHeader("X-Accel-Buffering", "no");
    const served = await serveFile(options.guestFolder, path.slice("/guest/".length), request, response, {
      immutable,
      copies,
      pace,
    });
    return served || answer(response, 404, "text/plain", "this guest is not built: npm run guest");
  }
  if (path === "/healthz") {
    const health: PageHealth = { ...options.relay.health, ...options.relay.reachable(request) };
    return answer(response, 200, "application/json", JSON.stringify(health));
  }
  if (path === "/spicetab.vv") {
    const [spice] = options.relay.reachable(request).spice;
    if (spice === undefined)
      return answer(
        response,
        503,
        "text/plain",
        "SPICE over TCP is reached only on the computer that runs this; join by WebSocket",
      );
    response.setHeader("Content-Disposition", 'attachment; filename="spicetab.vv"');
    return answer(response, 200, CONNECTION_FILE_TYPE, connectionFile(spice));
  }
  return answerConfig(options, request, response);
}

/** The configuration holds the password: it goes to whoever knows the secret. */
function answerConfig(
  options: PageRequestsOptions,
  request: IncomingMessage,
  response: ServerResponse,
): boolean {
  const given = bearerSecret(request);
  if (given === undefined || !isSameSecret(given, options.relay.secret)) {
    response.setHeader("WWW-Authenticate", "Bearer");
    return answer(response, 401, "text/plain", "this needs the secret that the terminal shows");
  }
  const page = URL.parse(String(request.headers["x-spicetab-page"] ?? ""));
  if (page !== null && !options.relay.access.isOwnPageAt(page, request)) {
    // Hosting would be refused by its origin, and a browser tells a page nothing of why a WebSocket failed.
    const url = page.origin + page.pathname;
    return answer(
      response,
      403,
      "text/plain",
      `spicetab does not know that it is shown at ${url}; start it with --public-url ${url}`,
    );
  }
  const until = options.passwordValidUntil;
  const config: PageConfig = {
    version: options.version,
    guest: options.guest,
    guestBaseUrl: `guest/${options.guest}/`,
    password: options.password ?? "",
    passwordValidForMs: until === undefined ? undefined : Math.max(0, until - Date.now()),
    keyboard: options.keyboard,
    displays: options.displays,
    ...options.relay.reachable(request),
  };
  return answer(response, 200, "application/json", JSON.stringify(config));
}

function answer(response: ServerResponse, status: number, type: string, body: string): true {
  response.writeHead(status, {
    "Content-Type": `${type}; charset=utf-8`,
    "Content-Length": Buffer.byteLength(body),
    "Cache-Control": "no-store",
  });
  response.end(response.req.method === "HEAD" ? undefined : body);
  return true;
}
