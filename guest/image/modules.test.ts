import { expect, test } from "vitest";
import { moduleName, orderModules, readModuleDepends } from "./modules.ts";

/** The smallest ELF file with a .modinfo section. */
function module(depends: string): Uint8Array {
  const names = Buffer.from("\0.modinfo\0.shstrtab\0");
  const modinfo = Buffer.from(`license=GPL\0depends=${depends}\0name=x\0`);
  const header = Buffer.alloc(52);
  header.set([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1]);
  const table = 52 + names.length + modinfo.length;
  header.writeUInt32LE(table, 32);
  header.writeUInt16LE(40, 46);
  header.writeUInt16LE(3, 48);
  header.writeUInt16LE(2, 50);
  const section = (name: number, type: number, offset: number, size: number) => {
    const entry = Buffer.alloc(40);
    [name, type, 0, 0, offset, size].forEach((value, i) => entry.writeUInt32LE(value, i * 4));
    return entry;
  };
  return Buffer.concat([
    header,
    names,
    modinfo,
    section(0, 0, 0, 0),
    section(1, 1, 52 + names.length, modinfo.length),
    section(10, 3, 52, names.length),
  ]);
}

const FILES = new Map(
  Object.entries({
    qxl: "drm,drm_ttm_helper",
    drm: "",
    drm_ttm_helper: "ttm,drm",
    ttm: "i2c-core",
    virtio_pci: "",
  }).map(([name, depends]) => [name, { path: `${name}.ko`, data: module(depends) }]),
);

test("names and dependencies are the same with either sign", () => {
  expect(moduleName("usr/lib/modules/6.1/kernel/snd-ens1371.ko")).toBe("snd_ens1371");
  expect(readModuleDepends(module("a-b,c_d"))).toEqual(["a_b", "c_d"]);
  expect(readModuleDepends(module(""))).toEqual([]);
});

test("dependencies come first, once, and not when built in", () => {
  expect(orderModules(["virtio-pci", "qxl", "ttm"], FILES, new Set(["i2c_core"]))).toEqual([
    "virtio_pci",
    "drm",
    "ttm",
    "drm_ttm_helper",
    "qxl",
  ]);
});

test("a missing dependency is named with who needs it", () => {
  expect(() => orderModules(["qxl"], FILES, new Set())).toThrow("no module i2c_core, which ttm needs");
});
