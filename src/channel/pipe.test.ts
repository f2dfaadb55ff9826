import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { PipeItem } from "./pipe.ts";
import { Pipe } from "./pipe.ts";

const item = (bytes: number): PipeItem => ({ bytes, send: () => {} });

describe("Pipe", () => {
  it("is a queue that knows its length and bytes, whatever order it is used in", () => {
    const step = fc.oneof(
      fc.record({ type: fc.constant("add" as const), bytes: fc.nat(100) }),
      fc.constant({ type: "shift" as const }),
      fc.constant({ type: "clear" as const }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const pipe = new Pipe();
        let model: PipeItem[] = [];
        for (const step of steps) {
          if (step.type === "add") {
            const added = item(step.bytes);
            pipe.add(added);
            model.push(added);
          } else if (step.type === "shift") {
            expect(pipe.shift()).toBe(model.shift());
          } else {
            expect(pipe.clear()).toEqual(model);
            model = [];
          }
          expect(pipe.length).toBe(model.length);
          expect(pipe.bytes).toBe(model.reduce((sum, { bytes }) => sum + bytes, 0));
          expect(pipe.peek()).toBe(model[0]);
        }
      }),
    );
  });
});
