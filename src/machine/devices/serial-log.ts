/** The serial console as the page sees it: the last text, and the boot markers in it. */
import { SERIAL_LINE_CHARS, SERIAL_TAIL_CHARS } from "../limits.ts";

/** A line `GUEST <name> uptime=<seconds>` that the guest's init writes to the kernel log. */
export interface BootMarker {
  /** init, modules, udev, x, wm, apps or ready; keyboard-<layout> when the page has set the keyboard's layout. */
  readonly name: string;
  /** Seconds of guest time, if the line held them undamaged (a serial log under load loses characters). */
  readonly uptime?: number;
}

const MARKER = /GUEST ([a-z][a-z-]*)(?: uptime=([0-9]+(?:\.[0-9]+)?))?/;

/** Finds a boot marker in one line. */
export const parseBootMarker = (line: string): BootMarker | undefined => {
  const found = MARKER.exec(line);
  if (!found) return undefined;
  return found[2] === undefined ? { name: found[1] } : { name: found[1], uptime: Number(found[2]) };
};

/** Collects the bytes of the serial port (Latin-1). */
export class SerialLog {
  readonly #onMarker: (marker: BootMarker) => void;
  readonly #onLine: (line: string) => void;
  #tail = "";
  #line = "";

  /** `onLine` hears every line, without its end. */
  constructor(onMarker: (marker: BootMarker) => void, onLine: (line: string) => void = () => {}) {
    this.#onMarker = onMarker;
    this.#onLine = onLine;
  }

  /** The last {@link SERIAL_TAIL_CHARS} characters. */
  get tail(): string {
    return this.#tail.slice(-SERIAL_TAIL_CHARS);
  }

  push(byte: number): void {
    const character = String.fromCharCode(byte);
    this.#tail += character;
    // Cut rarely: cutting at every character would copy the text each time.
    if (this.#tail.length > 2 * SERIAL_TAIL_CHARS) this.#tail = this.tail;
    if (character === "\n") {
      const line = this.#line.trimEnd();
      const marker = parseBootMarker(line);
      this.#line = "";
      this.#onLine(line);
      if (marker) this.#onMarker(marker);
    } else if (this.#line.length < SERIAL_LINE_CHARS) {
      this.#line += character;
    }
  }
}
