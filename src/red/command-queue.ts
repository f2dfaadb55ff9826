import type { RedCommand, RedCommandBatch } from "../protocol/red-command.ts";

/** Batches in the order of their arrival, consumed command by command, with waiting points between. */
export class CommandQueue {
  readonly #entries: (Batch | Barrier)[] = [];

  /** @param done called when the last command of the batch was taken and the next entry is asked for. */
  push(batch: RedCommandBatch, done: () => void): void {
    this.#entries.push({ commands: batch.commands, data: new Uint8Array(batch.data), next: 0, done });
  }

  /** Resolves when everything pushed before is done. */
  barrier(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#entries.length === 0) resolve();
      else this.#entries.push({ done: resolve });
    });
  }

  get isEmpty(): boolean {
    return this.#entries.length === 0;
  }

  /** The next command and the data it refers to; undefined when there is none. Finishes what came before it. */
  take(): { readonly command: RedCommand; readonly data: Uint8Array } | undefined {
    for (;;) {
      const entry = this.#entries[0];
      if (entry === undefined) return undefined;
      if ("commands" in entry && entry.next < entry.commands.length) {
        return { command: entry.commands[entry.next++], data: entry.data };
      }
      this.#entries.shift();
      entry.done();
    }
  }

  /** Drops all batches; waiting points are passed. */
  clear(): void {
    for (const entry of this.#entries.splice(0)) entry.done();
  }
}

interface Batch {
  readonly commands: readonly RedCommand[];
  readonly data: Uint8Array;
  next: number;
  readonly done: () => void;
}

interface Barrier {
  readonly done: () => void;
}
