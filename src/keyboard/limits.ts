/** What the keyboard waits for, and how much it types at once. */

/**
 * Milliseconds that a left Control waits for a right Alt: Windows makes it up in front of AltGr, at the same moment; a browser and a
 * remote desktop between may take a while. Any other key, and the pointer, end the wait.
 */
export const ALT_GRAPH_WAIT_MS = 150;

/** Characters typed of one text (a paste, an input method): the guest reads some hundred keys a second, and they cannot be taken back. */
export const TYPED_TEXT_CHARACTERS = 10_000;
