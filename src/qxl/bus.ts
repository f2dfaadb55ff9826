import type { DataSpan, RedCommand } from "../protocol/red-command.ts";

/** The machine as the device sees it. */
export interface QxlBus {
  /**
   * Views of device memory: RAM (BAR0), VRAM (BAR1), ROM (BAR2). Asked for at every entry from outside, because the memory behind
   * them may be replaced when it grows.
   */
  ram(): Uint8Array;
  vram(): Uint8Array;
  rom(): Uint8Array;
  /** INTx is a level: each is called only when it changes. */
  raiseIrq(): void;
  lowerIrq(): void;
  /** The device went to VGA mode: the legacy core's picture is shown from now on. */
  enterVga(): void;
  /** The device leaves VGA mode; called before its own primary is created. */
  leaveVga(): void;
}

/** Where a base address register puts a memory. */
export interface QxlBar {
  /** Guest-physical address. */
  readonly base: number;
  /** Bytes. */
  readonly size: number;
}

/** Where commands go: a {@link RedCommandBatcher}. */
export interface QxlSink {
  /** False while too much is under way: the device leaves its rings as they are. */
  readonly creditAvailable: boolean;
  /** Bytes of credit that are taken: everything pushed that has not come back. */
  readonly pendingBytes: number;
  /** The data of the batch being filled: what spans point into. Asked for again after each {@link allocate}. */
  readonly data: Uint8Array;
  /** Room in the batch, zeroed; it belongs to the next {@link push}. */
  allocate(length: number): DataSpan;
  /** A copy of `bytes` in the batch; it belongs to the next {@link push}. */
  span(bytes: Uint8Array): DataSpan;
  push(command: RedCommand): void;
  /** Gives back what was allocated since the last {@link push}. */
  discard(): void;
  /**
   * Takes the memory behind everything allocated since the last {@link push} out of the batch, for a command that is not finished yet:
   * spans stay what they are in it, and nothing that is pushed meanwhile touches it.
   */
  detach(): Uint8Array<ArrayBuffer>;
  /** Pushes such a command, behind everything that was pushed meanwhile. */
  pushDetached(command: RedCommand, data: Uint8Array<ArrayBuffer>): void;
  /** Sends the batch now instead of at the end of the tick. */
  flush(): void;
}
