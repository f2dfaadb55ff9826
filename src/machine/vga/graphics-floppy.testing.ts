/**
 * A boot sector that shows graphics without any driver, as a graphical boot menu does. It waits for a key between:
 *
 *  1. VBE 0x112 (640x480, 24 bit), 64 KiB of words 0x0000, 0x0101, … through the window at 0xA0000
 *  2. mode 0x13 (320x200, 256 colours), bytes 0, 1, 2, …
 *  3. mode 0x12 (640x480 planar), 1 KiB of each of the 16 colours by turns
 *  4. mode 3 (80x25 text) and a line of text
 *
 *      ljmp $0x7c0,$1f; 1: mov %cs,%ax; mov %ax,%ds; cld
 *      mov $0x4f02,%ax; mov $0x4112,%bx; int $0x10
 *      mov $0xa000,%ax; mov %ax,%es; xor %di,%di; mov %di,%ax
 *      2: stosw; add $0x0101,%ax; or %di,%di; jnz 2b; call key
 *      mov $0x0013,%ax; int $0x10; xor %di,%di; xor %ax,%ax
 *      3: stosb; inc %al; cmp $64000,%di; jne 3b; call key
 *      mov $0x0012,%ax; int $0x10; mov $0x0f02,%ax; mov $0x3c4,%dx; xor %di,%di
 *      4: mov %di,%bx; shr $10,%bx; and $0x0f,%bl; mov %bl,%ah; out %ax,%dx
 *      mov $0xff,%al; stosb; mov $0x02,%al; cmp $38400,%di; jne 4b; call key
 *      mov $0x0003,%ax; int $0x10; mov $msg,%si
 *      5: lodsb; or %al,%al; jz 6f; mov $0x0e,%ah; mov $7,%bx; int $0x10; jmp 5b; 6: hlt; jmp 6b
 *      key: xor %ax,%ax; int $0x16; ret
 *      msg: .asciz "all modes done"
 */
const BOOT_SECTOR =
  "ea0500c0078cc88ed8fcb8024fbb1241cd10b800a08ec031ff89f8ab05010109ff75f8e85400b81300cd1031ff31c0aafec081ff00fa75f7" +
  "e83f00b81200cd10b8020fbac40331ff89fbc1eb0a80e30f88dcefb0ffaab00281ff009675eae81900b80300cd10be7f00ac08c07409b40e" +
  "bb0700cd10ebf2f4ebfd31c0cd16c3616c6c206d6f64657320646f6e65";

const FLOPPY_BYTES = 1440 * 1024;

/** A 1.44 MB floppy with that boot sector. */
export const graphicsFloppy = (): ArrayBuffer => {
  const floppy = new Uint8Array(FLOPPY_BYTES);
  floppy.set(Buffer.from(BOOT_SECTOR, "hex"));
  floppy.set([0x55, 0xaa], 510);
  return floppy.buffer;
};
