import { expect, test } from "vitest";
import { makeBareMachine } from "../machine.testing.ts";
import { TSC_PER_MS, readTsc, writeTsc } from "./tsc.ts";

test("the counter is what it was set to last, however often it is set", async () => {
  await using machine = await makeBareMachine();
  const { cpu } = machine.emulator.v86;
  const hour = 3_600_000n * TSC_PER_MS;
  for (const tsc of [5n * hour, 9n * hour, 0n, hour, 2n * hour]) {
    writeTsc(cpu, tsc);
    const read = readTsc(cpu);
    // It goes on under the test, by less than an hour by far.
    expect(read >= tsc && read < tsc + hour / 2n, `${tsc} became ${read}`).toBe(true);
  }
});
