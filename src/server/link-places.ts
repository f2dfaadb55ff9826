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
  since: number;
  readonly evict: () => void;
}

/**
 * The places of connections in their link stage. Whoever comes gets one: when all are taken, the one goes that has said least, and
 * among equals the one that has been silent for longest. An honest client says all it has to say within a round trip, so it is the
 * last to go, however many others say nothing, little or half.
 */
export class LinkPlaces {
  readonly #most: number;
  readonly #taken = new Set<Entry>();
  #clock = 0;

  constructor(most: number) {
    this.#most = most;
  }

  get size(): number {
    return this.#taken.size;
  }

  /** @param evict ends the connection that takes the place, if it must go. */
  take(evict: () => void): LinkPlace {
    if (this.#taken.size >= this.#most) this.#makeRoom();
    const entry: Entry = { stage: LinkStage.Silent, since: this.#clock++, evict };
    this.#taken.add(entry);
    return {
      advance: (stage) => {
        if (stage <= entry.stage) return;
        entry.stage = stage;
        entry.since = this.#clock++;
      },
      leave: () => void this.#taken.delete(entry),
    };
  }

  #makeRoom(): void {
    let victim: Entry | undefined;
    for (const entry of this.#taken) {
      if (
        victim === undefined ||
        entry.stage < victim.stage ||
        (entry.stage === victim.stage && entry.since < victim.since)
      )
        victim = entry;
    }
    if (victim === undefined) return;
    this.#taken.delete(victim);
    victim.evict();
  }
}
