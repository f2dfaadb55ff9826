import { LOG_ENTRIES } from "./limits.ts";

/** Drops the oldest of the entries of one kind if there are too many of it. @returns its key, if so */
export function dropOldest<E>(entries: Map<string, E>, isOfKind: (entry: E) => boolean): string | undefined {
  const keys: string[] = [];
  for (const [key, entry] of entries) if (isOfKind(entry)) keys.push(key);
  if (keys.length <= LOG_ENTRIES) return undefined;
  entries.delete(keys[0]);
  return keys[0];
}
