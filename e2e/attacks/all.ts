import type { Attack } from "./attack.ts";
import { CROWDS } from "./crowds.ts";
import { FLOODS } from "./floods.ts";
import { fuzz } from "./fuzz.ts";

/** Every attack over the wire. `seed` decides what the fuzzed connections say. */
export const allAttacks = (seed: number): readonly Attack[] => [...FLOODS, ...CROWDS, fuzz(seed)];
