import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { readCleartextMessage, readKeys, verify } from "openpgp";
import { GuestBuildError, reasonOf } from "../errors.ts";
import { parseParagraphs } from "./control.ts";

/** Where Debian and its derivatives install the archive's keys. */
export const ARCHIVE_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";

/** A file that a Release names, relative to its suite's folder. */
export interface ReleaseFile {
  size: number;
  sha256: string;
}

/** The part of an InRelease file that the builder reads. */
export interface Release {
  codename: string;
  files: Map<string, ReleaseFile>;
}

/** The signed text of a clear-signed message (RFC 9580 7), dash escapes undone. */
export function signedText(inRelease: string): string {
  const match =
    /^-----BEGIN PGP SIGNED MESSAGE-----\r?\n(?:.+\r?\n)*\r?\n([\s\S]*?)\r?\n-----BEGIN PGP SIGNATURE-----/m.exec(
      inRelease,
    );
  return (match === null ? inRelease : match[1]).replace(/^- /gm, "");
}

/** Reads Codename and the SHA256 list. */
export function parseRelease(text: string): Release {
  const [paragraph] = parseParagraphs(text);
  const files = new Map<string, ReleaseFile>();
  for (const line of (paragraph?.get("SHA256") ?? "").split("\n")) {
    const [sha256, size, path] = line.trim().split(/\s+/);
    if (path !== undefined) files.set(path, { size: Number(size), sha256: sha256.toLowerCase() });
  }
  if (files.size === 0)
    throw new GuestBuildError(
      "signature",
      "The archive's InRelease has no SHA256 list; is this a Debian mirror?",
    );
  return { codename: paragraph?.get("Codename") ?? "", files };
}

/**
 * Checks the signature of an InRelease against the machine's Debian archive keyring and returns the signed text.
 * Without a keyring the text is returned unchecked and `onNote` is told: the lock file's hashes still hold then.
 */
export async function verifyRelease(
  inRelease: string,
  suite: string,
  onNote: (text: string) => void,
  keyring: string = ARCHIVE_KEYRING,
): Promise<string> {
  if (!existsSync(keyring)) {
    onNote(
      `The signature of ${suite} was not checked: this machine has no Debian archive keyring ` +
        `(package debian-archive-keyring). Packages are still checked against the committed lock file.`,
    );
    return signedText(inRelease);
  }
  try {
    const message = await readCleartextMessage({ cleartextMessage: inRelease });
    const verificationKeys = await readKeys({ binaryKeys: await readFile(keyring) });
    const { signatures } = await verify({ message, verificationKeys, format: "utf8" });
    const failures: string[] = [];
    for (const signature of signatures) {
      try {
        await signature.verified;
        return signedText(inRelease);
      } catch (error) {
        failures.push(reasonOf(error));
      }
    }
    throw new Error(failures.join("; ") || "it has no signature");
  } catch (error) {
    throw new GuestBuildError(
      "signature",
      `The InRelease of ${suite} is not signed by a key of the Debian archive keyring: ${reasonOf(error)}`,
      { cause: error },
    );
  }
}
