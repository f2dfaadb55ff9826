import * as fc from "fast-check";
import { expect, test } from "vitest";
import { CUTTER_KEPT_BYTES } from "./limits.ts";
import { MessageCutter } from "./message-cutter.ts";

const message = fc.record({
  type: fc.integer({ min: 0, max: 0xffff }),
  // Without "max" an array within an array has ten elements at most.
  body: fc.oneof(
    fc.uint8Array({ maxLength: CUTTER_KEPT_BYTES, size: "max" }),
    fc.uint8Array({ maxLength: 300, size: "max" }),
  ),
});

function encode({ type, body }: { type: number; body: Uint8Array }, miniHeader: boolean): number[] {
  const header = new DataView(new ArrayBuffer(miniHeader ? 6 : 18));
  header.setUint16(miniHeader ? 0 : 8, type, true);
  header.setUint32(miniHeader ? 2 : 10, body.length, true);
  return [...new Uint8Array(header.buffer), ...body];
}

test("however its bytes are cut, each message is told once, and what came of the next is kept", () => {
  fc.assert(
    fc.property(
      fc.array(message, { maxLength: 12 }),
      message,
      fc.boolean(),
      fc.array(fc.integer({ min: 1, max: 70 }), { minLength: 1 }),
      fc.nat(),
      (messages, last, miniHeader, cuts, torn) => {
        const told: [number, number[] | undefined][] = [];
        const cutter = new MessageCutter(miniHeader, (type, body) => told.push([type, body && [...body]]));
        const end = encode(last, miniHeader);
        const rest = end.slice(0, torn % end.length);
        const bytes = Uint8Array.from([...messages.flatMap((one) => encode(one, miniHeader)), ...rest]);
        for (let at = 0, cut = 0; at < bytes.length; at += cuts[cut++ % cuts.length])
          cutter.push(bytes.subarray(at, at + cuts[cut % cuts.length]));
        expect(told).toEqual(
          messages.map(({ type, body }) => [type, body.length <= CUTTER_KEPT_BYTES ? [...body] : undefined]),
        );
        const kept = rest.length <= (miniHeader ? 6 : 18) + CUTTER_KEPT_BYTES;
        expect(cutter.rest && [...cutter.rest]).toEqual(kept ? rest : undefined);
      },
    ),
  );
});
