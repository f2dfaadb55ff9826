/** The guest's files as `npm run guest` built them: manifest, kernel, initrd and firmware, fetched with progress. */
import { errorText } from "../errors/index.ts";
import { GuestFilesError, OutOfMemoryError } from "./errors.ts";

/** One file of the guest. */
export interface GuestFile {
  readonly file: string;
  readonly size: number;
  readonly sha256: string;
}

/** `manifest.json` of a guest; only the fields that the machine needs. */
export interface GuestManifest {
  readonly format: number;
  readonly level: string;
  readonly buildId: string;
  readonly memoryMiB: number;
  readonly cmdline: string;
  readonly kernel: GuestFile;
  readonly initrd: GuestFile;
  readonly bios: GuestFile;
  readonly vgaBios: GuestFile;
}

/** The manifest format that this build reads. */
export const MANIFEST_FORMAT = 1;

/** Bytes done of bytes in all, over all files of the call. */
export type FetchProgress = (done: number, total: number) => void;

/** Gets one file: the bytes in pieces, so that progress can be told. */
export type FetchFile = (url: string) => Promise<ReadableStream<Uint8Array>>;

/** {@link FetchFile} over HTTP. */
export const fetchFile: FetchFile = async (url) => {
  const response = await fetch(url);
  if (!response.ok || !response.body) throw new Error(`the server answers ${response.status}`);
  return response.body;
};

const isFile = (value: unknown): value is GuestFile => {
  if (typeof value !== "object" || value === null) return false;
  const { file, size, sha256 } = value as Record<string, unknown>;
  return (
    typeof file === "string" &&
    /^[\w.-]+$/.test(file) &&
    typeof sha256 === "string" &&
    /^[0-9a-f]{64}$/.test(sha256) &&
    typeof size === "number" &&
    Number.isSafeInteger(size) &&
    size >= 0 &&
    size < 2 ** 31
  );
};

/**
 * Checks a parsed manifest.
 * @throws GuestFilesError saying what is wrong
 */
export const parseManifest = (value: unknown): GuestManifest => {
  const manifest = value as Record<string, unknown>;
  const bad = (what: string) =>
    new GuestFilesError("manifest.json", `${what}; build the guest again (npm run guest)`);
  if (typeof value !== "object" || value === null) throw bad("it is not an object");
  if (manifest.format !== MANIFEST_FORMAT)
    throw bad(`its format is ${String(manifest.format)}, not ${MANIFEST_FORMAT}`);
  for (const name of ["level", "buildId", "cmdline"]) {
    if (typeof manifest[name] !== "string") throw bad(`it has no ${name}`);
  }
  if (!Number.isSafeInteger(manifest.memoryMiB)) throw bad("it has no memoryMiB");
  for (const name of ["kernel", "initrd", "bios", "vgaBios"]) {
    if (!isFile(manifest[name])) throw bad(`its ${name} is no file`);
  }
  return value as GuestManifest;
};

/** The guest at a URL: `<baseUrl>/manifest.json` and its neighbours. */
export class GuestFiles {
  readonly #baseUrl: string;
  readonly #fetch: FetchFile;

  constructor(baseUrl: string, fetch: FetchFile = fetchFile) {
    this.#baseUrl = baseUrl.endsWith("/") ? baseUrl : `${baseUrl}/`;
    this.#fetch = fetch;
  }

  /** @throws GuestFilesError */
  async manifest(): Promise<GuestManifest> {
    const bytes = await this.#read("manifest.json", undefined, () => {});
    let value: unknown;
    try {
      value = JSON.parse(new TextDecoder().decode(bytes));
    } catch (cause) {
      throw new GuestFilesError("manifest.json", "it is not JSON: is the guest built?", { cause });
    }
    return parseManifest(value);
  }

  /** Several files, in order, each exactly what the manifest says in size and SHA-256. @throws GuestFilesError */
  async files(files: readonly GuestFile[], progress: FetchProgress = () => {}): Promise<ArrayBuffer[]> {
    const total = files.reduce((sum, { size }) => sum + size, 0);
    let done = 0;
    const buffers: ArrayBuffer[] = [];
    for (const { file, size, sha256 } of files) {
      const bytes = await this.#read(file, size, (length) => progress((done += length), total));
      const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
      if (hexadecimal(digest) !== sha256)
        throw new GuestFilesError(file, "it is not the file that the manifest names; load the page again");
      buffers.push(bytes.buffer);
    }
    return buffers;
  }

  async #read(
    file: string,
    size: number | undefined,
    read: (length: number) => void,
  ): Promise<Uint8Array<ArrayBuffer>> {
    try {
      const reader = (await this.#fetch(this.#baseUrl + file)).getReader();
      const pieces: Uint8Array[] = [];
      // The size is known beforehand: one buffer, filled in place, instead of pieces that are joined.
      const whole = size === undefined ? undefined : new Uint8Array(size);
      let length = 0;
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        if (whole && length + value.length > whole.length)
          throw new Error(`it is longer than its ${size} bytes`);
        if (whole) whole.set(value, length);
        else pieces.push(value);
        length += value.length;
        read(value.length);
      }
      if (whole && length < whole.length) throw new Error(`it ends after ${length} of ${size} bytes`);
      return whole ?? joined(pieces, length);
    } catch (cause) {
      // What an array's constructor throws where its bytes cannot be had.
      if (cause instanceof RangeError) throw new OutOfMemoryError(`guest file ${file}`, { cause });
      throw new GuestFilesError(file, errorText(cause), { cause });
    }
  }
}

const hexadecimal = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

const joined = (pieces: readonly Uint8Array[], length: number): Uint8Array<ArrayBuffer> => {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
};
