// Baseline JPEG (ITU T.81, JFIF 1.01) for tiles and for callers that need the size at once: YCbCr 4:2:0, standard
// Huffman tables, AAN forward DCT on eight 16 bit lanes. The browser's own encoder is asynchronous and costs up to a
// millisecond a call, which is dearer than a whole 64x64 tile here.

/** Pixel layouts, little-endian: bytes B,G,R,X; bytes B,G,R; 16 bit 0RRRRRGGGGGBBBBB. */
const BGRX: i32 = 0;
const BGR24: i32 = 1;

const ZIGZAG: usize = memory.data<u8>([
  0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
  35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63]);

// T.81 table K.1 and K.2, natural order: the quantisers at quality 50.
const BASE_QUANT: usize = memory.data<u8>([
  16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51, 87, 80, 62,
  18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
  17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99, 99, 99, 47, 66, 99, 99, 99, 99, 99, 99,
  99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99]);

// T.81 K.3 to K.6 as a DHT segment holds them: class and id, 16 counts, then the symbols.
const DC_LUMA: usize = memory.data<u8>([0x00, 0,1,5,1,1,1,1,1,1,0,0,0,0,0,0,0, 0,1,2,3,4,5,6,7,8,9,10,11]);
const DC_CHROMA: usize = memory.data<u8>([0x01, 0,3,1,1,1,1,1,1,1,1,1,0,0,0,0,0, 0,1,2,3,4,5,6,7,8,9,10,11]);
const AC_LUMA: usize = memory.data<u8>([0x10, 0,2,1,3,3,2,4,3,5,5,4,4,0,0,1,0x7d,
  0x01,0x02,0x03,0x00,0x04,0x11,0x05,0x12,0x21,0x31,0x41,0x06,0x13,0x51,0x61,0x07,0x22,0x71,0x14,0x32,0x81,0x91,0xa1,0x08,0x23,0x42,0xb1,0xc1,0x15,0x52,0xd1,0xf0,
  0x24,0x33,0x62,0x72,0x82,0x09,0x0a,0x16,0x17,0x18,0x19,0x1a,0x25,0x26,0x27,0x28,0x29,0x2a,0x34,0x35,0x36,0x37,0x38,0x39,0x3a,0x43,0x44,0x45,0x46,0x47,0x48,0x49,
  0x4a,0x53,0x54,0x55,0x56,0x57,0x58,0x59,0x5a,0x63,0x64,0x65,0x66,0x67,0x68,0x69,0x6a,0x73,0x74,0x75,0x76,0x77,0x78,0x79,0x7a,0x83,0x84,0x85,0x86,0x87,0x88,0x89,
  0x8a,0x92,0x93,0x94,0x95,0x96,0x97,0x98,0x99,0x9a,0xa2,0xa3,0xa4,0xa5,0xa6,0xa7,0xa8,0xa9,0xaa,0xb2,0xb3,0xb4,0xb5,0xb6,0xb7,0xb8,0xb9,0xba,0xc2,0xc3,0xc4,0xc5,
  0xc6,0xc7,0xc8,0xc9,0xca,0xd2,0xd3,0xd4,0xd5,0xd6,0xd7,0xd8,0xd9,0xda,0xe1,0xe2,0xe3,0xe4,0xe5,0xe6,0xe7,0xe8,0xe9,0xea,0xf1,0xf2,0xf3,0xf4,0xf5,0xf6,0xf7,0xf8,0xf9,0xfa]);
const AC_CHROMA: usize = memory.data<u8>([0x11, 0,2,1,2,4,4,3,4,7,5,4,4,0,1,2,0x77,
  0x00,0x01,0x02,0x03,0x11,0x04,0x05,0x21,0x31,0x06,0x12,0x41,0x51,0x07,0x61,0x71,0x13,0x22,0x32,0x81,0x08,0x14,0x42,0x91,0xa1,0xb1,0xc1,0x09,0x23,0x33,0x52,0xf0,
  0x15,0x62,0x72,0xd1,0x0a,0x16,0x24,0x34,0xe1,0x25,0xf1,0x17,0x18,0x19,0x1a,0x26,0x27,0x28,0x29,0x2a,0x35,0x36,0x37,0x38,0x39,0x3a,0x43,0x44,0x45,0x46,0x47,0x48,
  0x49,0x4a,0x53,0x54,0x55,0x56,0x57,0x58,0x59,0x5a,0x63,0x64,0x65,0x66,0x67,0x68,0x69,0x6a,0x73,0x74,0x75,0x76,0x77,0x78,0x79,0x7a,0x82,0x83,0x84,0x85,0x86,0x87,
  0x88,0x89,0x8a,0x92,0x93,0x94,0x95,0x96,0x97,0x98,0x99,0x9a,0xa2,0xa3,0xa4,0xa5,0xa6,0xa7,0xa8,0xa9,0xaa,0xb2,0xb3,0xb4,0xb5,0xb6,0xb7,0xb8,0xb9,0xba,0xc2,0xc3,
  0xc4,0xc5,0xc6,0xc7,0xc8,0xc9,0xca,0xd2,0xd3,0xd4,0xd5,0xd6,0xd7,0xd8,0xd9,0xda,0xe2,0xe3,0xe4,0xe5,0xe6,0xe7,0xe8,0xe9,0xea,0xf2,0xf3,0xf4,0xf5,0xf6,0xf7,0xf8,0xf9,0xfa]);

/** AAN output scale of row or column k: 1 for k = 0, else cos(k*pi/16) * sqrt(2). */
const AAN_SCALE: usize = memory.data<f32>([
  1.0, 1.387039845, 1.306562965, 1.175875602, 1.0, 0.785694958, 0.541196100, 0.275899379]);

const codes: usize = memory.data(4 * 256 * 4, 16); // [DC luma, DC chroma, AC luma, AC chroma][symbol] = length << 16 | code
const quant: usize = memory.data(2 * 64, 16); // natural order, as DQT announces them (there in zigzag order)
const reciprocal: usize = memory.data(2 * 64 * 4, 16); // f32 1 / (quantiser * AAN scales * 8), natural order
const block: usize = memory.data(64 * 2, 16); // i16
const strip: usize = memory.data(16 * 8 * 2 * 3, 16); // one MCU of i16: Y 16x16, Cb 8x8, Cr 8x8
const mcuPixels: usize = memory.data(16 * 16 * 4, 16); // one MCU as BGRX, edges repeated

let preparedQuality: i32 = 0;
let out: usize = 0;
let bits: u64 = 0;
let bitCount: u32 = 0;

function prepareCodes(table: usize, into: usize): void {
  let code: u32 = 0;
  let symbol = table + 17;
  for (let length: u32 = 1; length <= 16; length++) {
    for (let n: u32 = load<u8>(table + length); n > 0; n--) {
      store<u32>(into + ((<usize>load<u8>(symbol++)) << 2), (length << 16) | code++);
    }
    code <<= 1;
  }
}

function prepare(quality: i32): void {
  if (preparedQuality == quality) return;
  if (preparedQuality == 0) {
    prepareCodes(DC_LUMA, codes);
    prepareCodes(DC_CHROMA, codes + 1024);
    prepareCodes(AC_LUMA, codes + 2048);
    prepareCodes(AC_CHROMA, codes + 3072);
  }
  preparedQuality = quality;
  const scale = quality < 50 ? 5000 / quality : 200 - quality * 2;
  for (let i: usize = 0; i < 128; i++) {
    const value = min(max((<i32>load<u8>(BASE_QUANT + i) * scale + 50) / 100, 1), 255);
    store<u8>(quant + i, <u8>value);
    const row = load<f32>(AAN_SCALE + (((i & 63) >> 3) << 2));
    const column = load<f32>(AAN_SCALE + ((i & 7) << 2));
    store<f32>(reciprocal + (i << 2), <f32>1.0 / (<f32>value * row * column * <f32>8.0));
  }
}

@inline function byte(value: u32): void {
  store<u8>(out++, <u8>value);
}
function word(value: u32): void {
  byte(value >> 8);
  byte(value);
}
function segment(marker: u32, length: u32): void {
  word(0xff00 | marker);
  word(length);
}

function huffmanSegment(table: usize): void {
  let count: u32 = 0;
  for (let i: usize = 1; i <= 16; i++) count += load<u8>(table + i);
  segment(0xc4, 19 + count);
  memory.copy(out, table, 17 + count);
  out += 17 + count;
}

function header(width: i32, height: i32): void {
  word(0xffd8);
  segment(0xe0, 16);
  store<u32>(out, 0x4649464a); // "JFIF"
  out += 4;
  byte(0);
  word(0x0101);
  byte(0);
  word(1);
  word(1);
  word(0);
  for (let table: usize = 0; table < 2; table++) {
    segment(0xdb, 67);
    byte(<u32>table);
    for (let i: usize = 0; i < 64; i++) byte(load<u8>(quant + (table << 6) + load<u8>(ZIGZAG + i)));
  }
  segment(0xc0, 17);
  byte(8);
  word(height);
  word(width);
  byte(3);
  byte(1);
  byte(0x22);
  byte(0);
  byte(2);
  byte(0x11);
  byte(1);
  byte(3);
  byte(0x11);
  byte(1);
  huffmanSegment(DC_LUMA);
  huffmanSegment(AC_LUMA);
  huffmanSegment(DC_CHROMA);
  huffmanSegment(AC_CHROMA);
  segment(0xda, 12);
  byte(3);
  word(0x0100);
  word(0x0211);
  word(0x0311);
  byte(0);
  byte(63);
  byte(0);
}

/** Appends up to 32 bits; a 0xff byte in the entropy-coded data is followed by a zero (T.81 F.1.2.3). */
@inline function put(code: u32, length: u32): void {
  bits = (bits << length) | code;
  bitCount += length;
  while (bitCount >= 8) {
    bitCount -= 8;
    const value = <u32>(bits >> bitCount) & 0xff;
    byte(value);
    if (value == 0xff) byte(0);
  }
}

/** Code word of `symbol`, then the `size` low bits of the amplitude (one's complement for negatives). */
@inline function putValue(table: usize, symbol: u32, value: i32, size: u32): void {
  const entry = load<u32>(table + (symbol << 2));
  const low = <u32>(value + (value >> 31)) & ((1 << size) - 1);
  put(((entry & 0xffff) << size) | low, (entry >> 16) + size);
}

@inline function scaled(value: v128, constant: i16): v128 {
  return i16x8.q15mulr_sat_s(value, i16x8.splat(constant));
}

/** One pass of the AAN DCT down the columns of eight rows at `at`, in place. */
function dctPass(at: usize): void {
  const r0 = v128.load(at);
  const r1 = v128.load(at, 16);
  const r2 = v128.load(at, 32);
  const r3 = v128.load(at, 48);
  const r4 = v128.load(at, 64);
  const r5 = v128.load(at, 80);
  const r6 = v128.load(at, 96);
  const r7 = v128.load(at, 112);
  const s07 = i16x8.add(r0, r7);
  const d07 = i16x8.sub(r0, r7);
  const s16 = i16x8.add(r1, r6);
  const d16 = i16x8.sub(r1, r6);
  const s25 = i16x8.add(r2, r5);
  const d25 = i16x8.sub(r2, r5);
  const s34 = i16x8.add(r3, r4);
  const d34 = i16x8.sub(r3, r4);

  const e0 = i16x8.add(s07, s34);
  const e3 = i16x8.sub(s07, s34);
  const e1 = i16x8.add(s16, s25);
  const e2 = i16x8.sub(s16, s25);
  v128.store(at, i16x8.add(e0, e1));
  v128.store(at, i16x8.sub(e0, e1), 64);
  const z1 = scaled(i16x8.add(e2, e3), 23170); // 0.707106781
  v128.store(at, i16x8.add(e3, z1), 32);
  v128.store(at, i16x8.sub(e3, z1), 96);

  const o0 = i16x8.add(d34, d25);
  const o1 = i16x8.add(d25, d16);
  const o2 = i16x8.add(d16, d07);
  const z5 = scaled(i16x8.sub(o0, o2), 12540); // 0.382683433
  const z2 = i16x8.add(scaled(o0, 17734), z5); // 0.541196100
  const z4 = i16x8.add(i16x8.add(o2, scaled(o2, 10045)), z5); // 1.306562965
  const z3 = scaled(o1, 23170);
  const z11 = i16x8.add(d07, z3);
  const z13 = i16x8.sub(d07, z3);
  v128.store(at, i16x8.add(z13, z2), 80);
  v128.store(at, i16x8.sub(z13, z2), 48);
  v128.store(at, i16x8.add(z11, z4), 16);
  v128.store(at, i16x8.sub(z11, z4), 112);
}

function transpose(at: usize): void {
  const r0 = v128.load(at);
  const r1 = v128.load(at, 16);
  const r2 = v128.load(at, 32);
  const r3 = v128.load(at, 48);
  const r4 = v128.load(at, 64);
  const r5 = v128.load(at, 80);
  const r6 = v128.load(at, 96);
  const r7 = v128.load(at, 112);
  const a0 = v128.shuffle<i16>(r0, r1, 0, 8, 1, 9, 2, 10, 3, 11);
  const a1 = v128.shuffle<i16>(r0, r1, 4, 12, 5, 13, 6, 14, 7, 15);
  const a2 = v128.shuffle<i16>(r2, r3, 0, 8, 1, 9, 2, 10, 3, 11);
  const a3 = v128.shuffle<i16>(r2, r3, 4, 12, 5, 13, 6, 14, 7, 15);
  const a4 = v128.shuffle<i16>(r4, r5, 0, 8, 1, 9, 2, 10, 3, 11);
  const a5 = v128.shuffle<i16>(r4, r5, 4, 12, 5, 13, 6, 14, 7, 15);
  const a6 = v128.shuffle<i16>(r6, r7, 0, 8, 1, 9, 2, 10, 3, 11);
  const a7 = v128.shuffle<i16>(r6, r7, 4, 12, 5, 13, 6, 14, 7, 15);
  const b0 = v128.shuffle<i32>(a0, a2, 0, 4, 1, 5);
  const b1 = v128.shuffle<i32>(a0, a2, 2, 6, 3, 7);
  const b2 = v128.shuffle<i32>(a1, a3, 0, 4, 1, 5);
  const b3 = v128.shuffle<i32>(a1, a3, 2, 6, 3, 7);
  const b4 = v128.shuffle<i32>(a4, a6, 0, 4, 1, 5);
  const b5 = v128.shuffle<i32>(a4, a6, 2, 6, 3, 7);
  const b6 = v128.shuffle<i32>(a5, a7, 0, 4, 1, 5);
  const b7 = v128.shuffle<i32>(a5, a7, 2, 6, 3, 7);
  v128.store(at, v128.shuffle<i64>(b0, b4, 0, 2));
  v128.store(at, v128.shuffle<i64>(b0, b4, 1, 3), 16);
  v128.store(at, v128.shuffle<i64>(b1, b5, 0, 2), 32);
  v128.store(at, v128.shuffle<i64>(b1, b5, 1, 3), 48);
  v128.store(at, v128.shuffle<i64>(b2, b6, 0, 2), 64);
  v128.store(at, v128.shuffle<i64>(b2, b6, 1, 3), 80);
  v128.store(at, v128.shuffle<i64>(b3, b7, 0, 2), 96);
  v128.store(at, v128.shuffle<i64>(b3, b7, 1, 3), 112);
}

/** Quantises `block` in place; returns a bit per non-zero coefficient, natural order. */
function quantise(table: usize): u64 {
  let nonZero: u64 = 0;
  for (let row: usize = 0; row < 8; row++) {
    const value = v128.load(block + (row << 4));
    const scale = reciprocal + (table << 8) + (row << 5);
    const low = f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(value)), v128.load(scale));
    const high = f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(value)), v128.load(scale, 16));
    const result = i16x8.narrow_i32x4_s(
      i32x4.trunc_sat_f32x4_s(f32x4.nearest(low)),
      i32x4.trunc_sat_f32x4_s(f32x4.nearest(high)),
    );
    v128.store(block + (row << 4), result);
    nonZero |= (<u64>(<u32>i16x8.bitmask(i16x8.ne(result, i16x8.splat(0))))) << (row << 3);
  }
  return nonZero;
}

/** Transforms and codes the 8x8 samples at `samples` (i16 rows `pitch` bytes apart); returns the DC coefficient. */
function encodeBlock(samples: usize, pitch: usize, chroma: usize, previousDc: i32): i32 {
  for (let row: usize = 0; row < 8; row++) v128.store(block + (row << 4), v128.load(samples + row * pitch));
  dctPass(block);
  transpose(block);
  dctPass(block);
  transpose(block);
  let nonZero = quantise(chroma);
  const dc = <i32>load<i16>(block);
  const difference = dc - previousDc;
  const dcSize = 32 - <u32>clz<u32>(<u32>abs(difference));
  putValue(codes + (chroma << 10), dcSize, difference, dcSize);
  const acCodes = codes + 2048 + (chroma << 10);
  nonZero &= ~(<u64>1);
  let run: u32 = 0;
  for (let k: usize = 1; nonZero != 0; k++) {
    const at = <usize>load<u8>(ZIGZAG + k);
    const value = <i32>load<i16>(block + (at << 1));
    if (value == 0) {
      run++;
      continue;
    }
    nonZero &= ~((<u64>1) << at);
    while (run > 15) {
      const zeros = load<u32>(acCodes + (0xf0 << 2));
      put(zeros & 0xffff, zeros >> 16);
      run -= 16;
    }
    const size = 32 - <u32>clz<u32>(<u32>abs(value));
    putValue(acCodes, (run << 4) | size, value, size);
    run = 0;
    if (k == 63) return dc;
  }
  const end = load<u32>(acCodes);
  put(end & 0xffff, end >> 16);
  return dc;
}

/** One pixel as BGRX. */
@inline function pixel(line: usize, x: i32, format: i32): u32 {
  if (format == BGRX) return load<u32>(line + (<usize>x << 2));
  if (format == BGR24) {
    const at = line + <usize>x * 3;
    return <u32>load<u8>(at) | (<u32>load<u8>(at + 1) << 8) | (<u32>load<u8>(at + 2) << 16);
  }
  const value = <u32>load<u16>(line + (<usize>x << 1));
  const blue = value & 31;
  const green = (value >> 5) & 31;
  const red = (value >> 10) & 31;
  return (blue << 3) | (blue >> 2) | (((green << 3) | (green >> 2)) << 8) | (((red << 3) | (red >> 2)) << 16);
}

/** Copies an MCU that is not whole or not 32 bit to `mcuPixels`, repeating the last column and row. */
function gather(from: usize, stride: i32, columns: i32, rows: i32, format: i32): void {
  for (let y = 0; y < 16; y++) {
    const line = from + <usize>(min(y, rows - 1) * stride);
    for (let x = 0; x < 16; x++) {
      store<u32>(mcuPixels + (<usize>((y << 4) + x) << 2), pixel(line, min(x, columns - 1), format));
    }
  }
}

@inline function blues(a: v128, b: v128): v128 {
  return i16x8.extend_low_i8x16_u(v128.shuffle<u8>(a, b, 0, 4, 8, 12, 16, 20, 24, 28, 0, 0, 0, 0, 0, 0, 0, 0));
}
@inline function greens(a: v128, b: v128): v128 {
  return i16x8.extend_low_i8x16_u(v128.shuffle<u8>(a, b, 1, 5, 9, 13, 17, 21, 25, 29, 0, 0, 0, 0, 0, 0, 0, 0));
}
@inline function reds(a: v128, b: v128): v128 {
  return i16x8.extend_low_i8x16_u(v128.shuffle<u8>(a, b, 2, 6, 10, 14, 18, 22, 26, 30, 0, 0, 0, 0, 0, 0, 0, 0));
}
@inline function times(value: v128, factor: i16): v128 {
  return i16x8.mul(value, i16x8.splat(factor));
}

/** Luma of eight pixels, level-shifted: (77 R + 150 G + 29 B + 128) / 256 - 128; the sum fits 16 unsigned bits. */
@inline function luma(b: v128, g: v128, r: v128): v128 {
  const sum = i16x8.add(i16x8.add(times(r, 77), times(g, 150)), i16x8.add(times(b, 29), i16x8.splat(128)));
  return i16x8.sub(i16x8.shr_u(sum, 8), i16x8.splat(128));
}

/** Sum of 2x2 neighbours, rounded quarter, of two rows of 16 samples in two vectors each. */
@inline function quarter(left: v128, right: v128): v128 {
  const sums = i16x8.narrow_i32x4_s(i32x4.extadd_pairwise_i16x8_s(left), i32x4.extadd_pairwise_i16x8_s(right));
  return i16x8.shr_u(i16x8.add(sums, i16x8.splat(2)), 2);
}

/** Converts a whole 16x16 BGRX MCU to the level-shifted planes in `strip`: Y pitch 32, Cb and Cr pitch 16 bytes. */
function convert(from: usize, stride: i32): void {
  for (let y: usize = 0; y < 16; y += 2) {
    const upper = from + y * <usize>stride;
    const lower = upper + <usize>stride;
    const u0 = v128.load(upper);
    const u1 = v128.load(upper, 16);
    const u2 = v128.load(upper, 32);
    const u3 = v128.load(upper, 48);
    const l0 = v128.load(lower);
    const l1 = v128.load(lower, 16);
    const l2 = v128.load(lower, 32);
    const l3 = v128.load(lower, 48);
    const ubl = blues(u0, u1);
    const ubr = blues(u2, u3);
    const ugl = greens(u0, u1);
    const ugr = greens(u2, u3);
    const url = reds(u0, u1);
    const urr = reds(u2, u3);
    const lbl = blues(l0, l1);
    const lbr = blues(l2, l3);
    const lgl = greens(l0, l1);
    const lgr = greens(l2, l3);
    const lrl = reds(l0, l1);
    const lrr = reds(l2, l3);
    const line = strip + (y << 5);
    v128.store(line, luma(ubl, ugl, url));
    v128.store(line, luma(ubr, ugr, urr), 16);
    v128.store(line, luma(lbl, lgl, lrl), 32);
    v128.store(line, luma(lbr, lgr, lrr), 48);
    const b = quarter(i16x8.add(ubl, lbl), i16x8.add(ubr, lbr));
    const g = quarter(i16x8.add(ugl, lgl), i16x8.add(ugr, lgr));
    const r = quarter(i16x8.add(url, lrl), i16x8.add(urr, lrr));
    // Cb = (-43 R - 85 G + 128 B) / 256; + 127 instead of + 128 keeps the largest sum within 16 bits.
    const half = i16x8.splat(127);
    const cb = i16x8.add(i16x8.sub(times(b, 128), i16x8.add(times(r, 43), times(g, 85))), half);
    const cr = i16x8.add(i16x8.sub(times(r, 128), i16x8.add(times(g, 107), times(b, 21))), half);
    const chroma = strip + 512 + (y << 3);
    v128.store(chroma, i16x8.shr_s(cb, 8));
    v128.store(chroma, i16x8.shr_s(cr, 8), 128);
  }
}

/** Most bytes that an image of that size can take: every coefficient at its longest code, stuffed, and the header. */
export function jpegBound(width: i32, height: i32): i32 {
  return 1024 + ((width + 15) >> 4) * ((height + 15) >> 4) * 384 * 8;
}

/**
 * Encodes `height` rows of `width` pixels; row y starts at `source + y * stride` (stride may be negative).
 * `target` must have `jpegBound(width, height)` bytes. Returns the number of bytes written.
 */
export function jpegEncode(source: usize, stride: i32, width: i32, height: i32, format: i32, quality: i32, target: usize): i32 {
  prepare(min(max(quality, 1), 100));
  out = target;
  bits = 0;
  bitCount = 0;
  header(width, height);
  let dcY = 0;
  let dcCb = 0;
  let dcCr = 0;
  const pixelBytes = format == BGRX ? 4 : format == BGR24 ? 3 : 2;
  for (let y = 0; y < height; y += 16) {
    for (let x = 0; x < width; x += 16) {
      const at = source + <usize>(y * stride + x * pixelBytes);
      const columns = min(16, width - x);
      const rows = min(16, height - y);
      if (format == BGRX && columns == 16 && rows == 16) {
        convert(at, stride);
      } else {
        gather(at, stride, columns, rows, format);
        convert(mcuPixels, 64);
      }
      dcY = encodeBlock(strip, 32, 0, dcY);
      dcY = encodeBlock(strip + 16, 32, 0, dcY);
      dcY = encodeBlock(strip + 256, 32, 0, dcY);
      dcY = encodeBlock(strip + 272, 32, 0, dcY);
      dcCb = encodeBlock(strip + 512, 16, 1, dcCb);
      dcCr = encodeBlock(strip + 640, 16, 1, dcCr);
    }
  }
  if (bitCount > 0) put((1 << (8 - bitCount)) - 1, 8 - bitCount);
  word(0xffd9);
  return <i32>(out - target);
}
