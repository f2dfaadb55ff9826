import { createHash, randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { mkdir, open, rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { pipeline } from "node:stream/promises";

/** What a file must be. */
export interface Expected {
  size: number;
  /** Lower-case hex. */
  sha256: string;
}

/** Writes a file so that readers see the old one or the whole new one, never a part. Makes its folder. */
export async function writeAtomically(path: string, data: Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    await writeFile(temporary, data, { flag: "wx" });
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** SHA-256 as lower-case hex. */
export function sha256(data: Uint8Array | string): string {
  return createHash("sha256").update(data).digest("hex");
}

/**
 * Opens a file and no link, pipe or device in its place: whoever can write into the folder decides what lies there.
 * Neither hangs nor writes elsewhere because of it.
 */
export function openPlain(path: string, flags: number): ReturnType<typeof open> {
  return open(path, flags | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0), 0o644);
}

/** Reads a file of at most `limit` bytes. @throws when it is none, or larger */
export async function readBounded(path: string, limit: number): Promise<Buffer> {
  const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    const found = await file.stat();
    if (!found.isFile()) throw new Error(`${path} is not a file`);
    if (found.size > limit) throw new Error(`${path} has ${found.size} bytes, at most ${limit} are expected`);
    const bytes = Buffer.alloc(found.size);
    let length = 0;
    while (length < bytes.length) {
      const { bytesRead } = await file.read(bytes, length, bytes.length - length);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    return bytes.subarray(0, length);
  } finally {
    await file.close();
  }
}

/**
 * The file's bytes if they are the expected ones. What is hashed is what is returned: a file that is changed in between
 * changes nothing.
 */
export async function readVerified(path: string, expected: Expected): Promise<Buffer | undefined> {
  try {
    const bytes = await readBounded(path, expected.size);
    return bytes.length === expected.size && sha256(bytes) === expected.sha256 ? bytes : undefined;
  } catch {
    return undefined;
  }
}

/** True when the file is the expected one; for files that are too large to be held in memory. */
export async function isVerified(path: string, expected: Expected): Promise<boolean> {
  try {
    const file = await openPlain(path, constants.O_RDONLY);
    try {
      const found = await file.stat();
      if (!found.isFile() || found.size !== expected.size) return false;
      const hash = createHash("sha256");
      await pipeline(file.createReadStream({ autoClose: false, highWaterMark: 1 << 20 }), hash);
      return hash.digest("hex") === expected.sha256;
    } finally {
      await file.close();
    }
  } catch {
    return false;
  }
}
