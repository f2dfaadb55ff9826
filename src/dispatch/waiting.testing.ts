/** The real ones, also while a test has a clock of its own. */
const [wait, now] = [setTimeout, performance.now.bind(performance)];

/** Resolves once `until` holds; looks after every turn of the event loop. */
export async function eventually(until: () => boolean, deadlineMs = 20_000): Promise<void> {
  const end = now() + deadlineMs;
  while (!until()) {
    if (now() > end) throw new Error("did not happen in time");
    await new Promise((resolve) => wait(resolve, 1));
  }
}

/** So many turns of the event loop, for what must not happen. */
export async function turns(count = 20): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}
