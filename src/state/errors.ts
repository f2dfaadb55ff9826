import { CodedError } from "../errors/index.ts";

/** Why a saved state was refused. */
export type StateRefusal =
  | "format"
  | "truncated"
  | "unfinished"
  | "damaged"
  | "version"
  | "v86-version"
  | "guest-build"
  | "machine-options"
  | "content"
  /** The machine in it had come to its end. */
  | "ended";

/** A saved state does not fit this build, guest or machine. The machine is untouched: boot fresh instead. */
export class StateRefusedError extends CodedError {
  override readonly name = "StateRefusedError";
  readonly code = "STATE_REFUSED";
  readonly refusal: StateRefusal;

  constructor(refusal: StateRefusal, message: string, options?: ErrorOptions) {
    super(`saved state refused: ${message}`, options);
    this.refusal = refusal;
  }
}

/** Somebody else has the saved states open, and did not let go in time. They are untouched; nothing is booted in their place. */
export class StateBusyError extends CodedError {
  override readonly name = "StateBusyError";
  readonly code = "STATE_BUSY";

  constructor(milliseconds: number, options?: ErrorOptions) {
    super(
      `the kept machine is still in use by another page of this site, ${milliseconds / 1000} s after it was asked for: close that page, then reload this one`,
      options,
    );
  }
}
