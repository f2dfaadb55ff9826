import { expect, test } from "vitest";
import { sortMappings } from "./mappings.ts";

const KB = 1024;

/** Lines as the kernel writes them; of a mapping's fields only the one that is read. */
const SMAPS = `\
55d0c0000000-55d0c0100000 r-xp 00000000 fe:00 4711                       /usr/lib/chromium/chromium
Size:               1024 kB
Rss:                 400 kB
Pss:                 100 kB
VmFlags: rd ex mr mw me
3a8000000000-3a8000400000 rwxp 00000000 00:00 0
Rss:                  64 kB
Pss:                  64 kB
7f0000000000-7f0010000000 rw-p 00000000 00:00 0
Rss:               90000 kB
Pss:               90000 kB
7f0010000000-7f0210000000 ---p 00000000 00:00 0
Rss:                   0 kB
7f0300000000-7f0300800000 rw-p 00000000 00:00 0                          [heap]
Rss:                3000 kB
7f0400000000-7f0400100000 rw-s 00000000 00:01 12                         /memfd:shared (deleted)
Rss:                 200 kB
`;

test("a renderer's memory is sorted: the machine's, code, files, and heaps", () => {
  expect(sortMappings(SMAPS, 0x1000_0000)).toEqual({
    machineBytes: 90_000 * KB,
    machineSize: 0x1000_0000,
    codeBytes: 64 * KB,
    fileBytes: 600 * KB,
    heapBytes: 3_000 * KB,
  });
});

test("what only is reserved, however large, is not the machine's", () => {
  expect(sortMappings(SMAPS, 0x1000_0001)).toMatchObject({
    machineBytes: 0,
    machineSize: 0,
    heapBytes: 93_000 * KB,
  });
});
