import type { Readable } from "node:stream";
import { type Dispatcher, EnvHttpProxyAgent, request } from "undici";
import { DOWNLOAD_IDLE_TIMEOUT_MS, MAX_REDIRECTS } from "../limits.ts";
import type { Proxies } from "./mirror.ts";
import { redirectTarget } from "./redirect.ts";

/** The head of an answer and its body as it came: no content encoding is undone. */
export interface HttpAnswer {
  status: number;
  reason: string;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  body: Readable;
}

/** A GET that keeps to the proxies and follows redirects. */
export class HttpClient {
  readonly #dispatchers: Readonly<Record<string, Dispatcher>>;

  constructor(proxies: Proxies = {}) {
    const through = (proxy: string | undefined) => {
      const uri = proxy === undefined || proxy.includes("://") ? (proxy ?? "") : `http://${proxy}`;
      // Both given, so that the agent looks at no variable: which proxy counts is decided in `mirror.ts`.
      return new EnvHttpProxyAgent({
        httpProxy: uri,
        httpsProxy: uri,
        noProxy: proxies.none ?? "",
        // Plain HTTP goes to the proxy as a whole address, which is what proxies in front of mirrors cache.
        proxyTunnel: false,
      });
    };
    this.#dispatchers = { "http:": through(proxies.http), "https:": through(proxies.https) };
  }

  /**
   * Answers once the headers are in; the caller reads or destroys the body. Rejects when the line is dead or idle;
   * `signal` ends the body too.
   */
  async get(url: string, headers: Record<string, string> = {}, signal?: AbortSignal): Promise<HttpAnswer> {
    const start = new URL(url);
    let target = start;
    for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
      const answer = await request(target, {
        dispatcher: this.#dispatchers[target.protocol],
        headers: { ...headers, "accept-encoding": "identity" },
        headersTimeout: DOWNLOAD_IDLE_TIMEOUT_MS,
        bodyTimeout: DOWNLOAD_IDLE_TIMEOUT_MS,
        signal: signal ?? null,
      });
      const location = answer.headers.location;
      if (typeof location !== "string" || answer.statusCode < 300 || answer.statusCode >= 400)
        return {
          status: answer.statusCode,
          reason: answer.statusText,
          headers: answer.headers,
          body: answer.body,
        };
      answer.body.on("error", () => {}).destroy();
      target = redirectTarget(start, target, location);
    }
    throw new Error(`more than ${MAX_REDIRECTS} redirects`);
  }

  /** Ends idle connections; the client is of no use afterwards. */
  async close(): Promise<void> {
    await Promise.all(Object.values(this.#dispatchers).map((dispatcher) => dispatcher.close()));
  }
}
