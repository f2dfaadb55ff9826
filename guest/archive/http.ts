import type { LookupAddress, LookupOptions } from "node:dns";
import { lookup as lookUp } from "node:dns";
import type { LookupFunction } from "node:net";
import type { Readable } from "node:stream";
import { type Dispatcher, EnvHttpProxyAgent, request } from "undici";
import { DOWNLOAD_IDLE_TIMEOUT_MS, MAX_REDIRECTS } from "../limits.ts";
import type { Proxies } from "./mirror.ts";
import { addressNearness, hostNearness, Nearness } from "./nearness.ts";
import { RedirectError, redirectTarget } from "./redirect.ts";

/** The head of an answer and its body as it came: no content encoding is undone. */
export interface HttpAnswer {
  status: number;
  reason: string;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  body: Readable;
}

/** How names become addresses, and how near those are; for tests. */
export interface Names {
  lookup?: (
    host: string,
    options: LookupOptions & { all: true },
    answer: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
  ) => void;
  nearness?: (address: string) => Nearness;
}

/** A way to servers: directly, or through a proxy. */
type Dispatchers = Readonly<Record<string, Dispatcher>>;

/**
 * A GET that keeps to the proxies and follows redirects, but not nearer to this machine than the mirror is: what a name
 * means is looked at when it is connected to, so that it cannot mean something else by then. Behind a proxy it is the
 * proxy that looks names up.
 */
export class HttpClient {
  readonly #proxies: Proxies;
  readonly #names: Required<Names>;
  /** For what was asked for by name. */
  readonly #direct: Dispatchers;
  /** For what redirects lead to, by how near that may be: their connections are never those of others. */
  readonly #redirected = new Map<Nearness, Dispatchers>();
  /** Hosts that were connected to directly: of all their addresses the most public counts. */
  readonly #known = new Map<string, Nearness>();

  constructor(proxies: Proxies = {}, names: Names = {}) {
    this.#proxies = proxies;
    this.#names = { lookup: lookUp, nearness: addressNearness, ...names };
    this.#direct = this.#dispatchers((host, nearness) => {
      this.#known.set(host, Math.min(nearness, this.#known.get(host) ?? Nearness.Own) as Nearness);
    });
  }

  /**
   * Answers once the headers are in; the caller reads or destroys the body. Rejects when the line is dead or idle;
   * `signal` ends the body too.
   */
  async get(url: string, headers: Record<string, string> = {}, signal?: AbortSignal): Promise<HttpAnswer> {
    const start = new URL(url);
    let target = start;
    let dispatchers = this.#direct;
    for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
      const answer = await request(target, {
        dispatcher: dispatchers[target.protocol],
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
      const nearest = hostNearness(start) ?? this.#known.get(start.hostname) ?? Nearness.Public;
      target = redirectTarget(nearest, target, location);
      dispatchers = this.#redirectedTo(nearest);
    }
    throw new Error(`more than ${MAX_REDIRECTS} redirects`);
  }

  /** Ends idle connections; the client is of no use afterwards. */
  async close(): Promise<void> {
    const all = [this.#direct, ...this.#redirected.values()].flatMap((each) => Object.values(each));
    await Promise.all(all.map((dispatcher) => dispatcher.close()));
  }

  #redirectedTo(nearest: Nearness): Dispatchers {
    let dispatchers = this.#redirected.get(nearest);
    if (dispatchers === undefined) {
      dispatchers = this.#dispatchers((host, nearness) => {
        if (nearness > nearest) throw RedirectError.tooNear(host, nearness);
      });
      this.#redirected.set(nearest, dispatchers);
    }
    return dispatchers;
  }

  /** @param meet hears of each address that a name has before it is connected to; what it throws ends that */
  #dispatchers(meet: (host: string, nearness: Nearness) => void): Dispatchers {
    const { lookup: find, nearness } = this.#names;
    const lookup: LookupFunction = (host, options, answer) => {
      find(host, { ...options, all: true }, (error, addresses) => {
        try {
          if (error !== null) throw error;
          for (const { address } of addresses) meet(host, nearness(address));
          if (options.all) answer(null, addresses);
          else answer(null, addresses[0].address, addresses[0].family);
        } catch (fault) {
          answer(fault as NodeJS.ErrnoException, []);
        }
      });
    };
    const through = (proxy: string | undefined) => {
      const uri = proxy === undefined || proxy.includes("://") ? (proxy ?? "") : `http://${proxy}`;
      // Both given, so that the agent looks at no variable: which proxy counts is decided in `mirror.ts`.
      return new EnvHttpProxyAgent({
        httpProxy: uri,
        httpsProxy: uri,
        noProxy: this.#proxies.none ?? "",
        // Plain HTTP goes to the proxy as a whole address, which is what proxies in front of mirrors cache.
        proxyTunnel: false,
        connect: { lookup },
      });
    };
    return { "http:": through(this.#proxies.http), "https:": through(this.#proxies.https) };
  }
}
