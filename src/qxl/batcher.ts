import type { DataSpan, RedCommand, RedCommandBatch } from "../protocol/red-command.ts";
import { RED_COMMAND_COST, RED_COMMAND_CREDIT } from "../protocol/red-command.ts";
import type { QxlSink } from "./bus.ts";
import { BATCH_FLUSH_BYTES, BATCH_MIN_BYTES } from "./limits.ts";

/** Spans begin at multiples of this, so that pixels can be read as words. */
const ALIGNMENT = 8;

export interface RedCommandBatcherOptions {
  /** Posts a batch; `batch.data` is to be transferred. */
  post(batch: RedCommandBatch): void;
  /** Calls back once, when the producer is done for now. Default: a microtask, that is the end of v86's current slice. */
  readonly schedule?: (flush: () => void) => void;
  /** Called when credit came back after there was none. */
  readonly onCredit?: () => void;
  /** Bytes that may be under way. */
  readonly credit?: number;
}

/**
 * Collects commands and their data into batches, each one buffer, and counts what the red worker has not yet processed. One
 * command always fits, so the credit can be overdrawn by one command.
 */
export class RedCommandBatcher implements QxlSink {
  readonly #options: RedCommandBatcherOptions;
  readonly #credit: number;
  #commands: RedCommand[] = [];
  #buffer: Uint8Array<ArrayBuffer> | undefined;
  #length = 0;
  /** Where the data of the next command begins. */
  #committed = 0;
  #capacity = BATCH_MIN_BYTES;
  #underWay = 0;
  #scheduled = false;

  constructor(options: RedCommandBatcherOptions) {
    this.#options = options;
    this.#credit = options.credit ?? RED_COMMAND_CREDIT;
  }

  get creditAvailable(): boolean {
    return this.pendingBytes < this.#credit;
  }

  get pendingBytes(): number {
    return this.#underWay + this.#cost;
  }

  get data(): Uint8Array<ArrayBuffer> {
    this.#buffer ??= new Uint8Array(this.#capacity);
    return this.#buffer;
  }

  allocate(length: number): DataSpan {
    const offset = this.#length;
    const end = offset + length;
    this.#reserve(end);
    this.#length = (end + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
    return { offset, length };
  }

  span(bytes: Uint8Array): DataSpan {
    const span = this.allocate(bytes.length);
    this.data.set(bytes, span.offset);
    return span;
  }

  push(command: RedCommand): void {
    this.#commands.push(command);
    this.#committed = this.#length;
    if (this.#length >= BATCH_FLUSH_BYTES) this.flush();
    else this.#schedule();
  }

  discard(): void {
    this.#buffer?.fill(0, this.#committed, this.#length);
    this.#length = this.#committed;
  }

  detach(): Uint8Array<ArrayBuffer> {
    const { data } = this;
    const [length, committed] = [this.#length, this.#committed];
    if (this.#commands.length > 0) {
      // A copy of what other commands have in front of it: less than a batch.
      const exact = data.slice(0, committed).buffer;
      this.#length = committed;
      this.#post(exact);
    }
    this.#length = this.#committed = 0;
    this.#buffer = undefined;
    return data.subarray(0, length);
  }

  pushDetached(command: RedCommand, data: Uint8Array<ArrayBuffer>): void {
    this.flush();
    this.#commands = [command];
    this.#length = data.length;
    this.#post(data.buffer);
    this.#length = 0;
  }

  flush(): void {
    if (this.#commands.length === 0) return;
    const bytes = this.#cost;
    const commands = this.#commands;
    const used = this.#committed;
    const data = this.#takeData(used);
    this.#commands = [];
    this.#underWay += bytes;
    // The next batch is likely like this one; a quarter more, so that most need no growing.
    this.#capacity = Math.min(Math.max(BATCH_MIN_BYTES, used + (used >> 2)), BATCH_FLUSH_BYTES);
    this.#options.post({ type: "commands", commands, data, bytes });
  }

  /** The red worker processed `bytes` of earlier batches (RedCommandReply "credit"). */
  credit(bytes: number): void {
    const stalled = !this.creditAvailable;
    this.#underWay = Math.max(0, this.#underWay - bytes);
    if (stalled && this.creditAvailable) this.#options.onCredit?.();
  }

  /** The red worker is another one: nothing is under way any more, and what was collected was for the old one. */
  restart(): void {
    this.#commands = [];
    this.#length = 0;
    this.#committed = 0;
    this.#underWay = 0;
    this.#buffer = undefined;
  }

  #post(data: ArrayBuffer): void {
    const commands = this.#commands;
    const bytes = this.#cost;
    this.#commands = [];
    this.#underWay += bytes;
    this.#options.post({ type: "commands", commands, data, bytes });
  }

  get #cost(): number {
    return this.#length + this.#commands.length * RED_COMMAND_COST;
  }

  #reserve(end: number): void {
    const current = this.data;
    if (end <= current.length) return;
    const wider = new Uint8Array(Math.max(end + ALIGNMENT, current.length * 2));
    wider.set(current.subarray(0, this.#length));
    this.#buffer = wider;
  }

  /** The batch's bytes as a buffer of their own; copied only when most of the buffer would travel empty. */
  #takeData(used: number): ArrayBuffer {
    const { buffer } = this.data;
    const fits = used * 2 >= buffer.byteLength || buffer.byteLength <= BATCH_MIN_BYTES;
    const kept = used === 0 ? undefined : this.#buffer;
    this.#length = 0;
    this.#committed = 0;
    if (kept === undefined) return new ArrayBuffer(0);
    if (fits) {
      this.#buffer = undefined;
      return buffer;
    }
    const exact = buffer.slice(0, used);
    kept.fill(0, 0, used);
    return exact;
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    const flush = () => {
      this.#scheduled = false;
      this.flush();
    };
    if (this.#options.schedule) this.#options.schedule(flush);
    else void Promise.resolve().then(flush);
  }
}
