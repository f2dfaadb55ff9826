const PT_LOAD = 1;
const PT_DYNAMIC = 2;
const DT_NEEDED = 1;
const DT_STRTAB = 5;
const DT_SONAME = 14;
const DT_RPATH = 15;
const DT_RUNPATH = 29;
const SHT_NULL = 0;

/** A program header of an ELF32 file; addresses and sizes in bytes. */
export interface Segment {
  type: number;
  offset: number;
  virtualAddress: number;
  physicalAddress: number;
  fileSize: number;
  memorySize: number;
  flags: number;
}

/** A section of an ELF32 file. */
export interface Section {
  name: string;
  type: number;
  offset: number;
  size: number;
}

/** What a dynamically linked ELF32 file says about its libraries. */
export interface DynamicInfo {
  needed: string[];
  soname: string | undefined;
  runpath: string[];
}

function viewOf(data: Uint8Array): DataView {
  return new DataView(data.buffer, data.byteOffset, data.byteLength);
}

/** True for a little-endian 32-bit ELF file. */
export function isElf32(data: Uint8Array): boolean {
  return data.length >= 52 && viewOf(data).getUint32(0) === 0x7f454c46 && data[4] === 1 && data[5] === 1;
}

/** Program headers (ELF header: e_phoff at 28, e_phentsize at 42, e_phnum at 44). */
export function readSegments(data: Uint8Array): Segment[] {
  if (!isElf32(data)) throw new Error("not a 32-bit ELF file");
  const view = viewOf(data);
  const table = view.getUint32(28, true);
  const size = view.getUint16(42, true);
  return Array.from({ length: view.getUint16(44, true) }, (_, i) => {
    const field = (n: number) => view.getUint32(table + i * size + n * 4, true);
    return {
      type: field(0),
      offset: field(1),
      virtualAddress: field(2),
      physicalAddress: field(3),
      fileSize: field(4),
      memorySize: field(5),
      flags: field(6),
    };
  });
}

/** Loadable segments, in the file's order. */
export function readLoads(data: Uint8Array): Segment[] {
  return readSegments(data).filter(({ type }) => type === PT_LOAD);
}

/** Entry point (virtual address; for a kernel's vmlinux the physical one). */
export function readEntry(data: Uint8Array): number {
  return viewOf(data).getUint32(24, true);
}

function cString(data: Uint8Array, offset: number): string {
  const end = data.indexOf(0, offset);
  return Buffer.from(data.subarray(offset, end < 0 ? data.length : end)).toString("latin1");
}

/** Sections with their names (ELF header: e_shoff at 32, e_shentsize at 46, e_shnum at 48, e_shstrndx at 50). */
export function readSections(data: Uint8Array): Section[] {
  if (!isElf32(data)) throw new Error("not a 32-bit ELF file");
  const view = viewOf(data);
  const table = view.getUint32(32, true);
  const size = view.getUint16(46, true);
  const header = (i: number, n: number) => view.getUint32(table + i * size + n * 4, true);
  const names = header(view.getUint16(50, true), 4);
  return Array.from({ length: view.getUint16(48, true) }, (_, i) => ({
    name: cString(data, names + header(i, 0)),
    type: header(i, 1),
    offset: header(i, 4),
    size: header(i, 5),
  })).filter(({ type }) => type !== SHT_NULL);
}

/** The dynamic section; undefined for a static program. The string table's address is mapped through PT_LOAD. */
export function readDynamic(data: Uint8Array): DynamicInfo | undefined {
  const segments = readSegments(data);
  const dynamic = segments.find(({ type }) => type === PT_DYNAMIC);
  if (dynamic === undefined) return undefined;
  const view = viewOf(data);
  const entries: [tag: number, value: number][] = [];
  for (let at = dynamic.offset; at + 8 <= dynamic.offset + dynamic.fileSize; at += 8) {
    const tag = view.getUint32(at, true);
    if (tag === 0) break;
    entries.push([tag, view.getUint32(at + 4, true)]);
  }
  const address = entries.find(([tag]) => tag === DT_STRTAB)?.[1] ?? 0;
  const load = segments.find(
    ({ type, virtualAddress, fileSize }) =>
      type === PT_LOAD && address >= virtualAddress && address < virtualAddress + fileSize,
  );
  if (load === undefined) throw new Error("the string table is in no loaded segment");
  const strings = address - load.virtualAddress + load.offset;
  const texts = (wanted: number) =>
    entries.filter(([tag]) => tag === wanted).map(([, value]) => cString(data, strings + value));
  return {
    needed: texts(DT_NEEDED),
    soname: texts(DT_SONAME)[0],
    runpath: [...texts(DT_RPATH), ...texts(DT_RUNPATH)].flatMap((path) => path.split(":")),
  };
}
