import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { reasonOf } from "../errors.ts";
import { MAX_DOWNLOAD_ATTEMPTS } from "../limits.ts";
import type { HttpClient } from "./http.ts";

/** The server answered, but not with the file. A 4xx is not tried again. */
export class HttpStatusError extends Error {
  readonly status: number;
  constructor(status: number, reason: string) {
    super(`the mirror answered ${status}${reason === "" ? "" : ` ${reason}`}`);
    this.name = "HttpStatusError";
    this.status = status;
  }
}

/** The bytes are not the ones that the index or the lock file names. */
export class HashMismatchError extends Error {
  constructor(what: string) {
    super(what);
    this.name = "HashMismatchError";
  }
}

/** What a file must be. */
export interface Expected {
  size: number;
  sha256: string;
}

async function hashFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex");
}

/** True when `path` exists and is exactly the expected file. */
export async function isCached(path: string, expected: Expected): Promise<boolean> {
  const size = await stat(path).then(
    (found) => found.size,
    () => -1,
  );
  return size === expected.size && (await hashFile(path)) === expected.sha256;
}

async function fetchOnce(
  client: HttpClient,
  url: string,
  part: string,
  expected: Expected,
  onBytes: (count: number) => void,
): Promise<void> {
  const have = await stat(part).then(
    (found) => found.size,
    () => 0,
  );
  const resume = have > 0 && have < expected.size;
  if (have >= expected.size) await rm(part, { force: true });
  const response = await client.get(url, resume ? { range: `bytes=${have}-` } : {});
  const status = response.statusCode ?? 0;
  if (status !== 200 && status !== 206) {
    response.destroy();
    throw new HttpStatusError(status, response.statusMessage ?? "");
  }
  const append = status === 206;
  let received = append ? have : 0;
  if (append) onBytes(have);
  const meter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      received += chunk.length;
      onBytes(chunk.length);
      // A mirror that sends more than the index says is wrong or hostile; stop before the disk is full.
      if (received > expected.size)
        done(new HashMismatchError(`larger than the ${expected.size} bytes of the index`));
      else done(null, chunk);
    },
  });
  await pipeline(response, meter, createWriteStream(part, { flags: append ? "a" : "w" }));
}

/**
 * Brings `url` into the cache at `path` and checks size and SHA-256. A broken transfer goes on where it stopped, also in
 * a later run. Tried again a few times; a file that is not there (4xx) or is another one at the second look fails at once.
 * @param onBytes progress, in bytes; a restart reports a negative count for what was thrown away.
 */
export async function download(
  client: HttpClient,
  url: string,
  path: string,
  expected: Expected,
  onBytes: (count: number) => void = () => {},
): Promise<void> {
  if (await isCached(path, expected)) {
    onBytes(expected.size);
    return;
  }
  await mkdir(dirname(path), { recursive: true });
  const part = `${path}.part`;
  let failure: unknown;
  let mismatches = 0;
  for (let attempt = 0; attempt < MAX_DOWNLOAD_ATTEMPTS; attempt++) {
    if (attempt > 0) await sleep(500 * attempt);
    let counted = 0;
    const count = (bytes: number) => {
      counted += bytes;
      onBytes(bytes);
    };
    try {
      await fetchOnce(client, url, part, expected, count);
      if (!(await isCached(part, expected)))
        throw new HashMismatchError("its SHA-256 is not the one of the index");
      await rename(part, path);
      return;
    } catch (error) {
      failure = error;
      onBytes(-counted);
      if (error instanceof HashMismatchError) {
        await rm(part, { force: true });
        // The first mismatch may be a bad resume; the second is the mirror's file.
        if (++mismatches === 2) break;
      }
      if (error instanceof HttpStatusError && error.status >= 400 && error.status < 500) break;
    }
  }
  throw failure instanceof Error ? failure : new Error(reasonOf(failure));
}
