import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { MigrateFlags } from "../protocol/index.ts";
import { MIGRATE_DEADLINE_MS } from "./limits.ts";
import { Migration } from "./migration.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
});
afterEach(() => {
  vi.useRealTimers();
});

const { NeedFlush, NeedDataTransfer } = MigrateFlags;

function migrate(flags: number) {
  const said: string[] = [];
  const migration = new Migration(flags, {
    send: ({ name }) => void said.push(name),
    data: () => Uint8Array.of(1, 2, 3),
    failed: (reason) => void said.push(reason),
  });
  migration.begin();
  return { migration, said };
}

test("MIGRATE, the client's mark, the data, and the data given back", () => {
  const { migration, said } = migrate(NeedFlush | NeedDataTransfer);
  expect([said, migration.isSilent, migration.isOver]).toEqual([["migrate"], true, false]);
  // Until its mark the client may have had more to say.
  migration.heard("keyDown");
  expect(() => migration.takeData(Uint8Array.of(1, 2, 3))).toThrow(/nobody waits for/);
  migration.flushMark();
  expect([said, migration.awaitedBytes]).toEqual([["migrate", "migrateData"], 3]);
  expect(() => migration.flushMark()).toThrow(/nobody waits for/);
  expect(() => migration.heard("keyDown")).toThrow(/behind MIGRATE_FLUSH_MARK/);
  expect(() => migration.takeData(Uint8Array.of(1, 2, 4))).toThrow(/not what the client was given/);
  expect(() => migration.takeData(Uint8Array.of(1, 2, 3, 4))).toThrow(/not what the client was given/);
  migration.takeData(Uint8Array.of(1, 2, 3));
  expect([migration.isOver, migration.awaitedBytes]).toEqual([true, undefined]);
  expect(() => migration.takeData(Uint8Array.of(1, 2, 3))).toThrow(/nobody waits for/);
  expect(vi.getTimerCount()).toBe(0);
});

test("a channel without flags has nothing to wait for", () => {
  const { migration, said } = migrate(0);
  expect([said, migration.isOver]).toEqual([["migrate"], true]);
  expect(() => migration.flushMark()).toThrow(/nobody waits for/);
  expect(vi.getTimerCount()).toBe(0);
});

test("a channel that has nothing to carry over is done with the client's mark", () => {
  const { migration, said } = migrate(NeedFlush);
  migration.flushMark();
  expect([said, migration.isOver]).toEqual([["migrate"], true]);
});

test("a client that never says that it is done is given up, unless it goes before", () => {
  const { said } = migrate(NeedFlush | NeedDataTransfer);
  const gone = migrate(NeedFlush | NeedDataTransfer);
  gone.migration[Symbol.dispose]();
  vi.advanceTimersByTime(MIGRATE_DEADLINE_MS - 1);
  expect(said).toEqual(["migrate"]);
  vi.advanceTimersByTime(1);
  expect(said).toEqual(["migrate", expect.stringMatching(/FLUSH_MARK/)]);
  expect(gone.said).toEqual(["migrate"]);
});
