import { join } from "node:path";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Plugin } from "vite";
import { terminalLine } from "../formats/index.ts";
import { handlePageRequest } from "./page-requests.ts";
import { createRelay } from "./relay.ts";
import { withSecret } from "./secret.ts";

/** Options of the plugin. */
export interface SpicetabRelayPluginOptions {
  /** TCP port for SPICE clients on 127.0.0.1. @default 5900 */
  readonly spicePort?: number;
  readonly guest?: "console" | "desktop";
  readonly password?: string;
  /** What a page must know to host. @default SPICETAB_SECRET of the environment, or a new one */
  readonly secret?: string;
  /** @default "build/guest" below the project's root */
  readonly guestFolder?: string;
}

/** The relay inside `vite` and `vite preview`: same origin and same process as the page; HMR keeps its own upgrades. */
export default function spicetabRelay(options: SpicetabRelayPluginOptions = {}): Plugin {
  const attach = async (
    server: Pick<Server, "on" | "once">,
    vite: { printUrls(): void; resolvedUrls: { local: string[] } | null },
    use: (handler: (request: IncomingMessage, response: ServerResponse, next: () => void) => void) => void,
    root: string,
    styles: "files" | "inline",
    log: (line: string) => void,
  ) => {
    const secret = options.secret ?? process.env.SPICETAB_SECRET;
    const relay = createRelay({ spicePort: options.spicePort, secret, log });
    const printUrls = vite.printUrls.bind(vite);
    vite.printUrls = () => {
      printUrls();
      for (const url of vite.resolvedUrls?.local ?? []) {
        log(`The machine: ${withSecret(url, relay.secret)}   (open it: the tab is the computer)`);
      }
    };
    await relay.listen();
    const pages = {
      relay,
      version: "dev",
      guest: options.guest ?? "desktop",
      password: options.password,
      guestFolder: options.guestFolder ?? join(root, "build/guest"),
    };
    use((request, response, next) => {
      void (async () => {
        if (!(await handlePageRequest(pages, request, response, styles))) next();
      })();
    });
    server.on("upgrade", (request, socket, head) => relay.handleUpgrade(request, socket, head));
    server.once("close", () => void relay[Symbol.asyncDispose]());
  };
  return {
    name: "vite-plugin-spicetab-relay",
    async configureServer(server) {
      // Middleware mode has no server of its own; the relay then belongs to whoever does.
      if (server.httpServer === null) return;
      await attach(
        server.httpServer as Server,
        server,
        (handler) => void server.middlewares.use(handler),
        server.config.root,
        "inline",
        (line) => server.config.logger.info(terminalLine(line), { timestamp: true }),
      );
    },
    async configurePreviewServer(server) {
      await attach(
        server.httpServer as Server,
        server,
        (handler) => void server.middlewares.use(handler),
        server.config.root,
        "files",
        (line) => server.config.logger.info(terminalLine(line), { timestamp: true }),
      );
    },
  };
}
