// What the module exports. All memory is imported; every function takes addresses in it.
export { convertRect } from "./convert";
export { windowOpen } from "./glz-window";
export { hashRect, hashUpper } from "./hash";
export { jpegBound, jpegEncode } from "./jpeg";
export { glzEncode, glzEncodeAlpha, lzEncode } from "./lz";
export { lz4Encode, packRows } from "./lz4";
export { quicEncode } from "./quic";
export { copyRect, fillRect, overRect, ropFill, ropRect } from "./raster";
export { unpack } from "./units";

/** End of the static data, which must lie below HEAP_BASE. */
export function staticEnd(): usize {
  return __heap_base;
}
