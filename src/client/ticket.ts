import { MAX_PASSWORD_LENGTH } from "../protocol/index.ts";
import { ClientError } from "./errors.ts";

/** What every SPICE server demands: it protects the password on its way, nothing else. */
const ALGORITHM = { name: "RSA-OAEP", hash: "SHA-1" } as const;

/**
 * The ticket: the password and a NUL, sealed with the server's key.
 * @param publicKey DER SubjectPublicKeyInfo of the link reply
 * @throws ClientError `PASSWORD_TOO_LONG`, or `SERVER_NOT_SPICE` when that is no key
 */
export async function sealTicket(publicKey: Uint8Array, password: string): Promise<Uint8Array<ArrayBuffer>> {
  const words = new TextEncoder().encode(`${password}\0`);
  if (words.length - 1 > MAX_PASSWORD_LENGTH) {
    throw new ClientError(
      "PASSWORD_TOO_LONG",
      `the password has ${words.length - 1} bytes, SPICE's tickets carry ${MAX_PASSWORD_LENGTH}`,
    );
  }
  try {
    const key = await crypto.subtle.importKey("spki", publicKey.slice(), ALGORITHM, false, ["encrypt"]);
    return new Uint8Array(await crypto.subtle.encrypt(ALGORITHM, key, words));
  } catch (cause) {
    throw new ClientError("SERVER_NOT_SPICE", "the server's link reply carries no RSA key", { cause });
  }
}
