/** Layout: ELF header, three program headers, then everything else in one segment that is mapped at address 0. */
const EHDR_SIZE = 52;
const PHDR_SIZE = 32;
const SYM_SIZE = 16;
/** `xor eax, eax; ret`: every function answers 0. */
const CODE = Uint8Array.of(0x31, 0xc0, 0xc3, 0x90);

/**
 * Makes a shared library (ELF32, i386) whose functions all return 0.
 *
 * icewm is linked to librsvg with BIND_NOW, so the library and the four functions it uses must exist, but they are
 * called for SVG icons only, and a null handle means "cannot be read" there. The real one brings 31 MB along.
 */
export function makeStubLibrary(soname: string, functions: readonly string[]): Uint8Array {
  const names = Buffer.from(`\0${[soname, ...functions].join("\0")}\0`);
  const nameOffset = (name: string) => names.indexOf(`\0${name}\0`) + 1;
  const symbolCount = functions.length + 1;

  const align = (value: number) => (value + 15) & ~15;
  const symbols = align(EHDR_SIZE + 3 * PHDR_SIZE);
  // SysV hash table: one bucket with all symbols in a chain, so that no hash needs computing.
  const hash = symbols + symbolCount * SYM_SIZE;
  const hashSize = (2 + 1 + symbolCount) * 4;
  const strings = hash + hashSize;
  const code = align(strings + names.length);
  const dynamic = code + CODE.length;
  const tags: [number, number][] = [
    [14, nameOffset(soname)], // DT_SONAME
    [4, hash], // DT_HASH
    [5, strings], // DT_STRTAB
    [6, symbols], // DT_SYMTAB
    [10, names.length], // DT_STRSZ
    [11, SYM_SIZE], // DT_SYMENT
    [0, 0],
  ];
  const size = dynamic + tags.length * 8;

  const file = Buffer.alloc(size);
  Buffer.from([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1]).copy(file);
  file.writeUInt16LE(3, 16); // ET_DYN
  file.writeUInt16LE(3, 18); // EM_386
  file.writeUInt32LE(1, 20);
  file.writeUInt32LE(EHDR_SIZE, 28); // e_phoff
  file.writeUInt16LE(EHDR_SIZE, 40);
  file.writeUInt16LE(PHDR_SIZE, 42);
  file.writeUInt16LE(3, 44);
  file.writeUInt16LE(40, 46); // e_shentsize of no sections

  const segment = (
    i: number,
    type: number,
    offset: number,
    length: number,
    flags: number,
    alignment: number,
  ) =>
    [type, offset, offset, offset, length, length, flags, alignment].forEach((value, field) =>
      file.writeUInt32LE(value, EHDR_SIZE + i * PHDR_SIZE + field * 4),
    );
  segment(0, 1, 0, size, 7, 0x1000); // PT_LOAD; writable: the loader relocates the dynamic section in place
  segment(1, 2, dynamic, tags.length * 8, 6, 4); // PT_DYNAMIC
  segment(2, 0x6474e551, 0, 0, 6, 16); // PT_GNU_STACK: without it the loader makes the stack executable

  functions.forEach((name, i) => {
    const at = symbols + (i + 1) * SYM_SIZE;
    file.writeUInt32LE(nameOffset(name), at);
    file.writeUInt32LE(code, at + 4);
    file.writeUInt32LE(CODE.length, at + 8);
    file.writeUInt8(0x12, at + 12); // STB_GLOBAL, STT_FUNC
    file.writeUInt16LE(1, at + 14); // any section that is not SHN_UNDEF
  });
  file.writeUInt32LE(1, hash);
  file.writeUInt32LE(symbolCount, hash + 4);
  file.writeUInt32LE(functions.length > 0 ? 1 : 0, hash + 8);
  for (let i = 1; i < symbolCount; i++)
    file.writeUInt32LE(i + 1 < symbolCount ? i + 1 : 0, hash + 12 + i * 4);
  names.copy(file, strings);
  file.set(CODE, code);
  tags.forEach(([tag, value], i) => {
    file.writeUInt32LE(tag, dynamic + i * 8);
    file.writeUInt32LE(value, dynamic + i * 8 + 4);
  });
  return file;
}
