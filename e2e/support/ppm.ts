/** An 8 bit RGB picture, rows top-down without padding. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly rgb: Uint8Array;
}

/** Reads a binary PPM (P6, maxval 255), the format spicy-screenshot and ImageMagick write. */
export function readPpm(bytes: Uint8Array): Picture {
  const fields: string[] = [];
  let at = 0;
  while (fields.length < 4) {
    while (/\s/.test(String.fromCharCode(bytes[at]))) at++;
    if (bytes[at] === 0x23) {
      while (bytes[at] !== 0x0a) at++;
      continue;
    }
    let field = "";
    while (at < bytes.length && !/\s/.test(String.fromCharCode(bytes[at]))) {
      field += String.fromCharCode(bytes[at++]);
    }
    fields.push(field);
  }
  at++;
  const [magic, width, height, maxval] = fields;
  if (magic !== "P6" || maxval !== "255") throw new Error(`not an 8 bit binary PPM: ${fields.join(" ")}`);
  const picture = { width: Number(width), height: Number(height), rgb: bytes.subarray(at) };
  if (picture.rgb.length < picture.width * picture.height * 3) throw new Error("the PPM is cut short");
  return picture;
}

/** The RGB of pixels that lie as bytes B, G, R, X. */
export function fromBgrx(width: number, height: number, pixels: Uint8Array): Picture {
  const rgb = new Uint8Array(width * height * 3);
  for (let i = 0, o = 0; i < width * height * 4; i += 4) {
    rgb[o++] = pixels[i + 2];
    rgb[o++] = pixels[i + 1];
    rgb[o++] = pixels[i];
  }
  return { width, height, rgb };
}

/** How two pictures differ: undefined when every pixel is equal, else words for a person. */
export function difference(a: Picture, b: Picture): string | undefined {
  if (a.width !== b.width || a.height !== b.height) {
    return `sizes differ: ${a.width}x${a.height} against ${b.width}x${b.height}`;
  }
  let count = 0;
  const box = { left: a.width, top: a.height, right: 0, bottom: 0 };
  for (let i = 0; i < a.width * a.height; i++) {
    const o = i * 3;
    if (a.rgb[o] === b.rgb[o] && a.rgb[o + 1] === b.rgb[o + 1] && a.rgb[o + 2] === b.rgb[o + 2]) continue;
    count++;
    const x = i % a.width;
    const y = (i - x) / a.width;
    box.left = Math.min(box.left, x);
    box.right = Math.max(box.right, x + 1);
    box.top = Math.min(box.top, y);
    box.bottom = Math.max(box.bottom, y + 1);
  }
  if (count === 0) return undefined;
  return `${count} of ${a.width * a.height} pixels differ, within ${JSON.stringify(box)}`;
}
