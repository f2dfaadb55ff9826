import { gunzipSync } from "node:zlib";
import { MAX_FONT_BYTES } from "../limits.ts";
import type { Tree } from "./tree.ts";

const PCF_PROPERTIES = 1;
const PCF_BYTE_MSB = 4;

/** Reads the FONT property, an XLFD name, of a PCF font; undefined when it has none. */
export function readPcfName(pcf: Uint8Array): string | undefined {
  const view = new DataView(pcf.buffer, pcf.byteOffset, pcf.byteLength);
  if (view.getUint32(0, true) !== 0x70636601) throw new Error("not a PCF font");
  const tables = view.getUint32(4, true);
  for (let i = 0; i < tables; i++) {
    // A table entry: type, format, size, offset (u32 each, little endian).
    if (view.getUint32(8 + i * 16, true) !== PCF_PROPERTIES) continue;
    const start = view.getUint32(8 + i * 16 + 12, true);
    const little = (view.getUint32(start, true) & PCF_BYTE_MSB) === 0;
    const count = view.getUint32(start + 4, little);
    if (count * 9 > pcf.length) throw new Error("the font's table of properties is larger than the font");
    const properties = start + 8;
    // 9 bytes each (name u32, is-string u8, value u32), padded to 4; then the strings' size and the strings.
    const strings = properties + ((count * 9 + 3) & ~3) + 4;
    const text = (offset: number) =>
      Buffer.from(pcf.subarray(strings + offset, pcf.indexOf(0, strings + offset))).toString("latin1");
    for (let p = 0; p < count; p++) {
      const at = properties + p * 9;
      if (pcf[at + 4] === 1 && text(view.getUint32(at, little)) === "FONT")
        return text(view.getUint32(at + 5, little));
    }
  }
  return undefined;
}

/**
 * Writes fonts.dir and fonts.alias for every folder of PCF fonts, which the packages' scripts would do: fonts.dir is a
 * count and a line `file XLFD` per font; aliases lie in etc/X11/fonts/<folder>/*.alias.
 */
export function indexFonts(tree: Tree): void {
  const folders = new Map<string, string[]>();
  for (const path of tree.paths()) {
    const match = /^(usr\/share\/fonts\/X11\/[^/]+)\/([^/]+\.pcf\.gz)$/.exec(path);
    if (match !== null) folders.set(match[1], [...(folders.get(match[1]) ?? []), match[2]]);
  }
  for (const [folder, files] of folders) {
    const lines: string[] = [];
    for (const file of files.sort()) {
      const node = tree.get(`${folder}/${file}`);
      const name =
        node?.type === "file"
          ? readPcfName(gunzipSync(node.data, { maxOutputLength: MAX_FONT_BYTES }))
          : undefined;
      if (name !== undefined) lines.push(`${file} ${name}`);
    }
    tree.file(`${folder}/fonts.dir`, `${lines.length}\n${lines.join("\n")}\n`);
    const aliases = [...tree.paths()]
      .filter((path) => path.startsWith(`etc/X11/fonts/${folder.slice(folder.lastIndexOf("/") + 1)}/`))
      .sort()
      .map((path) => tree.get(path))
      .map((node) => (node?.type === "file" ? Buffer.from(node.data).toString("latin1") : ""));
    if (aliases.length > 0) tree.file(`${folder}/fonts.alias`, Buffer.from(aliases.join("\n"), "latin1"));
  }
}
