/** A command that the guest built wrongly: it is lost, nothing else is. Says which field and what was wrong with it. */
export class QxlGuestError extends Error {
  override readonly name = "QxlGuestError";
  /** The structure and field, as in qxl_dev.h. */
  readonly field: string;

  constructor(field: string, problem: string) {
    super(`${field}: ${problem}`);
    this.field = field;
  }
}

/** A saved device state that does not fit this device; the machine must be booted afresh. */
export class QxlStateError extends Error {
  override readonly name = "QxlStateError";

  constructor(problem: string) {
    super(`saved QXL state: ${problem}`);
  }
}
