import { describe, expect, test } from "vitest";
import { SchemaError } from "./errors.ts";
import { layout, readStruct, writeStruct } from "./layout.ts";
import * as draw from "./qxl-draw.ts";
import { QXL_RAM_MAGIC, QXL_ROM_MAGIC } from "./qxl-enums.ts";
import * as qxl from "./qxl.ts";
import { u8 } from "./schema.ts";

/** Sizes as the C compiler gives them for `spice/qxl_dev.h`. */
const sizes: [{ readonly name: string; readonly size: number }, number][] = [
  [qxl.QXLRom, 1160],
  [qxl.QXLClientMonitorsConfig, 1028],
  [qxl.QXLRam, 5348],
  [qxl.QXLCommandRing, 532],
  [qxl.QXLCursorRing, 532],
  [qxl.QXLReleaseRing, 84],
  [qxl.QXLCommand, 16],
  [qxl.QXLSurfaceCreate, 40],
  [qxl.QXLMemSlot, 16],
  [qxl.QXLMode, 32],
  [qxl.QXLHead, 28],
  [qxl.QXLMonitorsConfig, 4],
  [draw.QXLReleaseInfo, 8],
  [draw.QXLDrawable, 191],
  [draw.QXLCompatDrawable, 128],
  [draw.QXLImage, 48],
  [draw.QXLImageDescriptor, 18],
  [draw.QXLBitmap, 30],
  [draw.QXLDataChunk, 20],
  [draw.QXLCursor, 42],
  [draw.QXLCursorCmd, 150],
  [draw.QXLSurfaceCmd, 41],
  [draw.QXLUpdateCmd, 32],
  [draw.QXLCopy, 44],
  [draw.QXLFill, 39],
  [draw.QXLBrush, 20],
  [draw.QXLQMask, 17],
  [draw.QXLClip, 12],
  [draw.QXLOpaque, 64],
  [draw.QXLRop3, 63],
  [draw.QXLStroke, 52],
  [draw.QXLLineAttr, 20],
  [draw.QXLText, 68],
  [draw.QXLAlphaBlend, 27],
  [draw.QXLTransparent, 32],
  [draw.QXLComposite, 44],
  [draw.QXLCopyBits, 8],
];

test.each(sizes.map(([def, size]) => [def.name, def, size] as const))("sizeof %s", (_, def, size) => {
  expect(def.size).toBe(size);
});

describe("offsets", () => {
  test("QXLRom", () => {
    expect(qxl.QXLRom.offset).toMatchObject({
      magic: 0,
      modesOffset: 24,
      numPages: 28,
      pagesOffset: 32,
      ramHeaderOffset: 44,
      mmClock: 48,
      nSurfaces: 52,
      flags: 56,
      slotsStart: 64,
      slotGeneration: 68,
      clientPresent: 69,
      clientCapabilities: 70,
      clientMonitorsConfigCrc: 128,
      clientMonitorsConfig: 132,
    });
  });

  test("QXLRam", () => {
    expect(qxl.QXLRam.offset).toEqual({
      magic: 0,
      intPending: 4,
      intMask: 8,
      logBuf: 12,
      cmdRing: 4108,
      cursorRing: 4640,
      releaseRing: 5172,
      updateArea: 5256,
      updateSurface: 5272,
      memSlot: 5276,
      createSurface: 5292,
      flags: 5332,
      monitorsConfig: 5340,
    });
    expect(qxl.QXLCommandRing.offset.items).toBe(20);
  });

  test("commands", () => {
    expect(draw.QXLDrawable.offset).toEqual({
      releaseInfo: 0,
      surfaceId: 8,
      effect: 12,
      type: 13,
      selfBitmap: 14,
      selfBitmapArea: 15,
      bbox: 31,
      clip: 47,
      mmTime: 59,
      surfacesDest: 63,
      surfacesRects: 75,
      u: 123,
    });
    expect(draw.QXLCopy.offset).toMatchObject({ srcArea: 8, ropDescriptor: 24, scaleMode: 26, mask: 27 });
    expect(draw.QXLFill.offset).toMatchObject({ brush: 0, ropDescriptor: 20, mask: 22 });
    expect(draw.QXLOpaque.offset).toMatchObject({ brush: 24, ropDescriptor: 44, scaleMode: 46, mask: 47 });
    expect(draw.QXLRop3.offset).toMatchObject({ brush: 24, rop3: 44, scaleMode: 45, mask: 46 });
    expect(draw.QXLTransparent.offset).toMatchObject({ srcColor: 24, trueColor: 28 });
    expect(draw.QXLAlphaBlend.offset).toMatchObject({ alphaFlags: 0, alpha: 2, srcBitmap: 3, srcArea: 11 });
    expect(draw.QXLStroke.offset).toMatchObject({ path: 0, attr: 8, brush: 28, foreMode: 48, backMode: 50 });
    expect(draw.QXLText.offset).toMatchObject({ backArea: 8, foreBrush: 24, backBrush: 44, foreMode: 64 });
    expect(draw.QXLComposite.offset).toMatchObject({
      src: 4,
      srcTransform: 12,
      mask: 20,
      srcOrigin: 36,
      maskOrigin: 40,
    });
    expect(draw.QXLBrush.offset).toEqual({ type: 0, u: 4 });
    expect(draw.QXLQMask.offset).toEqual({ flags: 0, pos: 1, bitmap: 9 });
    expect(draw.QXLImage.offset.u).toBe(18);
    expect(draw.QXLBitmap.offset).toMatchObject({ stride: 10, palette: 14, data: 22 });
    expect(draw.QXLSurfaceCmd.offset).toMatchObject({ surfaceId: 8, type: 12, flags: 13, u: 17 });
    expect(draw.QXLSurface.offset).toEqual({ format: 0, width: 4, height: 8, stride: 12, data: 16 });
    expect(draw.QXLCursorCmd.offset).toMatchObject({ type: 8, u: 9 });
    expect(draw.QXLCursorSet.offset).toEqual({ position: 0, visible: 4, shape: 5 });
    expect(draw.QXLCursor.offset).toEqual({ header: 0, dataSize: 18, chunk: 22 });
    expect(qxl.QXLSurfaceCreate.offset).toMatchObject({
      stride: 8,
      position: 16,
      mouseMode: 20,
      type: 28,
      mem: 32,
    });
  });
});

test("magics", () => {
  const text = (magic: number) =>
    String.fromCharCode(magic & 0xff, (magic >> 8) & 0xff, (magic >> 16) & 0xff, magic >> 24);
  expect([text(QXL_ROM_MAGIC), text(QXL_RAM_MAGIC)]).toEqual(["QXRO", "QXRA"]);
});

describe("readStruct, writeStruct", () => {
  const memory = new DataView(new ArrayBuffer(64));

  test("give back what was written, elsewhere nothing changes", () => {
    const rect = { top: -1, left: 2, bottom: 3, right: 4 };
    writeStruct(draw.QXLRect, memory, 5, rect);
    expect(readStruct(draw.QXLRect, memory, 5)).toEqual(rect);
    expect([memory.getUint8(4), memory.getUint8(21)]).toEqual([0, 0]);
  });

  test("a structure read is a copy", () => {
    const bytes = new DataView(new ArrayBuffer(qxl.QXLRom.size));
    const rom = readStruct(qxl.QXLRom, bytes);
    bytes.setUint8(qxl.QXLRom.offset.clientCapabilities, 9);
    expect(rom.clientCapabilities[0]).toBe(0);
    expect(rom.clientMonitorsConfig.heads.length).toBe(64);
  });

  test("stay within the memory", () => {
    for (const offset of [-1, 49, 1e12]) {
      expect(() => readStruct(draw.QXLRect, memory, offset)).toThrow(SchemaError);
      const rect = { top: 0, left: 0, bottom: 0, right: 0 };
      expect(() => writeStruct(draw.QXLRect, memory, offset, rect)).toThrow(SchemaError);
    }
  });

  test("a union cannot be hidden inside of a structure", () => {
    expect(() => layout("X", { brush: draw.QXLBrush, a: u8 })).toThrow("padding of 20 bytes");
  });
});
