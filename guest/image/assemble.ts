import type { FetchedPackage } from "../archive/pool.ts";
import { GuestBuildError } from "../errors.ts";
import { unpackBzImage } from "../kernel/bzimage.ts";
import { CMDLINE, type LevelRecipe } from "../levels.ts";
import { writeCpio } from "./cpio.ts";
import { readDeb } from "./deb.ts";
import { indexFonts } from "./fonts.ts";
import { type ModuleFiles, moduleName, orderModules } from "./modules.ts";
import { applyOverlay } from "./overlay.ts";
import { patternTest, selectFiles } from "./select.ts";
import { makeStubLibrary } from "./stub.ts";
import { Tree } from "./tree.ts";

/** What is made of the packages: the four files that a machine boots. */
export interface Image {
  kernel: Uint8Array;
  initrd: Uint8Array;
  bios: Uint8Array;
  vgaBios: Uint8Array;
  cmdline: string;
}

/** The functions of librsvg that icewm is linked to. */
const RSVG_FUNCTIONS = [
  "rsvg_handle_new_from_data",
  "rsvg_handle_close",
  "rsvg_handle_get_pixbuf",
  "rsvg_handle_get_dimensions",
];
const RSVG_SONAME = "librsvg-2.so.2";

const isKernelFile = patternTest([
  "boot/vmlinuz-*",
  "usr/lib/modules/*/modules.builtin",
  "usr/lib/modules/**.ko",
]);

function dataOf(tree: Tree, path: string): Uint8Array {
  const found = tree.resolve(path);
  if (found?.node.type !== "file") throw new GuestBuildError("image", `The packages have no file ${path}.`);
  return found.node.data;
}

/** Takes the kernel's files out of the tree: the image, and the modules by name. */
function splitKernel(all: Tree): { bzImage: Uint8Array; modules: ModuleFiles; builtin: Set<string> } {
  const paths = [...all.paths()].filter(isKernelFile);
  const modules = new Map<string, { path: string; data: Uint8Array }>();
  for (const path of paths.filter((name) => name.endsWith(".ko")))
    modules.set(moduleName(path), { path, data: dataOf(all, path) });
  const image = paths.find((path) => path.startsWith("boot/"));
  const builtinList = paths.find((path) => path.endsWith("/modules.builtin"));
  if (image === undefined || builtinList === undefined)
    throw new GuestBuildError("image", "The kernel package has no kernel image or no modules.builtin.");
  const builtin = Buffer.from(dataOf(all, builtinList)).toString("utf8").split("\n").map(moduleName);
  return { bzImage: dataOf(all, image), modules, builtin: new Set(builtin) };
}

/** Puts modules into the guest with the list that init reads: one path a line, dependencies first. */
function addModules(
  tree: Tree,
  recipe: LevelRecipe,
  modules: ModuleFiles,
  builtin: ReadonlySet<string>,
): void {
  const order = orderModules(recipe.modules, modules, builtin);
  for (const name of order)
    tree.file(`usr/lib/modules/${name}.ko`, modules.get(name)?.data ?? new Uint8Array());
  tree.file("usr/lib/modules/boot.list", order.map((name) => `/usr/lib/modules/${name}.ko\n`).join(""));
}

/**
 * Makes a level's files out of its packages.
 * @param overlay the files of one of the recipe's overlays, by their path in the guest.
 * @param onUnpacked called with the number of packages unpacked so far.
 */
export async function assembleImage(
  recipe: LevelRecipe,
  packages: readonly FetchedPackage[],
  overlay: (name: string) => Iterable<readonly [path: string, data: Uint8Array]>,
  onUnpacked: (done: number, name: string) => void,
  onNote: (text: string) => void,
): Promise<Image> {
  const all = new Tree();
  const dropped = patternTest(recipe.drops);
  for (const [i, { file, deb }] of packages.entries()) {
    const files = await readDeb(deb, file.name, (name) => !dropped(name));
    for (const [name, node] of files) all.set(name, node);
    onUnpacked(i + 1, file.name);
  }
  const { bzImage, modules, builtin } = splitKernel(all);

  const wantsRsvg = recipe.seeds.includes("usr/bin/icewm");
  if (wantsRsvg)
    all.file(`usr/lib/i386-linux-gnu/${RSVG_SONAME}`, makeStubLibrary(RSVG_SONAME, RSVG_FUNCTIONS), 0o644);
  const { tree, missing } = selectFiles(all, recipe.seeds, recipe.drops);
  for (const [library, users] of missing)
    onNote(`No package has the library ${library}, which ${users.join(", ")} needs.`);
  indexFonts(tree);
  addModules(tree, recipe, modules, builtin);
  for (const name of recipe.overlays) applyOverlay(tree, overlay(name));

  return {
    kernel: await unpackBzImage(bzImage),
    initrd: writeCpio(tree.entries()),
    bios: dataOf(all, "usr/share/seabios/bios.bin"),
    vgaBios: dataOf(all, "usr/share/seabios/vgabios-qxl.bin"),
    cmdline: CMDLINE,
  };
}
