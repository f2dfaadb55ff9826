import { constants } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { randomBytes } from "node:crypto";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { reasonOf } from "../errors.ts";
import { type Expected, openPlain, readVerified } from "../files.ts";
import {
  DOWNLOAD_GRACE_MS,
  DOWNLOAD_RETRY_DELAY_MS,
  MAX_DOWNLOAD_ATTEMPTS,
  MIN_DOWNLOAD_BYTES_PER_SECOND,
} from "../limits.ts";
import type { HttpAnswer, HttpClient } from "./http.ts";
import { RedirectError } from "./redirect.ts";

/** The server answered, but not with the file. A 4xx is not tried again. */
export class HttpStatusError extends Error {
  readonly status: number;
  constructor(status: number, reason: string) {
    super(`the mirror answered ${status}${reason === "" ? "" : ` ${reason}`}`);
    this.name = "HttpStatusError";
    this.status = status;
  }

  /** True when the mirror says that it does not have the file. */
  get isGone(): boolean {
    return this.status === 404 || this.status === 410;
  }
}

/** The bytes are not the ones that the index or the lock file names. */
export class HashMismatchError extends Error {
  constructor(what: string) {
    super(what);
    this.name = "HashMismatchError";
  }
}

/** How a transfer is made; the clock is for tests. */
export interface TransferOptions {
  /** Progress in bytes; a restart reports a negative count for what was thrown away. */
  onBytes?: (count: number) => void;
  /** Milliseconds that only go up. */
  now?: () => number;
  /** Waits before another attempt. */
  wait?: (delayMs: number) => Promise<unknown>;
  /** Ends the transfer; what has come is kept. */
  signal?: AbortSignal | undefined;
}

/** The body's pieces, no more than `limit` bytes and no slower than the slowest transfer that is waited for. */
async function* bounded(
  answer: HttpAnswer,
  limit: number,
  now: () => number,
): AsyncGenerator<Buffer, void, undefined> {
  const start = now();
  let received = 0;
  for await (const chunk of answer.body as AsyncIterable<Buffer>) {
    received += chunk.length;
    // A mirror that sends more than it should is wrong or hostile; stop before memory or disk is full.
    if (received > limit)
      throw new HashMismatchError(`it is larger than the ${limit} bytes that are expected`);
    const elapsedMs = now() - start;
    if (received * 1000 < MIN_DOWNLOAD_BYTES_PER_SECOND * (elapsedMs - DOWNLOAD_GRACE_MS))
      throw new Error(`it came too slowly: ${received} bytes in ${Math.round(elapsedMs / 1000)} s`);
    yield chunk;
  }
}

function checkStatus(answer: HttpAnswer, wanted: readonly number[]): void {
  if (wanted.includes(answer.status)) return;
  answer.body.on("error", () => {}).destroy();
  throw new HttpStatusError(answer.status, answer.reason);
}

/** Fetches a small file that nothing vouches for yet, of at most `limit` bytes. */
export async function downloadUnverified(
  client: HttpClient,
  url: string,
  limit: number,
  { now = () => performance.now() }: TransferOptions = {},
): Promise<Buffer> {
  const answer = await client.get(url);
  checkStatus(answer, [200]);
  const chunks: Buffer[] = [];
  for await (const chunk of bounded(answer, limit, now)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function fetchOnce(
  client: HttpClient,
  url: string,
  part: string,
  expected: Expected,
  { onBytes, now, signal }: Required<Pick<TransferOptions, "onBytes" | "now">> & TransferOptions,
): Promise<void> {
  const file = await openPlain(part, constants.O_RDWR | constants.O_CREAT);
  try {
    const found = await file.stat();
    if (!found.isFile()) throw new Error(`${part} is in the way: it is not a file`);
    const have = found.size < expected.size ? found.size : 0;
    const answer = await client.get(url, have > 0 ? { range: `bytes=${have}-` } : {}, signal);
    checkStatus(answer, have > 0 ? [200, 206] : [200]);
    let at = answer.status === 206 ? have : 0;
    const announced = answer.headers["content-length"];
    if (announced !== undefined && Number(announced) !== expected.size - at) {
      answer.body.on("error", () => {}).destroy();
      throw new HashMismatchError(`it has ${at + Number(announced)} bytes instead of ${expected.size}`);
    }
    await file.truncate(at);
    onBytes(at);
    for await (const chunk of bounded(answer, expected.size - at, now)) {
      await file.write(chunk, 0, chunk.length, at);
      at += chunk.length;
      onBytes(chunk.length);
    }
    if (at < expected.size) throw new Error(`it ended after ${at} of ${expected.size} bytes`);
  } finally {
    await file.close();
  }
}

/**
 * Brings `url` into the cache at `path`, and answers its bytes: those that were checked against `expected`, whatever
 * becomes of the file. A broken transfer goes on where it stopped, also in a later run. Tried again a few times; a file
 * that is not there (4xx) or is another one at the second look fails at once.
 */
export async function download(
  client: HttpClient,
  url: string,
  path: string,
  expected: Expected,
  { onBytes = () => {}, now = () => performance.now(), wait = sleep, signal }: TransferOptions = {},
): Promise<Buffer> {
  const cached = await readVerified(path, expected);
  if (cached !== undefined) {
    onBytes(expected.size);
    return cached;
  }
  await mkdir(dirname(path), { recursive: true });
  let part = `${path}.part`;
  let failure: unknown;
  let mismatches = 0;
  for (let attempt = 0; attempt < MAX_DOWNLOAD_ATTEMPTS; attempt++) {
    if (attempt > 0) await wait(DOWNLOAD_RETRY_DELAY_MS * attempt);
    let counted = 0;
    const count = (bytes: number) => {
      counted += bytes;
      onBytes(bytes);
    };
    try {
      await fetchOnce(client, url, part, expected, { onBytes: count, now, signal });
      const bytes = await readVerified(part, expected);
      if (bytes === undefined) throw new HashMismatchError("its SHA-256 is another one than expected");
      await rename(part, path);
      return bytes;
    } catch (error) {
      failure = error;
      onBytes(-counted);
      if (error instanceof HashMismatchError) {
        await rm(part, { force: true });
        // The first mismatch may be a bad resume, or another build at the same file: the next try has one of its own.
        if (++mismatches === 2) break;
        part = `${path}.${randomBytes(6).toString("hex")}.part`;
      }
      if (error instanceof RedirectError || signal?.aborted) break;
      if (error instanceof HttpStatusError && error.isGone) await rm(part, { force: true });
      if (error instanceof HttpStatusError && error.status >= 400 && error.status < 500) break;
    }
  }
  if (mismatches > 0) await rm(part, { force: true });
  throw failure instanceof Error ? failure : new Error(reasonOf(failure));
}
