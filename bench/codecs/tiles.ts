/** A picture as a surface holds it: 32 bit little-endian xRGB (bytes B, G, R, 0), top-down, stride = 4 * width. */
export interface BenchPicture {
  readonly name: string;
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
}

/** Cuts a picture into tiles of `width` x `height` on a grid; partial tiles at the edges are left out. */
export function cut(picture: BenchPicture, width: number, height: number): BenchPicture[] {
  const tiles: BenchPicture[] = [];
  for (let y = 0; y + height <= picture.height; y += height) {
    for (let x = 0; x + width <= picture.width; x += width) {
      const pixels = new Uint8Array(width * height * 4);
      for (let row = 0; row < height; row++) {
        const from = ((y + row) * picture.width + x) * 4;
        pixels.set(picture.pixels.subarray(from, from + width * 4), row * width * 4);
      }
      tiles.push({ name: picture.name, width, height, pixels });
    }
  }
  return tiles;
}
