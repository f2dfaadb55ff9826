import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The functions of addon.c. Numbers are the reference's own type codes (LzImageType, QuicImageType, …). */
export interface ReferenceCodecs {
  lzEncode(
    type: number,
    width: number,
    height: number,
    topDown: number,
    stride: number,
    pixels: Uint8Array,
    out: Uint8Array,
  ): number;
  lzDecode(stream: Uint8Array, toType: number, out: Uint8Array): number;
  quicEncode(
    type: number,
    width: number,
    height: number,
    stride: number,
    pixels: Uint8Array,
    out: Uint8Array,
  ): number;
  quicDecode(stream: Uint8Array, toType: number, stride: number, out: Uint8Array): number;
  glzReset(windowPixels: number): void;
  /** `pixels` must stay alive and unchanged while the dictionary may refer to it. */
  glzEncode(
    type: number,
    width: number,
    height: number,
    topDown: number,
    stride: number,
    pixels: Uint8Array,
    out: Uint8Array,
  ): number;
  lz4Encode(
    height: number,
    stride: number,
    topDown: number,
    format: number,
    linesPerBatch: number,
    pixels: Uint8Array,
    out: Uint8Array,
  ): number;
  lz4Decode(blocks: Uint8Array, out: Uint8Array): number;
  jpegEncode(
    quality: number,
    type: number,
    width: number,
    height: number,
    stride: number,
    pixels: Uint8Array,
    out: Uint8Array,
  ): number;
  /** CPU seconds of the calling thread. */
  cpuTime(): number;
}

/** The reference could not be built here; says what is missing and how to get it. */
export class ReferenceUnavailable extends Error {
  override name = "ReferenceUnavailable";
}

const here = dirname(fileURLToPath(import.meta.url));
const cache = join(here, "..", "..", ".cache", "reference");
const BUILD_PACKAGES = [
  "gcc",
  "libc6-dev",
  "pkg-config",
  "libglib2.0-dev",
  "libspice-protocol-dev",
  "liblz4-dev",
  "libjpeg62-turbo-dev",
  "dpkg-dev",
];
const SERVER_FILES = [
  "glz-encoder.c",
  "glz-encoder.h",
  "glz-encoder-dict.c",
  "glz-encoder-dict.h",
  "glz-encoder-priv.h",
  "glz-encode.tmpl.c",
  "glz-encode-match.tmpl.c",
  "lz4-encoder.c",
  "lz4-encoder.h",
  "jpeg-encoder.c",
  "jpeg-encoder.h",
];

function output(command: string, args: readonly string[], cwd = cache): string {
  try {
    return execFileSync(command, args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  } catch (error) {
    const { stderr, message } = error as { stderr?: string; message: string };
    throw new ReferenceUnavailable(
      `${command} ${args.slice(0, 4).join(" ")} … failed: ${stderr?.trim() || message}`,
    );
  }
}

function installBuildPackages(): void {
  const missing = BUILD_PACKAGES.filter((name) => {
    try {
      return !output("dpkg-query", ["-W", "-f", "${Status}", name]).includes("install ok installed");
    } catch {
      return true;
    }
  });
  if (missing.length === 0) return;
  if (process.getuid?.() !== 0) {
    throw new ReferenceUnavailable(`the C side needs packages: sudo apt-get install ${missing.join(" ")}`);
  }
  output("apt-get", ["update"]);
  output("apt-get", ["install", "-y", "--no-install-recommends", ...missing]);
}

/** Fetches the Debian source package "spice" with a source list derived from the machine's own binary one. */
function fetchSource(): string {
  const found = () => readdirSync(cache).find((name) => /^spice-\d/.test(name));
  const existing = found();
  if (existing) return join(cache, existing);
  const lists = join(cache, "lists");
  const parts = join(cache, "sources.list.d");
  mkdirSync(join(lists, "partial"), { recursive: true });
  mkdirSync(parts, { recursive: true });
  const system = "/etc/apt/sources.list.d";
  for (const name of existsSync(system) ? readdirSync(system) : []) {
    const text = readFileSync(join(system, name), "utf8");
    if (name.endsWith(".sources"))
      writeFileSync(join(parts, name), text.replace(/^Types:.*$/gm, "Types: deb-src"));
    if (name.endsWith(".list")) writeFileSync(join(parts, name), text.replace(/^deb\s/gm, "deb-src "));
  }
  if (existsSync("/etc/apt/sources.list")) {
    writeFileSync(
      join(parts, "main.list"),
      readFileSync("/etc/apt/sources.list", "utf8").replace(/^deb\s/gm, "deb-src "),
    );
  }
  const options = [
    "-o",
    "Dir::Etc::sourcelist=/dev/null",
    "-o",
    `Dir::Etc::sourceparts=${parts}`,
    "-o",
    `Dir::State::lists=${lists}`,
  ];
  output("apt-get", [...options, "update"]);
  output("apt-get", [...options, "source", "spice"]);
  const fetched = found();
  if (!fetched) throw new ReferenceUnavailable("apt-get source spice left no folder spice-*");
  return join(cache, fetched);
}

/** Headers that the server's files expect from its build system, reduced to what the encoders use. */
const STUBS: Record<string, string> = {
  "config.h": "#define USE_LZ4 1\n",
  "red-common.h":
    '#include <stdbool.h>\n#include <stdint.h>\n#include <spice/macros.h>\n#include "common/log.h"\n#include "common/mem.h"\n',
};

/**
 * Builds (once) and loads the reference codecs: Debian's spice sources, unmodified, at -O2 as Debian ships them.
 * @throws ReferenceUnavailable where the packages or the source cannot be had.
 */
export function loadReference(): ReferenceCodecs {
  const product = join(cache, "reference.node");
  if (!existsSync(product)) {
    mkdirSync(cache, { recursive: true });
    installBuildPackages();
    const source = fetchSource();
    const build = join(cache, "build");
    rmSync(build, { recursive: true, force: true });
    mkdirSync(build);
    for (const [name, text] of Object.entries(STUBS)) writeFileSync(join(build, name), text);
    for (const name of SERVER_FILES) copyFileSync(join(source, "server", name), join(build, name));
    const common = join(source, "subprojects", "spice-common");
    const flags = (which: string, ...names: string[]) =>
      output("pkg-config", [which, ...names])
        .trim()
        .split(/\s+/);
    const nodeHeaders = join(dirname(process.execPath), "..", "include", "node");
    if (!existsSync(join(nodeHeaders, "node_api.h"))) {
      throw new ReferenceUnavailable(
        `Node's headers are not at ${nodeHeaders}; install them (libnode-dev) or use Node's own archive`,
      );
    }
    output("gcc", [
      "-O2",
      "-fPIC",
      "-shared",
      "-w",
      "-o",
      product,
      `-I${build}`,
      `-I${common}`,
      `-I${nodeHeaders}`,
      ...flags("--cflags", "glib-2.0", "spice-protocol"),
      join(here, "addon.c"),
      ...["quic", "lz", "mem", "log", "backtrace"].map((name) => join(common, "common", `${name}.c`)),
      ...SERVER_FILES.filter((name) => name.endsWith(".c") && !name.includes(".tmpl.")).map((name) =>
        join(build, name),
      ),
      ...flags("--libs", "glib-2.0", "liblz4"),
      "-ljpeg",
      "-lpthread",
    ]);
  }
  return createRequire(import.meta.url)(product) as ReferenceCodecs;
}
