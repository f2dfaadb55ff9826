import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { StateRefusedError } from "./errors.ts";
import { STATE_WINDOW_BYTES } from "./limits.ts";
import { MemoryStateFolder } from "./memory-state-folder.ts";
import { STATE_HEADER_BYTES } from "./state-header.ts";
import { StateStore } from "./state-store.ts";
import type { StateFile, StateFolder } from "./state-folder.ts";
import {
  bytesOf,
  CutError,
  CutFolder,
  momentOf,
  NodeStateFolder,
  readBack,
  visit,
} from "./state-store.testing.ts";

const SMALL = 5_000;
const LARGE = 2 * STATE_WINDOW_BYTES + 4_321;

let path: string;
beforeAll(() => void (path = mkdtempSync(join(tmpdir(), "spicetab-states-"))));
afterAll(() => rmSync(path, { recursive: true, force: true }));

/** A folder of real files, for one test. */
const nodeFolder = () => {
  const own = mkdtempSync(join(path, "store-"));
  return { own, folder: new NodeStateFolder(own) };
};

test.each([0, 1, SMALL, STATE_WINDOW_BYTES, LARGE])(
  "a state of %d bytes comes back as it was",
  async (length) => {
    const { folder } = nodeFolder();
    const store = new StateStore(folder);
    const bytes = bytesOf(1, length);
    const saved = await store.save("test", momentOf(bytes));
    const [kept] = await store.kept("test");
    expect(kept).toEqual(saved);
    expect(Buffer.compare(await readBack(store, kept), bytes)).toBe(0);
  },
);

test("the newest and the one before it are kept, nothing else, and both can be dropped", async () => {
  const { folder } = nodeFolder();
  const store = new StateStore(folder);
  for (let seed = 1; seed <= 5; seed++) {
    await store.save("test", momentOf(bytesOf(seed, SMALL + seed)));
    const kept = await store.kept("test");
    const lengths = kept.map((one) => ("header" in one ? one.header.stateBytes : one.refused.message));
    expect(lengths).toEqual(seed === 1 ? [SMALL + 1] : [SMALL + seed, SMALL + seed - 1]);
    expect(await folder.names()).toHaveLength(kept.length);
  }
  await store.save("other", momentOf(bytesOf(9, SMALL)));
  await store.delete("test");
  expect(await store.kept("test")).toEqual([]);
  expect(await store.kept("other")).toHaveLength(1);
  await expect(store.save("../x", momentOf(bytesOf(1, 1)))).rejects.toThrow(RangeError);
});

test("a change of any single byte of a file is found, wherever it is", async () => {
  const folder = new MemoryStateFolder();
  await new StateStore(folder).save("test", momentOf(bytesOf(1, 900)));
  const file = folder.contents("test.0")!;
  for (let at = 0; at < file.length; at++) {
    const before = file[at];
    // A bit, all bits, and nothing where something was: what disks do.
    const values =
      at < STATE_HEADER_BYTES ? [before ^ (1 << (at & 7))] : [before ^ (1 << (at & 7)), before ^ 0xff, 0];
    for (const value of new Set(values)) {
      if (value === before) continue;
      file[at] = value;
      const { bytes, refused } = await visit(new StateStore(folder), "test");
      expect(bytes, `byte ${at} was ${before} and is ${value}`).toBeUndefined();
      expect(refused).toHaveLength(1);
      file[at] = before;
    }
  }
  expect((await visit(new StateStore(folder), "test")).refused).toEqual([]);
});

test("whatever happens to a file, it is refused, and the state before it is found instead", async () => {
  const folder = new MemoryStateFolder();
  const store = new StateStore(folder);
  const [older, newer] = [bytesOf(1, LARGE), bytesOf(2, LARGE)];
  await store.save("test", momentOf(older));
  await store.save("test", momentOf(newer));
  const whole = folder.contents("test.1")!.slice();
  const other = folder.contents("test.0")!.slice();
  const place = fc.nat(whole.length - 1);
  const length = fc.integer({ min: 1, max: 2 * STATE_WINDOW_BYTES });
  const window = fc.nat(1).map((index) => STATE_HEADER_BYTES + index * STATE_WINDOW_BYTES);
  const damages: fc.Arbitrary<(file: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>>[] = [
    // Pieces of zeros, of something, of the same file, of another generation.
    fc.tuple(place, length).map(
      ([at, bytes]) =>
        (file) =>
          file.fill(0, at, at + bytes),
    ),
    fc.tuple(place, fc.uint8Array({ minLength: 1, maxLength: 64 })).map(([at, bytes]) => (file) => {
      file.set(bytes.subarray(0, file.length - at), at);
      return file;
    }),
    fc.tuple(place, place, length).map(
      ([to, from, bytes]) =>
        (file) =>
          file.copyWithin(to, from, from + bytes),
    ),
    fc.tuple(place, length).map(([at, bytes]) => (file) => {
      file.set(other.subarray(at, at + bytes), at);
      return file;
    }),
    // Windows that change places, and one of the other generation at its own place.
    fc.constant((file) => {
      const first = file.slice(STATE_HEADER_BYTES, STATE_HEADER_BYTES + STATE_WINDOW_BYTES);
      file.copyWithin(
        STATE_HEADER_BYTES,
        STATE_HEADER_BYTES + STATE_WINDOW_BYTES,
        STATE_HEADER_BYTES + 2 * STATE_WINDOW_BYTES,
      );
      file.set(first, STATE_HEADER_BYTES + STATE_WINDOW_BYTES);
      return file;
    }),
    window.map((at) => (file) => {
      file.set(other.subarray(at, at + STATE_WINDOW_BYTES), at);
      return file;
    }),
    // Shorter, longer.
    place.map((bytes) => (file) => file.slice(0, bytes)),
    fc.integer({ min: 1, max: 10_000 }).map((bytes) => (file) => {
      const longer = new Uint8Array(file.length + bytes);
      longer.set(file);
      return longer;
    }),
  ];
  await fc.assert(
    fc.asyncProperty(fc.oneof(...damages), async (damage) => {
      const damaged = damage(whole.slice());
      if (Buffer.compare(damaged, whole) === 0) return;
      const { next, store: fresh } = await folderWith({ "test.0": other, "test.1": damaged });
      // A whole file of the other generation is no damage, only old.
      if (Buffer.compare(damaged, other) === 0) return;
      const { bytes, refused } = await visit(fresh, "test");
      expect(Buffer.compare(bytes!, older)).toBe(0);
      expect(refused).toHaveLength(1);
      // The next save takes the place of what is damaged, not of what is good.
      await fresh.save("test", momentOf(bytesOf(3, SMALL)));
      expect(Buffer.compare(next.contents("test.0")!, other)).toBe(0);
      expect((await visit(new StateStore(next), "test")).refused).toEqual([]);
    }),
    { numRuns: 40 },
  );
}, 60_000);

const folderWith = async (files: Record<string, Uint8Array<ArrayBuffer>>) => {
  const next = new MemoryStateFolder();
  for (const [name, bytes] of Object.entries(files)) {
    using file = await next.open(name, "make");
    file.write(bytes, 0);
  }
  return { next, store: new StateStore(next) };
};

test("a real file that loses its end, or 18 pieces of 64 bytes, is refused in words", async () => {
  const { own, folder } = nodeFolder();
  const store = new StateStore(folder);
  const bytes = bytesOf(1, LARGE);
  await store.save("test", momentOf(bytes));
  const file = join(own, "test.0");
  const whole = readFileSync(file);
  const torn = Buffer.from(whole);
  for (let piece = 0; piece < 18; piece++) torn.fill(0xa5, 100_000 * (piece + 1), 100_000 * (piece + 1) + 64);
  writeFileSync(file, torn);
  const { refused } = await visit(new StateStore(folder), "test");
  expect(refused.map(({ refusal, message }) => `${refusal}: ${message}`)).toEqual([
    "damaged: saved state refused: bytes 0 to 1048575 are not what was saved",
  ]);
  writeFileSync(file, whole);
  truncateSync(file, statSync(file).size - 1);
  expect((await visit(new StateStore(folder), "test")).refused.map(({ refusal }) => refusal)).toEqual([
    "truncated",
  ]);
});

test("what was saved before there were digests is refused in words, and makes room once there is a new state", async () => {
  const { own, folder } = nodeFolder();
  writeFileSync(join(own, "test"), "SPICETAB-STATE\r\n and so on");
  writeFileSync(join(own, "test.tmp"), "SPICETAB-STATE\r\n and so on");
  const store = new StateStore(folder);
  const { bytes, refused } = await visit(store, "test");
  expect(bytes).toBeUndefined();
  expect(refused.map(({ refusal }) => refusal)).toEqual(["version", "unfinished"]);
  await store.save("test", momentOf(bytesOf(1, SMALL)));
  expect(await folder.names()).toEqual(["test.0"]);
});

/** Two states are kept; a third is saved by a store whose thread ends at `cutAt`. */
const saveCutAt = async (cutAt: number, proven: boolean, lose?: (index: number) => boolean) => {
  const disk = new MemoryStateFolder();
  const before = new StateStore(disk);
  await before.save("test", momentOf(bytesOf(1, SMALL)));
  await before.save("test", momentOf(bytesOf(2, LARGE)));
  const folder = new CutFolder(disk, cutAt, lose);
  const store = new StateStore(folder);
  if (proven) {
    const [kept] = await store.kept("test");
    if ("header" in kept) store.proved("test", kept.header);
  }
  let problem: unknown;
  await store.save("test", momentOf(bytesOf(3, LARGE + 99))).catch((error: unknown) => (problem = error));
  return { disk, folder, problem };
};

test.each([true, false])(
  "a save that is cut off at any step leaves the new state or the old one (the old one has proven itself: %s)",
  async (proven) => {
    const { folder: uncut } = await saveCutAt(Infinity, proven);
    expect(uncut.steps.length).toBeGreaterThan(6);
    for (let cutAt = 1; cutAt <= uncut.steps.length; cutAt++) {
      const { disk, folder, problem } = await saveCutAt(cutAt, proven);
      const where = folder.steps.at(-1);
      const isRemoval = where!.startsWith("remove");
      if (!isRemoval) expect(problem, where).toBeInstanceOf(CutError);
      const next = new StateStore(disk);
      const { bytes, refused } = await visit(next, "test");
      const [old, fresh] = [bytesOf(2, LARGE), bytesOf(3, LARGE + 99)].map(
        (one) => Buffer.compare(one, bytes!) === 0,
      );
      expect([old, fresh], where).toEqual(isRemoval || fresh ? [false, true] : [true, false]);
      // A header of which half was written is none: what was cut off is damaged then, for all that one can see.
      const seen = where!.startsWith("write 4096 at 0") ? ["unfinished", "format"] : ["unfinished"];
      for (const { refusal } of refused) expect(seen, where).toContain(refusal);
      // And life goes on: the next save succeeds and leaves two.
      await next.save("test", momentOf(bytesOf(4, SMALL)));
      expect((await visit(new StateStore(disk), "test")).refused, where).toEqual([]);
      expect((await disk.names()).length, where).toBeLessThanOrEqual(2);
    }
  },
);

test("a power failure that takes back any of the writes since the last flush leaves the new state or the old one", async () => {
  const { folder: uncut } = await saveCutAt(Infinity, true);
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: uncut.steps.length }),
      fc.array(fc.boolean(), { minLength: 12, maxLength: 12 }),
      async (cutAt, lost) => {
        const { disk } = await saveCutAt(cutAt, true, (index) => lost[index % lost.length]);
        const { bytes } = await visit(new StateStore(disk), "test");
        const isOne = [bytesOf(2, LARGE), bytesOf(3, LARGE + 99)].some(
          (one) => Buffer.compare(one, bytes!) === 0,
        );
        expect(isOne).toBe(true);
      },
    ),
    { numRuns: 20 },
  );
}, 60_000);

/** A folder in which all files together have only so much room. */
class SmallFolder extends MemoryStateFolder {
  room = Infinity;
  /** Writes that succeed before the disk is full, whatever was promised. */
  writes = Infinity;

  override open(name: string, make: "make"): Promise<StateFile>;
  override open(name: string): Promise<StateFile | undefined>;
  override async open(name: string, make?: "make"): Promise<StateFile | undefined> {
    const file = make ? await super.open(name, "make") : await super.open(name);
    if (!file) return undefined;
    const full = () => new DOMException("no room left", "QuotaExceededError");
    return {
      ...file,
      [Symbol.dispose]: () => file[Symbol.dispose](),
      resize: (bytes) => {
        let used = bytes - file.size();
        for (const one of ["test.0", "test.1", "test.2"]) used += this.contents(one)?.length ?? 0;
        if (bytes > file.size() && used > this.room) throw full();
        file.resize(bytes);
      },
      write: (bytes, at) => {
        if (this.writes-- <= 0) throw full();
        file.write(bytes, at);
      },
    };
  }
}

test("without room for a second state the save fails, time and again, and the one that is kept stays", async () => {
  const folder = new SmallFolder();
  const store = new StateStore(folder);
  const old = bytesOf(1, LARGE);
  await store.save("test", momentOf(old));
  folder.room = 1.5 * LARGE;
  for (let tries = 0; tries < 3; tries++) {
    await expect(store.save("test", momentOf(bytesOf(2, LARGE)))).rejects.toThrow("no room left");
    expect(await folder.names()).toEqual(["test.0"]);
    const { bytes, refused } = await visit(new StateStore(folder), "test");
    expect([Buffer.compare(bytes!, old), refused]).toEqual([0, []]);
  }
  folder.room = Infinity;
  await store.save("test", momentOf(bytesOf(2, LARGE)));
  expect(await store.kept("test")).toHaveLength(2);
});

test("with room for two, a state that grows fails before the older one is given up", async () => {
  const folder = new SmallFolder();
  const store = new StateStore(folder);
  await store.save("test", momentOf(bytesOf(1, LARGE)));
  await store.save("test", momentOf(bytesOf(2, LARGE)));
  folder.room = 2 * LARGE + 20_000;
  await expect(store.save("test", momentOf(bytesOf(3, 3 * LARGE)))).rejects.toThrow("no room left");
  const kept = await store.kept("test");
  expect(kept).toHaveLength(2);
  for (const [index, one] of kept.entries()) {
    expect(Buffer.compare(await readBack(store, one), bytesOf(2 - index, LARGE))).toBe(0);
  }
  await store.save("test", momentOf(bytesOf(4, LARGE)));
});

test("a disk that is full in the middle leaves what was kept", async () => {
  for (let writes = 0; writes < 6; writes++) {
    const folder = new SmallFolder();
    const store = new StateStore(folder);
    await store.save("test", momentOf(bytesOf(1, LARGE)));
    await store.save("test", momentOf(bytesOf(2, LARGE)));
    folder.writes = writes;
    const failed = await store.save("test", momentOf(bytesOf(3, LARGE))).then(
      () => false,
      () => true,
    );
    folder.writes = Infinity;
    const { bytes, refused } = await visit(new StateStore(folder), "test");
    expect(refused).toEqual([]);
    expect(Buffer.compare(bytes!, bytesOf(failed ? 2 : 3, LARGE))).toBe(0);
  }
});

/** A disk that gives back something else than it was given, once. */
class ForgetfulFolder extends MemoryStateFolder {
  forgets = false;

  override open(name: string, make: "make"): Promise<StateFile>;
  override open(name: string): Promise<StateFile | undefined>;
  override async open(name: string, make?: "make"): Promise<StateFile | undefined> {
    const file = make ? await super.open(name, "make") : await super.open(name);
    if (!file) return undefined;
    return {
      ...file,
      [Symbol.dispose]: () => file[Symbol.dispose](),
      write: (bytes, at) => {
        if (this.forgets && at > STATE_HEADER_BYTES && bytes.length > 10_000)
          bytes = bytes.map((one) => one & 0x7f);
        file.write(bytes, at);
      },
    };
  }
}

test("a save counts only once it was read back: a disk that lies is found at once", async () => {
  const folder = new ForgetfulFolder();
  const store = new StateStore(folder);
  await store.save("test", momentOf(bytesOf(1, LARGE)));
  folder.forgets = true;
  await expect(store.save("test", momentOf(bytesOf(2, LARGE)))).rejects.toThrow(StateRefusedError);
  expect(await folder.names()).toEqual(["test.0"]);
  expect(Buffer.compare((await visit(store, "test")).bytes!, bytesOf(1, LARGE))).toBe(0);
});

test("until the newest has proven itself, the one that did is kept through any number of saves", async () => {
  const disk: StateFolder = new MemoryStateFolder();
  const before = new StateStore(disk);
  await before.save("test", momentOf(bytesOf(1, SMALL)));
  await before.save("test", momentOf(bytesOf(2, SMALL)));
  // A visit that restores the newest and saves at once: both stay until the third is whole.
  const store = new StateStore(new CutFolder(disk as MemoryStateFolder, Infinity));
  let during: readonly unknown[] = [];
  await store.save("test", {
    capture: (sink) => {
      momentOf(bytesOf(3, SMALL)).capture(sink);
      during = ["test.0", "test.1"].map((name) => (disk as MemoryStateFolder).contents(name)?.length);
    },
  });
  expect(during.every((length) => length !== undefined && (length as number) > SMALL)).toBe(true);
  const lengths = async () =>
    (await store.kept("test")).map((one) => ("header" in one ? one.header.generation : 0));
  expect(await lengths()).toEqual([3, 2]);

  // One that goes back to the older and proves it keeps that one, and not what it left.
  const back = new StateStore(disk);
  const [, older] = await back.kept("test");
  if ("header" in older) back.proved("test", older.header);
  await back.save("test", momentOf(bytesOf(4, SMALL)));
  expect(await lengths()).toEqual([4, 2]);
});

test("progress goes from nothing to all, by what is written and then by what was read back", async () => {
  const told: number[] = [];
  const store = new StateStore(new MemoryStateFolder());
  await store.save("test", momentOf(bytesOf(1, LARGE)), (done, total) => void told.push(done / total));
  expect(told).toEqual([...told].toSorted((a, b) => a - b));
  expect(told.at(-1)).toBe(1);
  expect(told.filter((part) => part <= 0.5).length).toBe(3);
});

test("a window is read once, whatever the pieces are, and what is used is that very reading", async () => {
  const reads: number[] = [];
  /** Gives other bytes at a second reading. */
  class TwoFaced extends MemoryStateFolder {
    override open(name: string, make: "make"): Promise<StateFile>;
    override open(name: string): Promise<StateFile | undefined>;
    override async open(name: string, make?: "make"): Promise<StateFile | undefined> {
      const file = make ? await super.open(name, "make") : await super.open(name);
      if (!file || make) return file;
      const seen = new Set<number>();
      return {
        ...file,
        [Symbol.dispose]: () => file[Symbol.dispose](),
        read: (target, at) => {
          const length = file.read(target, at);
          if (at >= STATE_HEADER_BYTES) reads.push(target.length);
          if (seen.has(at)) target.fill(0);
          seen.add(at);
          return length;
        },
      };
    }
  }
  const folder = new TwoFaced();
  const bytes = bytesOf(1, LARGE);
  await new StateStore(folder).save("test", momentOf(bytes));
  const store = new StateStore(folder);
  expect(Buffer.compare((await visit(store, "test")).bytes!, bytes)).toBe(0);
  expect(reads).toEqual([3 * 8, STATE_WINDOW_BYTES, STATE_WINDOW_BYTES, 4_321]);
  const { source } = await store.open((await store.kept("test"))[0]);
  using _ = source;
  source.read(new Uint8Array(1), LARGE - 1);
  source.read(new Uint8Array(1), 0);
  expect(() => source.read(new Uint8Array(1), LARGE - 1)).toThrow(StateRefusedError);
});
