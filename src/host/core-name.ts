/** How many cores of this origin were left behind. */
const CORE_NAME_KEY = "spicetab.abandoned-cores";

/**
 * The name under which this origin's pages find core. A SharedWorker that hangs can be ended by nobody, and whoever asks for its name gets it
 * again: so it is left behind under its name, and the next core has another.
 */
export function coreName(): string {
  const abandoned = readAbandoned();
  return abandoned === 0 ? "core" : `core ${abandoned + 1}`;
}

/** The core of that name hangs. */
export function abandonCore(): void {
  try {
    localStorage.setItem(CORE_NAME_KEY, String(readAbandoned() + 1));
  } catch {
    // Without storage there is no other page that could find it: a reload does.
  }
}

function readAbandoned(): number {
  try {
    const count = Number(localStorage.getItem(CORE_NAME_KEY));
    return Number.isSafeInteger(count) && count > 0 ? count : 0;
  } catch {
    return 0;
  }
}
