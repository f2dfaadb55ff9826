/** PS/2 keyboard: scancodes in order at the guest's pace, and the LEDs that the guest sets. */
import {
  INPUT_DEAF_MS,
  KEYBOARD_KEY_INTERVAL_MS,
  KEYBOARD_QUEUE_BYTES,
  KEYBOARD_ROOM_BYTES,
} from "../limits.ts";
import { Patience } from "../clock/patience.ts";
import type { V86Cpu, V86Emulator } from "../v86/v86-private.ts";

const PREFIX_E0 = 0xe0;
const PREFIX_E1 = 0xe1;
const BREAK_BIT = 0x80;
const PS2_DATA_PORT = 0x60;
/** LED byte of the keyboard command 0xED: scroll 1, num 2, caps 4, the same bits as SpiceKeyboardModifierFlags. */
const LED_MASK = 0x07;

/**
 * Cuts set-1 bytes into keys: a key is one byte, or E0 and one byte, or E1 and two. `rest` are bytes of a key that is not
 * complete yet.
 */
export const splitKeys = (bytes: readonly number[]): { keys: number[][]; rest: number[] } => {
  const keys: number[][] = [];
  let at = 0;
  while (at < bytes.length) {
    let length = 1;
    if (bytes[at] === PREFIX_E0) length = 2;
    else if (bytes[at] === PREFIX_E1) length = 3;
    if (at + length > bytes.length) break;
    keys.push(bytes.slice(at, at + length));
    at += length;
  }
  return { keys, rest: bytes.slice(at) };
};

/** Caps, Num and Scroll Lock: the guest answers with a command for the LEDs, at which v86's controller forgets what it holds. */
const LOCK_KEYS: readonly number[] = [0x3a, 0x45, 0x46];

/** Whether a key is let go with these bytes. */
const isBreak = (key: readonly number[]): boolean => ((key.at(-1) ?? 0) & BREAK_BIT) !== 0;

/** What lets go of the key that these bytes press; nothing for those that send all they have when they go down. */
const breakOf = (make: readonly number[]): number[] =>
  make.length > 2 || isBreak(make) ? [] : [...make.slice(0, -1), (make.at(-1) ?? 0) | BREAK_BIT];

/** The key, whether it is pressed or let go. */
const nameOf = (key: readonly number[]): string =>
  key.map((byte) => (byte === PREFIX_E0 || byte === PREFIX_E1 ? byte : byte & ~BREAK_BIT)).join();

/**
 * The keyboard's queue. A key goes out only when the guest has read the one before, however late that is: whoever pushes waits for
 * room. Only a guest that runs and reads nothing for {@link INPUT_DEAF_MS} loses key presses, and whoever pushed them hears how many;
 * the release of a key that the guest saw pressed is never lost. Owner disposes.
 */
export class Keyboard implements Disposable {
  readonly #cpu: V86Cpu;
  readonly #bus: V86Emulator["bus"];
  readonly #patience: Patience;
  #keys: number[][] = [];
  #rest: number[] = [];
  #queued = 0;
  /** What lets go of the press that was given last. */
  #tapped: readonly number[] = [];
  /** A release went out before its time: the guest gets no more keys in a second for that, since what reads them may be slow. */
  #ahead = false;
  /** What lets go of each key that the guest has seen pressed, by {@link nameOf}. */
  readonly #down = new Map<string, readonly number[]>();
  /** Nothing is kept for a guest that does not read, until it does. */
  #deaf = false;
  /** Presses dropped and not told yet. */
  #dropped = 0;
  #waiting: ((dropped: number) => void)[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(emulator: V86Emulator) {
    this.#cpu = emulator.v86.cpu;
    this.#bus = emulator.bus;
    this.#patience = new Patience(INPUT_DEAF_MS, () => emulator.is_running());
    this.#watchReads();
  }

  /**
   * The release that waits behind a press goes out in the very moment in which the guest has read the press: however long the host
   * stands still afterwards, the guest's clock goes on, and it would take the key for held, and repeat it.
   */
  #watchReads(): void {
    const entry = this.#cpu.io.ports[PS2_DATA_PORT];
    const { read8 } = entry;
    const follow = () => this.#follow();
    entry.read8 = function readWatch(this: object, port) {
      const byte = read8.call(this, port);
      follow();
      return byte;
    };
  }

  #follow(): void {
    const [next] = this.#keys;
    if (next === undefined || this.#tapped.length === 0) return;
    if (this.#cpu.devices.ps2.kbd_buffer.length > 0 || nameOf(next) !== nameOf(this.#tapped)) return;
    this.#tapped = [];
    if (!isBreak(next) || LOCK_KEYS.includes((next.at(-1) ?? 0) & ~BREAK_BIT)) return;
    this.#ahead = true;
    this.#give(this.#keys.shift() ?? []);
  }

  /** Bytes that wait. */
  get queued(): number {
    return this.#queued;
  }

  /** Set-1 bytes that let go of all keys that are down in the guest. */
  get releases(): number[] {
    return [...this.#down.values()].flat();
  }

  /**
   * Queues set-1 scancode bytes; a key may be split over calls. Resolves when there is room for more, with the number of key presses
   * that were dropped since the last answer. Who does not wait for room finds none beyond {@link KEYBOARD_QUEUE_BYTES}.
   */
  push(bytes: readonly number[]): Promise<number> {
    const { keys, rest } = splitKeys([...this.#rest, ...bytes.map((byte) => byte & 0xff)]);
    this.#rest = rest;
    if (this.#cpu.devices.ps2.kbd_buffer.length === 0) this.#deaf = false;
    for (const key of keys) this.#add(key);
    if (this.#timer === undefined) this.#pump();
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#makeRoom();
    });
  }

  #add(key: number[]): void {
    const full = this.#deaf || this.#queued + key.length > KEYBOARD_QUEUE_BYTES;
    if (full && !this.#mustKeep(key)) {
      if (!isBreak(key)) this.#dropped++;
      return;
    }
    this.#keys.push(key);
    this.#queued += key.length;
  }

  /** The release of a key that is, or will be, down in the guest, and is not on its way yet: at most one for each key there is. */
  #mustKeep(key: readonly number[]): boolean {
    if (!isBreak(key)) return false;
    const name = nameOf(key);
    const last = this.#keys.findLast((queued) => nameOf(queued) === name);
    return last === undefined ? this.#down.has(name) : !isBreak(last);
  }

  /** Forgets what waits and what is down: the machine was reset or restored. */
  clear(): void {
    this.#tapped = [];
    this.#ahead = false;
    this.#down.clear();
    this.#keys = [];
    this.#rest = [];
    this.#queued = 0;
    this.#deaf = false;
    this.#patience.reset();
    this.#makeRoom();
  }

  [Symbol.dispose](): void {
    this.clear();
    if (this.#timer !== undefined) clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #pump(): void {
    this.#timer = undefined;
    if (this.#ahead) {
      this.#ahead = false;
      this.#timer = setTimeout(() => this.#pump(), KEYBOARD_KEY_INTERVAL_MS);
      return;
    }
    if (this.#keys.length === 0) {
      this.#patience.reset();
      return;
    }
    if (this.#cpu.devices.ps2.kbd_buffer.length === 0) {
      this.#patience.reset();
      this.#deaf = false;
      this.#give(this.#keys.shift() ?? []);
    } else if (this.#patience.isOver() && !this.#deaf) this.#giveUp();
    this.#timer = setTimeout(() => this.#pump(), KEYBOARD_KEY_INTERVAL_MS);
  }

  #give(key: readonly number[]): void {
    this.#queued -= key.length;
    if (isBreak(key)) this.#down.delete(nameOf(key));
    else if (breakOf(key).length > 0) this.#down.set(nameOf(key), breakOf(key));
    this.#tapped = breakOf(key);
    for (const byte of key) this.#bus.send("keyboard-code", byte);
    this.#makeRoom();
  }

  /** Drops everything but the releases that the guest must see. */
  #giveUp(): void {
    this.#deaf = true;
    const keys = this.#keys;
    this.#keys = [];
    this.#queued = 0;
    for (const key of keys) this.#add(key);
    this.#makeRoom();
  }

  #makeRoom(): void {
    if (this.#queued > KEYBOARD_ROOM_BYTES && !this.#deaf) return;
    for (const resolve of this.#waiting.splice(0)) {
      resolve(this.#dropped);
      this.#dropped = 0;
    }
  }
}

/** Calls `changed` with the LED bits (scroll 1, num 2, caps 4) whenever the guest sets them. */
export const watchLeds = (cpu: V86Cpu, changed: (modifiers: number) => void): void => {
  const entry = cpu.io.ports[PS2_DATA_PORT];
  const { write8 } = entry;
  entry.write8 = function ledWatch(this: object, value) {
    const { ps2 } = cpu.devices;
    const awaited = ps2.next_read_led;
    write8.call(this, value);
    if (awaited && !ps2.next_read_led) changed(value & LED_MASK);
  };
};
