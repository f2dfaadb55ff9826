import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
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
  /** `toType`: the stream's own type, or 8 (RGB32) with a palette of the 1, 4 and 8 bit types. */
  lzDecode(stream: Uint8Array, toType: number, out: Uint8Array, palette?: Uint32Array): number;
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
  /** Forgets the images that glzDecode keeps. */
  glzDecodeReset(): void;
  /** spice-gtk's decoder: pixels of 32 bits, in the order of the stream. */
  glzDecode(stream: Uint8Array, out: Uint8Array): number;
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
  /** libjpeg, to R, G, B; a warning is an error. */
  jpegDecode(stream: Uint8Array, out: Uint8Array): number;
  /** libjpeg from R, G, B; `h`, `v`: sampling of the luma; `kind` 0 YCbCr, 1 RGB, 2 gray, 3 a scan per component, 4 progressive. */
  jpegCompress(
    quality: number,
    width: number,
    height: number,
    h: number,
    v: number,
    restartInterval: number,
    kind: number,
    rgb: Uint8Array,
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

const CLIENT_FILES = ["decode-glz.c", "decode-glz-tmpl.c"];

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

/** apt's options for a list of sources derived from the machine's own list of binary packages. */
function sourceLists(): string[] {
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
  const settings = [
    "Dir::Etc::sourcelist=/dev/null",
    `Dir::Etc::sourceparts=${parts}`,
    `Dir::State::lists=${lists}`,
  ];
  return settings.flatMap((setting) => ["-o", setting]);
}

/** Fetches Debian source packages; returns their folders. */
function fetchSources(...names: string[]): string[] {
  const found = (name: string) =>
    readdirSync(cache, { withFileTypes: true }).find(
      (entry) =>
        entry.isDirectory() &&
        entry.name.startsWith(`${name}-`) &&
        /^\d/.test(entry.name.slice(name.length + 1)),
    )?.name;
  const missing = names.filter((name) => found(name) === undefined);
  if (missing.length > 0) {
    const options = sourceLists();
    output("apt-get", [...options, "update"]);
    output("apt-get", [...options, "source", ...missing]);
  }
  return names.map((name) => {
    const folder = found(name);
    if (folder === undefined)
      throw new ReferenceUnavailable(`apt-get source ${name} left no folder ${name}-*`);
    return join(cache, folder);
  });
}

/** The interface of decode-glz.c of spice-gtk, and where it puts the pixels: pixman's images are reduced to their memory. */
const GLZ_DECODER = `#pragma once
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <glib.h>
#include "common/lz_common.h"
#include "common/draw.h"
typedef struct SpiceGlzDecoder SpiceGlzDecoder;
typedef struct { void (*decode)(SpiceGlzDecoder *, uint8_t *, SpicePalette *, void *); } SpiceGlzDecoderOps;
struct SpiceGlzDecoder { SpiceGlzDecoderOps *ops; };
typedef struct SpiceGlzDecoderWindow SpiceGlzDecoderWindow;
SpiceGlzDecoderWindow *glz_decoder_window_new(void);
void glz_decoder_window_destroy(SpiceGlzDecoderWindow *);
SpiceGlzDecoder *glz_decoder_new(SpiceGlzDecoderWindow *);
void glz_decoder_destroy(SpiceGlzDecoder *);
/* The last image: valid until the next is decoded. */
typedef struct { uint8_t *pixels; size_t length; } GlzOutput;
`;
const CANVAS_UTILS = `#pragma once
typedef struct { uint8_t *pixels, *data; int references; } pixman_image_t;
enum { PIXMAN_LE_a8r8g8b8, PIXMAN_LE_x8r8g8b8 };
static inline pixman_image_t *pixman_image_ref(pixman_image_t *image) { image->references++; return image; }
static inline void *pixman_image_get_data(pixman_image_t *image) { return image->data; }
static inline void pixman_image_unref(pixman_image_t *image)
{
    free(image->pixels);
    free(image);
}
static inline pixman_image_t *alloc_lz_image_surface(GlzOutput *output, int format, int width, int height, int pixels, int top_down)
{
    pixman_image_t *image = calloc(1, sizeof *image);
    image->pixels = calloc(pixels, 4);
    image->data = top_down ? image->pixels : image->pixels + (size_t)width * (height - 1) * 4;
    output->pixels = image->pixels;
    output->length = (size_t)pixels * 4;
    return image;
}
`;

/** Headers that the files expect from their build systems, reduced to what the codecs use. */
const STUBS: Record<string, string> = {
  "glz-decoder.h": GLZ_DECODER,
  "gtk/decode.h": '#include "glz-decoder.h"\n',
  "gtk/spice-util.h": "#define SPICE_DEBUG(...) ((void)0)\n",
  "gtk/gio-coroutine.h":
    "#define g_coroutine_self() NULL\n#define g_coroutine_condition_wait(self, ready, data) (ready)(data)\n",
  "gtk/common/canvas_utils.h": CANVAS_UTILS,
  "config.h": "#define USE_LZ4 1\n",
  "red-common.h":
    '#include <stdbool.h>\n#include <stdint.h>\n#include <spice/macros.h>\n#include "common/log.h"\n#include "common/mem.h"\n',
};

/**
 * Builds (once) and loads the reference codecs: Debian's spice and spice-gtk sources, unmodified, at -O2 as Debian ships them.
 * @throws ReferenceUnavailable where the packages or the source cannot be had.
 */
export function loadReference(): ReferenceCodecs {
  const product = join(cache, "reference.node");
  const newest = Math.max(...["addon.c", "build.ts"].map((name) => statSync(join(here, name)).mtimeMs));
  if (!existsSync(product) || statSync(product).mtimeMs < newest) {
    mkdirSync(cache, { recursive: true });
    installBuildPackages();
    const [source, gtk] = fetchSources("spice", "spice-gtk");
    const build = join(cache, "build");
    rmSync(build, { recursive: true, force: true });
    mkdirSync(join(build, "gtk", "common"), { recursive: true });
    for (const [name, text] of Object.entries(STUBS)) writeFileSync(join(build, name), text);
    for (const name of CLIENT_FILES) copyFileSync(join(gtk, "src", name), join(build, "gtk", name));
    for (const name of SERVER_FILES) copyFileSync(join(source, "server", name), join(build, name));
    const common = join(source, "subprojects", "spice-common");
    const flags = (which: string, ...names: string[]) =>
      output("pkg-config", [which, ...names])
        .trim()
        .split(/\s+/);
    const nodeHeaders = dirname(
      createRequire(import.meta.url).resolve("node-api-headers/include/node_api.h"),
    );
    const compile = ["-O2", "-fPIC", "-w", ...flags("--cflags", "glib-2.0", "spice-protocol")];
    // The client's file includes other headers by the same names: it is compiled by itself.
    const client = join(build, "decode-glz.o");
    const clientPaths = [`-I${join(build, "gtk")}`, `-I${build}`, `-I${common}`];
    output("gcc", [...compile, ...clientPaths, "-c", "-o", client, join(build, "gtk", "decode-glz.c")]);
    output("gcc", [
      ...compile,
      "-shared",
      "-o",
      product,
      `-I${build}`,
      `-I${common}`,
      `-I${nodeHeaders}`,
      join(here, "addon.c"),
      client,
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
