import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PNG } from "pngjs";
import { readPpm, type Picture } from "./ppm.ts";
import { Program, run, type Finished } from "./process.ts";

/** What spicy-screenshot (Debian's spice-client-gtk) answered. */
export interface Screenshot extends Finished {
  readonly picture: Picture | undefined;
}

/** Takes a picture of the primary surface with the stock client; no X is needed. */
export async function spicyScreenshot(
  port: number,
  options: { password?: string; env?: NodeJS.ProcessEnv; args?: readonly string[]; deadlineMs?: number } = {},
): Promise<Screenshot> {
  const folder = await mkdtemp(join(tmpdir(), "spicetab-shot-"));
  const file = join(folder, "shot.ppm");
  try {
    const args = ["-h", "127.0.0.1", "-p", String(port), "-o", file, ...(options.args ?? [])];
    if (options.password !== undefined) args.push("-w", options.password);
    const finished = await run("spicy-screenshot", args, {
      env: options.env,
      deadlineMs: options.deadlineMs ?? 60_000,
    });
    const bytes = await readFile(file).catch(() => undefined);
    return { ...finished, picture: bytes && bytes.length > 0 ? readPpm(bytes) : undefined };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** An X server without a screen of its own, for the stock clients that have windows. */
export class XvfbDisplay implements AsyncDisposable {
  readonly #server: Program;
  readonly name: string;

  private constructor(server: Program, name: string) {
    this.#server = server;
    this.name = name;
  }

  static async start(size = "1400x1100"): Promise<XvfbDisplay> {
    // Xvfb picks a free number itself and writes it to the descriptor named here.
    const server = new Program("Xvfb", [
      "-displayfd",
      "1",
      "-screen",
      "0",
      `${size}x24`,
      "-nolisten",
      "tcp",
      "-ac",
    ]);
    const [number] = await server.printed(/^\d+$/m, 20_000);
    return new XvfbDisplay(server, `:${number}`);
  }

  get env(): NodeJS.ProcessEnv {
    return { DISPLAY: this.name };
  }

  async xdotool(...args: string[]): Promise<string> {
    const done = await run("xdotool", args, { env: this.env, deadlineMs: 30_000 });
    if (done.code !== 0) throw new Error(`xdotool ${args.join(" ")} failed: ${done.stderr}`);
    return done.stdout.trim();
  }

  /** The whole screen as a picture. */
  async picture(): Promise<Picture> {
    const folder = await mkdtemp(join(tmpdir(), "spicetab-x-"));
    const file = join(folder, "screen.ppm");
    try {
      const done = await run("import", ["-window", "root", "-depth", "8", file], { env: this.env });
      if (done.code !== 0) throw new Error(`import failed: ${done.stderr}`);
      return readPpm(await readFile(file));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  /** The whole screen with the X server's pointer on it, as a person sees it. */
  async pictureWithPointer(): Promise<Picture> {
    const { width, height, data } = PNG.sync.read(await this.png());
    const rgb = new Uint8Array(width * height * 3);
    for (let i = 0; i < width * height; i++) rgb.set(data.subarray(i * 4, i * 4 + 3), i * 3);
    return { width, height, rgb };
  }

  /** The same as a file for people. */
  async png(): Promise<Buffer> {
    const folder = await mkdtemp(join(tmpdir(), "spicetab-x-"));
    const file = join(folder, "screen.png");
    try {
      const done = await run("scrot", ["--pointer", file], { env: this.env });
      if (done.code !== 0) throw new Error(`scrot failed: ${done.stderr}`);
      return await readFile(file);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
  }
}
