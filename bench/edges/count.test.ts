import { expect, test } from "vitest";
import { countEdges } from "./count.ts";

// The same on every machine: a simulated world decides what comes when. Whoever needs more messages should know it.
test.each([1, 3])(
  "%i clients: a drawn command is one message each way and client, a key is one to core and one to the guest",
  async (n) => {
    const counted = await countEdges(n);
    const drawn = counted["drawn command"];
    expect(drawn["guest → red"]).toBe(1);
    expect(drawn["red → core"]).toBe(n);
    expect(drawn["core → client"]).toBe(n);
    const key = counted["key, down and up"];
    expect(key).toMatchObject({ "client → core": 2, "core → guest": 2 });
    const motion = counted["pointer motion"];
    expect(motion["core → guest"]).toBeLessThanOrEqual(1);
    for (const edges of Object.values(counted)) expect(edges["core → core"]).toBeUndefined();
    // What comes at once travels together.
    const burst = counted["drawn command, 100 at once"];
    expect(burst["guest → red"]).toBeLessThan(0.1);
    expect(burst["core → client"]).toBeLessThan(0.6 * n);
    expect(burst["core → red"]).toBeLessThanOrEqual(0.1 * n);
  },
);
