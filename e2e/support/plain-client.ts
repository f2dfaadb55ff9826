import { SpiceSession } from "../../src/client/index.ts";
import type {
  ByteTransport,
  CursorChannel,
  CursorShape,
  InputsChannel,
  MainChannel,
} from "../../src/client/index.ts";
import { dialTcp } from "../../src/client/transports/node-socket.ts";
import { CommonCap, capsToWords } from "../../src/protocol/index.ts";
import { eventually } from "../../src/waiting.testing.ts";
import type { Picture } from "./ppm.ts";

/** Common capabilities without MINI_HEADER: every stock client has it, the protocol does not demand it. */
const FULL_HEADERS = capsToWords([CommonCap.ProtocolAuthSelection, CommonCap.AuthSpice]);
const PICTURE_DEADLINE_MS = 45_000;

/** A session of a client that speaks full headers: what it is shown once the screen is complete. */
export async function fullHeaderScreenshot(port: number, password?: string): Promise<Picture> {
  return fullHeaderScreenshotBy(() => dialTcp(port), password);
}

/** The same over connections that `dial` makes. */
export async function fullHeaderScreenshotBy(
  dial: () => Promise<ByteTransport>,
  password?: string,
): Promise<Picture> {
  using session = await SpiceSession.connect({ dial, password, commonCaps: FULL_HEADERS });
  const display = await session.open("display");
  const shown = () => (display.marked ? display.surfaces.get(0) : undefined);
  const surface = await display.until(shown, "MARK", { deadlineMs: PICTURE_DEADLINE_MS });
  const { width, height, stride, bytes } = surface;
  const rgb = new Uint8Array(width * height * 3);
  for (let y = 0, to = 0; y < height; y++)
    for (let from = y * stride; to < (y + 1) * width * 3; from += 4)
      for (const channel of [2, 1, 0]) rgb[to++] = bytes[from + channel];
  return { width, height, rgb };
}

/** A client that moves the guest's pointer as one does without an absolute pointer: by steps, in server mouse mode. */
export class PointerClient implements Disposable {
  readonly main: MainChannel;
  readonly inputs: InputsChannel;
  readonly cursor: CursorChannel;
  readonly #session: SpiceSession;

  private constructor(session: SpiceSession, inputs: InputsChannel, cursor: CursorChannel) {
    this.main = session.main;
    this.inputs = inputs;
    this.cursor = cursor;
    this.#session = session;
  }

  static async join(port: number): Promise<PointerClient> {
    const session = await SpiceSession.connect({ dial: () => dialTcp(port) });
    try {
      return new PointerClient(session, await session.open("inputs"), await session.open("cursor"));
    } catch (error) {
      session.close();
      throw error;
    }
  }

  /** The shape that the guest's pointer has now, as the server tells whoever joins. */
  async shape(): Promise<CursorShape> {
    return eventually(() => this.cursor.shape, "a shape of the guest's pointer");
  }

  /** Where the server last said that the guest's pointer is. */
  get position(): { readonly x: number; readonly y: number } | undefined {
    return this.cursor.position;
  }

  [Symbol.dispose](): void {
    this.#session.close();
  }
}
