/** A file that is not one clear-signed message and nothing else. */
export class ClearSignedError extends Error {
  constructor(what: string) {
    super(what);
    this.name = "ClearSignedError";
  }
}

const BEGIN_MESSAGE = "-----BEGIN PGP SIGNED MESSAGE-----";
const BEGIN_SIGNATURE = "-----BEGIN PGP SIGNATURE-----";
const END_SIGNATURE = "-----END PGP SIGNATURE-----";
const HASH_HEADER = /^Hash: SHA(?:256|384|512)(?:, ?SHA(?:256|384|512))*$/;
const ARMOUR_HEADER = /^(?:Version|Comment): [!-~]+(?: [!-~]+)*$/;
const BASE64_LINE = /^[A-Za-z0-9+/]{1,76}={0,2}$/;
const CHECKSUM_LINE = /^=[A-Za-z0-9+/]{4}$/;

/** A clear-signed message, taken apart but not verified. */
export interface ClearSigned {
  /** The whole file, for the verifier. */
  message: string;
  /** Its text as this reader sees it, without trailing blanks: the verifier must see the same. */
  text: string;
}

/**
 * Takes a clear-signed message (RFC 9580 7) in the one form that archives write, so that no two readers can find two
 * texts in it: nothing before the message; SHA-2 `Hash:` headers, at least one; one empty line; the text, in which no
 * line starts with a dash; one signature block in base64; nothing behind it but at most one line feed. No carriage
 * returns or other control characters but tabs, valid UTF-8.
 * @throws ClearSignedError
 */
export function readClearSigned(file: Uint8Array): ClearSigned {
  let message: string;
  try {
    message = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(file);
  } catch {
    throw new ClearSignedError("it is not UTF-8");
  }
  // eslint-disable-next-line no-control-regex -- exactly those are looked for
  const odd = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\ufeff]/.exec(message);
  if (odd !== null)
    throw new ClearSignedError(
      `it has a control character (U+${odd[0].charCodeAt(0).toString(16).padStart(4, "0").toUpperCase()})`,
    );
  const lines = message.split("\n");
  if (lines.at(-1) === "") lines.pop();
  let at = 0;
  const fail = (what: string): never => {
    throw new ClearSignedError(`line ${at + 1} ${what}`);
  };

  if (lines[0] !== BEGIN_MESSAGE) fail(`is not ${BEGIN_MESSAGE}`);
  for (at = 1; lines[at] !== ""; at++)
    if (!HASH_HEADER.test(lines[at] ?? "")) fail("is neither a Hash header with SHA-2 nor empty");
  if (at === 1) fail("is not a Hash header");
  const start = ++at;
  for (; at < lines.length && lines[at] !== BEGIN_SIGNATURE; at++)
    if (lines[at].startsWith("-")) fail("starts with a dash, inside the signed text");
  if (at === lines.length) fail(`should be ${BEGIN_SIGNATURE}`);
  const text = lines
    .slice(start, at)
    .map((line) => line.replace(/[ \t]+$/, ""))
    .join("\n");

  for (at++; lines[at] !== ""; at++)
    if (!ARMOUR_HEADER.test(lines[at] ?? "")) fail("is neither a header of the signature nor empty");
  const body = ++at;
  while (BASE64_LINE.test(lines[at] ?? "") && !(lines[at - 1].endsWith("=") && at > body)) at++;
  if (at === body) fail("is not base64");
  if (CHECKSUM_LINE.test(lines[at] ?? "")) at++;
  if (lines[at] !== END_SIGNATURE) fail(`should be ${END_SIGNATURE}`);
  at++;
  if (at !== lines.length) fail("should not be there, behind the signature");
  return { message, text };
}
