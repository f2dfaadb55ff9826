/**
 * Every code that an error of ours can have: what has happened, and what to do. docs/errors.md is made from it
 * (`npx tsx scripts/errors-doc.ts`). Codes are only added, never given another meaning: programs decide by them.
 */

/** What is said of a code. */
export interface ErrorWords {
  readonly means: string;
  readonly remedy: string;
}

const threads = {
  UNEXPECTED: {
    means: "Something failed that nobody foresaw; the message says what.",
    remedy: "Try again. If it comes again, report it with what the Threads panel's log says.",
  },
  DISPATCHER_TIMEOUT: {
    means: "Another thread did not answer a message in time. It may still handle it later.",
    remedy:
      "Wait: a busy machine gets on by itself, and a hung display thread is replaced. Boot again if it stays so.",
  },
  PEER_DIED: {
    means: "The thread that was asked has ended, or its connection was closed.",
    remedy: "The page makes a new one by itself, up to three times a minute; then boot again.",
  },
  MESSAGES_LOST: {
    means: "More messages waited for a thread than it keeps: it is stuck, or somebody floods it.",
    remedy: "Look in the log for which messages, and at what keeps that thread busy.",
  },
  UNKNOWN_MESSAGE: {
    means: "A thread was sent a message that it does not know: the threads are of different builds.",
    remedy: "Reload the page; close other tabs of it first, since they may keep an old core alive.",
  },
} as const satisfies Record<string, ErrorWords>;

const clients = {
  LINK_REFUSED: {
    means:
      "A connection did not become a SPICE channel; its client was told so with SPICE's own error number.",
    remedy: "See the message: it is no SPICE client, speaks another version, or asks for what there is not.",
  },
  NOT_RESUMED: {
    means: "The connection of a client, which another server had before, could not go on with this one.",
    remedy: "Connect again.",
  },
  LINK_ABORTED: {
    means: "A connection ended, or stayed silent for too long, before it became a SPICE channel.",
    remedy: "Nothing, unless an honest client is cut off: then its way to the relay is too slow.",
  },
  PASSWORD_WRONG: {
    means: "A client showed another password.",
    remedy: "Give it the one that the page's Join panel shows.",
  },
  PASSWORD_EXPIRED: {
    means: "The password's time is over: it lets nobody in. Who is in stays in.",
    remedy: "Start spicetab again with another --password-expires, and reload the page.",
  },
  PASSWORD_TOO_LONG: {
    means: "A SPICE ticket cannot hold that password: 60 bytes of UTF-8 are its most.",
    remedy: "Choose a shorter one.",
  },
  PROTOCOL: {
    means: "A client's bytes are not SPICE, or not what its channel carries. The channel is closed.",
    remedy: "Update the client, or report it with its name and version.",
  },
  SCHEMA: {
    means: "A SPICE message does not have the fields that it must have. The channel is closed.",
    remedy: "Update the client, or report it with its name and version.",
  },
  RED_CLIENT: {
    means: "A client's message is not allowed on its channel, or not now. That channel is closed.",
    remedy: "Update the client, or report it with its name and version.",
  },
  AGENT_MESSAGE: {
    means:
      "A client sent something to the guest's agent that is no agent message. It is cut off from the agent.",
    remedy: "Connect again; clipboard and files of that client do not work until then.",
  },
} as const satisfies Record<string, ErrorWords>;

const viewers = {
  SERVER_REFUSED: {
    means: "The SPICE server refused a connection, with SPICE's own error number.",
    remedy: "See the message: most often the password is wrong, or its time is over.",
  },
  SERVER_NOT_SPICE: {
    means: "What answers there does not speak SPICE, or another version of it.",
    remedy: "Look at the address: a page's own address is not that of its machine.",
  },
  SERVER_UNREACHABLE: {
    means: "No connection to the SPICE server could be made.",
    remedy: "Look at address and network, and whether the server runs.",
  },
  SERVER_SILENT: {
    means: "The SPICE server did not answer in time.",
    remedy: "Try again; a server or a line that is very busy needs more than a minute.",
  },
  SERVER_MESSAGE: {
    means: "The SPICE server sent a message that its channel cannot have. The channel is closed.",
    remedy: "Report it with the server's name and version.",
  },
  SERVER_MISSING: {
    means:
      "The SPICE server named a surface, an image, a palette or a pointer that it never sent. The channel is closed.",
    remedy: "Connect again; report it with the server's name and version if it comes again.",
  },
  SERVER_LIMIT: {
    means: "The SPICE server, or whoever uses the client, wants more kept than the client keeps.",
    remedy: "See the message: it names the limit. docs/limits.md says why it is what it is.",
  },
  CHANNEL_CLOSED: {
    means: "The connection of a SPICE channel ended.",
    remedy: "Connect again.",
  },
  CHANNEL_DISCONNECTED: {
    means: "The SPICE server said good-bye and ended a channel.",
    remedy: "The message, or a NOTIFY before it, says why.",
  },
  CHANNEL_LEFT: {
    means: "The client itself had ended the session, or the channel.",
    remedy: "Nothing: somebody left.",
  },
  CHANNEL_FAILED: {
    means: "Whoever listens to a SPICE channel failed at what it was told. The channel is closed.",
    remedy: "Report it: the cause is attached.",
  },
  NO_SUCH_CHANNEL: {
    means: "A session has such a channel open already.",
    remedy: "Use the one that is open.",
  },
} as const satisfies Record<string, ErrorWords>;

const display = {
  RED_COMMAND: {
    means: "A command of the guest's QXL driver cannot be carried out. Only that command is lost.",
    remedy:
      "Nothing, unless the picture is wrong: then report it with the log and the guest's driver version.",
  },
  NO_SUCH_SURFACE: {
    means: "No living surface has that number: the guest has not made it yet, or has destroyed it.",
    remedy: "Ask again once the guest shows a picture.",
  },
  QXL_GUEST_BUG: {
    means:
      "The guest's driver wrote what only a broken driver writes. The device does nothing more until it is reset.",
    remedy: "Restart the guest's desktop, or the machine. The log says which field was wrong.",
  },
  QXL_UNSUPPORTED_DRAW: {
    means: "The guest drew in a way that this device does not draw.",
    remedy: "Report it with the log and the guest's driver version.",
  },
  QXL_STATE: {
    means: "The saved state of the QXL device does not fit this device.",
    remedy: "Boot from the beginning; the next save replaces the state.",
  },
  IMAGE_DECODE: {
    means: "A picture's bytes are not what its format says.",
    remedy: "Nothing: the drawing is left out. Report it if the guest is not at fault.",
  },
  GLZ_IMAGE_MISSING: {
    means: "A GLZ picture refers to one that the decoder does not have.",
    remedy: "Nothing: the drawing is left out. Report it if it comes from our own encoder.",
  },
  IMAGE_HEAP_FULL: {
    means: "The memory for surfaces and pictures is used up.",
    remedy: "Use a smaller screen, or fewer windows with off-screen pictures.",
  },
} as const satisfies Record<string, ErrorWords>;

const machine = {
  GUEST_FILES: {
    means: "A file of the guest could not be loaded, or is not the one that the manifest names.",
    remedy: "Is the server still running? Start it again with npm start, then boot again.",
  },
  OUT_OF_MEMORY: {
    means: "The browser has no memory for the machine.",
    remedy: "Close other tabs and programs, then boot again.",
  },
  MACHINE_OPTIONS: {
    means: "The machine cannot be laid out as asked, or cannot do that now.",
    remedy: "See the message; the guest's manifest gives memory and level.",
  },
  MACHINE_ENDED: {
    means: "The machine was switched off, has halted or panicked, or is about to: there is nothing to keep.",
    remedy: "Boot again. What was saved before is untouched.",
  },
  KERNEL_IMAGE: {
    means: "The guest's kernel cannot be started directly.",
    remedy: "Build the guest again with npm run guest.",
  },
  V86_SURFACE: {
    means: "Another v86 is installed than the one this build is made for.",
    remedy: "Run npm ci, and build again.",
  },
  AGENT_PORT: {
    means: "The guest's agent wrote what is no agent message. It is cut off until it opens its port again.",
    remedy: "Restart spice-vdagent in the guest.",
  },
  AGENT_PORT_CLOSED: {
    means: "The guest's agent went away before it took what was sent to it.",
    remedy: "Nothing: the agent says when it is there again.",
  },
  AGENT_PORT_OVERFLOW: {
    means: "More bytes wait for the guest's agent than its port keeps.",
    remedy: "Wait until earlier writes are taken.",
  },
} as const satisfies Record<string, ErrorWords>;

const state = {
  STATE_REFUSED: {
    means: "A kept state is damaged, unfinished, or of another build, guest or machine. It is not used.",
    remedy: "Go on with the one before it, or boot from the beginning; the next save replaces it.",
  },
  STATE_BUSY: {
    means: "Another page of this site still has the kept states open.",
    remedy: "Close the other page, then reload this one. What was kept is untouched.",
  },
  STORAGE_FULL: {
    means: "The browser's storage has no room for the state.",
    remedy:
      "What was saved before is still there. A save needs room beside it: free some disk space, or let this site store more in the " +
      "browser's settings, then save again. Forget makes room too, but then nothing is kept until the next save is done.",
  },
  STALLED: {
    means: "Work that has no deadline of its own made no progress for too long.",
    remedy: "Try again; a disk that sleeps or is full is the usual cause.",
  },
} as const satisfies Record<string, ErrorWords>;

const relay = {
  SECRET_REFUSED: {
    means: "The server gives nothing to a page that does not know the secret of its start.",
    remedy: "Open the address that npm start prints, or give the secret in the page.",
  },
  SERVER_UNAVAILABLE: {
    means: "The server of the page does not answer, or is not ready.",
    remedy: "Start it with npm start. The page loads itself again as soon as it answers.",
  },
  CONTROL_MESSAGE: {
    means:
      "Relay and page do not understand each other: one of them is older, or something else speaks there.",
    remedy: "Restart npm start, and reload the page.",
  },
  LISTEN: {
    means: "A port could not be listened on: it is in use, or not allowed.",
    remedy: "End the other program, or choose other ports with --http-port and --spice-port.",
  },
  USAGE: {
    means: "An option of the command line is unknown or has no sensible value.",
    remedy: "See --help.",
  },
  RECORDING: {
    means: "A recording of QXL commands cannot be read.",
    remedy: "Record it again with spice-server's own recorder.",
  },
  UNREPRESENTABLE: {
    means: "A value cannot be written into a .vv file or a SPICE address.",
    remedy: "Choose another one: the message says which character is in the way.",
  },
} as const satisfies Record<string, ErrorWords>;

/** In the order of the document. */
export const ERROR_GROUPS = [
  ["Threads", threads],
  ["Clients", clients],
  ["Viewers", viewers],
  ["Display", display],
  ["Machine", machine],
  ["Saved states", state],
  ["Server, relay and tools", relay],
] as const;

export const ERRORS = {
  ...threads,
  ...clients,
  ...viewers,
  ...display,
  ...machine,
  ...state,
  ...relay,
} as const;

export type ErrorCode = keyof typeof ERRORS;
