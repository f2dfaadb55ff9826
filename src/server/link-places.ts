import { LINK_STEP_GRACE_MS } from "./limits.ts";

/** How far a connection has come in its link. Who has said more keeps its place before who has said less. */
export const LinkStage = {
  /** Not a byte. */
  Silent: 0,
  /** A part of the link message. */
  Begun: 1,
  /** The link message; the ticket is awaited. */
  Linking: 2,
  /** The ticket is there and is looked at. */
  Ticket: 3,
} as const;
export type LinkStage = (typeof LinkStage)[keyof typeof LinkStage];

/** One connection in its link stage. */
export interface LinkPlace {
  /** Moves on; the clock of who has said least for longest begins again. */
  advance(stage: LinkStage): void;
  /** The link is over, well or badly. */
  leave(): void;
}

interface Entry {
  stage: LinkStage;
  /** Milliseconds of the clock. */
  sinceMs: number;
  readonly evict: () => void;
}

/**
 * The places of connections in their link stage. Whoever comes gets one: when all are taken, the one goes that has said least, and
 * among equals the one that has been silent for longest. An honest client says all it has to say within a round trip, so it is the
 * last to go, however many others say nothing, little or half. Who has had no time to say more is passed over, as long as others had it:
 * among many that all wait for their ticket, a newcomer would else go before its first byte is read.
 */
export class LinkPlaces {
  readonly #most: number;
  readonly #taken = new Set<Entry>();
  readonly #nowMs: () => number;

  constructor(most: number, nowMs: () => number = () => performance.now()) {
    this.#most = most;
    this.#nowMs = nowMs;
  }

  get size(): number {
    return this.#taken.size;
  }

  /** @param evict ends the connection that takes the place, if it must go. */
  take(evict: () => void): LinkPlace {
    if (this.#taken.size >= this.#most) this.#makeRoom();
    const entry: Entry = { stage: LinkStage.Silent, sinceMs: this.#nowMs(), evict };
    this.#taken.add(entry);
    return {
      advance: (stage) => {
        if (stage <= entry.stage) return;
        entry.stage = stage;
        entry.sinceMs = this.#nowMs();
        // Who moved on last is looked at last.
        if (this.#taken.delete(entry)) this.#taken.add(entry);
      },
      leave: () => void this.#taken.delete(entry),
    };
  }

  #makeRoom(): void {
    const latest = this.#nowMs() - LINK_STEP_GRACE_MS;
    const all = [...this.#taken];
    const hadTime = all.filter(({ sinceMs }) => sinceMs <= latest);
    const [victim] = (hadTime.length > 0 ? hadTime : all).toSorted((a, b) => a.stage - b.stage);
    if (victim === undefined) return;
    this.#taken.delete(victim);
    victim.evict();
  }
}
