import type { RedCommand, RedCommandBatch } from "../../protocol/red-command.ts";
import type { Steps } from "../../raster/index.ts";

/** Something else that has its place in the order of the commands. */
export interface QueuedTask {
  /** Called when it is its turn, everything before it being done. */
  readonly start: () => Steps;
  /** Called instead if it will never start, or never end. */
  readonly cancel: () => void;
}

/** What is to be done next. */
export type QueueItem =
  | { readonly command: RedCommand; readonly data: Uint8Array; readonly task?: undefined }
  | { readonly task: QueuedTask };

/** Batches in the order of their arrival, consumed command by command, with tasks between. */
export class CommandQueue {
  readonly #entries: (Batch | { readonly task: QueuedTask })[] = [];

  /** Commands and tasks that nobody has taken. */
  get length(): number {
    return this.#entries.reduce(
      (sum, entry) => sum + ("task" in entry ? 1 : entry.commands.length - entry.next),
      0,
    );
  }

  /** @param done called when the last command of the batch was taken and the next item is asked for. */
  push(batch: RedCommandBatch, done: () => void): void {
    this.#entries.push({ commands: batch.commands, data: new Uint8Array(batch.data), next: 0, done });
  }

  /** Has a task done behind everything pushed before. */
  pushTask(task: QueuedTask): void {
    this.#entries.push({ task });
  }

  /** The next command and the data it refers to, or a task; undefined when there is none. Finishes what came before it. */
  take(): QueueItem | undefined {
    for (;;) {
      const entry = this.#entries[0];
      if (entry === undefined) return undefined;
      if ("task" in entry) {
        this.#entries.shift();
        return entry;
      }
      if (entry.next < entry.commands.length)
        return { command: entry.commands[entry.next++], data: entry.data };
      this.#entries.shift();
      entry.done();
    }
  }

  /** Drops all batches and tasks. */
  clear(): void {
    for (const entry of this.#entries.splice(0)) {
      if ("task" in entry) entry.task.cancel();
      else entry.done();
    }
  }
}

interface Batch {
  readonly commands: readonly RedCommand[];
  readonly data: Uint8Array;
  next: number;
  readonly done: () => void;
}
