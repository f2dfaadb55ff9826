import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { streamCompliance } from "./compliance.testing.ts";
import { LocalPort } from "./local-port.ts";
import { openRedStream } from "./red-stream.ts";
import { eventually } from "../waiting.testing.ts";

const bytes = (...values: number[]) => ({ type: "data", bytes: new Uint8Array(values) }) as const;

describe("RedStream between two ends of one thread", () => {
  streamCompliance(() => {
    const [near, far] = LocalPort.pair();
    return { a: openRedStream(near), b: openRedStream(far) };
  });
});

test("nothing arrives within the call that posts it", async () => {
  const [near, far] = LocalPort.pair();
  const seen: number[] = [];
  far.onmessage = ({ data }) => {
    seen.push(data.type === "credit" ? data.bytes : -1);
    // An answer is no call within a call either.
    if (seen.length === 1) far.postMessage({ type: "credit", bytes: 9 }, []);
  };
  let answered = 0;
  near.onmessage = () => answered++;
  near.postMessage({ type: "credit", bytes: 1 }, []);
  near.postMessage({ type: "credit", bytes: 2 }, []);
  expect([seen, answered]).toEqual([[], 0]);
  await Promise.resolve();
  expect(seen).toEqual([1, 2]);
  expect(answered).toBe(0);
  await Promise.resolve();
  expect(answered).toBe(1);
});

test("an end that leaves for another thread takes what it has not read, and nothing is lost or comes twice", async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(6), fc.nat(6), fc.nat(6), async (before, after, back) => {
      const [near, far] = LocalPort.pair();
      const atNear: number[] = [];
      const atFar: number[] = [];
      near.onmessage = ({ data }) => void (data.type === "data" && atNear.push(...data.bytes));
      for (let i = 0; i < before; i++) near.postMessage(bytes(i), []);
      for (let i = 0; i < back; i++) far.postMessage(bytes(i), []);
      const moved = far.leave();
      for (let i = 0; i < after; i++) {
        const frame = bytes(before + i);
        near.postMessage(frame, [frame.bytes.buffer]);
      }
      moved.onmessage = ({ data }) => atFar.push(...data.bytes);
      moved.postMessage(bytes(back));
      await eventually(() => atFar.length === before + after && atNear.length === back + 1);
      expect(atFar).toEqual([...Array(before + after).keys()]);
      expect(atNear).toEqual([...Array(back + 1).keys()]);
      near.close();
    }),
    { numRuns: 40 },
  );
});

test("what was posted before a close still arrives; what comes later does not", async () => {
  const [near, far] = LocalPort.pair();
  const seen: string[] = [];
  near.postMessage({ type: "end", reason: "over" }, []);
  near.close();
  near.postMessage({ type: "end", reason: "again" }, []);
  far.onmessage = ({ data }) => seen.push(data.type === "end" ? data.reason : data.type);
  await eventually(() => seen.length > 0);
  expect(seen).toEqual(["over"]);
});

test("a stream that leaves early goes over with no thread in between", async () => {
  const [near, far] = LocalPort.pair();
  const [a, link] = [openRedStream(near), openRedStream(far)];
  link.write(new Uint8Array(190));
  let read = 0;
  a.onData = (piece) => (read += piece.length);
  const moved = openRedStream(link.detach());
  const ends: string[] = [];
  moved.onClose = (reason) => ends.push(reason);
  let atMoved = 0;
  moved.onData = (piece) => (atMoved += piece.length);
  a.write(new Uint8Array(10));
  await eventually(() => read === 190 && atMoved === 10);
  a.close("gone");
  await eventually(() => ends.length > 0);
  expect(ends).toEqual(["gone"]);
});
