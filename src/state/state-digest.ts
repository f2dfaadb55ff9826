/**
 * The digest of saved states: XXH64, which tells damage, not forgery. A page's storage belongs to its origin, and who may write there may
 * as well run what they like; SHA-256 costs six times as much, on every save and every visit.
 */
import xxhash from "xxhash-wasm";

/** Digest of some bytes, 64 bit. */
export type StateDigest = (bytes: Uint8Array) => bigint;

/** Bytes of a digest where it is written down, little-endian. */
export const STATE_DIGEST_BYTES = 8;

let loading: Promise<StateDigest> | undefined;

/** Compiles it once for the thread. */
export const loadStateDigest = (): Promise<StateDigest> => {
  loading ??= xxhash().then(
    ({ h64Raw }) =>
      (bytes) =>
        h64Raw(bytes),
  );
  return loading;
};
