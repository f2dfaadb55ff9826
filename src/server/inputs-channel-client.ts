import type { ChannelResume } from "../dispatch/index.ts";
import type { RedChannelClientOptions } from "../channel/index.ts";
import type { ParsedMessage } from "../protocol/index.ts";
import {
  KeyboardModifier,
  MIGRATE_DATA_VERSION,
  MOTION_ACK_BUNCH,
  MigrateMagic,
  MouseButton,
  encodeStruct,
  inputsChannel,
  inputsMigrateData,
} from "../protocol/index.ts";
import { CoreChannelClient } from "./core-channel-client.ts";
import type { GuestHand } from "./guest-hand.ts";
import type { HandPeer, HandSource } from "./hand-source.ts";
import { INPUTS_RECEIVE_BUFFER } from "./limits.ts";

const RELEASE = 0x80;
const EXTENDED = 0xe0;

/** Scancode of each lock key, by its modifier. */
const LOCK_KEYS: readonly (readonly [modifier: number, scancode: number])[] = [
  [KeyboardModifier.ScrollLock, 0x46],
  [KeyboardModifier.NumLock, 0x45],
  [KeyboardModifier.CapsLock, 0x3a],
];

const ALL_LOCKS = LOCK_KEYS.reduce((all, [modifier]) => all | modifier, 0);

/** Keys held down, followed through a stream of set 1 scancodes, so that they can be let go. */
class PressedKeys {
  #pressed = new Set<number>();
  #extended = false;

  follow(bytes: readonly number[]): void {
    for (const byte of bytes) {
      if (byte === EXTENDED) {
        this.#extended = true;
        continue;
      }
      const key = (this.#extended ? 0x100 : 0) | (byte & ~RELEASE);
      if (byte & RELEASE) this.#pressed.delete(key);
      else this.#pressed.add(key);
      this.#extended = false;
    }
  }

  /** The bytes that release everything. */
  releases(): number[] {
    const bytes = [...this.#pressed].flatMap((key) =>
      key & 0x100 ? [EXTENDED, (key & 0xff) | RELEASE] : [key | RELEASE],
    );
    this.#pressed.clear();
    return bytes;
  }
}

/**
 * One client's keyboard and pointer. What the guest has no room for stays unread, so that the client's own socket fills. When it goes,
 * every key and button it held is let go.
 */
export class InputsChannelClient extends CoreChannelClient implements HandPeer {
  readonly #hand: HandSource;
  /** The guest reads nothing, and so many presses of this client had to go. */
  onInputDropped: ((count: number) => void) | undefined;
  readonly #keys = new PressedKeys();
  #motions = 0;
  #buttons = 0;

  constructor(
    options: Pick<
      RedChannelClientOptions,
      "stream" | "miniHeader" | "capabilities" | "pingIntervalMs" | "turns"
    > & { readonly resume?: ChannelResume },
    hand: GuestHand,
  ) {
    super({ ...options, schema: inputsChannel, handleAcks: false, receiveBuffer: INPUTS_RECEIVE_BUFFER });
    this.#hand = hand.attach(this);
    const { resume } = options;
    if (resume === undefined) this.enqueue(inputsChannel.server.init, { keyboardModifiers: this.#hand.leds });
    else {
      this.sendModifiers(this.#hand.leds);
      // What the server before had of them is gone, and the client waits for its word.
      for (let motions = resume.motions ?? 0; motions > 0; motions--) this.#acknowledgeMotion();
    }
  }

  handHasRoom(): void {
    this.resumeReading();
  }

  inputDropped(count: number): void {
    this.onInputDropped?.(count);
  }

  sendModifiers(modifiers: number): void {
    this.enqueue(inputsChannel.server.keyModifiers, { modifiers });
  }

  protected override handleMessage(message: ParsedMessage): void {
    this.#handle(message);
    if (this.#hand.full) this.holdReading();
  }

  #handle(message: ParsedMessage): void {
    const { client } = inputsChannel;
    switch (message.def) {
      case client.keyDown:
        this.#type(codeBytes(message.as(client.keyDown)?.code ?? 0));
        break;
      case client.keyUp:
        this.#type(codeBytes(message.as(client.keyUp)?.code ?? 0));
        break;
      case client.keyScancode:
        this.#type([...(message.as(client.keyScancode)?.data ?? [])]);
        break;
      case client.keyModifiers:
        this.#syncLocks(message.as(client.keyModifiers)?.modifiers ?? 0);
        break;
      case client.mouseMotion: {
        const motion = message.as(client.mouseMotion);
        this.#acknowledgeMotion();
        if (motion) this.#hand.motion(motion.dx, motion.dy, (this.#buttons = motion.buttonsState));
        break;
      }
      case client.mousePosition: {
        const position = message.as(client.mousePosition);
        this.#acknowledgeMotion();
        if (position) {
          this.#buttons = position.buttonsState;
          this.#hand.position(position.x, position.y, position.buttonsState, position.displayId);
        }
        break;
      }
      case client.mousePress:
      case client.mouseRelease: {
        const change = message.as(client.mousePress) ?? message.as(client.mouseRelease);
        if (change) this.#press(change.button, change.buttonsState, message.def === client.mousePress);
        break;
      }
    }
  }

  #type(bytes: readonly number[]): void {
    this.#keys.follow(bytes);
    this.#hand.keyScancodes(bytes);
  }

  #press(button: number, buttonsState: number, pressed: boolean): void {
    this.#buttons = buttonsState;
    const wheel = pressed ? (button === MouseButton.Up ? -1 : button === MouseButton.Down ? 1 : 0) : 0;
    this.#hand.buttons(buttonsState, wheel);
  }

  /** Presses and releases each lock key whose light differs from what the client shows. */
  #syncLocks(modifiers: number): void {
    const { leds } = this.#hand;
    for (const [modifier, scancode] of LOCK_KEYS) {
      if ((modifiers & modifier) !== (leds & modifier)) {
        this.#hand.keyScancodes([scancode, scancode | RELEASE]);
      }
    }
    this.#hand.locksPressed(modifiers & ALL_LOCKS);
  }

  #acknowledgeMotion(): void {
    if (++this.#motions < MOTION_ACK_BUNCH) return;
    this.#motions = 0;
    this.enqueue(inputsChannel.server.mouseMotionAck, {});
  }

  protected override migrateData(): Uint8Array {
    return encodeStruct("InputsMigrateData", inputsMigrateData, {
      magic: MigrateMagic.Inputs,
      version: MIGRATE_DATA_VERSION,
      motionCount: this.#motions,
    });
  }

  protected override released(): void {
    this.#hand.leave(this.#keys.releases(), this.#buttons !== 0);
  }
}

/** The bytes of a KEY_DOWN or KEY_UP code, lowest first, as many as are not zero. */
function codeBytes(code: number): number[] {
  const bytes: number[] = [];
  for (let rest = code; rest !== 0; rest >>>= 8) bytes.push(rest & 0xff);
  return bytes;
}
