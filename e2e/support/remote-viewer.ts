import type { Picture } from "./ppm.ts";
import { Program } from "./process.ts";
import { XvfbDisplay } from "./stock-clients.ts";
import { crop, locate } from "./text-screen.ts";

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** A remote-viewer window on its own X server, and where the guest's picture begins in it. */
export class RemoteViewer implements AsyncDisposable {
  readonly x: XvfbDisplay;
  readonly window: string;
  readonly #program: Program;

  private constructor(x: XvfbDisplay, program: Program, window: string) {
    this.x = x;
    this.#program = program;
    this.window = window;
  }

  static async open(port: number, ...args: string[]): Promise<RemoteViewer> {
    const x = await XvfbDisplay.start();
    const program = new Program("remote-viewer", [...args, `spice://127.0.0.1:${port}`], {
      env: { ...x.env, GDK_BACKEND: "x11", NO_AT_BRIDGE: "1" },
    });
    for (let tries = 0; ; tries++) {
      const found = await x.xdotool("search", "--onlyvisible", "--class", "remote-viewer").catch(() => "");
      const window = found.split("\n").findLast((line) => line !== "");
      if (window) return new RemoteViewer(x, program, window);
      if (tries > 150) throw new Error(`remote-viewer showed no window: ${program.stderr}`);
      await pause(200);
    }
  }

  /** Where the guest's pixel (0, 0) is on the X screen, once the guest's picture is shown there one to one. */
  async origin(guest: () => Promise<Picture>): Promise<{ x: number; y: number }> {
    for (let tries = 0; tries < 60; tries++) {
      const surface = await guest();
      // A piece of the left edge under the menus and beside the windows is enough to find the rest.
      const found = locate(crop(surface, 0, 0, 300, 200), await this.x.picture());
      if (found) return found;
      await pause(500);
    }
    throw new Error("remote-viewer never showed the guest's picture");
  }

  /** Whether its window is still there. */
  get isOpen(): boolean {
    return this.#program.child.exitCode === null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program[Symbol.asyncDispose]();
    await this.x[Symbol.asyncDispose]();
  }
}
