import type { IncomingMessage } from "node:http";
import {
  canonicalName,
  isOwnOrigin,
  isSameOrigin,
  isTrustedHost,
  mayBeClient,
  requestHost,
} from "./origin.ts";

/** Who is asked under which name, and whose pages may do what. */
export interface AccessOptions {
  /** Names under which this server is known, besides addresses and localhost; see isTrustedHost. */
  readonly serverNames?: readonly string[];
  /** Origins (like "https://example.org") whose pages may be SPICE clients, besides our own. */
  readonly allowedOrigins?: readonly string[];
  /** URLs, ending with a slash, under which a reverse proxy shows the page: their pages are our own. */
  readonly publicUrls?: readonly string[];
}

/** Why a request gets nothing. */
export interface Refusal {
  readonly status: 400 | 403;
  readonly words: string;
}

/**
 * The one policy of Host, Origin and headers, for every answer: pages, files, configuration and upgrades. What needs more
 * than the right name and page (hosting, streams, the configuration) asks for the secret besides.
 */
export class AccessPolicy {
  readonly #options: AccessOptions;
  readonly #names: readonly string[];

  constructor(options: AccessOptions) {
    this.#options = options;
    this.#names = (options.serverNames ?? []).map(canonicalName);
  }

  /** Asked before anything else; undefined: the request is meant for this server. */
  refusal(request: IncomingMessage): Refusal | undefined {
    const hosts = request.rawHeaders.filter((name, i) => i % 2 === 0 && /^host$/i.test(name)).length;
    if (hosts !== 1) return { status: 400, words: "a request needs one Host header" };
    if (requestHost(request) === undefined) {
      return { status: 400, words: "the Host header is not spelled as browsers spell hosts" };
    }
    if (!request.url?.startsWith("/")) return { status: 400, words: "a request names a path" };
    if (!isTrustedHost(request, this.#names)) {
      return {
        status: 403,
        words: "this server is not known by that name; a proxy in front of it needs --public-url",
      };
    }
    return undefined;
  }

  /** True for our own page, and for programs, which send no Origin. */
  isOwnPage(request: IncomingMessage): boolean {
    return isSameOrigin(request, this.#options.publicUrls);
  }

  /** True when a page at `url`, which asks for this, is our own. */
  isOwnPageAt(url: URL, request: IncomingMessage): boolean {
    return isOwnOrigin(url.origin, request, this.#options.publicUrls);
  }

  /** True for whoever may be a SPICE client by WebSocket, if the password is known. */
  mayBeClient(request: IncomingMessage): boolean {
    return this.isOwnPage(request) || mayBeClient(request, this.#options.allowedOrigins ?? []);
  }

  /**
   * Headers of every answer. No other site may frame the page, read its answers or keep a handle on its window; the page
   * itself loads and runs its own files only.
   * @param request what is answered; absent: what came never became one
   * @param styles `inline` for a development server, which puts style sheets into the page
   */
  headers(request?: IncomingMessage, styles: "files" | "inline" = "files"): Record<string, string> {
    return {
      "Content-Security-Policy": this.#contentSecurityPolicy(request, styles),
      "Cross-Origin-Opener-Policy": "same-origin",
      "Cross-Origin-Resource-Policy": "same-origin",
      "Referrer-Policy": "no-referrer",
      "X-Content-Type-Options": "nosniff",
      "X-Frame-Options": "DENY",
    };
  }

  /**
   * v86 compiles WebAssembly at run time, which needs 'wasm-unsafe-eval'; lit builds its style sheets as objects, so inline
   * styles stay forbidden. Not every browser takes 'self' for a WebSocket's URL: those of this server are named.
   */
  #contentSecurityPolicy(request: IncomingMessage | undefined, styles: "files" | "inline"): string {
    const self = request && requestHost(request);
    const hosts = new Set(this.#options.publicUrls?.map((url) => new URL(url).host));
    if (self !== undefined) hosts.add(self.host);
    return [
      "default-src 'self'",
      "script-src 'self' 'wasm-unsafe-eval'",
      "worker-src 'self'",
      `style-src 'self'${styles === "inline" ? " 'unsafe-inline'" : ""}`,
      "img-src 'self' data: blob:",
      ["connect-src 'self'", ...[...hosts].flatMap((host) => [`ws://${host}`, `wss://${host}`])].join(" "),
      "object-src 'none'",
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ].join("; ");
  }
}
