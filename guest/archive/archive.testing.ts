import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { createCleartextMessage, generateKey, type PrivateKey, sign } from "openpgp";
import { pack } from "tar-stream";
import type { Allowance } from "../allowances.ts";
import { Exceptions } from "../exceptions.ts";
import { sha256 } from "../files.ts";

/** An ar archive of these members. */
export function ar(members: readonly [name: string, data: Uint8Array][]): Buffer {
  const parts = [Buffer.from("!<arch>\n")];
  for (const [name, data] of members) {
    const header = `${name.padEnd(16)}${"0".padEnd(12)}${"0".padEnd(6)}${"0".padEnd(6)}${"100644".padEnd(8)}${String(data.length).padEnd(10)}\`\n`;
    parts.push(Buffer.from(header), Buffer.from(data), Buffer.from(data.length % 2 ? "\n" : ""));
  }
  return Buffer.concat(parts);
}

/** A .deb with these files. */
export async function deb(files: Readonly<Record<string, Uint8Array | string>>): Promise<Buffer> {
  const writer = pack();
  for (const [path, data] of Object.entries(files))
    writer.entry({ name: `./${path}`, mode: 0o755, mtime: new Date(0) }, Buffer.from(data));
  writer.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of writer) chunks.push(chunk as Buffer);
  return ar([
    ["debian-binary", Buffer.from("2.0\n")],
    ["control.tar.gz", gzipSync("")],
    ["data.tar.gz", gzipSync(Buffer.concat(chunks))],
  ]);
}

/** A package as an archive has it. */
export interface TestPackage {
  name: string;
  version: string;
  depends?: string;
  deb: Buffer;
}

/** Where a test archive keeps a package. */
export function poolPath({ name, version }: TestPackage): string {
  return `pool/main/${name[0]}/${name}/${name}_${version.replace(/^\d+:/, "")}_i386.deb`;
}

/** The Packages file of these packages. */
export function packagesFile(packages: readonly TestPackage[]): Buffer {
  const stanzas = packages.map((entry) =>
    [
      `Package: ${entry.name}`,
      `Version: ${entry.version}`,
      ...(entry.depends === undefined ? [] : [`Depends: ${entry.depends}`]),
      `Filename: ${poolPath(entry)}`,
      `Size: ${entry.deb.length}`,
      `SHA256: ${sha256(entry.deb)}`,
    ].join("\n"),
  );
  return Buffer.from(`${stanzas.join("\n\n")}\n`);
}

/** A day of the archive, as its Release files write it. */
export function releaseDate(timeMs: number): string {
  return new Date(timeMs).toUTCString().replace("GMT", "UTC");
}

/** The Release text of a suite with this index in gzip and plain. */
export function releaseText(
  suite: string,
  index: Buffer,
  dateMs: number,
  validUntilMs?: number,
): { text: string; packed: Buffer } {
  const packed = gzipSync(index);
  const lines = [
    "Origin: Debian",
    `Codename: ${suite}`,
    `Date: ${releaseDate(dateMs)}`,
    ...(validUntilMs === undefined ? [] : [`Valid-Until: ${releaseDate(validUntilMs)}`]),
    "SHA256:",
    ` ${sha256(packed)} ${packed.length} main/binary-i386/Packages.gz`,
    ` ${sha256(index)} ${index.length} main/binary-i386/Packages`,
    "",
  ];
  return { text: lines.join("\n"), packed };
}

/** A key as archives have it: one that signs. */
export async function archiveKey(
  name = "Archive",
  options: { date?: Date; keyExpirationTime?: number } = {},
): Promise<{ privateKey: PrivateKey; keyring: Buffer; revoked: () => Promise<Buffer> }> {
  const { privateKey, publicKey, revocationCertificate } = await generateKey({
    userIDs: [{ name }],
    format: "object",
    ...options,
  });
  return {
    privateKey,
    keyring: Buffer.from(publicKey.write()),
    revoked: async () => {
      const { revokeKey } = await import("openpgp");
      const { publicKey: revoked } = await revokeKey({
        key: publicKey,
        revocationCertificate,
        format: "object",
      });
      return Buffer.from(revoked.write());
    },
  };
}

/** The text as an InRelease. */
export async function clearSign(text: string, keys: PrivateKey | PrivateKey[], date?: Date): Promise<string> {
  const message = await createCleartextMessage({ text });
  const signed = await sign({ message, signingKeys: keys, ...(date === undefined ? {} : { date }) });
  return signed.replaceAll("\r\n", "\n");
}

/** What a mirror answers for a path: a body, a status, or whatever the function does. */
export type MirrorAnswer =
  | Uint8Array
  | number
  | ((request: IncomingMessage, response: ServerResponse) => void);

/** A mirror on loopback, honest or not: real HTTP, files by their path. */
export class TestMirror {
  readonly files = new Map<string, MirrorAnswer>();
  readonly requests: string[] = [];
  readonly #server = createServer((request, response) => {
    const path = decodeURIComponent(request.url ?? "");
    this.requests.push(path);
    const answer = this.files.get(path) ?? 404;
    if (typeof answer === "function") answer(request, response);
    else if (typeof answer === "number") response.writeHead(answer).end();
    else {
      const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);
      response.writeHead(from > 0 ? 206 : 200, { "content-length": answer.length - from });
      response.end(answer.subarray(from));
    }
  });

  async open(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.listen(0, "127.0.0.1", resolve);
    });
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Puts a suite up: its InRelease and its index, and the packages into the pool. */
  async publish(
    root: string,
    suite: string,
    packages: readonly TestPackage[],
    key: PrivateKey,
    dateMs: number,
    validUntilMs?: number,
  ): Promise<void> {
    const index = packagesFile(packages);
    const { text, packed } = releaseText(suite, index, dateMs, validUntilMs);
    const folder = `${root}/dists/${suite}`;
    this.files.set(`${folder}/InRelease`, Buffer.from(await clearSign(text, key, new Date(dateMs))));
    this.files.set(`${folder}/main/binary-i386/Packages.gz`, packed);
    for (const entry of packages) this.files.set(`${root}/${poolPath(entry)}`, entry.deb);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => {
      this.#server.close(resolve);
    });
  }
}

/** Exceptions that are allowed here, and the notes that they make. */
export function allowing(...names: Allowance[]): { exceptions: Exceptions; notes: string[] } {
  const notes: string[] = [];
  return { exceptions: new Exceptions(names, (note) => notes.push(note)), notes };
}
