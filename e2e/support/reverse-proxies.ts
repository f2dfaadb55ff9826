import { execFileSync } from "node:child_process";
import { X509Certificate, createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WebSocket } from "ws";
import { WebSocketTransport, type WebSocketLike } from "../../src/client/index.ts";
import { root } from "./host.ts";
import { Program } from "./process.ts";
import { eventually } from "../../src/waiting.testing.ts";

/** The name under which the proxies show the page; browsers and clients here are told that it is this machine. */
export const PUBLIC_NAME = "vm.example";

/** Seconds after which nginx ends a connection on which nothing travels. */
export const IDLE_TIMEOUT_SECONDS = 2;

export type ProxyName = "nginx" | "caddy";

const PROGRAMS = { nginx: "/usr/sbin/nginx", caddy: "/usr/bin/caddy" };

/** A certificate that nobody signed, and what a browser must be told to take it. */
export class Certificate implements AsyncDisposable {
  readonly folder: string;
  readonly pem: string;
  /** SHA-256 of the public key, as Chromium's --ignore-certificate-errors-spki-list wants it. */
  readonly spki: string;

  private constructor(folder: string, pem: string) {
    this.folder = folder;
    this.pem = pem;
    const key = new X509Certificate(pem).publicKey.export({ type: "spki", format: "der" });
    this.spki = createHash("sha256").update(key).digest("base64");
  }

  static async make(): Promise<Certificate> {
    const folder = await mkdtemp(join(tmpdir(), "spicetab-tls-"));
    const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    const names = ["-subj", `/CN=${PUBLIC_NAME}`, "-addext", `subjectAltName=DNS:${PUBLIC_NAME}`];
    const files = ["-keyout", join(folder, "key.pem"), "-out", join(folder, "cert.pem")];
    execFileSync("openssl", ["req", "-x509", "-days", "2", ...curve, ...names, ...files], {
      stdio: "ignore",
    });
    return new Certificate(folder, readFileSync(join(folder, "cert.pem"), "utf8"));
  }

  /** What Chromium needs to reach the proxy by its name. */
  get browserArguments(): string[] {
    return [
      `--host-resolver-rules=MAP ${PUBLIC_NAME} 127.0.0.1`,
      `--ignore-certificate-errors-spki-list=${this.spki}`,
    ];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** A real proxy in front of the page, in the foreground, with the configuration that docs/reverse-proxy.md shows. */
export class ReverseProxy implements AsyncDisposable {
  readonly #program: Program;
  readonly #folder: string;

  private constructor(program: Program, folder: string) {
    this.#program = program;
    this.#folder = folder;
  }

  static async start(
    name: ProxyName,
    port: number,
    pagePort: number,
    certificate: Certificate,
  ): Promise<ReverseProxy> {
    if (!existsSync(PROGRAMS[name])) throw new Error(`${PROGRAMS[name]} is missing: apt-get install ${name}`);
    const folder = await mkdtemp(join(tmpdir(), `spicetab-${name}-`));
    const [cert, key] = ["cert.pem", "key.pem"].map((file) => join(certificate.folder, file));
    const config = join(folder, "config");
    await writeFile(
      config,
      name === "nginx"
        ? nginxConfig(folder, port, pagePort, cert, key)
        : caddyConfig(folder, port, pagePort, cert, key),
    );
    const args =
      name === "nginx"
        ? ["-p", folder, "-c", config, "-e", "stderr"]
        : ["run", "--config", config, "--adapter", "caddyfile"];
    const home = { HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder };
    const proxy = new ReverseProxy(new Program(PROGRAMS[name], args, { env: home }), folder);
    try {
      await proxy.#listening(port);
      return proxy;
    } catch (error) {
      await proxy[Symbol.asyncDispose]();
      throw error;
    }
  }

  async #listening(port: number): Promise<void> {
    await eventually(() => {
      const { child, stdout, stderr } = this.#program;
      if (child.exitCode !== null) throw new Error(`the proxy ended: ${stdout}${stderr}`);
      return new Promise<boolean>((resolve) => {
        const socket = connect(port, "127.0.0.1", () => resolve(true));
        socket.on("error", () => resolve(false)).on("connect", () => socket.destroy());
      });
    }, "a proxy that listens");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program[Symbol.asyncDispose]();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** A client's WebSocket through the proxy. */
export async function dialProxy(
  url: string,
  certificate: Certificate,
): Promise<{ socket: WebSocket; transport: WebSocketTransport }> {
  const socket = new WebSocket(url, "binary", {
    ca: certificate.pem,
    lookup: (_, options, done) => {
      if (options.all) done(null, [{ address: "127.0.0.1", family: 4 }]);
      else done(null, "127.0.0.1", 4);
    },
  });
  const transport = new WebSocketTransport(socket as unknown as WebSocketLike);
  await new Promise((resolve, reject) => {
    socket.once("open", resolve);
    socket.once("error", reject);
  });
  return { socket, transport };
}

/** The document's block of that language, with what is this test's own put in; whatever is to be replaced must be there. */
function snippet(language: string, replacements: Readonly<Record<string, string>>): string {
  const text = readFileSync(join(root, "docs/reverse-proxy.md"), "utf8");
  const [, block] = new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\``, "m").exec(text) ?? [];
  if (block === undefined) throw new Error(`docs/reverse-proxy.md has no ${language} block`);
  return Object.entries(replacements).reduce((done, [from, to]) => {
    if (!done.includes(from)) throw new Error(`docs/reverse-proxy.md no longer says "${from}"`);
    return done.replaceAll(from, to);
  }, block);
}

function nginxConfig(folder: string, port: number, pagePort: number, cert: string, key: string): string {
  const site = snippet("nginx", {
    "listen 443 ssl": `listen 127.0.0.1:${port} ssl`,
    "server_name example.org": `server_name ${PUBLIC_NAME}`,
    "/etc/ssl/example.org.pem": cert,
    "/etc/ssl/example.org.key": key,
    "127.0.0.1:8080": `127.0.0.1:${pagePort}`,
  });
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  return `daemon off;
master_process off;
pid ${folder}/pid;
events {}
http {
    access_log off;
    ${temporary.map((name) => `${name}_temp_path ${folder}/${name};`).join("\n    ")}
    proxy_read_timeout ${IDLE_TIMEOUT_SECONDS}s;
    proxy_send_timeout ${IDLE_TIMEOUT_SECONDS}s;
${site}
}
`;
}

function caddyConfig(folder: string, port: number, pagePort: number, cert: string, key: string): string {
  const site = snippet("caddyfile", {
    "example.org {": `https://${PUBLIC_NAME}:${port} {\n\ttls ${cert} ${key}`,
    "127.0.0.1:8080": `127.0.0.1:${pagePort}`,
  });
  return `{
	admin off
	auto_https disable_redirects
	default_bind 127.0.0.1
	storage file_system ${folder}
}
${site}`;
}
