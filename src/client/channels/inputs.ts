import type { ParsedMessage } from "../../protocol/index.ts";
import { InputsCap, MOTION_ACK_BUNCH, capsToWords, hasCap, inputsChannel } from "../../protocol/index.ts";
import { ClientChannel, valueOf } from "../channel.ts";
import type { ChannelOptions } from "../channel.ts";
import { MOTION_BUNCHES_IN_FLIGHT } from "../limits.ts";

/** What this client says of its inputs channel. */
export const INPUTS_CAPS: readonly number[] = capsToWords([InputsCap.KeyScancode]);

const { server, client } = inputsChannel;
const RELEASED = 0x80;
const EXTENDED = 0xe0;
/** How long SPICE's codes are at most. */
const CODE_BYTES = 4;

/** Where the pointer shall be: in pixels of that display. */
interface Position {
  readonly x: number;
  readonly y: number;
  readonly displayId: number;
}

/**
 * The inputs channel: keys as PC set 1 scancodes, and the pointer. What moves is acknowledged by the server in bunches; while
 * {@link MOTION_BUNCHES_IN_FLIGHT} of them are out, motions add up and positions replace each other, so that a slow line is not flooded.
 * A button's change first sends where the pointer is by then.
 */
export class InputsChannel extends ClientChannel<typeof inputsChannel> {
  /** The guest's lock keys: KeyboardModifier bits. */
  onModifiers: ((modifiers: number) => void) | undefined;
  #modifiers: number | undefined;
  #inFlight = 0;
  #motion: { dx: number; dy: number } | undefined;
  #position: Position | undefined;
  #buttons = 0;

  constructor(options: ChannelOptions) {
    super(inputsChannel, options);
  }

  /** Undefined until INIT. */
  get modifiers(): number | undefined {
    return this.#modifiers;
  }

  /** Motions and positions that the server has not acknowledged. */
  get motionsInFlight(): number {
    return this.#inFlight;
  }

  /** Scancode bytes, presses and releases: as one message where the server takes that, else as KEY_DOWN and KEY_UP. */
  scancodes(codes: Uint8Array): void {
    if (hasCap(this.serverCaps, InputsCap.KeyScancode)) return this.send(client.keyScancode, { data: codes });
    for (const code of keyCodes(codes))
      this.send(isRelease(code) ? client.keyUp : client.keyDown, { code: wordOf(code) });
  }

  /** Sets the guest's lock keys. */
  setModifiers(modifiers: number): void {
    this.send(client.keyModifiers, { modifiers });
  }

  /** Moves by so many pixels (server mouse mode). @param buttons MouseButtonMask bits that are down */
  move(dx: number, dy: number, buttons: number): void {
    this.#position = undefined;
    this.#motion = { dx: (this.#motion?.dx ?? 0) + dx, dy: (this.#motion?.dy ?? 0) + dy };
    this.#buttons = buttons;
    if (this.#mayMove) this.#flush();
  }

  /** Moves there (client mouse mode). @param buttons MouseButtonMask bits that are down */
  moveTo(x: number, y: number, buttons: number, displayId = 0): void {
    this.#motion = undefined;
    this.#position = { x, y, displayId };
    this.#buttons = buttons;
    if (this.#mayMove) this.#flush();
  }

  /** @param button MouseButton @param buttons MouseButtonMask bits that are down, this one included */
  press(button: number, buttons: number): void {
    this.#flush();
    this.send(client.mousePress, { button, buttonsState: buttons });
  }

  /** @param button MouseButton @param buttons MouseButtonMask bits that are still down */
  release(button: number, buttons: number): void {
    this.#flush();
    this.send(client.mouseRelease, { button, buttonsState: buttons });
  }

  protected override handle(message: ParsedMessage): void {
    switch (message.def) {
      case server.init:
        return this.#told(valueOf(message, server.init).keyboardModifiers);
      case server.keyModifiers:
        return this.#told(valueOf(message, server.keyModifiers).modifiers);
      case server.mouseMotionAck:
        this.#inFlight = Math.max(0, this.#inFlight - MOTION_ACK_BUNCH);
        if (this.#mayMove) this.#flush();
    }
  }

  get #mayMove(): boolean {
    return this.#inFlight < MOTION_ACK_BUNCH * MOTION_BUNCHES_IN_FLIGHT;
  }

  #told(modifiers: number): void {
    this.#modifiers = modifiers;
    this.onModifiers?.(modifiers);
  }

  /** Sends where the pointer went meanwhile. */
  #flush(): void {
    const buttonsState = this.#buttons;
    if (this.#motion !== undefined) this.send(client.mouseMotion, { ...this.#motion, buttonsState });
    else if (this.#position !== undefined)
      this.send(client.mousePosition, { ...this.#position, buttonsState });
    else return;
    this.#motion = this.#position = undefined;
    this.#inFlight++;
  }
}

/** Cuts scancodes into those of single keys: one byte behind any number of prefixes. */
function keyCodes(bytes: Uint8Array): Uint8Array[] {
  const codes: Uint8Array[] = [];
  let start = 0;
  for (let at = 0; at < bytes.length; at++) {
    if (bytes[at] >= EXTENDED && bytes[at] < EXTENDED + 2 && at - start < CODE_BYTES - 1) continue;
    codes.push(bytes.subarray(start, at + 1));
    start = at + 1;
  }
  return codes;
}

function isRelease(code: Uint8Array): boolean {
  return (code[code.length - 1] & RELEASED) !== 0;
}

/** The first byte lowest. */
function wordOf(code: Uint8Array): number {
  return code.reduce((word, byte, index) => word + byte * 2 ** (8 * index), 0);
}
