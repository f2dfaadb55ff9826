// The window of a GLZ dictionary: a ring of units, numbered since the beginning, and a table of the images in it.
import { GLZ_BLOCK_BITS, GLZ_IMAGES, GLZ_IMAGE_BYTES, GLZ_LAST_BITS, GLZ_LAST_BYTES } from "../layout";

let table: usize = 0;
let ring: usize = 0;
let ringMask: u32 = 0;
let images: usize = 0;
/** First unit and id of the oldest image that clients still hold. */
let head: u32 = 0;
let headId: u32 = 0;
/** Id and LZ type of the image being encoded. */
let current: u32 = 0;
let kind: u32 = 0;
/** The image that windowFind found. */
let found: usize = 0;

/**
 * Names the window that glzEncode works in: its hash table, ring of `ringMask` + 1 units and image table, the first unit and id of
 * the oldest image, and the id and type of the image that is encoded (already in the image table).
 */
export function windowOpen(
  tableAt: usize,
  ringAt: usize,
  mask: u32,
  imagesAt: usize,
  oldest: u32,
  oldestId: u32,
  id: u32,
  type: u32,
): void {
  table = tableAt;
  ring = ringAt;
  ringMask = mask;
  images = imagesAt;
  head = oldest;
  headId = oldestId;
  current = id;
  kind = type;
}

@inline
export function windowTable(): usize {
  return table;
}

@inline
export function windowHead(): u32 {
  return head;
}

/** Place in the ring of the unit with this number. */
@inline
export function windowPlace(number: u32): u32 {
  return number & ringMask;
}

/** Address of the unit with this number. */
@inline
export function windowUnit(number: u32): usize {
  return ring + (<usize>(number & ringMask) << 2);
}

@inline
function entry(id: u32): usize {
  return images + <usize>(id & (GLZ_IMAGES - 1)) * GLZ_IMAGE_BYTES;
}

@inline
function block(number: u32): usize {
  const blocks = images + GLZ_IMAGES * GLZ_IMAGE_BYTES + (GLZ_LAST_BYTES << GLZ_LAST_BITS);
  return blocks + (<usize>((number & ringMask) >> GLZ_BLOCK_BITS) << 2);
}

/** Notes the blocks that begin in the current image, of `count` units from number `first` on. */
export function windowEnter(first: u32, count: u32): void {
  const size: u32 = 1 << GLZ_BLOCK_BITS;
  for (let number = (first + size - 1) & -size; number < first + count; number += size) {
    store<u32>(block(number), current);
  }
}

/** Finds the older image that holds the unit; false if it is of another type. */
export function windowFind(number: u32): bool {
  let low = load<u32>(block(number));
  let high = current - 1;
  if (low >= headId && low <= high && load<u32>(entry(low)) <= number) {
    // It holds the beginning of the block, so the one that is looked for is hardly further.
    while (low < high && load<u32>(entry(low + 1)) <= number) low++;
  } else {
    // The block's first unit is no longer that of the image that was noted.
    low = headId;
    while (low < high) {
      const middle = low + ((high - low + 1) >> 1);
      if (load<u32>(entry(middle)) <= number) low = middle;
      else high = middle - 1;
    }
  }
  found = entry(low);
  return load<u32>(found, 12) === kind;
}

let previousBack: u32 = 0;

/** How far back an image of the same size is looked for, if none has the same signature. */
@inline
const SIZE_REACH: u32 = 16;

/** A hundred units of an image, mixed, from all columns: an image with the same signature is probably the same image. */
function signature(start: usize, count: u32): u32 {
  const step = (count >> 7) | 1;
  let mixed: u32 = 0;
  for (let k = step >> 1; k < count; k += step) {
    mixed = (rotl<u32>(mixed, 5) ^ load<u32>(start + (<usize>k << 2))) * 0x9e3779b1;
  }
  return mixed;
}

@inline
function isAlike(id: u32, count: u32): bool {
  return load<u32>(entry(id), 4) === count && load<u32>(entry(id), 12) === kind;
}

@inline
function isSame(id: u32, count: u32, mixed: u32): bool {
  return id >= headId && id < current && load<u32>(entry(id), 8) === mixed && isAlike(id, count);
}

/**
 * Notes the signature of the current image. Returns the first unit of the image that it most likely resembles: with the same
 * signature, else the last with as many units and the same type; 0 if there is none. previousId then tells how many back it is.
 */
export function previousStart(start: usize, count: u32): usize {
  const mixed = signature(start, count);
  store<u32>(entry(current), mixed, 8);
  const last = images + GLZ_IMAGES * GLZ_IMAGE_BYTES + <usize>(mixed >> (32 - GLZ_LAST_BITS)) * GLZ_LAST_BYTES;
  const newer = load<u32>(last) - 1;
  const older = load<u32>(last, 4) - 1;
  store<u32>(last, newer + 1, 4);
  store<u32>(last, current + 1);
  previousBack = 0;
  if (isSame(newer, count, mixed)) previousBack = current - newer;
  else if (isSame(older, count, mixed)) previousBack = current - older;
  else {
    const reach = min(SIZE_REACH, current - headId);
    for (let back: u32 = 1; back <= reach; back++) {
      if (!isAlike(current - back, count)) continue;
      previousBack = back;
      break;
    }
  }
  return previousBack === 0 ? 0 : windowUnit(load<u32>(entry(current - previousBack)));
}

@inline
export function previousId(): u32 {
  return previousBack;
}

@inline
export function imageStart(): usize {
  return windowUnit(load<u32>(found));
}

@inline
export function imageEnd(): usize {
  return windowUnit(load<u32>(found)) + (<usize>load<u32>(found, 4) << 2);
}

/** How many images back the found one is. */
@inline
export function imageId(): u32 {
  return (current - <u32>((found - images) / GLZ_IMAGE_BYTES)) & (GLZ_IMAGES - 1);
}

/** Bytes of a match to `images` images back and pixel field `far`, without the bytes that extend its length. */
@inline
export function referenceBytes(back: u32, far: u32): u32 {
  if (far < 4096) return back < 64 ? 3 : back < 16384 ? 4 : back < 4194304 ? 5 : 6;
  const long: u32 = far < 131072 ? 0 : 1;
  return (back === 0 ? 3 : back < 256 ? 4 : back < 65536 ? 5 : 6) + long;
}

/** Writes a GLZ match; see glz-emit.ts. `length` is biased; `far` is distance - 1 in this image, or the offset in the other. */
@inline
export function putGlzMatch(length: u32, back: u32, far: u32, out: usize): usize {
  const short = far < 4096;
  const low = (far & 15) | (short ? 0 : 16);
  if (length < 7) store<u8>(out++, (length << 5) | low);
  else {
    store<u8>(out++, (7 << 5) | low);
    let rest = length - 7;
    for (; rest >= 255; rest -= 255) store<u8>(out++, 255);
    store<u8>(out++, rest);
  }
  store<u8>(out++, far >> 4);
  if (short) {
    const more: u32 = back < 64 ? 0 : back < 16384 ? 1 : back < 4194304 ? 2 : 3;
    store<u8>(out++, (more << 6) | (back & 63));
    for (let k: u32 = 0, rest = back >> 6; k < more; k++, rest >>= 8) store<u8>(out++, rest);
    return out;
  }
  const more: u32 = back === 0 ? 0 : back < 256 ? 1 : back < 65536 ? 2 : 3;
  const long: u32 = far < 131072 ? 0 : 32;
  store<u8>(out++, (more << 6) | long | ((far >> 12) & 31));
  for (let k: u32 = 0, rest = back; k < more; k++, rest >>= 8) store<u8>(out++, rest);
  if (long) store<u8>(out++, far >> 17);
  return out;
}
