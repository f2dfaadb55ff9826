import { once } from "node:events";
import * as http from "node:http";
import * as https from "node:https";
import * as tls from "node:tls";
import { DOWNLOAD_IDLE_TIMEOUT_MS, MAX_REDIRECTS } from "../limits.ts";
import type { Proxies } from "./mirror.ts";

/** A GET that keeps to a proxy and follows redirects. Node's own fetch knows no proxy. */
export class HttpClient {
  readonly #proxies: Proxies;

  constructor(proxies: Proxies = {}) {
    this.#proxies = proxies;
  }

  /** Answers once the headers are in; the caller reads or destroys the body. Rejects when the line is dead or idle. */
  async get(url: string, headers: Record<string, string> = {}): Promise<http.IncomingMessage> {
    let target = new URL(url);
    for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
      const request = await this.#request(target, headers);
      request.setTimeout(DOWNLOAD_IDLE_TIMEOUT_MS, () =>
        request.destroy(new Error(`no data for ${DOWNLOAD_IDLE_TIMEOUT_MS / 1000} s`)),
      );
      request.end();
      const [response] = (await once(request, "response")) as [http.IncomingMessage];
      const location = response.headers.location;
      if (location === undefined || (response.statusCode ?? 0) < 300 || (response.statusCode ?? 0) >= 400)
        return response;
      response.destroy();
      target = new URL(location, target);
    }
    throw new Error(`more than ${MAX_REDIRECTS} redirects`);
  }

  async #request(target: URL, headers: Record<string, string>): Promise<http.ClientRequest> {
    const proxy = this.#proxies[target.protocol];
    if (proxy === undefined)
      return target.protocol === "https:"
        ? https.request(target, { headers })
        : http.request(target, { headers });
    const { hostname, port, username, password } = new URL(proxy.includes("://") ? proxy : `http://${proxy}`);
    const authorization: Record<string, string> =
      username === ""
        ? {}
        : {
            "proxy-authorization": `Basic ${Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString("base64")}`,
          };
    const hop = { hostname, port: port || 80 };
    if (target.protocol === "http:")
      return http.request({
        ...hop,
        path: target.href,
        headers: { ...headers, ...authorization, host: target.host },
      });
    const authority = `${target.hostname}:${target.port || 443}`;
    const connect = http.request({ ...hop, method: "CONNECT", path: authority, headers: authorization });
    connect.setTimeout(DOWNLOAD_IDLE_TIMEOUT_MS, () =>
      connect.destroy(new Error("the proxy does not answer")),
    );
    connect.end();
    const [response, socket] = (await once(connect, "connect")) as [
      http.IncomingMessage,
      import("node:net").Socket,
    ];
    if (response.statusCode !== 200) throw new Error(`the proxy refused the tunnel: ${response.statusCode}`);
    const secure = tls.connect({ socket, servername: target.hostname });
    return https.request(target, { headers, createConnection: () => secure });
  }
}
