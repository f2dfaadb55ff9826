/** A moment for people: "today at 14:03", else with its day. `at` is in milliseconds since 1970. */
export function momentWords(at: number): string {
  const time = new Date(at);
  if (time.toDateString() === new Date().toDateString()) {
    return `today at ${time.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })}`;
  }
  return time.toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
}
