/** Sees what passes a driver, whole and in order, and changes nothing. */
export interface WireWatcher {
  /** From the client. */
  received(bytes: Uint8Array): void;
  /** To the client, in pieces as they were written. Its wire has it from now on. */
  sent(bytes: Uint8Array): void;
}

/** A driver's handle on a client's wire, for core: the stream that it carries may be with any thread. */
export interface Wire {
  /** At most one. */
  watcher: WireWatcher | undefined;
  /** Ends the wire from here, for when the thread that has the stream is gone and cannot. */
  cut(reason: string): void;
  /**
   * Takes the stream from whoever has it, alive or not, and gives it a fresh port; `first` comes before what the client sends next. What
   * the old owner wrote and the wire had not taken is dropped, piece by piece.
   */
  rejoin(first?: Uint8Array): MessagePort;
}
