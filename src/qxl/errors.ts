import { CodedError } from "../errors/index.ts";

/** A command that the guest built wrongly: it is lost, nothing else is. Says which field and what was wrong with it. */
export class QxlGuestError extends CodedError {
  override readonly name = "QxlGuestError";
  readonly code = "QXL_GUEST_BUG";
  /** The structure and field, as in qxl_dev.h. */
  readonly field: string;

  constructor(field: string, problem: string) {
    super(`${field}: ${problem}`);
    this.field = field;
  }
}

/** A saved device state that does not fit this device; the machine must be booted afresh. */
export class QxlStateError extends CodedError {
  override readonly name = "QxlStateError";
  readonly code = "QXL_STATE";

  constructor(problem: string) {
    super(`saved QXL state: ${problem}`);
  }
}
