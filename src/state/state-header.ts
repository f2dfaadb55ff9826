/** The header in front of a saved state: it decides, before anything is touched, whether the state fits. */
import { StateRefusedError } from "./errors.ts";
import { STATE_MAX_BYTES } from "./limits.ts";
import { STATE_DIGEST_BYTES } from "./state-digest.ts";
import type { StateDigest } from "./state-digest.ts";

const MAGIC = "SPICETAB-STATE\r\n";
const MAGIC_BYTES = MAGIC.length;
/** Instead of the magic while a file is being written: what is behind it is no state yet. */
const UNFINISHED_MAGIC = "SPICETAB-BEGUN\r\n";

/**
 * Version of the file and of what our own devices put into v86's state. A change that an older build could not read raises it.
 * 1 had no digests, 2 one serial port.
 */
export const STATE_VERSION = 3;

/** Bytes in front of v86's state: magic, u32 length of the JSON (little-endian), the JSON, zeros, the digest of all these. */
export const STATE_HEADER_BYTES = 4096;
const DIGESTED_BYTES = STATE_HEADER_BYTES - STATE_DIGEST_BYTES;

/** The parts of a machine that must be the same when its state is restored. */
export interface MachineIdentity {
  readonly level: string;
  /** The guest's build, from its manifest. */
  readonly buildId: string;
  readonly memoryMiB: number;
  /** Sizes of BAR0, BAR1, vgamem: `ram+vram+vgamem` in MiB. */
  readonly aperture: string;
  /** The emulator's release: its state has no version of its own. */
  readonly v86Version: string;
  /** QXL devices. @default 1 */
  readonly displays?: number;
}

/** What the header holds. */
export interface StateHeader extends MachineIdentity {
  readonly stateVersion: number;
  /** Bytes of v86's state behind the header. */
  readonly stateBytes: number;
  /** Milliseconds since 1970. */
  readonly savedAt: number;
}

/** What the header of a file holds besides: which of the kept states it is, and what the rest of the file must be. */
export interface StoredStateHeader extends StateHeader {
  /** Name of the file that it is in front of. */
  readonly place: string;
  /** Counts the saves of one machine: of two states the greater is the newer. */
  readonly generation: number;
  /** Bytes of the state that each digest of the table covers; the last one covers what is left. */
  readonly windowBytes: number;
  /** Digest of the table of digests behind the state, hexadecimal. */
  readonly tableDigest: string;
}

/** A header for a state of `stateBytes` saved now. */
export const makeStateHeader = (
  machine: MachineIdentity,
  stateBytes: number,
  savedAt: number,
): StateHeader => ({
  ...machine,
  stateVersion: STATE_VERSION,
  stateBytes,
  savedAt,
});

/** The {@link STATE_HEADER_BYTES} bytes. */
export const encodeStateHeader = (
  header: StoredStateHeader,
  digest: StateDigest,
): Uint8Array<ArrayBuffer> => {
  const json = new TextEncoder().encode(JSON.stringify(header));
  const bytes = new Uint8Array(STATE_HEADER_BYTES);
  if (MAGIC_BYTES + 4 + json.length > DIGESTED_BYTES) throw new RangeError("state header does not fit");
  bytes.set(new TextEncoder().encode(MAGIC));
  const view = new DataView(bytes.buffer);
  view.setUint32(MAGIC_BYTES, json.length, true);
  bytes.set(json, MAGIC_BYTES + 4);
  view.setBigUint64(DIGESTED_BYTES, digest(bytes.subarray(0, DIGESTED_BYTES)), true);
  return bytes;
};

/** What stands in front of a state that is being written. */
export const unfinishedHeader = (): Uint8Array<ArrayBuffer> => {
  const bytes = new Uint8Array(STATE_HEADER_BYTES);
  bytes.set(new TextEncoder().encode(UNFINISHED_MAGIC));
  return bytes;
};

const isHeader = (value: unknown): value is StoredStateHeader => {
  if (typeof value !== "object" || value === null) return false;
  const header = value as Record<string, unknown>;
  const numbers = ["stateVersion", "stateBytes", "savedAt", "memoryMiB", "generation", "windowBytes"];
  const strings = ["level", "buildId", "aperture", "v86Version", "tableDigest", "place"];
  return (
    numbers.every((name) => Number.isSafeInteger(header[name]) && (header[name] as number) >= 0) &&
    strings.every((name) => typeof header[name] === "string")
  );
};

/**
 * Reads a header.
 * @throws StateRefusedError "format" when it is none or damaged, "truncated" when bytes are missing, "unfinished" when a save was cut off
 */
export const decodeStateHeader = (bytes: Uint8Array, digest: StateDigest): StoredStateHeader => {
  const magic = new TextDecoder("latin1").decode(bytes.subarray(0, MAGIC_BYTES));
  if (bytes.length === 0 || magic === UNFINISHED_MAGIC) {
    throw new StateRefusedError("unfinished", "its saving was cut off before it was complete");
  }
  if (bytes.length < STATE_HEADER_BYTES)
    throw new StateRefusedError("truncated", `it has only ${bytes.length} bytes`);
  if (magic !== MAGIC) throw new StateRefusedError("format", "it is not a spicetab state");
  const view = new DataView(bytes.buffer, bytes.byteOffset, STATE_HEADER_BYTES);
  if (view.getBigUint64(DIGESTED_BYTES, true) !== digest(bytes.subarray(0, DIGESTED_BYTES))) {
    throw new StateRefusedError("format", "its header is damaged");
  }
  const length = view.getUint32(MAGIC_BYTES, true);
  if (length > DIGESTED_BYTES - MAGIC_BYTES - 4)
    throw new StateRefusedError("format", "its header is damaged");
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder().decode(bytes.subarray(MAGIC_BYTES + 4, MAGIC_BYTES + 4 + length)));
  } catch (cause) {
    throw new StateRefusedError("format", "its header is damaged", { cause });
  }
  if (!isHeader(header) || header.stateBytes > STATE_MAX_BYTES || header.windowBytes === 0) {
    throw new StateRefusedError("format", "its header is of another make");
  }
  return header;
};

const displaysWords = (count: number): string => (count === 1 ? "one display" : `${count} displays`);

/**
 * Checks that a state fits this build and this machine.
 * @throws StateRefusedError saying what differs
 */
export const assertStateFits = (header: StateHeader, machine: MachineIdentity): void => {
  if (header.stateVersion !== STATE_VERSION) {
    throw new StateRefusedError(
      "version",
      `it has format ${header.stateVersion}, this build reads ${STATE_VERSION}`,
    );
  }
  if (header.v86Version !== machine.v86Version) {
    throw new StateRefusedError(
      "v86-version",
      `it was saved by v86 ${header.v86Version}, this is v86 ${machine.v86Version}`,
    );
  }
  if (header.level !== machine.level || header.buildId !== machine.buildId) {
    throw new StateRefusedError(
      "guest-build",
      `it belongs to guest ${header.level} ${header.buildId}, this is ${machine.level} ${machine.buildId}`,
    );
  }
  const [kept, wanted] = [header.displays ?? 1, machine.displays ?? 1];
  if (kept !== wanted) {
    throw new StateRefusedError(
      "machine-options",
      `its machine has ${displaysWords(kept)}, this one ${displaysWords(wanted)}`,
    );
  }
  if (header.memoryMiB !== machine.memoryMiB || header.aperture !== machine.aperture) {
    throw new StateRefusedError(
      "machine-options",
      `its machine has ${header.memoryMiB} MiB and QXL ${header.aperture}, this one ${machine.memoryMiB} MiB and ${machine.aperture}`,
    );
  }
};
