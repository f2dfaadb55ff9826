import type { JpegComponent, JpegFrame } from "./jpeg-format.ts";

/**
 * Writes row `y` of the picture of one component to `out`, at full resolution. Halved planes are interpolated with the weights
 * 3/4 and 1/4 towards the nearer sample ("fancy upsampling"), others are repeated: both as libjpeg-turbo does, whose rounding
 * alternates so as to have no drift. Samples beyond the picture's edge are never read: the last ones stand for them.
 */
export function upsampleRow(frame: JpegFrame, component: JpegComponent, y: number, out: Uint8Array): void {
  const { plane, stride, width, height } = component;
  const across = frame.maxH / component.h;
  const down = frame.maxV / component.v;
  const row = down === 1 ? y : Math.floor(y / down);
  const here = row * stride;
  // Upper of two rows: nearer to the sample above; lower: to the one below.
  const upper = y % 2 === 0;
  const other = Math.min(height - 1, Math.max(0, upper ? row - 1 : row + 1)) * stride;
  if (across === 1 && down === 1) out.set(plane.subarray(here, here + width));
  else if (across === 1 && down === 2) {
    const bias = upper ? 1 : 2;
    for (let x = 0; x < width; x++) out[x] = (3 * plane[here + x] + plane[other + x] + bias) >> 2;
  } else if (across === 2 && down === 1 && width > 2) interpolate(plane, here, width, out);
  else if (across === 2 && down === 2 && width > 2) interpolate2(plane, here, other, width, out);
  else repeat(plane, here, width, across, out);
}

function repeat(plane: Uint8Array, here: number, width: number, times: number, out: Uint8Array): void {
  let at = 0;
  for (let x = 0; x < width; x++) {
    const sample = plane[here + x];
    for (let n = 0; n < times; n++) out[at++] = sample;
  }
}

/** Two pixels of each sample, from its own row alone. */
function interpolate(plane: Uint8Array, here: number, width: number, out: Uint8Array): void {
  out[0] = plane[here];
  out[1] = (3 * plane[here] + plane[here + 1] + 2) >> 2;
  let at = 2;
  for (let x = here + 1; x < here + width - 1; x++) {
    const weighted = 3 * plane[x];
    out[at++] = (weighted + plane[x - 1] + 1) >> 2;
    out[at++] = (weighted + plane[x + 1] + 2) >> 2;
  }
  const last = here + width - 1;
  out[at++] = (3 * plane[last] + plane[last - 1] + 1) >> 2;
  out[at] = plane[last];
}

/** Two pixels of each sample, from its row and the nearer one of its neighbours. */
function interpolate2(plane: Uint8Array, here: number, other: number, width: number, out: Uint8Array): void {
  let before = 0;
  let now = 3 * plane[here] + plane[other];
  let next = 3 * plane[here + 1] + plane[other + 1];
  out[0] = (4 * now + 8) >> 4;
  out[1] = (3 * now + next + 7) >> 4;
  let at = 2;
  for (let x = 2; x < width; x++) {
    before = now;
    now = next;
    next = 3 * plane[here + x] + plane[other + x];
    out[at++] = (3 * now + before + 8) >> 4;
    out[at++] = (3 * now + next + 7) >> 4;
  }
  out[at++] = (3 * next + now + 8) >> 4;
  out[at] = (4 * next + 7) >> 4;
}
