import { channel } from "./base.ts";
import { ChannelType, CursorFlags, CursorType } from "./enums.ts";
import { point16 } from "./geometry.ts";
import { CURSOR_MESSAGE_MAX } from "./limits.ts";
import { message } from "./message.ts";
import type { Infer } from "./schema.ts";
import { bytes, enumeration, flags, rest, struct, u16, u64, u8, unless } from "./schema.ts";

const cursorHeader = struct(
  {
    unique: u64,
    type: enumeration(u8, "CursorType", CursorType),
    width: u16,
    height: u16,
    hotSpotX: u16,
    hotSpotY: u16,
  },
  "CursorHeader",
);

/** A pointer shape: no header with the flag NONE, no data with NONE or FROM_CACHE. Data up to the end of the message. */
const cursor = struct(
  {
    flags: flags(u16, "CursorFlags", CursorFlags),
    header: unless("flags", CursorFlags.None, cursorHeader),
    data: bytes(rest),
  },
  "Cursor",
);
/** A pointer shape as the cursor channel carries it. */
export type SpiceCursor = Infer<typeof cursor>;

/** CursorChannel of spice.proto. */
export const cursorChannel = channel(
  ChannelType.Cursor,
  "cursor",
  {
    init: message(
      101,
      "init",
      { position: point16, trailLength: u16, trailFrequency: u16, visible: u8, cursor },
      {
        maxSize: CURSOR_MESSAGE_MAX,
      },
    ),
    reset: message(102, "reset", {}),
    set: message(103, "set", { position: point16, visible: u8, cursor }, { maxSize: CURSOR_MESSAGE_MAX }),
    move: message(104, "move", { position: point16 }),
    hide: message(105, "hide", {}),
    trail: message(106, "trail", { length: u16, frequency: u16 }),
    invalOne: message(107, "invalOne", { id: u64 }),
    invalAll: message(108, "invalAll", {}),
  },
  {},
);
