import { once } from "node:events";
import { gunzipSync } from "node:zlib";
import { extract, type Header } from "tar-stream";
import { GuestBuildError, reasonOf } from "../errors.ts";
import { MAX_PACKAGE_FILE_BYTES, MAX_PACKAGE_FILES, MAX_PACKAGE_UNPACKED_BYTES } from "../limits.ts";
import { unpackXz } from "../unxz.ts";
import type { TreeNode } from "./tree.ts";

/** One member of an ar archive. */
export interface ArMember {
  name: string;
  data: Uint8Array;
}

/**
 * Reads an ar archive (the outer format of a .deb): 8 bytes magic, then 60-byte headers in ASCII, data padded to 2.
 * All of it: a number that is not plainly decimal, or bytes that belong to no member, are refused.
 */
export function readAr(archive: Uint8Array): ArMember[] {
  const ascii = (start: number, end: number) => Buffer.from(archive.subarray(start, end)).toString("latin1");
  if (ascii(0, 8) !== "!<arch>\n") throw new Error("not an ar archive");
  const members: ArMember[] = [];
  let offset = 8;
  while (offset < archive.length) {
    const header = ascii(offset, offset + 60);
    const match = /^([!-~]{1,16}) *$/.exec(header.slice(0, 16));
    if (header.length !== 60 || !header.endsWith("`\n") || match === null)
      throw new Error(`bad ar header at byte ${offset}`);
    const name = match[1].replace(/\/$/, "");
    const digits = /^(\d{1,10}) *$/.exec(header.slice(48, 58));
    if (digits === null) throw new Error(`the ar member ${name} has no size`);
    const size = Number(digits[1]);
    const start = offset + 60;
    offset = start + size + (size & 1);
    if (offset > archive.length) throw new Error(`the ar member ${name} is cut short`);
    members.push({ name, data: archive.subarray(start, start + size) });
  }
  return members;
}

/** Takes a .deb's data archive: the third and last member (deb(5)). */
function dataMember(deb: Uint8Array): ArMember {
  const members = readAr(deb);
  const names = members.map(({ name }) => name);
  const [format, control, data] = names;
  if (
    names.length !== 3 ||
    format !== "debian-binary" ||
    !/^control\.tar(?:\.[a-z]+)?$/.test(control) ||
    !/^data\.tar(?:\.[a-z]+)?$/.test(data)
  )
    throw new Error(
      `its members are ${names.join(", ")} instead of debian-binary, control.tar.*, data.tar.*`,
    );
  if (!/^2\.\d+\n$/.test(Buffer.from(members[0].data).toString("latin1")))
    throw new Error("its format is not 2.x");
  return members[2];
}

/** Unpacks what Debian 12 packs with: xz, and before that gzip. */
async function unpack(member: ArMember, limit: number): Promise<Uint8Array> {
  const extension = member.name.slice(member.name.lastIndexOf(".") + 1);
  if (extension === "xz") return unpackXz(member.data, limit);
  if (extension === "gz") return gunzipSync(member.data, { maxOutputLength: limit });
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

/** A member's path; one that could mean another place, or that another reader would cut short, is refused. */
function memberPath(name: string): string {
  // eslint-disable-next-line no-control-regex -- exactly those are looked for
  if (name.startsWith("/") || name.split("/").includes("..") || /[\u0000-\u001f\u007f]/.test(name))
    throw new Error(`it has a file with the path ${JSON.stringify(name)}`);
  return cleanPath(name);
}

/**
 * Reads the files of a tar archive that `keep` wants (it is given the cleaned path). Hard links become copies; device
 * nodes and folders are left out: folders come from the files in them.
 */
export async function readTar(
  archive: Uint8Array,
  keep: (path: string) => boolean,
): Promise<[string, TreeNode][]> {
  const entries = new Map<string, TreeNode>();
  const seen = new Set<string>();
  let count = 0;
  const add = (header: Header, chunks: readonly Buffer[]) => {
    if (++count > MAX_PACKAGE_FILES) throw new Error(`it has more than ${MAX_PACKAGE_FILES} files`);
    const path = memberPath(header.name);
    seen.add(path);
    if (!keep(path)) return;
    const isFile = header.type === "file" || header.type === "contiguous-file";
    if (isFile)
      entries.set(path, { type: "file", mode: (header.mode ?? 0o644) & 0o7777, data: Buffer.concat(chunks) });
    else if (header.type === "symlink") entries.set(path, { type: "symlink", target: header.linkname ?? "" });
    else if (header.type === "link") {
      const target = memberPath(header.linkname ?? "");
      const original = entries.get(target);
      if (original !== undefined) entries.set(path, original);
      else if (!seen.has(target))
        throw new Error(`its ${path} is a link to ${target}, which it does not have`);
    }
  };
  const reader = extract();
  reader.on("entry", (header, stream, next) => {
    const chunks: Buffer[] = [];
    if ((header.size ?? 0) > MAX_PACKAGE_FILE_BYTES) {
      next(new Error(`its file ${JSON.stringify(header.name)} has ${header.size} bytes`));
      return;
    }
    stream.on("data", (chunk) => chunks.push(chunk as Buffer));
    stream.on("error", next);
    stream.on("end", () => {
      try {
        add(header, chunks);
        next();
      } catch (error) {
        next(error instanceof Error ? error : new Error(reasonOf(error)));
      }
    });
  });
  const finished = once(reader, "finish");
  reader.end(Buffer.from(archive.buffer, archive.byteOffset, archive.length));
  await finished;
  return [...entries];
}

/** Reads the wanted files of a .deb's data archive; maintainer scripts are not looked at. */
export async function readDeb(
  deb: Uint8Array,
  packageName: string,
  keep: (path: string) => boolean,
  limit: number = MAX_PACKAGE_UNPACKED_BYTES,
): Promise<[string, TreeNode][]> {
  try {
    return await readTar(await unpack(dataMember(deb), limit), keep);
  } catch (error) {
    throw new GuestBuildError("package", `Package ${packageName} cannot be unpacked: ${reasonOf(error)}.`, {
      packageName,
      cause: error,
    });
  }
}
