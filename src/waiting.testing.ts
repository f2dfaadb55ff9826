/** The real ones, also while a test has a clock of its own. */
const [wait, turn, now] = [setTimeout, setImmediate, performance.now.bind(performance)];

/** Below the 60 s of a whole test, so that it is this that says what did not come about. */
const DEADLINE_MS = 50_000;
/** Turns that are looked at without a pause: most things come about within a few. */
const QUICK_TURNS = 1000;

/**
 * Waits for what must come about: until `probe` gives something other than false or undefined, which is the result. Looks after each turn
 * of the event loop, after a thousand of them each millisecond, and moves no stopped clock. What must not happen, a test gives some
 * {@link turns}.
 * @param what for people; @default the probe's own text
 * @throws Error that says what did not come about; whatever the probe throws
 */
export async function eventually<T>(
  probe: () => T,
  what: string | (() => string) = () => String(probe),
  deadlineMs = DEADLINE_MS,
): Promise<Exclude<Awaited<T>, false | undefined>> {
  const end = now() + deadlineMs;
  for (let looks = 0; ; looks++) {
    const value = await probe();
    if (value !== false && value !== undefined) return value as Exclude<Awaited<T>, false | undefined>;
    if (now() > end) {
      const words = typeof what === "string" ? what : what();
      throw new Error(`did not come about within ${deadlineMs} ms: ${words}`);
    }
    await new Promise<void>((resolve) => (looks < QUICK_TURNS ? turn(resolve) : wait(resolve, 1)));
  }
}

/** So many turns of the event loop, for what must not happen. */
export async function turns(count = 20): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise<void>((resolve) => turn(resolve));
}
