import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { GuestBuildError, reasonOf } from "../errors.ts";
import { sha256, writeAtomically } from "../files.ts";
import { MAX_PARALLEL_DOWNLOADS, MAX_RELEASE_BYTES } from "../limits.ts";
import { unpackXz } from "../unxz.ts";
import { download, HttpStatusError } from "./download.ts";
import type { HttpClient } from "./http.ts";
import type { Mirror } from "./mirror.ts";
import { PackageIndex, parsePackages, type PackageRecord } from "./packages.ts";
import { parseRelease, verifyRelease } from "./release.ts";

/** The Debian release that the recipe is written for. */
export const CODENAME = "bookworm";
const ARCHITECTURE = "i386";

/** Where an archive's use is told: bytes done of bytes known, and plain sentences. */
export interface ArchiveListener {
  onBytes(done: number, total: number, detail: string): void;
  onNote(text: string): void;
}

/** A Debian archive through its mirror and a cache folder. */
export class Archive {
  readonly #client: HttpClient;
  readonly #mirror: Mirror;
  readonly #cacheDir: string;
  readonly #listener: ArchiveListener;

  constructor(client: HttpClient, mirror: Mirror, cacheDir: string, listener: ArchiveListener) {
    this.#client = client;
    this.#mirror = mirror;
    this.#cacheDir = cacheDir;
    this.#listener = listener;
  }

  /** The signed index: the main suite, and the security suite when it is consistent. */
  async index(): Promise<PackageIndex> {
    const records = await this.#suite(this.#mirror.main, CODENAME, "main");
    if (this.#mirror.security !== undefined) {
      try {
        records.push(...(await this.#suite(this.#mirror.security, `${CODENAME}-security`, "security")));
      } catch (error) {
        // Seen on mirrors: InRelease and Packages of different days. A forged signature still stops the build.
        if (error instanceof GuestBuildError && error.code === "signature") throw error;
        this.#listener.onNote(`The security archive is left out, the main suite is used: ${reasonOf(error)}`);
      }
    }
    return new PackageIndex(records);
  }

  /** Brings every package into the cache, a few at a time; answers the paths in the same order. */
  async fetch(packages: readonly PackageRecord[]): Promise<string[]> {
    const total = packages.reduce((sum, record) => sum + record.size, 0);
    let done = 0;
    const paths = packages.map((record) =>
      join(this.#cacheDir, "packages", record.filename.split("/").pop() ?? record.name),
    );
    let next = 0;
    const worker = async () => {
      for (let i = next++; i < packages.length; i = next++) {
        const record = packages[i];
        const root = record.archive === "security" ? this.#mirror.security : this.#mirror.main;
        try {
          await download(this.#client, `${root}/${record.filename}`, paths[i], record, (bytes) => {
            done += bytes;
            this.#listener.onBytes(done, total, record.name);
          });
        } catch (error) {
          next = packages.length;
          throw new GuestBuildError(
            "download",
            `Package ${record.name} ${record.version} could not be fetched: ${reasonOf(error)}. What is already ` +
              `downloaded is kept; run the build again, or name another mirror with --mirror.`,
            { packageName: record.name, cause: error },
          );
        }
      }
    };
    await Promise.all(Array.from({ length: MAX_PARALLEL_DOWNLOADS }, worker));
    return paths;
  }

  async #suite(root: string, suite: string, archive: PackageRecord["archive"]): Promise<PackageRecord[]> {
    const release = parseRelease(
      await verifyRelease(await this.#inRelease(root, suite), suite, this.#listener.onNote),
    );
    if (release.codename !== suite)
      throw new GuestBuildError("signature", `The InRelease of ${suite} calls itself "${release.codename}".`);
    const folder = `main/binary-${ARCHITECTURE}`;
    const found = [`${folder}/Packages.xz`, `${folder}/Packages.gz`].find((path) => release.files.has(path));
    const expected = found === undefined ? undefined : release.files.get(found);
    if (found === undefined || expected === undefined)
      throw new GuestBuildError("package", `The suite ${suite} has no packages for ${ARCHITECTURE}.`);
    const cached = join(this.#cacheDir, "indexes", expected.sha256);
    const onBytes = (() => {
      let done = 0;
      return (bytes: number) => this.#listener.onBytes((done += bytes), expected.size, `index of ${suite}`);
    })();
    // By hash first: unlike the plain name it cannot change between InRelease and this request.
    const byHash = `${root}/dists/${suite}/${folder}/by-hash/SHA256/${expected.sha256}`;
    try {
      await download(this.#client, byHash, cached, expected, onBytes).catch(async (error: unknown) => {
        if (!(error instanceof HttpStatusError)) throw error;
        await download(this.#client, `${root}/dists/${suite}/${found}`, cached, expected, onBytes);
      });
    } catch (error) {
      throw new GuestBuildError("download", `the index of ${suite}: ${reasonOf(error)}`, { cause: error });
    }
    const packed = await readFile(cached);
    const text = found.endsWith(".xz") ? await unpackXz(packed) : gunzipSync(packed);
    return parsePackages(text.toString("utf8"), archive);
  }

  /** The newest InRelease, or without a network the last one seen. */
  async #inRelease(root: string, suite: string): Promise<string> {
    const cached = join(this.#cacheDir, "indexes", `InRelease-${suite}-${sha256(root).slice(0, 12)}`);
    try {
      const response = await this.#client.get(`${root}/dists/${suite}/InRelease`);
      if (response.statusCode !== 200) {
        response.destroy();
        throw new HttpStatusError(response.statusCode ?? 0, response.statusMessage ?? "");
      }
      const chunks: Buffer[] = [];
      let size = 0;
      for await (const chunk of response as AsyncIterable<Buffer>) {
        size += chunk.length;
        if (size > MAX_RELEASE_BYTES)
          throw new Error(`its InRelease has more than ${MAX_RELEASE_BYTES} bytes`);
        chunks.push(chunk);
      }
      const text = Buffer.concat(chunks);
      await writeAtomically(cached, text);
      return text.toString("utf8");
    } catch (error) {
      const old = await readFile(cached, "utf8").catch(() => undefined);
      if (old !== undefined && !(error instanceof HttpStatusError)) {
        this.#listener.onNote(
          `The mirror cannot be reached (${reasonOf(error)}); the last known index of ${suite} is used.`,
        );
        return old;
      }
      throw new GuestBuildError(
        "mirror",
        `The mirror has no usable dists/${suite}/InRelease: ${reasonOf(error)}.`,
        {
          cause: error,
        },
      );
    }
  }
}
