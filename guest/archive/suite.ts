import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { GuestBuildError, reasonOf } from "../errors.ts";
import type { Exceptions } from "../exceptions.ts";
import { type Expected, readBounded, sha256, writeAtomically } from "../files.ts";
import { MAX_INDEX_BYTES, MAX_INDEX_UNPACKED_BYTES, MAX_RELEASE_BYTES } from "../limits.ts";
import { unpackXz } from "../unxz.ts";
import { download, downloadUnverified, HashMismatchError, HttpStatusError } from "./download.ts";
import { checkFreshness, day } from "./freshness.ts";
import { parsePackages, type PackageRecord } from "./packages.ts";
import { parseRelease, type Release } from "./release.ts";
import { verifyRelease } from "./signature.ts";
import type { ArchiveSource } from "./source.ts";

const ARCHITECTURE = "i386";
const FOLDER = `main/binary-${ARCHITECTURE}`;

/** A suite whose index is wanted, and what it is held against. */
export interface SuiteRequest {
  /** The mirror's root, which holds `dists/`. */
  root: string;
  suite: string;
  archive: PackageRecord["archive"];
  keyrings: readonly string[];
  /** This machine's time, in milliseconds since 1970. */
  nowMs: number;
  /** Date of this suite's index that the lock file was made from. */
  lockedMs: number | undefined;
  exceptions: Exceptions;
}

/** The signed, consistent index of a suite. */
export interface Suite {
  suite: string;
  dateMs: number;
  records: PackageRecord[];
}

/** The mirror cannot be reached, as opposed to one that answers with something else. */
class UnreachableError extends Error {}

/** The mirror has no Packages file that the signed text names. */
class InconsistentError extends Error {}

async function fetchRelease({ client }: ArchiveSource, { root, suite }: SuiteRequest): Promise<Buffer> {
  const address = `${root}/dists/${suite}/InRelease`;
  try {
    return await downloadUnverified(client, address, MAX_RELEASE_BYTES);
  } catch (error) {
    if (error instanceof HttpStatusError || error instanceof HashMismatchError)
      throw new GuestBuildError("mirror", `The mirror has no usable ${address}: ${reasonOf(error)}.`, {
        cause: error,
      });
    throw new UnreachableError(reasonOf(error), { cause: error });
  }
}

async function accept(file: Uint8Array, request: SuiteRequest): Promise<Release> {
  const release = parseRelease(await verifyRelease(file, request));
  if (release.codename !== request.suite)
    throw new GuestBuildError(
      "signature",
      `The InRelease of ${request.suite} is the one of "${release.codename}": the mirror mixes its suites up, or lies.`,
    );
  checkFreshness(release, request);
  return release;
}

async function unpack(extension: string, packed: Buffer, plain: Expected | undefined): Promise<Buffer> {
  const limit = Math.min(plain?.size ?? MAX_INDEX_UNPACKED_BYTES, MAX_INDEX_UNPACKED_BYTES);
  const text =
    extension === ".xz"
      ? await unpackXz(packed, limit)
      : extension === ".gz"
        ? gunzipSync(packed, { maxOutputLength: limit })
        : packed;
  if (plain !== undefined && (text.length !== plain.size || sha256(text) !== plain.sha256))
    throw new InconsistentError("unpacks to another file than the signed text names");
  return text;
}

/** Finds the file that the signed text names: in each compression, by its hash and by its name. */
async function fetchPackagesFile(
  source: ArchiveSource,
  { root, suite }: SuiteRequest,
  release: Release,
): Promise<Buffer> {
  const plain = release.files.get(`${FOLDER}/Packages`);
  const tried: string[] = [];
  for (const extension of [".xz", ".gz", ""]) {
    const name = `${FOLDER}/Packages${extension}`;
    const expected = release.files.get(name);
    if (expected === undefined || expected.size > MAX_INDEX_BYTES) continue;
    const cached = join(source.cacheDir, "indexes", expected.sha256);
    // By hash first: unlike the plain name it cannot change between InRelease and this request.
    for (const path of [`${FOLDER}/by-hash/SHA256/${expected.sha256}`, name]) {
      let done = 0;
      const onBytes = (bytes: number) => source.onBytes((done += bytes), expected.size, `index of ${suite}`);
      try {
        const url = `${root}/dists/${suite}/${path}`;
        return await unpack(
          extension,
          await download(source.client, url, cached, expected, { onBytes }),
          plain,
        );
      } catch (error) {
        const other =
          error instanceof HttpStatusError ||
          error instanceof HashMismatchError ||
          error instanceof InconsistentError;
        if (!other)
          throw new GuestBuildError("download", `The index of ${suite}: ${reasonOf(error)}.`, {
            cause: error,
          });
        tried.push(`${path}: ${reasonOf(error)}`);
      }
    }
  }
  throw new InconsistentError(tried.join("; ") || `it names no Packages file for ${ARCHITECTURE}`);
}

/**
 * Reads a suite's signed index: the newest InRelease, and the Packages file that it names. When the mirror cannot be
 * reached, or its files do not fit together, the last InRelease that was good here is tried, under the same checks.
 * @throws GuestBuildError
 */
export async function readSuite(source: ArchiveSource, request: SuiteRequest): Promise<Suite> {
  const { root, suite } = request;
  const kept = join(source.cacheDir, "indexes", `InRelease-${suite}-${sha256(root).slice(0, 12)}`);
  const read = async (file: Buffer): Promise<Suite> => {
    const release = await accept(file, request);
    const text = await fetchPackagesFile(source, request, release).catch((error: unknown) => {
      throw error instanceof InconsistentError
        ? new InconsistentError(`of ${day(release.dateMs)} (${error.message})`)
        : error;
    });
    await writeAtomically(kept, file);
    return { suite, dateMs: release.dateMs, records: parsePackages(text.toString("utf8"), request.archive) };
  };
  try {
    return await read(await fetchRelease(source, request));
  } catch (error) {
    if (!(error instanceof UnreachableError || error instanceof InconsistentError)) throw error;
    const why =
      error instanceof UnreachableError
        ? `The mirror ${root} cannot be reached (${error.message})`
        : `The mirror ${root} has no index of ${suite} that fits its own signed InRelease ${error.message}`;
    const old = await readBounded(kept, MAX_RELEASE_BYTES).catch(() => undefined);
    const last = old === undefined ? undefined : await read(old).catch(() => undefined);
    if (last === undefined)
      throw new GuestBuildError("mirror", `${why}. Try again later, or use another mirror (--mirror URL).`, {
        cause: error,
      });
    source.onNote(`${why}; the last good index, of ${day(last.dateMs)}, is used.`);
    return last;
  }
}
