import { i16, i32, struct, u32 } from "./schema.ts";

/** Point in pixels. */
export const point = struct({ x: i32, y: i32 }, "Point");

/** Point in pixels, 16 bit. */
export const point16 = struct({ x: i16, y: i16 }, "Point16");

/** Point in 28.4 fixed point: 16 is one pixel. */
export const pointFix = struct({ x: i32, y: i32 }, "PointFix");

/** Half-open rectangle in pixels. */
export const rect = struct({ top: i32, left: i32, bottom: i32, right: i32 }, "Rect");

/** The six used entries of a 3x3 matrix in 16.16 fixed point, row by row. */
export const transform = struct({ t00: u32, t01: u32, t02: u32, t10: u32, t11: u32, t12: u32 }, "Transform");
