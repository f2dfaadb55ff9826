import { MAX_QUEUED_MESSAGES } from "./limits.ts";

/** The peer did not answer an acknowledged message in time. It may still handle it later. */
export class DispatcherTimeout extends Error {
  override readonly name = "DispatcherTimeout";
  constructor(peer: string, type: string, deadlineMs: number) {
    super(`${peer} did not answer "${type}" within ${deadlineMs} ms; its thread is busy, frozen or gone`);
  }
}

/** The peer's thread ended, or this dispatcher was disposed, while a call was under way or before it was made. */
export class PeerDied extends Error {
  override readonly name = "PeerDied";
  readonly peer: string;
  constructor(peer: string, reason: string) {
    super(`${peer} is gone (${reason})`);
    this.peer = peer;
  }
}

/** More messages came than a receiver keeps: its thread is stuck, or somebody sends without looking whether they are taken. */
export class MessagesLost extends Error {
  override readonly name = "MessagesLost";
  readonly count: number;
  constructor(count: number) {
    super(`${count} messages were lost: more than ${MAX_QUEUED_MESSAGES} waited to be handled`);
    this.count = count;
  }
}

/** The peer's handler threw. `code` is the thrown error's name. */
export class HandlerError extends Error {
  override readonly name = "HandlerError";
  readonly code: string;
  constructor(peer: string, type: string, code: string, message: string) {
    super(`${peer} failed to handle "${type}": ${message}`);
    this.code = code;
  }
}
