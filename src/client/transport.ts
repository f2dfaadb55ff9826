/**
 * The bytes that a channel travels over, both ways. A RedStream is one as it is; `transports/` makes one of a Node socket and of a
 * WebSocket.
 */
export interface ByteTransport {
  write(bytes: Uint8Array): void;
  /** Called with each piece. While nobody reads, what comes is kept, and held back at the peer where that can be. */
  onData: ((bytes: Uint8Array) => void) | undefined;
  /** Puts bytes back in front of what is still to be read, for a reader that was given more than its part. */
  unread(bytes: Uint8Array): void;
  /** Called once, unless this side closed: after the last byte was read, as soon as somebody listens. */
  onClose: ((reason: string) => void) | undefined;
  /** Ends both directions. What was written before still goes out. */
  close(reason?: string): void;
}
