import { once } from "node:events";
import { gunzipSync } from "node:zlib";
import { decompress as unpackZstd } from "fzstd";
import { extract } from "tar-stream";
import { GuestBuildError, reasonOf } from "../errors.ts";
import { MAX_PACKAGE_FILE_BYTES } from "../limits.ts";
import { unpackXz } from "../unxz.ts";
import type { TreeNode } from "./tree.ts";

/** One member of an ar archive. */
export interface ArMember {
  name: string;
  data: Uint8Array;
}

/** Reads an ar archive (the outer format of a .deb): 8 bytes magic, then 60-byte headers in ASCII, data padded to 2. */
export function readAr(archive: Uint8Array): ArMember[] {
  const ascii = (start: number, end: number) => Buffer.from(archive.subarray(start, end)).toString("latin1");
  if (ascii(0, 8) !== "!<arch>\n") throw new Error("not an ar archive");
  const members: ArMember[] = [];
  for (let offset = 8; offset + 60 <= archive.length;) {
    if (ascii(offset + 58, offset + 60) !== "`\n") throw new Error(`bad ar header at byte ${offset}`);
    const name = ascii(offset, offset + 16)
      .trimEnd()
      .replace(/\/$/, "");
    const size = Number(ascii(offset + 48, offset + 58).trim());
    const start = offset + 60;
    if (!Number.isSafeInteger(size) || size < 0 || start + size > archive.length)
      throw new Error(`the ar member ${name} is cut short`);
    members.push({ name, data: archive.subarray(start, start + size) });
    offset = start + size + (size & 1);
  }
  return members;
}

async function unpack(member: ArMember): Promise<Uint8Array> {
  const extension = member.name.slice(member.name.lastIndexOf(".") + 1);
  if (extension === "xz") return unpackXz(member.data);
  if (extension === "zst") return unpackZstd(member.data);
  if (extension === "gz") return gunzipSync(member.data);
  if (extension === "tar") return member.data;
  throw new Error(`${member.name}: this compression is not known`);
}

/** The path below the root that an archive member or an absolute link means: no `./`, no `/`, no `..` that climbs out. */
export function cleanPath(path: string): string {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part === "..") parts.pop();
    else parts.push(part);
  }
  return parts.join("/");
}

/**
 * Reads the files of a tar archive that `keep` wants (it is given the cleaned path). Hard links become copies; device
 * nodes and folders are left out: folders come from the files in them.
 */
export async function readTar(
  archive: Uint8Array,
  keep: (path: string) => boolean,
): Promise<[string, TreeNode][]> {
  const entries: [string, TreeNode][] = [];
  const reader = extract();
  reader.on("entry", (header, stream, next) => {
    const path = cleanPath(header.name);
    const chunks: Buffer[] = [];
    const wanted = keep(path) && (header.size ?? 0) <= MAX_PACKAGE_FILE_BYTES;
    stream.on("data", (chunk) => {
      if (wanted) chunks.push(chunk as Buffer);
    });
    stream.on("error", next);
    stream.on("end", () => {
      const mode = (header.mode ?? 0o644) & 0o7777;
      if (!wanted) next();
      else {
        if (header.type === "file" || header.type === "contiguous-file")
          entries.push([path, { type: "file", mode, data: Buffer.concat(chunks) }]);
        else if (header.type === "symlink")
          entries.push([path, { type: "symlink", target: header.linkname ?? "" }]);
        else if (header.type === "link") {
          const original = entries.find(([name]) => name === cleanPath(header.linkname ?? ""));
          if (original !== undefined) entries.push([path, original[1]]);
        }
        next();
      }
    });
  });
  const finished = once(reader, "finish");
  reader.end(Buffer.from(archive.buffer, archive.byteOffset, archive.length));
  await finished;
  return entries;
}

/** Reads the wanted files of a .deb's data archive; maintainer scripts are not looked at. */
export async function readDeb(
  deb: Uint8Array,
  packageName: string,
  keep: (path: string) => boolean,
): Promise<[string, TreeNode][]> {
  try {
    const data = readAr(deb).find(({ name }) => name.startsWith("data.tar"));
    if (data === undefined) throw new Error("it has no data archive");
    return await readTar(await unpack(data), keep);
  } catch (error) {
    throw new GuestBuildError("package", `Package ${packageName} cannot be unpacked: ${reasonOf(error)}.`, {
      packageName,
      cause: error,
    });
  }
}
