import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { build } from "vite";
import { root } from "./host.ts";
import { Program } from "./process.ts";
import type { StateWorkerReport } from "./state-worker.ts";

/** Serves a page whose worker saves states without end, and hears what it tells. */
export class StatePage implements AsyncDisposable {
  readonly #server = createServer();
  readonly #reports: StateWorkerReport[] = [];
  #heard = () => {};
  #url = "";

  static async open(kind: "OPFS" | "IndexedDB"): Promise<StatePage> {
    const script = await workerScript();
    const page = new StatePage();
    const html = `<!doctype html><script>new Worker("/worker.js", { type: "module", name: "${kind}" })</script>`;
    page.#server.on("request", (request, response) => {
      if (request.url === "/worker.js") response.setHeader("Content-Type", "text/javascript").end(script);
      else if (request.url !== "/report") response.setHeader("Content-Type", "text/html").end(html);
      else {
        let body = "";
        request.on("data", (piece) => (body += piece));
        request.on("end", () => {
          response.end();
          page.#reports.push(JSON.parse(body) as StateWorkerReport);
          page.#heard();
        });
      }
    });
    await new Promise<void>((resolve) => page.#server.listen(0, "127.0.0.1", resolve));
    page.#url = `http://127.0.0.1:${(page.#server.address() as AddressInfo).port}/`;
    return page;
  }

  /** A Chromium of its own process group that shows the page. */
  browse(profile: string): Program {
    this.#reports.length = 0;
    const args = ["--headless=new", "--no-sandbox", "--no-first-run", "--disable-background-networking"];
    const chromium = process.env.SPICETAB_CHROMIUM ?? "/usr/bin/chromium";
    return new Program(chromium, [...args, `--user-data-dir=${profile}`, this.#url]);
  }

  /** The next thing that the worker tells. */
  async next(): Promise<StateWorkerReport> {
    while (this.#reports.length === 0) await new Promise<void>((resolve) => (this.#heard = resolve));
    const report = this.#reports.shift()!;
    if (report.step === "failed") throw new Error(report.words);
    return report;
  }

  /** All that was told and not yet asked for. */
  rest(): readonly StateWorkerReport[] {
    return this.#reports.splice(0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

async function workerScript(): Promise<string> {
  const entry = join(root, "e2e/support/state-worker.ts");
  const output = await build({
    configFile: false,
    logLevel: "error",
    build: { write: false, target: "esnext", lib: { entry, formats: ["es"], fileName: "worker" } },
  });
  const bundles = Array.isArray(output) ? output : [output];
  const files = bundles.flatMap((bundle) => ("output" in bundle ? bundle.output : []));
  const chunk = files.find((file) => file.type === "chunk");
  if (chunk?.type !== "chunk") throw new Error("the worker was not built");
  return chunk.code;
}
