/** Lines for a person's terminal. Names of clients and hosts, and what a guest or a mirror says, are anybody's. */

/**
 * What a terminal would obey instead of show (C0 with DEL, C1), and what moves other text about: line and paragraph separators,
 * and the marks, embeddings, overrides and isolates of Unicode's bidirectional algorithm.
 */
const UNSEEN = /[\p{Cc}\p{Cs}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;

const NAMED: Readonly<Record<string, string>> = {
  "\n": String.raw`\n`,
  "\r": String.raw`\r`,
  "\t": String.raw`\t`,
};

/** One line: every such character is written as its escape, so the text can neither command the terminal nor begin a line of its own. */
export function terminalLine(text: string): string {
  return text.replace(UNSEEN, (character) => {
    const code = character.codePointAt(0)!;
    return NAMED[character] ?? (code < 0x100 ? String.raw`\x${hex(code, 2)}` : String.raw`\u${hex(code, 4)}`);
  });
}

/** The same for a text of ours that has several lines. */
export function terminalText(text: string): string {
  return text.split("\n").map(terminalLine).join("\n");
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, "0");
}
