/** Screen updates per second while the guest draws through VGA or VBE. A boot is text: more only costs the guest CPU. */
export const SCANOUT_RATE_HZ = 25;

/** Screen polls per second once a VBE picture has not changed for {@link SCANOUT_IDLE_AFTER} polls (comparing a frame costs CPU). */
export const SCANOUT_IDLE_RATE_HZ = 8;

/** Unchanged polls after which a VBE picture counts as still: one second at {@link SCANOUT_RATE_HZ}. */
export const SCANOUT_IDLE_AFTER = 25;

/** Rows per band when looking for changed pixels: one text line of the usual font, so text gives one rectangle a line. */
export const SCANOUT_BAND_ROWS = 16;

/** Largest VGA or VBE frame in pixels: v86's own maximum of 2560x1600; anything larger is a hostile register value. */
export const SCANOUT_MAX_PIXELS = 2560 * 1600;

/** Scancode bytes kept for the guest whoever pushes them; core waits for room long before. Beyond it presses are dropped, and said to be. */
export const KEYBOARD_QUEUE_BYTES = 1024;

/**
 * Scancode bytes in the guest's queue up to which there is room for more. Two keys: enough to bridge the way from core's thread, and
 * little, since every key of another client waits behind them.
 */
export const KEYBOARD_ROOM_BYTES = 2;

/**
 * Milliseconds between two keys. The i8042 of v86 forgets buffered scancodes when the guest sends it a command (the LEDs
 * after Caps Lock), so a key is given only to an empty buffer, and not at once after the last.
 */
export const KEYBOARD_KEY_INTERVAL_MS = 8;

/**
 * Milliseconds that a running guest may leave a key or a button unread before what waits is dropped, with a word to whoever it came
 * from: a guest without a driver. A busy one reads within seconds.
 */
export const INPUT_DEAF_MS = 60_000;

/** Milliseconds that one look may count of that: between two looks a busy host gave the guest no more time than this. */
export const INPUT_LOOK_MAX_MS = 50;

/** Bytes in v86's PS/2 mouse buffer (it has 1024 and overwrites the oldest) above which the pointer waits for the guest. */
export const POINTER_PS2_BYTES = 512;

/** Words in v86's queue of the VMware pointer (at 1024 it switches the device off) above which the pointer waits for the guest. */
export const POINTER_BACKDOOR_WORDS = 512;

/** Milliseconds between two looks at whether the guest has taken what the pointer did. */
export const POINTER_LOOK_MS = 8;

/** Presses and releases of buttons and steps of the wheel that are kept for the guest; beyond, only how the buttons are in the end. */
export const POINTER_QUEUE = 64;

/** Of those, up to how many there is room for more. */
export const POINTER_ROOM = 8;

/** Largest step of one PS/2 motion packet: the packet holds 9 bit signed numbers. Longer motions are split. */
export const PS2_MOTION_STEP = 255;

/** Largest PS/2 motion of one event, in pixels per axis: a wider jump is a broken client and would flood the mouse. */
export const PS2_MOTION_LIMIT = 8192;

/**
 * Bytes waiting for the guest on the agent's port. SPICE lets a client have ten chunks of 2 KiB under way
 * (REDS_AGENT_WINDOW_SIZE); core's own messages come on top. 256 KiB is generous, and bounds a client that lies.
 */
export const AGENT_WRITE_QUEUE_BYTES = 256 * 1024;

/** agentData messages that core may have unacknowledged before the port stops reading from the guest (spice-server: 5 buffers). */
export const AGENT_READ_WINDOW = 5;

/** Largest single transfer buffer read from the guest on the agent's port: a hostile guest could name gigabytes. */
export const AGENT_READ_MAX_BYTES = 64 * 1024;

/** Control answers waiting for the guest's buffers on the agent's device. The protocol needs three; a hostile driver asks for ever. */
export const CONTROL_QUEUE_MESSAGES = 64;

/** Characters of the serial log that are kept for the page. */
export const SERIAL_TAIL_CHARS = 64 * 1024;

/** Longest boot marker line that is looked at: longer lines are not markers. */
export const SERIAL_LINE_CHARS = 512;

/** Milliseconds between two progress messages of one stage: a download has thousands of pieces, an eye sees 20 a second. */
export const PROGRESS_INTERVAL_MS = 50;

/** Instructions in a slice above which the guest did something: the bare timer tick of a Linux kernel takes 3000 to 6000. */
export const IDLE_SLICE_INSTRUCTIONS = 25_000;

/** Milliseconds after the guest last did something at which it counts as idle. Short, since a blinking cursor is no work. */
export const IDLE_AFTER_MS = 60;

/** Milliseconds that an idle guest is left asleep at a time, whatever its tick wants: one frame of a 60 Hz screen. */
export const IDLE_REST_MS = 16;

/** Milliseconds between two looks whether the CPU jumps on the spot with interrupts off: a machine that ends so has nothing to do. */
export const SPIN_CHECK_MS = 1_000;

/** Milliseconds between two looks at a CPU whose kernel has said that it panicked. */
export const PANIC_CHECK_MS = 500;

/** Looks in a row that must find that CPU busy, without a word, before the panic is believed: five seconds. */
export const PANIC_CHECKS = 10;

/** Milliseconds that a panicked kernel is left to finish its words, and to reboot if it was told to (`panic=5`), before its CPU is stopped. */
export const PANIC_LINGER_MS = 10_000;

/** Milliseconds between two slices that count as time outside the machine: below, the guest catches up by itself; Linux warns of a stall from 20 s on. */
export const OUTSIDE_GAP_MS = 5_000;

/** Milliseconds by which the host's clock may differ from what the guest was last told before it is told again. */
export const CLOCK_STEP_MS = 250;

/** Milliseconds between two looks at the host's clock. */
export const CLOCK_CHECK_MS = 1_000;

/** Milliseconds into a second at which the guest is still told it: later, the next second is waited for. */
export const GUEST_TIME_LATE_MS = 50;

/** Seconds that are waited for so on a busy host; then it is told late. */
export const GUEST_TIME_TRIES = 5;

/** Milliseconds between two reboots that page and clients are told of: a guest that reboots in a loop would flood them. */
export const REBOOT_NOTICE_MS = 2_000;

/**
 * Pixels from the left edge of one display to that of the next in a guest with several, and the widest that one may be: X fixes where a
 * screen begins when it starts (guest/overlay/desktop/usr/libexec/spicetab/displays has the same number). 2560x1600 is the largest usual
 * size that fits the device's 16 MiB of draw area.
 */
export const DISPLAY_PITCH_PIXELS = 2560;
