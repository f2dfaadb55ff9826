/** UTF-8 without TextEncoder, which is no part of the language itself. Broken input becomes U+FFFD, never an error. */

const REPLACEMENT = 0xfffd;

/** First byte of a sequence with so many continuation bytes. */
const LEAD = [0, 0xc0, 0xe0, 0xf0];

/** Bytes that `text` takes in UTF-8. */
export function utf8Length(text: string): number {
  let length = 0;
  for (const character of text) {
    const code = character.codePointAt(0)!;
    length += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return length;
}

/** Writes `text` at `offset`, which must have room for {@link utf8Length} bytes. */
export function utf8Write(text: string, target: Uint8Array, offset: number): void {
  for (const character of text) {
    let code = character.codePointAt(0)!;
    if (code >= 0xd800 && code < 0xe000) code = REPLACEMENT;
    if (code < 0x80) {
      target[offset++] = code;
      continue;
    }
    const more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    target[offset++] = LEAD[more] | (code >> (6 * more));
    for (let shift = 6 * (more - 1); shift >= 0; shift -= 6)
      target[offset++] = 0x80 | ((code >> shift) & 0x3f);
  }
}

/** The text of `bytes`. */
export function utf8Read(bytes: Uint8Array): string {
  let text = "";
  for (let index = 0; index < bytes.length;) {
    const lead = bytes[index++];
    const more =
      lead < 0x80
        ? 0
        : lead >= 0xc2 && lead < 0xe0
          ? 1
          : (lead & 0xf0) === 0xe0
            ? 2
            : lead >= 0xf0 && lead < 0xf5
              ? 3
              : -1;
    let code = more < 0 ? REPLACEMENT : more === 0 ? lead : lead & (0x3f >> more);
    let left = Math.max(more, 0);
    for (; left > 0 && (bytes[index] & 0xc0) === 0x80; left--) code = (code << 6) | (bytes[index++] & 0x3f);
    const least = more === 2 ? 0x800 : more === 3 ? 0x10000 : 0;
    if (left > 0 || code < least || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) code = REPLACEMENT;
    text += String.fromCodePoint(code);
  }
  return text;
}
