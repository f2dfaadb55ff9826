/** Command lines that people copy into a POSIX shell (bash, dash, zsh). */
import { UnrepresentableError } from "./errors.ts";

/** Characters that mean themselves everywhere in a word. zsh also expands `=`, `~`, `#`, `^` and brackets. */
const PLAIN = /^[\w/:.@%+,-]+$/;

/**
 * One word (POSIX.1, 2.2.2): single quotes keep everything but a single quote, which is put in between as `'\''`. A word is never
 * taken for an option's end or for nothing: an empty one is `''`.
 * @throws UnrepresentableError for NUL, which ends an argument
 */
export function shellWord(text: string): string {
  if (text.includes("\0"))
    throw new UnrepresentableError("an argument of a command cannot hold a NUL character");
  return PLAIN.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** A whole command line. @throws UnrepresentableError */
export function shellCommand(...words: readonly string[]): string {
  return words.map(shellWord).join(" ");
}
