// Bits of a QUIC stream, most significant first, in 32-bit words stored little-endian.

/** Bits not yet stored: the low `count` (< 32) bits. */
export let word: u64 = 0;
export let count: i32 = 0;
export let out: usize = 0;

export function bitsStart(at: usize): void {
  word = 0;
  count = 0;
  out = at;
}

/** Appends 1..32 bits; higher bits of `bits` are zero. Stores always, advances when a word is full. */
@inline
export function bitsPut(bits: u32, length: i32): void {
  word = (word << length) | bits;
  count += length;
  store<u32>(out, <u32>(word >> ((count - 32) & 63)));
  out += (count >>> 5) << 2;
  count &= 31;
}

/** Pads to a word, adds one of zeros and returns the end. */
export function bitsEnd(): usize {
  if (count > 0) bitsPut(0, 32 - count);
  store<u32>(out, 0);
  return out + 4;
}

/** Puts the writer into a state that was kept in locals for speed. */
@inline
export function bitsRestore(newWord: u64, newCount: i32, newOut: usize): void {
  word = newWord;
  count = newCount;
  out = newOut;
}
