/**
 * GLib's key files (GKeyFile), the format of .vv files: `[group]`, then `key=value` lines in UTF-8. GLib drops white space before
 * a value and knows five escapes: `\s` space, `\t`, `\n`, `\r` and `\\`. A `#` or `;` inside a value is itself.
 */
import { UnrepresentableError } from "./errors.ts";

const ESCAPES: Readonly<Record<string, string>> = {
  " ": String.raw`\s`,
  "\t": String.raw`\t`,
  "\n": String.raw`\n`,
  "\r": String.raw`\r`,
  "\\": String.raw`\\`,
};

/** One group, ending with a newline. @throws UnrepresentableError */
export function keyFileGroup(name: string, entries: readonly (readonly [string, string | number])[]): string {
  const lines = entries.map(([key, value]) => `${key}=${keyFileValue(String(value))}`);
  return [`[${name}]`, ...lines, ""].join("\n");
}

/** A string as g_key_file_get_string() reads it back, exactly. @throws UnrepresentableError */
export function keyFileValue(text: string): string {
  if (text.includes("\0")) throw new UnrepresentableError("a key file cannot hold a NUL character");
  if (!text.isWellFormed())
    throw new UnrepresentableError("a key file holds UTF-8, and this is half a character");
  // GLib skips a form feed before a value like a space, but has no escape for it.
  if (text.startsWith("\f"))
    throw new UnrepresentableError("a value in a key file cannot begin with a form feed");
  // Spaces inside need no escape; at the ends they do, here or for programs that trim.
  return text.replace(/^[ \t]+|[ \t]+$|[\\\n\r]/g, (match) =>
    Array.from(match, (character) => ESCAPES[character]).join(""),
  );
}
