/**
 * The QXL command stream as it travels from whatever produces it (the QXL device, a recording, a test) to a red
 * worker: already copied out of guest memory and validated, so nothing here points into the guest.
 *
 * A batch is one `postMessage`: the commands are structured-cloned, `data` is transferred. Every {@link DataSpan} is a
 * byte range of that `data`. Order within and between batches is the order in which the guest issued the commands;
 * messages such as CREATE_PRIMARY take effect exactly where they stand.
 *
 * Shapes follow `spice/qxl_dev.h` (QXLDrawable, QXLSurfaceCmd, QXLCursorCmd) after spice-server's `red-parse-qxl.cpp`.
 */

/** A byte range of the batch's `data`. */
export interface DataSpan {
  readonly offset: number;
  readonly length: number;
}

/** Half-open rectangle in pixels; the field order on every SPICE wire is top, left, bottom, right. */
export interface Rect {
  top: number;
  left: number;
  bottom: number;
  right: number;
}

export interface Point {
  x: number;
  y: number;
}

/** Palette of a 1, 4 or 8 bit bitmap: entries are 0x00RRGGBB. `unique` is the guest's id for caching it, 0 if it has none. */
export interface RedPalette {
  readonly unique: bigint;
  readonly entries: readonly number[];
}

/**
 * A bitmap taken from the guest. Rows are `stride` bytes apart (stride > 0), packed from `data.offset`; the first row
 * in memory is the top one if `topDown`, else the bottom one. `format` is a SpiceBitmapFmt, little-endian pixels.
 */
export interface RedBitmap {
  readonly kind: "bitmap";
  /** Guest's image id; only meaningful with `cacheMe`. */
  readonly id: bigint;
  /** The guest wants viewers to keep it under that id (QXL_IMAGE_CACHE). */
  readonly cacheMe: boolean;
  /** The pad byte of every 32 bit pixel counts as 0xff where the image is kept (QXL_IMAGE_HIGH_BITS_SET). */
  readonly highBitsSet?: boolean;
  readonly format: number;
  readonly width: number;
  readonly height: number;
  readonly stride: number;
  readonly topDown: boolean;
  readonly palette?: RedPalette;
  readonly data: DataSpan;
}

/** An image which is another surface of the same QXL device. */
export interface RedSurfaceImage {
  readonly kind: "surface";
  readonly surfaceId: number;
  readonly width: number;
  readonly height: number;
}

/** A QUIC stream delivered by the guest (rare; Windows drivers). */
export interface RedQuicImage {
  readonly kind: "quic";
  readonly id: bigint;
  readonly cacheMe: boolean;
  readonly width: number;
  readonly height: number;
  readonly data: DataSpan;
}

export type RedImage = RedBitmap | RedSurfaceImage | RedQuicImage;

/** SpiceBrush: `color` is 0x00RRGGBB in the surface's own depth. */
export type RedBrush =
  | { readonly type: "none" }
  | { readonly type: "solid"; readonly color: number }
  | { readonly type: "pattern"; readonly image: RedImage; readonly pos: Point };

/** SpiceQMask: a 1 bit bitmap, `inverse` flips it. Absent bitmap = no mask. */
export interface RedMask {
  readonly inverse: boolean;
  readonly pos: Point;
  readonly bitmap?: RedImage;
}

/** The operation of a drawable; names are QXL_DRAW_*. `rop` is a SpiceRopd bit set, `scaleMode` a SpiceImageScaleMode. */
export type RedDrawOperation =
  | { readonly type: "nop" }
  | { readonly type: "fill"; readonly brush: RedBrush; readonly rop: number; readonly mask?: RedMask }
  | {
      readonly type: "opaque";
      readonly src: RedImage;
      readonly srcArea: Rect;
      readonly brush: RedBrush;
      readonly rop: number;
      readonly scaleMode: number;
      readonly mask?: RedMask;
    }
  | {
      readonly type: "copy" | "blend";
      readonly src: RedImage;
      readonly srcArea: Rect;
      readonly rop: number;
      readonly scaleMode: number;
      readonly mask?: RedMask;
    }
  | { readonly type: "copyBits"; readonly src: Point }
  | { readonly type: "blackness" | "whiteness" | "invers"; readonly mask?: RedMask }
  | {
      readonly type: "rop3";
      readonly src: RedImage;
      readonly srcArea: Rect;
      readonly brush: RedBrush;
      readonly rop3: number;
      readonly scaleMode: number;
      readonly mask?: RedMask;
    }
  | {
      readonly type: "transparent";
      readonly src: RedImage;
      readonly srcArea: Rect;
      readonly srcColor: number;
      readonly trueColor: number;
    }
  | {
      readonly type: "alphaBlend";
      readonly flags: number;
      readonly alpha: number;
      readonly src: RedImage;
      readonly srcArea: Rect;
    };

/**
 * QXL_CMD_DRAW after parsing. `clip` holds the clip rectangles; where they are many `clipData` has them instead, four little-endian i32
 * each: top, left, bottom, right. Both are absent for SPICE_CLIP_TYPE_NONE.
 */
export interface RedDrawable {
  readonly type: "draw";
  readonly surfaceId: number;
  readonly effect: number;
  readonly mmTime: number;
  readonly bbox: Rect;
  readonly clip?: readonly Rect[];
  readonly clipData?: DataSpan;
  readonly operation: RedDrawOperation;
}

/** Creation of a surface. Id 0 is the primary. `data`, when present, is its initial content: top-down rows, `stride` apart. */
export interface RedSurfaceCreate {
  readonly type: "surfaceCreate";
  readonly surfaceId: number;
  /** SpiceSurfaceFmt: 32 xRGB, 96 ARGB, 16 555, 80 565, 8 A8, 1 A1. */
  readonly format: number;
  readonly width: number;
  readonly height: number;
  readonly stride: number;
  readonly data?: DataSpan;
  /** Only for the primary: QXLSurfaceCreate.mouse_mode, whether the driver shows a hardware cursor. */
  readonly mouseMode?: number;
}

export interface RedSurfaceDestroy {
  readonly type: "surfaceDestroy";
  readonly surfaceId: number;
}

/** QXL_CURSOR_SET shape after parsing: `data` is the raw QXLCursor data for `cursorType` (SpiceCursorType). */
export interface RedCursorShape {
  readonly unique: bigint;
  readonly cursorType: number;
  readonly width: number;
  readonly height: number;
  readonly hotX: number;
  readonly hotY: number;
  readonly data: DataSpan;
}

export type RedCursorCmd =
  | {
      readonly type: "cursorSet";
      readonly position: Point;
      readonly visible: boolean;
      readonly shape: RedCursorShape;
    }
  | { readonly type: "cursorMove"; readonly position: Point }
  | { readonly type: "cursorHide" }
  | { readonly type: "cursorTrail"; readonly length: number; readonly frequency: number }
  /** RESET_CURSOR: the device was reset; forget shape and position. */
  | { readonly type: "cursorReset" };

/** One head of a QXLMonitorsConfig. */
export interface RedHead {
  readonly id: number;
  readonly surfaceId: number;
  readonly width: number;
  readonly height: number;
  readonly x: number;
  readonly y: number;
  readonly flags: number;
}

export interface RedMonitorsConfig {
  readonly type: "monitorsConfig";
  readonly maxAllowed: number;
  readonly heads: readonly RedHead[];
}

/** Device reset: every surface and image dies (DESTROY_SURFACES + RESET_IMAGE_CACHE + RESET_CURSOR). */
export interface RedReset {
  readonly type: "reset";
}

export type RedCommand =
  | RedDrawable
  | RedSurfaceCreate
  | RedSurfaceDestroy
  | RedCursorCmd
  | RedMonitorsConfig
  | RedReset;

/** What crosses the guest -> red port. `bytes` is the credit this batch costs (data plus a fixed cost per command). */
export interface RedCommandBatch {
  readonly type: "commands";
  readonly commands: readonly RedCommand[];
  readonly data: ArrayBuffer;
  readonly bytes: number;
}

/** What a red worker says back on the same port. */
export type RedCommandReply =
  /** Credit: that many `bytes` of earlier batches were processed. */
  | { readonly type: "credit"; readonly bytes: number }
  /** set_client_capabilities: goes into ROM client_present / client_capabilities (AND over all display clients). */
  | { readonly type: "clientCapabilities"; readonly present: boolean; readonly capabilities: Uint8Array };

/** Fixed credit cost of one command beside its data, in bytes. */
export const RED_COMMAND_COST = 256;

/** Unprocessed bytes that a producer may have under way to a red worker before it must stop draining its ring. */
export const RED_COMMAND_CREDIT = 16 * 1024 * 1024;
