/** Capability sets travel as u32 words, bit n of word n / 32. */

/** The words that hold these bit numbers; no words for none. */
export function capsToWords(bits: Iterable<number>): number[] {
  const words: number[] = [];
  for (const bit of bits) {
    while (words.length <= bit >>> 5) words.push(0);
    words[bit >>> 5] = (words[bit >>> 5] | (1 << (bit & 31))) >>> 0;
  }
  return words;
}

/** The bit numbers set in `words`, ascending. */
export function wordsToCaps(words: readonly number[]): number[] {
  return words.flatMap((word, index) =>
    Array.from({ length: 32 }, (_, bit) => bit)
      .filter((bit) => (word >>> bit) & 1)
      .map((bit) => index * 32 + bit),
  );
}

/** Whether bit `cap` is set; missing words are zero. */
export function hasCap(words: readonly number[], cap: number): boolean {
  return (((words[cap >>> 5] ?? 0) >>> (cap & 31)) & 1) === 1;
}
