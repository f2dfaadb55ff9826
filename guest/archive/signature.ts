import { readCleartextMessage, readKeys, verify } from "openpgp";
import { GuestBuildError, reasonOf } from "../errors.ts";
import type { Exceptions } from "../exceptions.ts";
import { readBounded } from "../files.ts";
import { MAX_CLOCK_SKEW_MS, MAX_KEYRING_BYTES, MAX_RELEASE_SIGNATURES } from "../limits.ts";
import { type ClearSigned, ClearSignedError, readClearSigned } from "./clear-signed.ts";
import { day } from "./freshness.ts";

/** Where Debian and its derivatives install the archive's keys; the first that is there counts. */
export const ARCHIVE_KEYRINGS: readonly string[] = [
  "/usr/share/keyrings/debian-archive-keyring.gpg",
  "/usr/share/keyrings/debian-archive-keyring.pgp",
];

/** What a signature is checked with. */
export interface SignatureCheck {
  /** Name of the suite, for messages. */
  suite: string;
  keyrings: readonly string[];
  /** This machine's time, in milliseconds since 1970. */
  nowMs: number;
  exceptions: Exceptions;
}

type Key = Awaited<ReturnType<typeof readKeys>>[number];
type Verification = Awaited<ReturnType<typeof verify>>["signatures"][number];

async function findKeyring(paths: readonly string[]): Promise<Buffer | undefined> {
  for (const path of paths) {
    try {
      return await readBounded(path, MAX_KEYRING_BYTES);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  }
  return undefined;
}

/** Why a signature does not count; undefined when it does. `unknown` is a key that is not in the keyring. */
async function judge(
  signature: Verification,
  keys: readonly Key[],
  nowMs: number,
): Promise<{ kind: "unknown" | "clock" | "bad"; reason: string } | undefined> {
  const id = signature.keyID.toHex().toUpperCase();
  const key = keys.find((candidate) => candidate.getKeys(signature.keyID).length > 0);
  if (key === undefined) return { kind: "unknown", reason: `key ${id} is not in the keyring` };
  try {
    await signature.verified;
  } catch (error) {
    const created = (await signature.signature).packets[0]?.created;
    if (created instanceof Date && created.getTime() > nowMs + MAX_CLOCK_SKEW_MS)
      return { kind: "clock", reason: `the signature by key ${id} is of ${day(created.getTime())}` };
    return { kind: "bad", reason: `key ${id}: ${reasonOf(error)}` };
  }
  // The library looks at the key as it was when the text was signed, a date that a stolen key can write as it likes.
  try {
    await key.getSigningKey(signature.keyID, new Date(nowMs));
    return undefined;
  } catch (error) {
    return {
      kind: "bad",
      reason: `key ${id} is not valid today (${reasonOf(error)}; this machine's clock says ${day(nowMs)})`,
    };
  }
}

async function checkSignatures(
  signed: ClearSigned,
  keyring: Uint8Array,
  check: SignatureCheck,
): Promise<string> {
  const message = await readCleartextMessage({ cleartextMessage: signed.message });
  const count = message.getSigningKeyIDs().length;
  if (count > MAX_RELEASE_SIGNATURES) throw new Error(`it has ${count} signatures`);
  const verificationKeys = await readKeys({ binaryKeys: keyring });
  const { data, signatures } = await verify({
    message,
    verificationKeys,
    format: "utf8",
    date: new Date(check.nowMs + MAX_CLOCK_SKEW_MS),
  });
  const faults: NonNullable<Awaited<ReturnType<typeof judge>>>[] = [];
  let good = 0;
  for (const signature of signatures) {
    const fault = await judge(signature, verificationKeys, check.nowMs);
    if (fault === undefined) good++;
    else faults.push(fault);
  }
  const early = faults.find(({ kind }) => kind === "clock");
  if (good === 0 && early !== undefined)
    throw new GuestBuildError(
      "clock",
      `This machine's clock says ${day(check.nowMs)}, but ${early.reason}. Set the clock and build again.`,
    );
  // One good signature is enough beside keys that are too new or too old for this keyring.
  if (good === 0) throw new Error(faults.map(({ reason }) => reason).join("; ") || "it has no signature");
  if (data !== signed.text) throw new Error("the verified text is not the text of the file");
  return data;
}

/**
 * Checks the signature of an InRelease against the machine's Debian archive keyring, and answers the text that the
 * verifier verified: nothing else of the file may be used.
 * @throws GuestBuildError `signature`, or `clock` when the signature is of a day that this machine does not know yet.
 */
export async function verifyRelease(file: Uint8Array, check: SignatureCheck): Promise<string> {
  const refuse = (error: unknown) =>
    new GuestBuildError(
      "signature",
      `The InRelease of ${check.suite} is ${
        error instanceof ClearSignedError
          ? "not one signed message and nothing else"
          : "not signed by a key of the Debian archive keyring"
      }: ${reasonOf(error)}. Somebody between Debian and this machine may have changed it; use another mirror.`,
      { cause: error },
    );
  try {
    const signed = readClearSigned(file);
    const keyring = await findKeyring(check.keyrings);
    if (keyring !== undefined) return await checkSignatures(signed, keyring, check);
    check.exceptions.except(
      "missing-keyring",
      "signature",
      `The signature of ${check.suite} cannot be checked: this machine has no Debian archive keyring.`,
      "Install the package debian-archive-keyring.",
    );
    return (await readCleartextMessage({ cleartextMessage: signed.message })).getText();
  } catch (error) {
    throw error instanceof GuestBuildError ? error : refuse(error);
  }
}
