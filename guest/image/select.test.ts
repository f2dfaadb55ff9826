import { expect, test } from "vitest";
import { isElf32, readDynamic, readLoads } from "./elf.ts";
import { patternTest, selectFiles } from "./select.ts";
import { makeStubLibrary } from "./stub.ts";
import { mergedPath, Tree } from "./tree.ts";

test("patterns", () => {
  const matches = patternTest(["usr/bin/*", "usr/share/**", "etc/{a,b}.conf", "m/[5-9]x*"]);
  expect(["usr/bin/x", "usr/share/a/b", "etc/b.conf", "m/7x13"].every(matches)).toBe(true);
  expect(["usr/bin/x/y", "usr/shareX", "etc/c.conf", "etc/a-conf", "m/4x6"].some(matches)).toBe(false);
  expect(patternTest([])("anything")).toBe(false);
});

test("packaged paths after the usr-merge", () => {
  expect(mergedPath("lib/udev/x")).toBe("usr/lib/udev/x");
  expect(mergedPath("library/x")).toBe("library/x");
  expect(mergedPath("lib")).toBe("lib");
});

/** A library that needs others: a stub with its SONAME tag turned into NEEDED. */
function libraryNeeding(name: string): Uint8Array {
  const library = makeStubLibrary(name, []);
  const at = library.length - 7 * 8;
  expect(library[at]).toBe(14);
  library[at] = 1;
  return library;
}

test("libraries and link targets follow the seeds; missing ones are told", () => {
  const all = new Tree();
  all.file("usr/bin/app", libraryNeeding("libone.so.1"), 0o755);
  all.symlink("usr/lib/i386-linux-gnu/libone.so.1", "libone.so.1.2");
  all.file("usr/lib/i386-linux-gnu/libone.so.1.2", libraryNeeding("libgone.so.3"));
  all.file("usr/lib/i386-linux-gnu/libunused.so.1", makeStubLibrary("libunused.so.1", []));
  all.file("lib/i386-linux-gnu/ld-linux.so.2", "loader");
  all.symlink("lib/ld-linux.so.2", "i386-linux-gnu/ld-linux.so.2");
  all.file("usr/share/doc/app", "text");
  const { tree, missing } = selectFiles(all, ["usr/bin/*", "usr/share/**"], ["usr/share/doc/**"]);
  expect([...tree.paths()].sort()).toEqual([
    "usr/bin/app",
    "usr/lib/i386-linux-gnu/ld-linux.so.2",
    "usr/lib/i386-linux-gnu/libone.so.1",
    "usr/lib/i386-linux-gnu/libone.so.1.2",
    "usr/lib/ld-linux.so.2",
  ]);
  expect([...missing]).toEqual([["libgone.so.3", ["usr/lib/i386-linux-gnu/libone.so.1.2"]]]);
});

test("the stub library reads back as the loader reads it", () => {
  const functions = ["rsvg_handle_close", "rsvg_handle_get_pixbuf"];
  const library = makeStubLibrary("librsvg-2.so.2", functions);
  expect(isElf32(library)).toBe(true);
  expect(readDynamic(library)).toEqual({ needed: [], soname: "librsvg-2.so.2", runpath: [] });
  const [load] = readLoads(library);
  expect(load).toMatchObject({
    offset: 0,
    virtualAddress: 0,
    fileSize: library.length,
    memorySize: library.length,
  });

  const view = new DataView(library.buffer, library.byteOffset, library.byteLength);
  const dynamic = new Map<number, number>();
  for (let at = library.length - 7 * 8; at < library.length; at += 8)
    dynamic.set(view.getUint32(at, true), view.getUint32(at + 4, true));
  const hash = dynamic.get(4) ?? 0;
  const symbols = dynamic.get(6) ?? 0;
  const strings = dynamic.get(5) ?? 0;
  const name = (symbol: number) => {
    const start = strings + view.getUint32(symbols + symbol * 16, true);
    return Buffer.from(library.subarray(start, library.indexOf(0, start))).toString();
  };
  // Walk the one bucket's chain: nbucket, nchain, bucket[0], chain[].
  expect(view.getUint32(hash, true)).toBe(1);
  const found: string[] = [];
  for (
    let symbol = view.getUint32(hash + 8, true);
    symbol !== 0;
    symbol = view.getUint32(hash + 12 + symbol * 4, true)
  ) {
    found.push(name(symbol));
    const code = view.getUint32(symbols + symbol * 16 + 4, true);
    expect([...library.subarray(code, code + 3)]).toEqual([0x31, 0xc0, 0xc3]);
  }
  expect(found).toEqual(functions);
});
