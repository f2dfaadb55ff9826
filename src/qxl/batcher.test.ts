import { beforeEach, describe, expect, it } from "vitest";
import type { RedCommandBatch } from "../protocol/red-command.ts";
import { RED_COMMAND_COST } from "../protocol/red-command.ts";
import { RedCommandBatcher } from "./batcher.ts";
import { BATCH_FLUSH_BYTES } from "./limits.ts";

let batches: RedCommandBatch[];
let woken: number;
const make = (credit?: number) =>
  new RedCommandBatcher({
    credit,
    post: (batch) =>
      batches.push({ ...batch, data: structuredClone(batch.data, { transfer: [batch.data] }) }),
    onCredit: () => woken++,
  });
beforeEach(() => {
  batches = [];
  woken = 0;
});

const hide = { type: "cursorHide" } as const;

describe("RedCommandBatcher", () => {
  it("gives memory out of the batch to a command that is not finished, and takes it back behind the others", async () => {
    const batcher = make();
    const first = batcher.span(Uint8Array.of(1, 2, 3));
    batcher.push({ type: "cursorMove", position: { x: 1, y: 2 } });
    const slow = batcher.span(Uint8Array.of(4, 5, 6));
    const data = batcher.detach();
    const meanwhile = batcher.span(Uint8Array.of(7, 8));
    batcher.push(hide);
    await Promise.resolve();
    data[slow.offset]++;
    batcher.pushDetached({ type: "cursorReset" }, data);
    batcher.push(hide);
    await Promise.resolve();
    const views = batches.map((batch) => new Uint8Array(batch.data));
    expect(batches.map(({ commands }) => commands.map(({ type }) => type))).toEqual([
      ["cursorMove"],
      ["cursorHide"],
      ["cursorReset"],
      ["cursorHide"],
    ]);
    expect([...views[0].subarray(first.offset, first.offset + 3)]).toEqual([1, 2, 3]);
    expect([...views[1].subarray(meanwhile.offset, meanwhile.offset + 2)]).toEqual([7, 8]);
    expect([...views[2].subarray(slow.offset, slow.offset + 3)]).toEqual([5, 5, 6]);
    // What is charged comes back, and nothing stays behind.
    for (const { bytes } of batches) batcher.credit(bytes);
    expect(batcher.pendingBytes).toBe(0);
  });

  it("sends all of a tick as one batch, in order, with its data", async () => {
    const batcher = make();
    const first = batcher.span(Uint8Array.of(1, 2, 3));
    batcher.push(hide);
    const second = batcher.span(new Uint8Array(100_000).fill(7));
    batcher.push({ type: "cursorMove", position: { x: 1, y: 2 } });
    expect(batches).toEqual([]);
    await Promise.resolve();
    expect(batches.length).toBe(1);
    const [{ commands, data, bytes }] = batches;
    expect(commands.map(({ type }) => type)).toEqual(["cursorHide", "cursorMove"]);
    const view = new Uint8Array(data);
    expect([...view.subarray(first.offset, first.offset + 3)]).toEqual([1, 2, 3]);
    expect(view[second.offset]).toBe(7);
    expect(view[second.offset + second.length - 1]).toBe(7);
    expect(second.offset % 8).toBe(0);
    expect(bytes).toBeGreaterThanOrEqual(100_003 + 2 * RED_COMMAND_COST);
  });

  it("does not hold back a large batch until the tick ends", () => {
    const batcher = make();
    batcher.allocate(BATCH_FLUSH_BYTES);
    batcher.push(hide);
    expect(batches.length).toBe(1);
    expect(batches[0].data.byteLength).toBeLessThan(BATCH_FLUSH_BYTES * 1.5);
  });

  it("gives zeroed room, also where something was discarded", () => {
    const batcher = make();
    const gone = batcher.span(Uint8Array.of(9, 9, 9));
    batcher.discard();
    const again = batcher.allocate(8);
    expect(again.offset).toBe(gone.offset);
    expect([...batcher.data.subarray(again.offset, again.offset + 8)]).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
    batcher.push(hide);
    batcher.flush();
    const reused = batcher.allocate(64);
    expect(batcher.data.subarray(reused.offset, reused.offset + 64).every((byte) => byte === 0)).toBe(true);
  });

  it("counts what is under way, and wakes the producer when credit comes back", () => {
    const batcher = make(10_000);
    batcher.span(new Uint8Array(20_000));
    batcher.push(hide);
    expect(batcher.creditAvailable).toBe(false);
    batcher.flush();
    expect(batcher.pendingBytes).toBe(batches[0].bytes);
    batcher.credit(100);
    expect(woken).toBe(0);
    batcher.credit(batches[0].bytes - 100);
    expect(woken).toBe(1);
    expect(batcher.pendingBytes).toBe(0);
    batcher.credit(5);
    expect(woken).toBe(1);
    expect(batcher.creditAvailable).toBe(true);
  });

  it("sends nothing that was not pushed, and nothing when there is nothing", async () => {
    const batcher = make();
    batcher.flush();
    batcher.span(Uint8Array.of(1));
    batcher.flush();
    await Promise.resolve();
    expect(batches).toEqual([]);
  });

  it("forgets everything for another red worker", () => {
    const batcher = make(1000);
    batcher.span(new Uint8Array(5000));
    batcher.push(hide);
    batcher.flush();
    batcher.push(hide);
    batcher.restart();
    expect(batcher.pendingBytes).toBe(0);
    batcher.flush();
    expect(batches.length).toBe(1);
  });
});
