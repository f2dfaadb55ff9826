/**
 * RedStream: a byte duplex over a MessagePort with credits. Drivers (WebSocket in core, data channels, in-page ports)
 * join one end of a MessageChannel to their wire; channels only ever see this interface. Moving a stream to the thread
 * of its channel means `detach()` here and `openRedStream(port)` there.
 */

/** Who is at the other end, for people and for policy. */
export interface StreamPeer {
  /** "websocket" | "tcp" | "tls" | "webrtc" | "port" */
  readonly transport: string;
  /** Human-readable address, for example "127.0.0.1:51234". */
  readonly address: string;
  readonly secure: boolean;
  /** The relay's number of the connection, to report by how its link went. */
  readonly id?: number;
}

/** What travels on a RedStream port, both ways. Data buffers are transferred. */
export type RedStreamFrame =
  | { readonly type: "data"; readonly bytes: Uint8Array<ArrayBuffer> }
  /** That many more bytes may be sent by the receiver of this frame. */
  | { readonly type: "credit"; readonly bytes: number }
  /** Orderly end or failure; nothing follows. */
  | { readonly type: "end"; readonly reason: string };

/** How far both directions of a stream have come, in bytes. */
export interface StreamPosition {
  readonly read: number;
  readonly written: number;
}

export interface RedStream extends Disposable {
  readonly closed: boolean;
  /** The peer has ended; what it wrote before may still be unread. */
  readonly ending: boolean;
  /** Bytes received that nobody has read yet: while there are some, the peer has been heard. */
  readonly waiting: number;
  /** Bytes that were read, without those put back, and bytes that were written, since the stream was opened. */
  readonly position: StreamPosition;
  /** Bytes that may be written now before the peer's credit is used up (may go negative: one write may overshoot). */
  readonly credit: number;
  /** Takes ownership of `bytes` (its buffer is transferred unless it is a view of a larger buffer, then copied). */
  write(bytes: Uint8Array): void;
  /**
   * Called with each piece; what the reader does not put back by `unread` before it returns goes back to the sender as credit, a grain
   * at a time.
   */
  onData: ((bytes: Uint8Array) => void) | undefined;
  /** Puts bytes back in front of what is still to be read, for a reader that took more than its part. Costs no credit. */
  unread(bytes: Uint8Array): void;
  /** Called when credit rose above zero again. */
  onDrain: (() => void) | undefined;
  /** Called exactly once, unless this side closed; after the last byte was read, if anybody ever read. */
  onClose: ((reason: string) => void) | undefined;
  close(reason?: string): void;
  /** Hands the stream to another thread: returns the port to transfer; unread bytes go with it (re-posted first). */
  detach(): MessagePort;
}
