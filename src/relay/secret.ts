import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";

/** Bytes of a secret of our own: beyond guessing, however long somebody tries. */
const SECRET_BYTES = 24;

/** A new secret: whoever knows it may host and read the configuration. */
export function makeSecret(): string {
  return randomBytes(SECRET_BYTES).toString("base64url");
}

/** Compares in a time that tells nothing of where, or whether by length, the two differ. */
export function isSameSecret(given: string, secret: string): boolean {
  return timingSafeEqual(digest(given), digest(secret));
}

/** The secret of `Authorization: Bearer …` (RFC 6750); undefined when the request has none. */
export function bearerSecret(request: IncomingMessage): string | undefined {
  return /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? "")?.[1];
}

/** The page's URL with the secret where no request, log or Referer ever holds it. */
export function withSecret(url: string, secret: string): string {
  return `${url}#secret=${secret}`;
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
