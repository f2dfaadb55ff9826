import type { ScreenCursor } from "../dispatch/messages.ts";

/** Browsers ignore cursor images beyond 128x128 (CSS UI: "reasonable limits"; Chromium and Firefox 128). */
const MAX_CURSOR_PIXELS = 128;

/** The CSS `cursor` value that shows the guest's pointer shape; "none" when the guest shows none. */
export function cssCursor(shape: ScreenCursor | undefined): string {
  if (shape === undefined || shape.width === 0 || shape.height === 0) return "none";
  const width = Math.min(shape.width, MAX_CURSOR_PIXELS);
  const height = Math.min(shape.height, MAX_CURSOR_PIXELS);
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d");
  if (context === null) return "default";
  const pixels = new Uint8ClampedArray(shape.pixels);
  context.putImageData(new ImageData(pixels, shape.width, shape.height), 0, 0);
  const hotX = Math.min(shape.hotX, width - 1);
  const hotY = Math.min(shape.hotY, height - 1);
  return `url(${canvas.toDataURL()}) ${hotX} ${hotY}, default`;
}
