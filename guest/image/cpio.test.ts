import * as fc from "fast-check";
import { expect, test } from "vitest";
import { GuestBuildError } from "../errors.ts";
import { writeCpio } from "./cpio.ts";
import { Tree, type TreeNode } from "./tree.ts";

/** Reads a newc archive back, as the kernel's unpacker does: aligned to 4 from the start. */
function readCpio(archive: Buffer): [string, number, Buffer][] {
  const members: [string, number, Buffer][] = [];
  for (let at = 0; ;) {
    expect(archive.toString("latin1", at, at + 6)).toBe("070701");
    const field = (n: number) =>
      Number.parseInt(archive.toString("latin1", at + 6 + n * 8, at + 14 + n * 8), 16);
    const name = archive.toString("utf8", at + 110, at + 110 + field(11) - 1);
    const data = (at + 110 + field(11) + 3) & ~3;
    if (name === "TRAILER!!!") return members;
    members.push([name, field(1), archive.subarray(data, data + field(6))]);
    at = (data + field(6) + 3) & ~3;
  }
}

test("files, folders and links come back", () => {
  const tree = new Tree();
  tree.file("bin/sh", "program", 0o755);
  tree.symlink("etc/mtab", "/proc/mounts");
  tree.directory("tmp", 0o1777);
  expect(
    readCpio(writeCpio(tree.entries())).map(([name, mode, data]) => [
      name,
      mode.toString(8),
      data.toString(),
    ]),
  ).toEqual([
    ["bin", "120777", "usr/bin"],
    ["etc", "40755", ""],
    ["etc/mtab", "120777", "/proc/mounts"],
    ["lib", "120777", "usr/lib"],
    ["sbin", "120777", "usr/sbin"],
    ["tmp", "41777", ""],
    ["usr", "40755", ""],
    ["usr/bin", "40755", ""],
    ["usr/bin/sh", "100755", "program"],
    ["usr/lib", "40755", ""],
    ["usr/sbin", "40755", ""],
  ]);
});

test("any names and sizes keep their bytes and alignment", () => {
  const name = fc.string({ unit: fc.constantFrom(..."abcä-."), minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.tuple(name, fc.uint8Array({ maxLength: 40 })), { selector: ([path]) => path }),
      (files) => {
        const nodes = files.map(([path, data]): [string, TreeNode] => [
          path,
          { type: "file", mode: 0o644, data },
        ]);
        const read = readCpio(writeCpio(nodes));
        expect(read.map(([path, , data]) => [path, [...data]])).toEqual(
          files.map(([path, data]) => [path, [...data]]),
        );
      },
    ),
  );
});

test.each(["TRAILER!!!", "a\0b", ""])(
  "a path that the kernel would read otherwise is refused: %j",
  (path) => {
    const node: TreeNode = { type: "file", mode: 0o644, data: new Uint8Array() };
    expect(() => writeCpio([[path, node]])).toThrow(GuestBuildError);
  },
);
