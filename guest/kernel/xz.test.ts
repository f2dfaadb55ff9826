import * as fc from "fast-check";
import { expect, test } from "vitest";
import { filterX86 } from "./bcj.ts";
import { crc32 } from "./crc32.ts";
import { kernelXz, lzma2 } from "./kernel.testing.ts";
import { readXzBlock, unpackXzX86, writeXzBlock } from "./xz.ts";

/** Bytes with many calls and jumps, whose displacements often look like small ones. */
const code = fc
  .array(fc.oneof(fc.constantFrom(0xe8, 0xe9, 0x00, 0xff, 0x0f), fc.integer({ min: 0, max: 255 })), {
    maxLength: 300,
  })
  .map((bytes) => Uint8Array.from(bytes));

test("decoding undoes encoding", () => {
  fc.assert(
    fc.property(code, (data) => {
      const copy = data.slice();
      filterX86(copy, "encode");
      filterX86(copy, "decode");
      expect(copy).toEqual(data);
    }),
    { numRuns: 2000 },
  );
});

test("a call's displacement becomes absolute", () => {
  const data = Uint8Array.of(0x90, 0x90, 0xe8, 0x10, 0x00, 0x00, 0x00, 0x90, 0x90);
  filterX86(data, "encode");
  expect([...data]).toEqual([0x90, 0x90, 0xe8, 0x17, 0x00, 0x00, 0x00, 0x90, 0x90]);
});

test("CRC-32 of the standard's check string", () => {
  expect(crc32(Buffer.from("123456789"))).toBe(0xcbf43926);
});

test("a stream with the x86 filter unpacks", async () => {
  await fc.assert(
    fc.asyncProperty(
      code.filter((data) => data.length > 0),
      async (data) => {
        expect(Buffer.compare(await unpackXzX86(kernelXz(data)), data)).toBe(0);
      },
    ),
    { numRuns: 20 },
  );
});

/** 1200 bytes that look like code, as `sample()` makes them, packed by XZ Utils with `--x86 --lzma2 --check=crc32`. */
const REFERENCE = [
  "/Td6WFoAAAFpIt42AgEEACEBCADSuXTL4ASvA9hdAAAaRTJ99tz/+b8hsNIA39UzutTgrOZPu5PuL7g+6J30rvFPONa0+H/IcUwq",
  "m2pL3i4UJ1tS9jcb+JtnGbGFFco2wQkpgOqaPzVLUD0IsbFTHSiHolNDH5MO2trkXvNFoO/trk3QUS2LrSGIfJ1GBvkPv5d2N5yB",
  "pFKPqkUGiMyEJHdvyNHIZ2qy8IEqzrDN/7ZQOJ0HvZINxOzb24M79lWCMZwzSEfZ6SO+mORzcHo84xjTg85fQGhgyXpBlRKk778n",
  "0QKWkukkEQewPF3L/uIfLgC2YbSx+SA+R0WriTDdL2BQ9XPLniT4HD/yxYAPIgeCNjJP8s3sV2/jaVxaYnrE6c7mXLzj1Rm4cqrO",
  "6sHkYSwhhnPEVKoNkvFPrz8kcamGmA6q2Yyro6tkGqPitOOYEixVvXQ7x1/1BKsLp8nCfrS2KzaB0cckVzXaGpczMw18UA/nN2aG",
  "PdOWxOx90Jf2mm3ZEkEGKmdXe9+CyKkJy7cmq+X+PuUcaKRCT2Dwnj44fYvNxya3AXhnxWXzA7GeaSWetBmmEPSiCUWQoPLdYKxE",
  "cKM5FqW80LECb2cKgXqvkq4Km8oN6SDcfhdVdI4rAlC4PgFF1/hbLicO9MrJw2ZUhNtqoLKsQmhjU78ltXnm8205VGFLzbzVkwkA",
  "xT1fFQ8OhayEQ+jvKdaa/Vl/zmGSnl4Bq6/pF2OQta8UwLuoMh1uRl2UHJyUwTLwoYv2Rw00wA4USwc7iY/kaLQJjzOpx3M72Kyc",
  "WVInYUrZ0AAKAvIP8VPDGiSFXU+vMHwYQM6zCyJdFI06OnyTY64xaKW7/yu43V1rs8cX4d1nmdzM+tQFdkVDAVLLuNgB7keF9dw8",
  "DMauClBL8AopvOKwHTGa2kJKzOz3DMjODw+505YbR8IOQ7vRQFAQSQFgPWhzx61pOfK+lfa1kuos9vhq/ldpy3auvFfnKXG2YNPA",
  "8VuACtJYOQ7WRobtxvTJtfTe5appFrOkErnskTc5n967II608Aq/EbqqCDwbbW+DUUD+ptY3dKMcJHxZr2v6V5i1HhmK1q4z/fz+",
  "h84YB/r7RwdFRMS6Frv8rb29Dttjg7S6oeEKHVWJLHdCgjAUNw1GWIBDVYQ2NUdx/T0p76cKHVhotgb0MgJi0lPA1n3WrSeI0TEm",
  "oLWf9Ckrgfqg3Dx2qxf0Tk4ZuEQLwWX35ZJfHMFoF7mzZ476svDUhlMenxNMEvI65v3o7DybjcTQhTkgzc7+z6SmmQg1rdbVmcvv",
  "FySN6LvTnORb9iYT3AKfMjD4CnauJfKEnCjdnt1N/1KQdD/+9+itnQCd5JvHAAHwB7AJAADBZER2PjANiwIAAAAAAVla",
].join("");

function sample(): Uint8Array {
  let state = 12345;
  const next = () => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return state >>> 16;
  };
  const opcodes = [0xe8, 0xe9, 0x00, 0xff, 0x0f, 0x90];
  return Uint8Array.from({ length: 1200 }, () => {
    const choice = next();
    return choice % 3 === 0 ? next() & 0xff : opcodes[choice % 6];
  });
}

test("what XZ Utils packs unpacks to the same bytes", async () => {
  expect(Buffer.compare(await unpackXzX86(Buffer.from(REFERENCE, "base64")), sample())).toBe(0);
});

test("several chunks unpack", async () => {
  const data = Buffer.from(Uint8Array.from({ length: 200_000 }, (_, i) => (i * 7919) >> 5));
  expect(data.equals(await unpackXzX86(kernelXz(data)))).toBe(true);
});

test("the rewritten container says what it holds", () => {
  const packed = lzma2(Buffer.from("hello"));
  const block = readXzBlock(writeXzBlock(packed, 5, Uint8Array.of(0x16)));
  expect(block.filters.map(({ id }) => id)).toEqual([0x21]);
  expect(packed.equals(block.packed)).toBe(true);
  expect(block.unpackedSize).toBe(5);
  expect(block.check).toBeUndefined();
});

test("damage is found", async () => {
  const data = Buffer.from("some bytes of a kernel");
  await expect(unpackXzX86(kernelXz(data, 1))).rejects.toThrow(/CRC-32/);
  expect(() => readXzBlock(kernelXz(data).subarray(0, 40))).toThrow(/footer/);
  expect(() => readXzBlock(Buffer.from("\x1f\x8b not xz at all, but long"))).toThrow(/not an XZ/);
});
