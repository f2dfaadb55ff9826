/** For the last three opcode positions (a bit each): may the displacement after them have been converted? */
const ALLOWED = [true, true, true, false, true, false, false, false];
const BIT_NUMBER = [0, 1, 2, 2, 3, 3, 3, 3];

function isSignByte(byte: number): boolean {
  return byte === 0x00 || byte === 0xff;
}

/**
 * Runs the x86 branch filter of XZ (filter id 4, start offset 0) over the whole of `data`, in place.
 *
 * Encoding turns the relative target of CALL (E8) and JMP (E9) into an absolute one, which packs better; decoding turns
 * it back. The algorithm is the public-domain one of the LZMA SDK; it follows the .xz file format, section 5.3.2.
 */
export function filterX86(data: Uint8Array, direction: "encode" | "decode"): void {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const sign = direction === "encode" ? 1 : -1;
  let previous = -1;
  let mask = 0;
  for (let i = 0; i < data.length - 4; i++) {
    if ((data[i] & 0xfe) !== 0xe8) continue;
    const distance = i - previous;
    if (distance > 3) mask = 0;
    else {
      mask = (mask << (distance - 1)) & 7;
      if (mask !== 0 && (!ALLOWED[mask] || isSignByte(data[i + 4 - BIT_NUMBER[mask]]))) {
        previous = i;
        mask = (mask << 1) | 1;
        continue;
      }
    }
    previous = i;
    if (!isSignByte(data[i + 4])) {
      mask = (mask << 1) | 1;
      continue;
    }
    let source = view.getUint32(i + 1, true);
    let target: number;
    for (;;) {
      target = (source + sign * (i + 5)) >>> 0;
      if (mask === 0) break;
      const shift = BIT_NUMBER[mask] * 8;
      if (!isSignByte((target >>> (24 - shift)) & 0xff)) break;
      source = (target ^ (2 ** (32 - shift) - 1)) >>> 0;
    }
    // 25 bits with the top one spread over the rest: what both directions agree on.
    target &= 0x01ffffff;
    if ((target & 0x01000000) !== 0) target |= 0xff000000;
    view.setUint32(i + 1, target >>> 0, true);
    i += 4;
  }
}
