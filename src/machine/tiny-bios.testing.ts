/** Firmware of a few bytes, for tests of what a CPU does: no BIOS of anybody's is needed. */

const BIOS_BYTES = 0x10000;
/** Where a CPU begins: F000:FFF0. */
const RESET_VECTOR = 0xfff0;
const PAYLOAD = 0x100;

/** Machine code from hexadecimal lines. */
const bytesOf = (...lines: readonly string[]): number[] => [...Buffer.from(lines.join(""), "hex")];

/** A BIOS that is this code, run in place at F000:0000 with interrupts off. */
export const biosOf = (code: readonly number[]): ArrayBuffer => {
  const bios = new Uint8Array(BIOS_BYTES);
  bios.set(code);
  bios.set([0xea, 0x00, 0x00, 0x00, 0xf0], RESET_VECTOR); // ljmp $0xf000,$0
  return bios.buffer;
};

/** A BIOS that copies this code to 0000:7C00, where boot sectors lie, and runs it there with interrupts off. */
export const bootSectorBios = (code: readonly number[]): ArrayBuffer => {
  const bios = new Uint8Array(
    biosOf(
      bytesOf(
        "fcbe00018cc88ed8", // cld; mov $0x100,%si; mov %cs,%ax; mov %ax,%ds
        "31c08ec0bf007c", // xor %ax,%ax; mov %ax,%es; mov $0x7c00,%di
        "b90002f3a4", // mov $0x200,%cx; rep movsb
        "8ed88ed0bc007c", // mov %ax,%ds; mov %ax,%ss; mov $0x7c00,%sp
        "ea007c0000", // ljmp $0,$0x7c00
      ),
    ),
  );
  bios.set(code, PAYLOAD);
  return bios.buffer;
};

/** Goes into protected mode with an IDT of no entries, and takes a breakpoint: a fault that no handler can be called for, three times. */
export const TRIPLE_FAULT: readonly number[] = bytesOf(
  "0f0116407c", // lgdt 0x7c40
  "0f20c00c010f22c0", // mov %cr0,%eax; or $1,%al; mov %eax,%cr0
  "ea127c0800", // ljmp $8,$0x7c12
  "0f011e487ccc", // lidt 0x7c48; int3
  "90909090909090909090909090909090909090909090909090909090909090909090909090909090", // nop
  "0f00507c00000000", // GDT: limit, base 0x7c50
  "0000000000000000", // IDT: limit 0
  "0000000000000000",
  "ffff0000009a0000", // code, 16 bit, base 0
);
