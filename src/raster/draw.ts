import type { RedDrawable } from "../protocol/red-command.ts";
import { drawAlphaBlend } from "./alpha-blend.ts";
import { drawCopyBits } from "./copy-bits.ts";
import { drawCopy } from "./copy.ts";
import { openContext } from "./draw-context.ts";
import { WHITE, drawBrush, fillSolid, fillSolidRop } from "./fill.ts";
import { Rop, Ropd, ropFromDescriptor } from "./rop.ts";
import { drawRop3 } from "./rop3.ts";
import type { RasterSource, RasterSurface } from "./surface.ts";
import { drawTransparent } from "./transparent.ts";

/**
 * Draws one drawable on its surface, to the pixel as spice-common's software canvas does, clipped to the surface, the bounding
 * box and the clip. What cannot be drawn (a missing source surface, a bitmap larger than its data) is left out; nothing is
 * read or written outside the target, the sources and `source.data`.
 */
export function drawDrawable(target: RasterSurface, drawable: RedDrawable, source: RasterSource): void {
  const { operation } = drawable;
  if (operation.type === "nop") return;
  const context = openContext(target, drawable, source, "mask" in operation ? operation.mask : undefined);
  if (context === undefined) return;
  switch (operation.type) {
    case "fill":
      drawBrush(
        context,
        operation.brush,
        ropFromDescriptor(operation.rop, Ropd.INVERS_BRUSH, Ropd.INVERS_DEST),
      );
      return;
    case "opaque": {
      const { src, srcArea, scaleMode, brush, rop } = operation;
      const brushRop = ropFromDescriptor(rop, Ropd.INVERS_BRUSH, Ropd.INVERS_SRC);
      drawCopy(context, src, srcArea, scaleMode, Rop.COPY);
      drawBrush(context, brush, brushRop);
      return;
    }
    case "copy":
    case "blend": {
      const { src, srcArea, scaleMode, rop } = operation;
      drawCopy(context, src, srcArea, scaleMode, ropFromDescriptor(rop, Ropd.INVERS_SRC, Ropd.INVERS_DEST));
      return;
    }
    case "copyBits":
      drawCopyBits(context, operation.src);
      return;
    case "blackness":
      fillSolid(context, 0);
      return;
    case "whiteness":
      fillSolid(context, WHITE);
      return;
    case "invers":
      fillSolidRop(context, 0, Rop.INVERT);
      return;
    case "rop3": {
      const { src, srcArea, brush, rop3, scaleMode } = operation;
      drawRop3(context, src, srcArea, brush, rop3, scaleMode);
      return;
    }
    case "transparent":
      drawTransparent(context, operation.src, operation.srcArea, operation.trueColor);
      return;
    case "alphaBlend":
      drawAlphaBlend(context, operation.src, operation.srcArea, operation.alpha, operation.flags);
  }
}
