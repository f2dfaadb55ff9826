import { join } from "node:path";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Plugin } from "vite";
import { terminalLine } from "../formats/index.ts";
import { handlePageRequest } from "./page-requests.ts";
import { createRelay } from "./relay.ts";

/** Options of the plugin. */
export interface SpicetabRelayPluginOptions {
  /** TCP port for SPICE clients on 127.0.0.1. @default 5900 */
  readonly spicePort?: number;
  readonly guest?: "console" | "desktop";
  readonly password?: string;
  /** @default "build/guest" below the project's root */
  readonly guestFolder?: string;
}

/** The relay inside `vite` and `vite preview`: same origin and same process as the page; HMR keeps its own upgrades. */
export default function spicetabRelay(options: SpicetabRelayPluginOptions = {}): Plugin {
  const attach = async (
    server: Pick<Server, "on" | "once">,
    use: (handler: (request: IncomingMessage, response: ServerResponse, next: () => void) => void) => void,
    root: string,
    log: (line: string) => void,
  ) => {
    const relay = createRelay({ spicePort: options.spicePort, log });
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
        if (!(await handlePageRequest(pages, request, response))) next();
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
        (handler) => void server.middlewares.use(handler),
        server.config.root,
        (line) => server.config.logger.info(terminalLine(line), { timestamp: true }),
      );
    },
    async configurePreviewServer(server) {
      await attach(
        server.httpServer as Server,
        (handler) => void server.middlewares.use(handler),
        server.config.root,
        (line) => server.config.logger.info(terminalLine(line), { timestamp: true }),
      );
    },
  };
}
