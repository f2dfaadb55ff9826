import { channel } from "./base.ts";
import { ChannelType, KeyboardModifier, MouseButton, MouseButtonMask } from "./enums.ts";
import { clientMessage, message } from "./message.ts";
import { bytes, enumeration, flags, i32, rest, u16, u32, u8 } from "./schema.ts";

const modifiers = flags(u16, "KeyboardModifier", KeyboardModifier);
const buttonsState = flags(u16, "MouseButtonMask", MouseButtonMask);
const button = enumeration(u8, "MouseButton", MouseButton);

/** MOUSE_MOTION and MOUSE_POSITION messages per MOUSE_MOTION_ACK (SPICE_INPUT_MOTION_ACK_BUNCH). */
export const MOTION_ACK_BUNCH = 4;

/** InputsChannel of spice.proto. Key codes are PC set 1 scancodes, first byte lowest; releases already carry 0x80. */
export const inputsChannel = channel(
  ChannelType.Inputs,
  "inputs",
  {
    init: message(101, "init", { keyboardModifiers: modifiers }),
    keyModifiers: message(102, "keyModifiers", { modifiers }),
    mouseMotionAck: message(111, "mouseMotionAck", {}),
  },
  {
    keyDown: clientMessage(101, "keyDown", { code: u32 }),
    keyUp: clientMessage(102, "keyUp", { code: u32 }),
    keyModifiers: clientMessage(103, "keyModifiers", { modifiers }),
    keyScancode: clientMessage(104, "keyScancode", { data: bytes(rest) }),
    mouseMotion: clientMessage(111, "mouseMotion", { dx: i32, dy: i32, buttonsState }),
    mousePosition: clientMessage(112, "mousePosition", { x: u32, y: u32, buttonsState, displayId: u8 }),
    mousePress: clientMessage(113, "mousePress", { button, buttonsState }),
    mouseRelease: clientMessage(114, "mouseRelease", { button, buttonsState }),
  },
);
