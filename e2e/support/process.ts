import { spawn, type ChildProcess } from "node:child_process";
import { eventually } from "../../src/waiting.testing.ts";

/** What a finished program left behind. */
export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A program under test, ended with its whole process group when disposed. */
export class Program implements AsyncDisposable {
  readonly child: ChildProcess;
  readonly done: Promise<Finished>;
  stdout = "";
  stderr = "";

  constructor(
    command: string,
    args: readonly string[],
    options: { env?: NodeJS.ProcessEnv; cwd?: string } = {},
  ) {
    this.child = spawn(command, args, {
      env: { ...process.env, ...options.env },
      cwd: options.cwd,
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.child.stdout?.on("data", (piece) => (this.stdout += piece));
    this.child.stderr?.on("data", (piece) => (this.stderr += piece));
    this.done = new Promise((resolve, reject) => {
      this.child.once("error", reject);
      this.child.once("close", (code) => resolve({ code, stdout: this.stdout, stderr: this.stderr }));
    });
    // Whoever only ends the program must not see its start-up failure as an unhandled rejection.
    this.done.catch(() => {});
  }

  signal(name: NodeJS.Signals): void {
    if (this.child.pid === undefined || this.child.exitCode !== null) return;
    try {
      process.kill(-this.child.pid, name);
    } catch {
      // The group is gone already.
    }
  }

  /** Waits until the output matches, or fails with what was printed so far. */
  async printed(pattern: RegExp, deadlineMs: number): Promise<RegExpMatchArray> {
    const words = () =>
      `${pattern} in print; exit code ${this.child.exitCode}\n${this.stdout}\n${this.stderr}`;
    const printed = () => {
      const match = (this.stdout + this.stderr).match(pattern);
      if (match === null && this.child.exitCode !== null) throw new Error(`ended without ${words()}`);
      return match ?? undefined;
    };
    return eventually(printed, words, deadlineMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.signal("SIGTERM");
    const timer = setTimeout(() => this.signal("SIGKILL"), 5_000);
    await this.done.catch(() => {});
    clearTimeout(timer);
  }
}

/** Runs a program to its end; it is killed after `deadlineMs`. */
export async function run(
  command: string,
  args: readonly string[],
  options: { env?: NodeJS.ProcessEnv; deadlineMs?: number } = {},
): Promise<Finished> {
  const program = new Program(command, args, options);
  const timer = setTimeout(() => program.signal("SIGKILL"), options.deadlineMs ?? 60_000);
  try {
    return await program.done;
  } finally {
    clearTimeout(timer);
  }
}
