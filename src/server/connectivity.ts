/** What a look at a channel sees. Both counters only grow. */
export interface ConnectivityReading {
  /** Bytes received from the client and handled so far. */
  readonly received: number;
  /** Bytes of the client that wait with us. */
  readonly waiting: number;
  /** Bytes the client has taken so far. */
  readonly taken: number;
  /** Something waits for the client, and it takes no more. */
  readonly blocked: boolean;
  /** A PING is unanswered. */
  readonly pinging: boolean;
}

/**
 * Tells a dead client from an idle one by looks at regular intervals (connectivity monitoring of RedChannelClient): dead is who was
 * blocked or owed a PONG at the last look and has not moved a byte since. Silence alone proves nothing, and nobody is silent whose bytes
 * wait with us.
 */
export class ConnectivityMonitor {
  #state: "connected" | "blocked" | "waitPong" = "connected";
  #received = 0;
  #taken = 0;

  /** Bytes received at the last look. */
  get received(): number {
    return this.#received;
  }

  /** One look; false if the client is dead. */
  look({ received, waiting, taken, blocked, pinging }: ConnectivityReading): boolean {
    const silent = received === this.#received && waiting === 0;
    const stuck = taken === this.#taken;
    const dead = silent && (this.#state === "waitPong" || (this.#state === "blocked" && stuck));
    this.#received = received;
    this.#taken = taken;
    this.#state = blocked ? "blocked" : pinging ? "waitPong" : "connected";
    return !dead;
  }
}
