/** Pixels of VGA's own graphics modes (planar, chained, CGA): v86 renders them into layers of RGBA, we put these together. */
import type { RowReader } from "./screen-frame.ts";
import type { V86VgaLayer } from "../v86/v86-private.ts";

/** The screen as lines: each layer copied to its place, black where there is none (a blanked screen has no layers). */
export const planarRows = (layers: readonly V86VgaLayer[], width: number): RowReader => {
  const sources = layers.map((layer) => {
    const { data } = layer.image_data;
    return { layer, words: new Uint32Array(data.buffer, data.byteOffset, data.length >> 2) };
  });
  return (y, row) => {
    row.fill(0);
    for (const { layer, words } of sources) {
      const sourceY = y - layer.screen_y + layer.buffer_y;
      if (sourceY < layer.buffer_y || sourceY >= layer.buffer_y + layer.buffer_height) continue;
      if (sourceY >= layer.image_data.height) continue;
      const shift = layer.screen_x - layer.buffer_x;
      const left = Math.max(0, layer.screen_x);
      const right = Math.min(
        width,
        shift + Math.min(layer.buffer_x + layer.buffer_width, layer.image_data.width),
      );
      const start = sourceY * layer.image_data.width - shift;
      for (let x = left; x < right; x++) {
        const abgr = words[start + x];
        row[x] = ((abgr & 0xff) << 16) | (abgr & 0xff00) | ((abgr >> 16) & 0xff);
      }
    }
  };
};
