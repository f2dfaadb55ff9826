import { setMaxListeners } from "node:events";
import { basename, join } from "node:path";
import { GuestBuildError, reasonOf } from "../errors.ts";
import { MAX_PARALLEL_DOWNLOADS } from "../limits.ts";
import { download, HttpStatusError } from "./download.ts";
import type { PackageFile } from "./packages.ts";
import type { ArchiveSource } from "./source.ts";

/** A package and its .deb: the bytes whose hash was checked, not a file that may have changed since. */
export interface FetchedPackage {
  file: PackageFile;
  deb: Buffer;
}

/** A package that the mirror no longer has in its pool. */
export class PackageGoneError extends Error {
  readonly file: PackageFile;

  constructor(file: PackageFile, cause: unknown) {
    super(`${file.name} ${file.version} has left the mirror's pool`, { cause });
    this.name = "PackageGoneError";
    this.file = file;
  }
}

/**
 * Addresses that may have a package, the likeliest first. Point releases move packages of the security archive into the
 * main one; the hash says that it is the same file.
 */
function addresses({ mirror }: ArchiveSource, file: PackageFile): string[] {
  const moved = `${mirror.main}/${file.filename.replace(/^pool\/updates\//, "pool/")}`;
  if (file.archive === "main") return [moved];
  return mirror.security === undefined ? [moved] : [`${mirror.security}/${file.filename}`, moved];
}

async function fetchPackage(
  source: ArchiveSource,
  file: PackageFile,
  signal: AbortSignal,
  onBytes: (count: number) => void,
): Promise<Buffer> {
  const path = join(source.cacheDir, "packages", basename(file.filename));
  let gone: unknown;
  for (const url of addresses(source, file)) {
    try {
      return await download(source.client, url, path, file, { onBytes, signal });
    } catch (error) {
      if (!(error instanceof HttpStatusError && error.isGone))
        throw new GuestBuildError(
          "download",
          `Package ${file.name} ${file.version} could not be fetched from ${url}: ${reasonOf(error)}. What is already ` +
            `downloaded is kept; run the build again, or name another mirror with --mirror.`,
          { packageName: file.name, cause: error },
        );
      gone = error;
    }
  }
  throw new PackageGoneError(file, gone);
}

/**
 * Fetches packages by their pool path, a few at a time, and checks each against its size and SHA-256, whether it comes
 * from the mirror or from the cache. Answers in the same order.
 * @throws GuestBuildError when one cannot be had; PackageGoneError when the mirror says that it has it no more.
 */
export async function fetchPackages(
  source: ArchiveSource,
  files: readonly PackageFile[],
): Promise<FetchedPackage[]> {
  const total = files.reduce((sum, { size }) => sum + size, 0);
  let done = 0;
  let next = 0;
  const fetched: FetchedPackage[] = [];
  // The first failure ends the other transfers: a mirror that trickles must not hold the news of it.
  const abort = new AbortController();
  // Each transfer listens more than once: the request, its body, the pause before the next try.
  setMaxListeners(4 * MAX_PARALLEL_DOWNLOADS, abort.signal);
  let failure: unknown;
  const worker = async () => {
    for (let i = next++; i < files.length && !abort.signal.aborted; i = next++) {
      const file = files[i];
      try {
        const deb = await fetchPackage(source, file, abort.signal, (bytes) =>
          source.onBytes((done += bytes), total, file.name),
        );
        fetched[i] = { file, deb };
      } catch (error) {
        if (abort.signal.aborted) return;
        failure = error;
        abort.abort();
      }
    }
  };
  await Promise.all(Array.from({ length: MAX_PARALLEL_DOWNLOADS }, worker));
  if (abort.signal.aborted) throw failure;
  return fetched;
}
