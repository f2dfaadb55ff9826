import type { Picture } from "./ppm.ts";
import { Program } from "./process.ts";
import { XvfbDisplay } from "./stock-clients.ts";
import { crop, locate } from "./text-screen.ts";

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function visibleWindows(x: XvfbDisplay): Promise<string[]> {
  // xdotool fails when it finds none.
  const found = await x.xdotool("search", "--onlyvisible", "--class", "remote-viewer").catch(() => "");
  return found.split("\n").filter((line) => line !== "");
}

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

  /** `screen`: size of the X server's. */
  static async open(port: number, { screen }: { screen?: string } = {}): Promise<RemoteViewer> {
    const x = await XvfbDisplay.start(screen);
    const program = new Program("remote-viewer", [`spice://127.0.0.1:${port}`], {
      env: { ...x.env, GDK_BACKEND: "x11", NO_AT_BRIDGE: "1" },
    });
    for (let tries = 0; ; tries++) {
      const window = (await visibleWindows(x)).at(-1);
      if (window) return new RemoteViewer(x, program, window);
      if (tries > 150) throw new Error(`remote-viewer showed no window: ${program.stderr}`);
      await pause(200);
    }
  }

  /** Its windows, once there are so many: "name (1)" shows the first display. */
  async windows(count: number): Promise<string[]> {
    for (let tries = 0; tries < 150; tries++) {
      const found = await visibleWindows(this.x);
      const named = await Promise.all(
        found.map(async (window) => ({ window, name: await this.x.xdotool("getwindowname", window) })),
      );
      if (named.length === count)
        return named.toSorted((a, b) => a.name.localeCompare(b.name)).map(({ window }) => window);
      await pause(200);
    }
    throw new Error(`remote-viewer never had ${count} windows`);
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
