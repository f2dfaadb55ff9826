import { gzipSync } from "node:zlib";
import * as fc from "fast-check";
import { type Pack, pack } from "tar-stream";
import { expect, test } from "vitest";
import { GuestBuildError } from "../errors.ts";
import { ar, deb } from "../archive/archive.testing.ts";
import { lzma2 } from "../kernel/kernel.testing.ts";
import { writeXzBlock } from "../kernel/xz.ts";
import { cleanPath, readAr, readDeb, readTar } from "./deb.ts";

async function packed(writer: Pack): Promise<Buffer> {
  writer.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of writer) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function tar(): Promise<Buffer> {
  const writer = pack();
  writer.entry({ name: "./usr/", type: "directory" });
  writer.entry({ name: "./usr/bin/tool", mode: 0o755 }, "program");
  writer.entry({ name: "./usr/bin/same", type: "link", linkname: "./usr/bin/tool" });
  writer.entry({ name: "./usr/bin/alias", type: "symlink", linkname: "tool" });
  writer.entry({ name: "./usr/share/doc/tool/copyright" }, "text");
  return packed(writer);
}

test("ar members, with odd sizes padded", () => {
  const archive = ar([
    ["debian-binary", Buffer.from("2.0\n")],
    ["odd/", Buffer.from("abc")],
    ["last", Buffer.from("xy")],
  ]);
  expect(readAr(archive).map(({ name, data }) => [name, Buffer.from(data).toString()])).toEqual([
    ["debian-binary", "2.0\n"],
    ["odd", "abc"],
    ["last", "xy"],
  ]);
});

test("an ar archive that is cut short is refused", () => {
  const archive = ar([["data.tar", Buffer.alloc(100)]]);
  expect(() => readAr(archive.subarray(0, 120))).toThrow(/cut short/);
  expect(() => readAr(Buffer.from("PK\x03\x04"))).toThrow(/not an ar/);
});

test("a .deb's wanted files: modes, links, and nothing else", async () => {
  const archive = ar([
    ["debian-binary", Buffer.from("2.0\n")],
    ["control.tar.gz", gzipSync("")],
    ["data.tar.gz", gzipSync(await tar())],
  ]);
  const files = new Map(await readDeb(archive, "tool", (path) => !path.startsWith("usr/share/doc/")));
  expect([...files.keys()]).toEqual(["usr/bin/tool", "usr/bin/same", "usr/bin/alias"]);
  expect(files.get("usr/bin/tool")).toEqual({ type: "file", mode: 0o755, data: Buffer.from("program") });
  expect(files.get("usr/bin/same")).toBe(files.get("usr/bin/tool"));
  expect(files.get("usr/bin/alias")).toEqual({ type: "symlink", target: "tool" });
});

test.each(["../../etc/passwd", "./a/../../b", "/etc/passwd", "a\u0001b"])(
  "a file with the path %j is refused",
  async (name) => {
    const writer = pack();
    writer.entry({ name }, "climbing");
    await expect(readTar(await packed(writer), () => true)).rejects.toThrow(/with the path/);
  },
);

test("a hard link to what is not there is refused; one to a file that is not wanted is left out", async () => {
  const link = (linkname: string) => {
    const writer = pack();
    writer.entry({ name: "./file" }, "data");
    writer.entry({ name: "./link", type: "link", linkname });
    return packed(writer);
  };
  await expect(readTar(await link("./elsewhere"), () => true)).rejects.toThrow(/does not have/);
  expect(await readTar(await link("./file"), (path) => path === "link")).toEqual([]);
});

test.each([
  ["gz", (data: Buffer) => gzipSync(data)],
  ["xz", (data: Buffer) => writeXzBlock(lzma2(data), data.length, Uint8Array.of(22))],
] as const)(
  "a data.tar.%s that unpacks to more than the limit is refused, at the limit it is not",
  async (kind, compress) => {
    const data = await tar();
    const archive = ar([
      ["debian-binary", Buffer.from("2.0\n")],
      ["control.tar.gz", gzipSync("")],
      [`data.tar.${kind}`, compress(data)],
    ]);
    expect(await readDeb(archive, "tool", () => true, data.length)).toHaveLength(4);
    await expect(readDeb(archive, "tool", () => true, data.length - 1)).rejects.toThrow(GuestBuildError);
  },
);

test("a data archive that is cut short is refused", async () => {
  const data = await tar();
  for (const [kind, whole] of [
    ["gz", gzipSync(data)],
    ["xz", writeXzBlock(lzma2(data), data.length, Uint8Array.of(22))],
    ["", data],
  ] as const) {
    const archive = ar([
      ["debian-binary", Buffer.from("2.0\n")],
      ["control.tar.gz", gzipSync("")],
      [`data.tar${kind === "" ? "" : `.${kind}`}`, whole.subarray(0, Math.floor(whole.length / 2) - 100)],
    ]);
    await expect(
      readDeb(archive, "tool", () => true),
      kind,
    ).rejects.toThrow(GuestBuildError);
  }
});

test.each([
  ["no debian-binary", (members: [string, Uint8Array][]) => members.slice(1)],
  ["two data archives", (members: [string, Uint8Array][]) => [...members, members[2]]],
  ["the archives the other way round", ([a, b, c]: [string, Uint8Array][]) => [a, c, b]],
  [
    "another format",
    (members: [string, Uint8Array][]) => [["debian-binary", Buffer.from("3.0\n")], ...members.slice(1)],
  ],
] as [string, (members: [string, Uint8Array][]) => [string, Uint8Array][]][])(
  "a .deb with %s is refused",
  async (_what, change) => {
    const members = readAr(await deb({ "usr/bin/tool": "program" })).map(
      ({ name, data }): [string, Uint8Array] => [name, data],
    );
    expect(await readDeb(ar(members), "tool", () => true)).toHaveLength(1);
    await expect(readDeb(ar(change(members)), "tool", () => true)).rejects.toThrow(GuestBuildError);
  },
);

test("an ar size that is not plainly decimal, or bytes behind the last member, are refused", () => {
  const archive = ar([["data", Buffer.from("abcd")]]);
  for (const size of ["0x4", "4e0", "-4", "+4", "", "4 4"]) {
    const changed = Buffer.from(archive);
    changed.write(size.padEnd(10), 8 + 48, "latin1");
    expect(() => readAr(changed), size).toThrow(/no size/);
  }
  expect(() => readAr(Buffer.concat([archive, Buffer.from("x")]))).toThrow(/bad ar header/);
});

test("a broken .deb names its package", async () => {
  const error = await readDeb(ar([["data.tar.lz", Buffer.from("x")]]), "broken", () => true).catch(
    (e: unknown) => e,
  );
  expect(error).toBeInstanceOf(GuestBuildError);
  expect(error).toMatchObject({
    packageName: "broken",
    message: expect.stringContaining("data.tar.lz") as string,
  });
});

test("cleaned paths", () => {
  expect(cleanPath("./a//b/./c/../d")).toBe("a/b/d");
  expect(cleanPath("/../../x")).toBe("x");
});

test("whatever bytes of a package are other ones, it is read or refused with its name", async () => {
  const data = await tar();
  const plain = ar([
    ["debian-binary", Buffer.from("2.0\n")],
    ["control.tar.gz", gzipSync("")],
    ["data.tar", data],
  ]);
  const packed = await deb({ "usr/bin/tool": "program" });
  const edit = fc.record({ at: fc.nat(plain.length), value: fc.nat(255), cut: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(plain, packed),
      fc.array(edit, { maxLength: 4 }),
      async (original, edits) => {
        let archive = Buffer.from(original);
        for (const { at, value, cut } of edits) {
          if (cut && value < 40) archive = archive.subarray(0, at % (archive.length + 1));
          else if (archive.length > 0) archive[at % archive.length] = value;
        }
        const files = await readDeb(archive, "tool", () => true, 1 << 20).catch((error: unknown) => {
          expect(error).toBeInstanceOf(GuestBuildError);
          expect(error).toMatchObject({ code: "package", packageName: "tool" });
        });
        for (const [path] of files ?? []) expect(path.split("/")).not.toContain("..");
      },
    ),
    { numRuns: 500 },
  );
});
