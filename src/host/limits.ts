/** What the page waits for, and how often it looks. */

/** Milliseconds between two looks at the serial console while the firmware runs: its end is not told otherwise. */
export const FIRMWARE_POLL_MS = 500;

/** Milliseconds between two looks at the threads while the Threads panel is open: a person reads, not a machine. */
export const INSPECT_INTERVAL_MS = 1_000;

/** Milliseconds that a thread has to say what it owns; then it is shown as silent, and the others are shown. */
export const INSPECT_DEADLINE_MS = 500;

/** Milliseconds between two looks from which a rate is made: in less, one large message would be all of it. */
export const RATE_MIN_MS = 500;

/** Milliseconds after which a look is too old to make a rate from. */
export const RATE_WINDOW_MS = 10_000;

/** Milliseconds without progress after which a save is given up: a disk that wakes up, or a megabyte on the slowest of cards. */
export const SAVE_STALL_MS = 30_000;

/** Milliseconds that a save may take in all while it gets on: the longest that a timer counts, 24 days. */
export const SAVE_MAX_MS = 2 ** 31 - 1;

/** Milliseconds a picture or an inspection may take on a busy machine. */
export const ANSWER_DEADLINE_MS = 30_000;

/** Milliseconds another tab may take to let go of the machine without getting on with saving it; then it is taken from it. */
export const RELEASE_STALL_MS = 20_000;

/** Milliseconds for the configuration, from the server on this machine. */
export const CONFIG_DEADLINE_MS = 10_000;

/** Milliseconds between two looks whether the workers hold their locks, which takes until their scripts are loaded. */
export const LOCK_POLL_MS = 20;

/** Milliseconds for core to have sent what a machine that is paused has drawn: beyond STOP_DEADLINE_MS, after which it waits for nobody. */
export const VM_STOP_DEADLINE_MS = 40_000;

/** Milliseconds core has to tell the clients that the machine goes away. */
export const SHUTDOWN_DEADLINE_MS = 1_000;
/** Most milliseconds that leaving the page waits for what was done to be saved: more would feel like a tab that hangs. */
export const UNLOAD_SAVE_MAX_MS = 3_000;
/** Milliseconds that it waits on top of three times what saving took last (or restoring, which writes nothing): a busy moment must not cost a session. */
export const UNLOAD_SAVE_MARGIN_MS = 300;

/** Milliseconds that a full screen says how to leave it. */
export const FULLSCREEN_TOLD_MS = 6_000;

/** Milliseconds that the room for the picture must rest before the guest is asked for its size: a new mode costs the guest a second. */
export const SEAT_SETTLE_MS = 300;
/** Guest pixels that a screen has at least: below, the desktop's own windows do not fit; the picture is made smaller instead. */
export const SEAT_MIN_WIDTH_PIXELS = 640;
/** The same for its height. */
export const SEAT_MIN_HEIGHT_PIXELS = 480;
/** Guest pixels that a screen has at most: what the QXL device's 16 MiB of primary surface hold. */
export const SEAT_MAX_PIXELS = 2560 * 1600;

/** Milliseconds that a finger rests until it is a long press: what phones take. */
export const LONG_PRESS_MS = 500;
/** Milliseconds within which several fingers come and go as one tap. */
export const TOUCH_TAP_MS = 400;
/** CSS pixels that a finger may stray and still rest. */
export const TOUCH_SLOP_PIXELS = 10;
/** CSS pixels that two fingers move for a step of the wheel. */
export const TOUCH_STEP_PIXELS = 30;
/** Milliseconds between Shift and a sideways step of the wheel: keys wait in the guest for one another, the pointer does not. */
export const SIDEWAYS_BEFORE_MS = 40;
/** Milliseconds that Shift is held behind the last of them. */
export const SIDEWAYS_AFTER_MS = 150;
/** Milliseconds between two looks whether the system has slept while something was pressed. */
export const SLEEP_LOOK_MS = 1_000;
/** Milliseconds that a look may be late; later, the system slept, and whatever was pressed then is not any more. */
export const SLEEP_LATE_MS = 3_000;
/** Milliseconds that a word about the keyboard stays on the screen: long enough to be read twice. */
export const TOLD_MS = 30_000;

/** Milliseconds between two questions of a page whose server is gone: soon enough for a person, nothing for the server. */
export const SERVER_POLL_MS = 2_000;

/** Milliseconds for one such answer; a proxy may keep a dead server's questions open. */
export const SERVER_POLL_DEADLINE_MS = 5_000;

/** Hosts of clients not let in that the page shows: enough to see who knocks, whoever floods. */
export const REFUSALS_SHOWN = 3;

/** Milliseconds that a thread may take to come up: its script is loaded from the server, on a busy machine and over a slow line. */
export const THREAD_START_DEADLINE_MS = 60_000;
/** Threads that are made anew by themselves within {@link THREAD_RESTART_WINDOW_MS}; then a person is asked: something kills them. */
export const THREAD_RESTARTS = 3;
/** Milliseconds after which a thread that was made anew counts as one that lives. */
export const THREAD_RESTART_WINDOW_MS = 60_000;
/** Milliseconds between two looks whether a thread answers. */
export const WATCHDOG_INTERVAL_MS = 1_000;
/** Milliseconds of silence after which a thread is said to be silent: its work is cut into slices of a few. */
export const WATCHDOG_SILENT_MS = 2_000;
/**
 * Milliseconds of silence after which the red worker or core is replaced. Nothing is lost by the one, and what was done is saved before the
 * other, but a machine may be that busy for once.
 */
export const WATCHDOG_REPLACE_MS = 10_000;
/** The same for a thread that has said nothing yet: its program may still be loading, on a busy machine or from a development server. */
export const WATCHDOG_START_MS = 30_000;
/** The same for the guest's thread: what was done in the machine since it was saved goes with it. */
export const WATCHDOG_GUEST_REPLACE_MS = 30_000;

/** Milliseconds after which a console guest that did not say which keyboard layout it has is told again. */
export const KEYBOARD_RETRY_MS = 5_000;

/** Times that it is told: its shell starts within the first of them, unless there is none. */
export const KEYBOARD_TRIES = 6;
