/** v86 wraps its planar pictures in ImageData, which workers have and Node has not. Only the fields v86 reads. */
class PlainImageData {
  readonly data: Uint8ClampedArray;
  readonly width: number;
  readonly height: number;

  constructor(data: Uint8ClampedArray, width: number, height: number) {
    this.data = data;
    this.width = width;
    this.height = height;
  }
}

/** Gives the global ImageData where there is none. */
export const ensureImageData = (): void => {
  if (!("ImageData" in globalThis)) Object.assign(globalThis, { ImageData: PlainImageData });
};
