import { expect, test } from "vitest";
import { HttpPace } from "./http-pace.ts";
import { HTTP_BURST_MS, HTTP_REQUEST_LEAST_MS, HTTP_SHARE, HTTP_TURN_MS } from "./limits.ts";

/** An event loop of which the test decides how long everything takes. */
function loop() {
  let nowMs = 0;
  let calls: { readonly call: () => void; readonly atMs: number }[] = [];
  const clock = {
    now: () => nowMs,
    soon: (call: () => void) => void calls.push({ call, atMs: nowMs }),
    later: (call: () => void, delayMs: number) => void calls.push({ call, atMs: nowMs + delayMs }),
  };
  return {
    clock,
    spend: (ms: number) => (nowMs += ms),
    /** One turn. False: nothing is left to do. */
    turn(): boolean {
      const [next] = calls;
      if (next === undefined) return false;
      calls = calls.slice(1);
      nowMs = Math.max(nowMs, next.atMs);
      next.call();
      return true;
    },
    now: clock.now,
  };
}

test.each([0, 0.1, 1, 10])(
  "however many ask for %f ms each, a turn of the loop and a share are the most",
  (costMs) => {
    const { clock, spend, turn, now } = loop();
    const pace = new HttpPace(clock);
    let asked = 0;
    // A crowd in which everybody asks again at once.
    for (let i = 0; i < 400; i++) {
      const work = () => {
        asked++;
        spend(costMs);
        pace.ask(work, true);
        return true;
      };
      pace.ask(work, i % 2 === 0);
    }
    const counts = Math.max(costMs, HTTP_REQUEST_LEAST_MS);
    for (let turns = 0; turns < 2000; turns++) {
      const before = asked;
      expect(turn()).toBe(true);
      expect((asked - before) * counts).toBeLessThan(HTTP_TURN_MS + counts);
    }
    expect(asked * counts).toBeLessThanOrEqual(now() * HTTP_SHARE + HTTP_BURST_MS + HTTP_TURN_MS + counts);
  },
);

test("those that ask again come in order, between them the newest and the oldest of those that are new", () => {
  const { clock, turn } = loop();
  const pace = new HttpPace(clock);
  const done: string[] = [];
  const work = (name: string) => () => {
    done.push(name);
    return false;
  };
  const gone = work("gone");
  for (let i = 0; i < 5; i++) pace.ask(work(`again ${i}`), true);
  pace.ask(gone, true);
  for (let i = 0; i < 5; i++) pace.ask(work(`new ${i}`), false);
  pace.forget(gone);
  while (turn());
  expect(done.join(", ")).toBe(
    "new 4, again 0, new 0, again 1, new 3, again 2, new 1, again 3, new 2, again 4",
  );
});

test("a page's requests wait for nobody when nobody else asks", () => {
  const { clock, turn, spend, now } = loop();
  const pace = new HttpPace(clock);
  let done = 0;
  for (let i = 0; i < 30; i++)
    pace.ask(() => {
      done++;
      spend(1);
      return true;
    }, true);
  while (turn());
  expect(done).toBe(30);
  expect(now()).toBe(30);
});
