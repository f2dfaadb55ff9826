import { RUN_COST } from "./costs.ts";
import type { DrawArea } from "./draw-area.ts";
import type { Mask } from "./mask.ts";
import type { CostMeter, Steps } from "./work.ts";

/** A drawing whose operands are found and open: only the pixels are missing. */
export interface Painter {
  readonly area: DrawArea;
  /** Units that a pixel costs, and that a row costs beside its pixels and runs. */
  readonly pixelCost: number;
  readonly rowCost: number;
  /** Whether rows have to be painted from the bottom to the top, for a drawing that reads what it writes. */
  readonly upwards: boolean;
  /** Paints rows [top, bottom) of the boxes in `boxes[first..last)`, of whose y nothing is to be believed. */
  paint(boxes: Int32Array, first: number, last: number, top: number, bottom: number): void;
}

/** Paints all of it, band by band; a band never has more rows than fit into the meter's. */
export function* paintAll(painter: Painter, meter: CostMeter): Steps {
  const { area, pixelCost, rowCost, upwards } = painter;
  const bands = area.bands(upwards);
  while (bands.next()) {
    const { boxes, first, last, top, bottom } = bands;
    let width = 0;
    for (let i = first; i < last; i += 4) width += boxes[i + 2] - boxes[i];
    const cost = width * pixelCost + ((last - first) >> 2) * RUN_COST + rowCost;
    const rows = meter.fit(cost);
    meter.spend(bands.cost);
    for (let done = 0; done < bottom - top; done += rows) {
      const count = Math.min(rows, bottom - top - done);
      const y = upwards ? bottom - done - count : top + done;
      painter.paint(boxes, first, last, y, y + count);
      meter.spend(count * cost);
      if (meter.isSpent) yield;
    }
  }
}

/**
 * Paints all of it at once if it costs no more than a band.
 * @returns false if it costs more: then nothing was painted
 */
export function paintSmall(painter: Painter, meter: CostMeter): boolean {
  const { area, pixelCost, rowCost, upwards } = painter;
  if (area.region === undefined) return false;
  const { boxes } = area.region;
  let cost = 0;
  for (let i = 0; i < boxes.length; i += 4) {
    cost += (boxes[i + 3] - boxes[i + 1]) * ((boxes[i + 2] - boxes[i]) * pixelCost + RUN_COST + rowCost);
  }
  if (cost > meter.band) return false;
  meter.spend(cost);
  if (boxes.length === 4) painter.paint(boxes, 0, 4, boxes[1], boxes[3]);
  else {
    const bands = area.bands(upwards);
    while (bands.next()) painter.paint(boxes, bands.first, bands.last, bands.top, bands.bottom);
  }
  return true;
}

let maskBits = new Uint32Array(1024);

/** Calls `draw` for each run of pixels that is to be drawn, row by row, from the left: what reads rows reads each only once. */
export function forEachRun(
  mask: Mask | undefined,
  boxes: Int32Array,
  first: number,
  last: number,
  top: number,
  bottom: number,
  draw: (x: number, y: number, count: number) => void,
): void {
  for (let y = top; y < bottom; y++) {
    for (let i = first; i < last; i += 4) {
      if (mask === undefined) draw(boxes[i], y, boxes[i + 2] - boxes[i]);
      else forEachMaskedRun(mask, boxes[i], boxes[i + 2], y, draw);
    }
  }
}

function forEachMaskedRun(
  mask: Mask,
  left: number,
  right: number,
  y: number,
  draw: (x: number, y: number, count: number) => void,
): void {
  const width = right - left;
  if (maskBits.length < width) maskBits = new Uint32Array(width);
  const bits = maskBits;
  mask.read(left, y, width, bits);
  for (let i = 0; i < width;) {
    if (bits[i] === 0) {
      i++;
      continue;
    }
    const start = i;
    while (i < width && bits[i] !== 0) i++;
    draw(left + start, y, i - start);
  }
}
