/** What an attack is given. */
export interface Target {
  /** Port of SPICE over TCP on loopback. */
  readonly port: number;
  readonly password?: string;
  /** 1: as hard as the issue asks; a journey uses less. */
  readonly scale: number;
}

/** Something that a hostile client does. It ends by itself and leaves nothing behind. */
export interface Attack {
  readonly name: string;
  /** @returns what came of it, in a few words */
  run(target: Target): Promise<string>;
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** At least one. */
export const scaled = (count: number, { scale }: Target): number => Math.max(1, Math.round(count * scale));
