/** Small mistakes in the source, each of which breaks one invariant of the threading model. */
export interface Mutant {
  /** Number of the invariant: its tests' names in {@link INVARIANTS_TEST} begin with it. */
  readonly invariant: number;
  readonly file: string;
  /** Occurs exactly once in the file. */
  readonly text: string;
  readonly replacement: string;
}

export const INVARIANTS_TEST = "src/simulation/invariants.test.ts";
export const INVARIANTS = 18;

export const MUTANTS: readonly Mutant[] = [
  {
    invariant: 1,
    file: "src/server/red-client.ts",
    text: "await Promise.all(others.map((channel) => channel.disconnect(reason)));",
    replacement: "await Promise.all(others);",
  },
  {
    invariant: 2,
    file: "src/server/main-dispatcher.ts",
    text: "this.#next(() => this.#run());",
    replacement: "this.#run();",
  },
  {
    invariant: 3,
    file: "src/channel/red-channel-client.ts",
    text: "clearInterval(this.#pingTimer);",
    replacement: "",
  },
  {
    invariant: 4,
    file: "src/red/display/display-channel.ts",
    text: "this.clients.delete(client);",
    replacement: "",
  },
  {
    invariant: 5,
    file: "src/server/sessions.ts",
    text: "if (client.channel(type, id))",
    replacement: "if (client.disconnecting)",
  },
  {
    invariant: 6,
    file: "src/server/sessions.ts",
    text: "const client = this.clients.ofSession(link.connectionId);",
    replacement: "const client = this.clients.all().at(-1);",
  },
  {
    invariant: 7,
    file: "src/red/worker/red-worker.ts",
    text: "readSurface: ({ surfaceId }) => this.readSurface(surfaceId),",
    replacement:
      'readSurface: async ({ surfaceId }) => { await (this.#options.main as any).call("primaryChanged", {}); return this.readSurface(surfaceId); },',
  },
  {
    invariant: 8,
    file: "src/dispatch/receiver.ts",
    text: "? start : done;",
    replacement: "? start : start;",
  },
  {
    invariant: 9,
    file: "src/qxl/batcher.ts",
    text: "else this.#schedule();",
    replacement: "else this.flush();",
  },
  {
    invariant: 10,
    file: "src/server/sessions.ts",
    text: "await gone;",
    replacement: "",
  },
  {
    invariant: 11,
    file: "src/server/sessions.ts",
    text: "this.#closed = true;",
    replacement: "",
  },
  {
    invariant: 12,
    file: "src/server/core.ts",
    text: "for (const one of red.owned) one[Symbol.dispose]();",
    replacement: "",
  },
  {
    invariant: 13,
    file: "src/server/sessions.ts",
    text: "await Promise.all(ends);",
    replacement: "break;",
  },
  {
    invariant: 14,
    file: "src/channel/red-channel-client.ts",
    text: "this.#serial++;",
    replacement: "this.#serial += 2n;",
  },
  {
    invariant: 14,
    file: "src/channel/channel-tracker.ts",
    text: "this.#serial++;",
    replacement: "",
  },
  {
    invariant: 15,
    file: "src/channel/red-channel-client.ts",
    text: "if (!this.#connected || this.#migration?.isSilent) return;",
    replacement: "if (!this.#connected) return;",
  },
  {
    invariant: 15,
    file: "src/channel/migration.ts",
    text: 'if (given === undefined) throw new Error("migrateData, which nobody waits for");',
    replacement: "if (given === undefined) return;",
  },
  {
    invariant: 15,
    file: "src/channel/channel-tracker.ts",
    text: "if (this.#migrated) return undefined;",
    replacement: "",
  },
  {
    invariant: 16,
    file: "src/red/limits.ts",
    text: "export const MAX_PIPE_SIZE = 50;",
    replacement: "export const MAX_PIPE_SIZE = 40;",
  },
  {
    invariant: 17,
    file: "src/qxl/command-processor.ts",
    text: "if (!keep) this.#options.releases.release(resource);",
    replacement: "this.#options.releases.release(resource);",
  },
  {
    invariant: 18,
    file: "src/qxl/device.ts",
    text: "this.settle();\n    const { surfaces",
    replacement: "const { surfaces",
  },
];
