import { expect, test } from "vitest";
import type { RedStream } from "./contract.ts";
import { STREAM_CREDIT } from "./limits.ts";
import { openRedStream } from "./red-stream.ts";
import { eventually, turns } from "../waiting.testing.ts";

/** Two ends of one connection over the driver under test. `done` releases what the driver needs. */
export interface ConnectedPair {
  readonly a: RedStream;
  readonly b: RedStream;
  done?(): Promise<void> | void;
}

function collect(stream: RedStream): { bytes: number[]; reason?: string } {
  const seen: { bytes: number[]; reason?: string } = { bytes: [] };
  stream.onData = (bytes) => seen.bytes.push(...bytes);
  stream.onClose = (reason) => (seen.reason = reason);
  return seen;
}

/** What every RedStream driver has to keep, run against each of them. */
export function streamCompliance(connect: () => Promise<ConnectedPair> | ConnectedPair): void {
  const pairTest = (name: string, body: (a: RedStream, b: RedStream) => Promise<void>) =>
    test(name, async () => {
      const { a, b, done } = await connect();
      try {
        await body(a, b);
      } finally {
        a.close();
        b.close();
        await done?.();
      }
    });

  pairTest("bytes arrive whole and in order, both ways", async (a, b) => {
    const atA = collect(a);
    const atB = collect(b);
    a.write(new Uint8Array([1, 2, 3]));
    a.write(new Uint8Array([9, 4, 5, 9]).subarray(1, 3));
    b.write(new Uint8Array([7]));
    await eventually(() => atB.bytes.length === 5 && atA.bytes.length === 1);
    expect(atB.bytes).toEqual([1, 2, 3, 4, 5]);
    expect(atA.bytes).toEqual([7]);
  });

  pairTest("bytes sent before anybody listens are kept", async (a, b) => {
    a.write(new Uint8Array([1]));
    await eventually(() => b.waiting === 1);
    const seen = collect(b);
    await eventually(() => seen.bytes.length === 1);
  });

  pairTest("an unread stream uses up its writer's credit; reading gives it back", async (a, b) => {
    let drained = false;
    a.onDrain = () => (drained = true);
    const piece = 256 * 1024;
    let written = 0;
    // A driver, and the kernel, may hold some more in their own queues: write whenever the credit allows, until all have their fill.
    await eventually(async () => {
      while (a.credit > 0) {
        a.write(new Uint8Array(piece).fill(written / piece));
        written += piece;
      }
      await turns();
      return a.credit <= 0 && b.waiting >= STREAM_CREDIT;
    });
    // What nobody reads is never much more than the reader gave credit for, however much was written.
    expect(b.waiting).toBeLessThanOrEqual(STREAM_CREDIT + piece);
    expect(a.credit).toBeLessThanOrEqual(0);
    drained = false;
    let read = 0;
    b.onData = (bytes) => (read += bytes.length);
    await eventually(() => drained && read === written);
    expect(a.credit).toBeGreaterThan(0);
  });

  pairTest("what was written before close still arrives, then the end, once", async (a, b) => {
    const ends: string[] = [];
    let bytes = 0;
    a.write(new Uint8Array(100_000));
    a.close("enough");
    b.onData = (piece) => (bytes += piece.length);
    b.onClose = (reason) => ends.push(reason);
    await eventually(() => ends.length > 0);
    expect(bytes).toBe(100_000);
    await turns();
    expect(ends).toEqual(["enough"]);
    expect(b.closed).toBe(true);
  });

  pairTest("a detached stream goes on elsewhere with its unread bytes", async (a, b) => {
    a.write(new Uint8Array([1, 2]));
    const first: number[] = [];
    b.onData = (bytes) => {
      first.push(...bytes);
      b.onData = undefined;
    };
    await eventually(() => first.length === 2);
    a.write(new Uint8Array([3, 4]));
    await eventually(() => b.waiting === 2);
    const moved = openRedStream(b.detach());
    const atMoved = collect(moved);
    const atA = collect(a);
    a.write(new Uint8Array([5]));
    moved.write(new Uint8Array([6]));
    await eventually(() => atMoved.bytes.length === 3 && atA.bytes.length === 1);
    expect(atMoved.bytes).toEqual([3, 4, 5]);
    a.close("over");
    await eventually(() => atMoved.reason === "over");
  });

  pairTest("a reader that pauses still gets everything before it hears of the end", async (a, b) => {
    let read = 0;
    let ended = false;
    b.onClose = () => (ended = true);
    b.onData = (bytes) => {
      read += bytes.length;
      b.onData = undefined;
    };
    for (let i = 0; i < 40; i++) a.write(new Uint8Array(100_000));
    a.close("done");
    await eventually(() => read > 0 && b.waiting >= STREAM_CREDIT);
    await turns();
    expect(ended).toBe(false);
    b.onData = (bytes) => (read += bytes.length);
    await eventually(() => ended);
    expect(read).toBe(4_000_000);
  });

  pairTest("bytes put back are read again, first, by the same reader or the next owner", async (a, b) => {
    a.write(new Uint8Array([1, 2, 3, 4]));
    let piece = new Uint8Array(0) as Uint8Array;
    const first: number[] = [];
    const takeOne = (bytes: Uint8Array) => {
      b.onData = undefined;
      first.push(bytes[0]);
      piece = bytes.subarray(1);
    };
    b.onData = takeOne;
    await eventually(() => first.length === 1);
    b.unread(piece);
    b.onData = takeOne;
    expect(first).toEqual([1, 2]);
    b.unread(piece);
    const moved = openRedStream(b.detach());
    const rest = collect(moved);
    a.write(new Uint8Array([5]));
    await eventually(() => rest.bytes.length === 3);
    expect(rest.bytes).toEqual([3, 4, 5]);
    await turns();
    expect(a.credit).toBeLessThanOrEqual(STREAM_CREDIT);
    moved.close();
  });
}
