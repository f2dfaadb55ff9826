/** "1.2 MB", for people. */
export function bytes(count: number): string {
  if (count < 0) return `−${bytes(-count)}`;
  if (count < 1_000) return `${count} B`;
  const units = ["kB", "MB", "GB"];
  let value = count;
  let unit = -1;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1_000;
    unit++;
  }
  return `${value < 9.95 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

/** "12 ms", "3.4 s", "5 min". */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  return `${Math.round(ms / 60_000).toLocaleString("en")} min`;
}

export const count = (number: number): string => number.toLocaleString("en");
