import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRelay, type Relay } from "../../src/relay/relay.ts";
import { withSecret } from "../../src/relay/secret.ts";
import { WebServer } from "../../src/relay/web-server.ts";
import { root } from "./host.ts";

/**
 * The built page with a real relay, in this process, and no guest by default: for journeys about who may host, in which the
 * machine itself is only in the way.
 */
export class PageServer implements AsyncDisposable {
  readonly relay: Relay;
  readonly web: WebServer;
  readonly log: string[];
  readonly #folder: string;

  private constructor(relay: Relay, web: WebServer, log: string[], folder: string) {
    this.relay = relay;
    this.web = web;
    this.log = log;
    this.#folder = folder;
  }

  /** @param options `guestFolder`: where there is a guest to boot; none by default */
  static async start(
    options: {
      httpPort?: number;
      password?: string;
      passwordValidUntil?: number;
      guestFolder?: string;
    } = {},
  ): Promise<PageServer> {
    const log: string[] = [];
    const folder = await mkdtemp(join(tmpdir(), "spicetab-no-guest-"));
    const relay = createRelay({ spicePort: 0, log: (line) => log.push(line) });
    await relay.listen();
    const web = new WebServer({
      relay,
      hosts: ["127.0.0.1"],
      port: options.httpPort ?? 0,
      version: "test",
      guest: "console",
      password: options.password,
      passwordValidUntil: options.passwordValidUntil,
      pageFolder: join(root, "dist"),
      guestFolder: options.guestFolder ?? folder,
    });
    await web.listen();
    web.ready = true;
    return new PageServer(relay, web, log, folder);
  }

  get origin(): string {
    return `http://127.0.0.1:${this.web.port}/`;
  }

  /** With the secret, as it is printed. */
  get url(): string {
    return withSecret(this.origin, this.relay.secret);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.web[Symbol.dispose]();
    await this.relay[Symbol.asyncDispose]();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
