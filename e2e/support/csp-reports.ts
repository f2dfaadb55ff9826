import { once } from "node:events";
import { createServer, request, type Server } from "node:http";
import { connect, type AddressInfo } from "node:net";

/** What a browser reports of a Content-Security-Policy that it kept (CSP Level 2, 4.4). */
export interface CspReport {
  readonly blocked: string;
  readonly directive: string;
  readonly source: string;
}

/**
 * Stands in front of a server and has its policies reported: what is blocked in a worker, a SharedWorker included, shows in no page's
 * console that a test could read.
 */
export class CspReports implements AsyncDisposable {
  readonly reports: CspReport[] = [];
  readonly #server: Server;

  private constructor(targetPort: number) {
    this.#server = createServer((incoming, outgoing) => {
      if (incoming.url === "/csp-report") {
        let body = "";
        incoming.on("data", (piece) => (body += piece));
        incoming.on("end", () => {
          const report = JSON.parse(body)["csp-report"] as Record<string, string>;
          this.reports.push({
            blocked: report["blocked-uri"],
            directive: report["effective-directive"],
            source: report["source-file"] ?? report["document-uri"],
          });
          outgoing.writeHead(204).end();
        });
        return;
      }
      const { url, method, headers } = incoming;
      const ask = request({ host: "127.0.0.1", port: targetPort, path: url, method, headers }, (answer) => {
        const policy = answer.headers["content-security-policy"];
        outgoing.writeHead(answer.statusCode ?? 502, {
          ...answer.headers,
          ...(policy === undefined
            ? {}
            : { "content-security-policy": `${String(policy)}; report-uri /csp-report` }),
        });
        answer.pipe(outgoing);
      });
      ask.on("error", () => outgoing.destroy());
      incoming.pipe(ask);
    });
    this.#server.on("upgrade", (incoming, socket, head) => {
      const lines = incoming.rawHeaders.flatMap((name, i, all) =>
        i % 2 === 0 ? `${name}: ${all[i + 1]}` : [],
      );
      const there = connect(targetPort, "127.0.0.1");
      there.write(`${incoming.method} ${incoming.url} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`);
      there.write(head);
      for (const one of [there, socket])
        one.on("error", () => [there, socket].forEach((end) => end.destroy()));
      there.pipe(socket).pipe(there);
    });
  }

  static async before(targetPort: number): Promise<CspReports> {
    const self = new CspReports(targetPort);
    self.#server.listen(0, "127.0.0.1");
    await once(self.#server, "listening");
    return self;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
