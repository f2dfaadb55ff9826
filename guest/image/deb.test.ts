import { gzipSync } from "node:zlib";
import { pack } from "tar-stream";
import { expect, test } from "vitest";
import { GuestBuildError } from "../errors.ts";
import { cleanPath, readAr, readDeb } from "./deb.ts";

function ar(members: [string, Uint8Array][]): Buffer {
  const parts = [Buffer.from("!<arch>\n")];
  for (const [name, data] of members) {
    const header = `${name.padEnd(16)}${"0".padEnd(12)}${"0".padEnd(6)}${"0".padEnd(6)}${"100644".padEnd(8)}${String(data.length).padEnd(10)}\`\n`;
    parts.push(Buffer.from(header), Buffer.from(data), Buffer.from(data.length % 2 ? "\n" : ""));
  }
  return Buffer.concat(parts);
}

async function tar(): Promise<Buffer> {
  const writer = pack();
  writer.entry({ name: "./usr/", type: "directory" });
  writer.entry({ name: "./usr/bin/tool", mode: 0o755 }, "program");
  writer.entry({ name: "./usr/bin/same", type: "link", linkname: "./usr/bin/tool" });
  writer.entry({ name: "./usr/bin/alias", type: "symlink", linkname: "tool" });
  writer.entry({ name: "./usr/share/doc/tool/copyright" }, "text");
  writer.entry({ name: "./../../etc/passwd" }, "climbing");
  writer.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of writer) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
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

test("a .deb's wanted files: modes, links, and no path that climbs out", async () => {
  const deb = ar([
    ["debian-binary", Buffer.from("2.0\n")],
    ["control.tar.gz", gzipSync("")],
    ["data.tar.gz", gzipSync(await tar())],
  ]);
  const files = new Map(await readDeb(deb, "tool", (path) => !path.startsWith("usr/share/doc/")));
  expect([...files.keys()]).toEqual(["usr/bin/tool", "usr/bin/same", "usr/bin/alias", "etc/passwd"]);
  expect(files.get("usr/bin/tool")).toEqual({ type: "file", mode: 0o755, data: Buffer.from("program") });
  expect(files.get("usr/bin/same")).toBe(files.get("usr/bin/tool"));
  expect(files.get("usr/bin/alias")).toEqual({ type: "symlink", target: "tool" });
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
