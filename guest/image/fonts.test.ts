import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { indexFonts, readPcfName } from "./fonts.ts";
import { Tree } from "./tree.ts";

/** A PCF font with nothing but properties, in either byte order. */
function pcf(name: string, little: boolean): Buffer {
  const strings = Buffer.from(`FONT\0${name}\0SIZE\0`);
  const table = Buffer.alloc(8 + 20 + 4 + strings.length);
  table.writeUInt32LE(little ? 0 : 4, 0);
  const u32 = (value: number, at: number) =>
    little ? table.writeUInt32LE(value, at) : table.writeUInt32BE(value, at);
  u32(2, 4);
  u32(6 + name.length, 8);
  u32(12, 13);
  u32(0, 17);
  table[21] = 1;
  u32(5, 22);
  u32(strings.length, 28);
  strings.copy(table, 32);
  const header = Buffer.alloc(24);
  header.write("\x01fcp", "latin1");
  header.writeUInt32LE(1, 4);
  header.writeUInt32LE(1, 8);
  header.writeUInt32LE(table.length, 16);
  header.writeUInt32LE(24, 20);
  return Buffer.concat([header, table]);
}

const XLFD = "-Misc-Fixed-Medium-R-Normal--13-120-75-75-C-80-ISO8859-1";

test.each([true, false])("the FONT property, little endian: %s", (little) => {
  expect(readPcfName(pcf(XLFD, little))).toBe(XLFD);
});

test("fonts.dir and fonts.alias of a folder", () => {
  const tree = new Tree();
  tree.file("usr/share/fonts/X11/misc/8x13.pcf.gz", gzipSync(pcf(XLFD, true)));
  tree.file("usr/share/fonts/X11/misc/cursor.pcf.gz", gzipSync(pcf("cursor", false)));
  tree.file("etc/X11/fonts/misc/base.alias", `fixed ${XLFD}\n`);
  indexFonts(tree);
  const text = (path: string) => {
    const node = tree.get(path);
    return node?.type === "file" ? Buffer.from(node.data).toString() : undefined;
  };
  expect(text("usr/share/fonts/X11/misc/fonts.dir")).toBe(`2\n8x13.pcf.gz ${XLFD}\ncursor.pcf.gz cursor\n`);
  expect(text("usr/share/fonts/X11/misc/fonts.alias")).toBe(`fixed ${XLFD}\n`);
});
