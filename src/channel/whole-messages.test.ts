import * as fc from "fast-check";
import { expect, test } from "vitest";
import { WholeMessages } from "./whole-messages.ts";

const HELD_BYTES = 100;
const bytes = (maxLength: number) => fc.uint8Array({ maxLength, size: "max" });
const message = fc.record({ type: fc.nat(0xffff), body: fc.oneof(bytes(40), bytes(300)) });

function encode({ type, body }: { type: number; body: Uint8Array }): number[] {
  const header = new DataView(new ArrayBuffer(6));
  header.setUint16(0, type, true);
  header.setUint32(2, body.length, true);
  return [...new Uint8Array(header.buffer), ...body];
}

test("all gets through in order, and between two pushes only whole messages have, unless one is too long to be held", () => {
  fc.assert(
    fc.property(
      fc.array(message, { maxLength: 12 }),
      fc.array(fc.integer({ min: 1, max: 120 }), { minLength: 1 }),
      (messages, cuts) => {
        const whole = new WholeMessages(true, HELD_BYTES);
        const encoded = messages.map(encode);
        const ends = new Set([0]);
        let end = 0;
        for (const one of encoded) ends.add((end += one.length));
        const all = Uint8Array.from(encoded.flat());
        const through: number[] = [];
        for (let at = 0, cut = 0; at < all.length; cut++) {
          const next = at + cuts[cut % cuts.length];
          for (const piece of whole.push(all.subarray(at, next))) through.push(...piece);
          at = Math.min(next, all.length);
          const isWhole = ends.has(through.length);
          // What is held back is no more than it may be, and what is torn is long.
          expect(at - through.length).toBeLessThanOrEqual(HELD_BYTES);
          if (!isWhole) {
            const start = Math.max(...[...ends].filter((one) => one <= through.length));
            const stop = Math.min(...[...ends].filter((one) => one > through.length));
            expect(stop - start).toBeGreaterThan(HELD_BYTES);
          }
        }
        expect(through).toEqual([...all]);
      },
    ),
  );
});

test("what was begun is dropped, and the next one begins anew; a message that is half through cannot be", () => {
  const whole = new WholeMessages(true, HELD_BYTES);
  const mark = encode({ type: 102, body: new Uint8Array(0) });
  whole.push(Uint8Array.from(mark.slice(0, 4)));
  expect(whole.drop()).toBe(true);
  expect(whole.push(Uint8Array.from(mark))).toEqual([Uint8Array.from(mark)]);
  const long = encode({ type: 304, body: new Uint8Array(200) });
  expect(whole.push(Uint8Array.from(long.slice(0, 150)))).toHaveLength(1);
  expect(whole.drop()).toBe(false);
});
