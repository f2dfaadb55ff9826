import { chmod, mkdir } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { UsageError } from "./cli-options.ts";

/** What Chromium leaves in a profile while it has it: a link to a socket, at which another Chromium would ask for a window. */
const SOCKET = "SingletonSocket";

/**
 * Makes the folder of a browser profile, or takes one that no browser has.
 * @throws UsageError naming the folder and what is wrong with it
 */
export async function takeProfile(folder: string): Promise<void> {
  try {
    // The page keeps its secret there, and the machine's state: nobody else on this computer may look into it.
    await mkdir(folder, { recursive: true });
    await chmod(folder, 0o700);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const words = code === "EEXIST" || code === "ENOTDIR" ? "it is no folder" : message;
    throw new UsageError(`--profile: ${folder} cannot hold a browser's profile: ${words}`, { cause: error });
  }
  if (await isAnswered(join(folder, SOCKET))) throw new UsageError(inUse(folder));
}

/** Why a Chromium did not start, in one sentence: Playwright's own is a screen full. */
export async function launchError(folder: string, error: Error): Promise<Error> {
  // Another one may have been faster than we.
  if (await isAnswered(join(folder, SOCKET))) return new UsageError(inUse(folder), { cause: error });
  const [first] = error.message.split("\n", 1);
  return new UsageError(`Chromium does not start: ${first.replace(/^[\w.]+: /, "")}`, { cause: error });
}

function inUse(folder: string): string {
  return `--profile: ${folder} is in use by another browser; end it or choose another folder`;
}

async function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
