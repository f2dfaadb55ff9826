/** RFC 6455, 5.5: a control frame holds 125 bytes, of which a close frame's code takes two. */
export const MAX_CLOSE_REASON_BYTES = 123;

/**
 * A text as the reason of a WebSocket's close: at most 123 bytes of UTF-8, cut between characters. `WebSocket.close` throws for more, and
 * for half a character there would come another one in its place.
 */
export function closeReason(text: string): string {
  let bytes = 0;
  let end = 0;
  for (const character of text) {
    const code = character.codePointAt(0)!;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    if (bytes > MAX_CLOSE_REASON_BYTES) break;
    end += character.length;
  }
  return text.slice(0, end).toWellFormed();
}
