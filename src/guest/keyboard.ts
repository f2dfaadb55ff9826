/** PS/2 keyboard: scancodes in order at the guest's pace, and the LEDs that the guest sets. */
import { KEYBOARD_KEY_INTERVAL_MS, KEYBOARD_QUEUE_BYTES, KEYBOARD_STALL_MS } from "./limits.ts";
import type { V86Cpu, V86Emulator } from "./v86-private.ts";

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

/** Whether a key is let go with these bytes. */
const isBreak = (key: readonly number[]): boolean => ((key.at(-1) ?? 0) & BREAK_BIT) !== 0;

/** What lets go of the key that these bytes press; nothing for those that send all they have when they go down. */
const breakOf = (make: readonly number[]): number[] =>
  make.length > 2 || isBreak(make) ? [] : [...make.slice(0, -1), (make.at(-1) ?? 0) | BREAK_BIT];

/** The keyboard's queue. A key goes out only when the guest has read the one before. Owner disposes. */
export class Keyboard implements Disposable {
  readonly #cpu: V86Cpu;
  readonly #bus: V86Emulator["bus"];
  #keys: number[][] = [];
  #rest: number[] = [];
  #queued = 0;
  /** What lets go of the keys that the guest has seen go down, by itself. */
  readonly #down = new Map<string, readonly number[]>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stalledSince: number | undefined;

  constructor(emulator: V86Emulator) {
    this.#cpu = emulator.v86.cpu;
    this.#bus = emulator.bus;
  }

  /** Bytes that wait. */
  get queued(): number {
    return this.#queued;
  }

  /** Set-1 bytes that let go of all keys that are down in the guest. */
  get releases(): number[] {
    return [...this.#down.values()].flat();
  }

  /** Queues set-1 scancode bytes; a key may be split over calls. When the queue is full presses are dropped, releases are not. */
  push(bytes: readonly number[]): void {
    const { keys, rest } = splitKeys([...this.#rest, ...bytes.map((byte) => byte & 0xff)]);
    this.#rest = rest;
    for (const key of keys) {
      const limit = isBreak(key) ? 2 * KEYBOARD_QUEUE_BYTES : KEYBOARD_QUEUE_BYTES;
      if (this.#queued + key.length > limit) continue;
      this.#keys.push(key);
      this.#queued += key.length;
    }
    if (this.#timer === undefined) this.#pump();
  }

  /** Forgets what waits and what is down: the machine was reset or restored. */
  clear(): void {
    this.#down.clear();
    this.#keys = [];
    this.#rest = [];
    this.#queued = 0;
  }

  [Symbol.dispose](): void {
    this.clear();
    if (this.#timer !== undefined) clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #pump(): void {
    this.#timer = undefined;
    if (this.#keys.length === 0) return;
    if (this.#guestHasRead()) {
      const key = this.#keys.shift() ?? [];
      this.#queued -= key.length;
      this.#note(key);
      for (const byte of key) this.#bus.send("keyboard-code", byte);
    }
    this.#timer = setTimeout(() => this.#pump(), KEYBOARD_KEY_INTERVAL_MS);
  }

  #note(key: readonly number[]): void {
    if (isBreak(key)) this.#down.delete(key.join());
    else if (breakOf(key).length > 0) this.#down.set(breakOf(key).join(), breakOf(key));
  }

  #guestHasRead(): boolean {
    const now = performance.now();
    if (this.#cpu.devices.ps2.kbd_buffer.length === 0) {
      this.#stalledSince = undefined;
      return true;
    }
    this.#stalledSince ??= now;
    if (now - this.#stalledSince < KEYBOARD_STALL_MS) return false;
    this.#stalledSince = undefined;
    return true;
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
