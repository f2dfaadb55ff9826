import { MAX_SECRET_CHARACTERS, MIN_SECRET_CHARACTERS } from "./limits.ts";

/** True for what can stand in a URL's fragment and in a header as it is, and is too long to be guessed. */
export function isSecret(text: string): boolean {
  const fits = text.length >= MIN_SECRET_CHARACTERS && text.length <= MAX_SECRET_CHARACTERS;
  return fits && /^[A-Za-z0-9_-]+$/.test(text);
}
