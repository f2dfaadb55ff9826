/**
 * What a thread says of what it has: its part of the ownership graph (docs/threading.md). Each thread tells only of its own, at the
 * moment that it is asked; sizes in bytes, times in milliseconds.
 */

/** One end of a port between two threads. */
export interface DispatcherInspection {
  /** The thread at the other end. */
  readonly peer: string;
  /** Calls to it that it has not answered. */
  readonly calls: number;
  /** Its messages that wait here for those before them. */
  readonly queued: number;
}

/** A RedStream, on the thread that owns it. */
export interface StreamInspection {
  /** Bytes that may be written before the client has read more; below zero behind a large message. */
  readonly creditBytes: number;
  /** Bytes that the client has sent and nobody has read yet. */
  readonly waitingBytes: number;
}

/** The acknowledgement window of a channel client. */
export interface AckInspection {
  /** Messages that the client has not acknowledged; null before its window is open. */
  readonly outstanding: number | null;
  /** Messages of one acknowledgement. */
  readonly window: number;
  /** Milliseconds since the last one; absent: none has come yet. */
  readonly sinceMs?: number;
}

/** A channel client, on the thread of its channel. */
export interface ChannelClientInspection {
  /** Items in its pipe, and the memory that they hold. */
  readonly pipe: number;
  readonly pipeBytes: number;
  readonly sentMessages: number;
  readonly sentBytes: number;
  readonly receivedBytes: number;
  /** The shortest round trip so far; absent before the first PONG. */
  readonly latencyMs?: number;
  /** Absent where the channel has no acknowledgements. */
  readonly ack?: AckInspection;
  readonly stream: StreamInspection;
}

/** A channel client on a red worker's thread. */
export interface RedChannelClientInspection extends ChannelClientInspection {
  readonly clientId: number;
  /** SpiceChannelType: 2 display, 4 cursor. */
  readonly channelType: number;
}

/** A red worker. */
export interface RedInspection {
  readonly surfaces: readonly { id: number; width: number; height: number; format: number }[];
  readonly clients: readonly RedChannelClientInspection[];
  /** Of the guest, carried out so far. */
  readonly commands: number;
  /** That came and were not begun. */
  readonly queuedCommands: number;
  readonly dispatchers: readonly DispatcherInspection[];
}
