import { type Allowance, allowOption } from "./allowances.ts";
import { GuestBuildError, type GuestBuildErrorCode, type GuestBuildErrorDetails } from "./errors.ts";

/** The exceptions that a person allowed for one build, and those that it made use of. */
export class Exceptions {
  readonly #allowed: ReadonlySet<Allowance>;
  readonly #onNote: (text: string) => void;
  readonly #used = new Set<Allowance>();

  constructor(allowed: Iterable<Allowance>, onNote: (text: string) => void) {
    this.#allowed = new Set(allowed);
    this.#onNote = onNote;
  }

  /** What was let pass so far, by name. */
  get used(): Allowance[] {
    return [...this.#used].sort();
  }

  allows(allowance: Allowance): boolean {
    return this.#allowed.has(allowance);
  }

  /**
   * Lets `problem` pass with a note if a person allowed it.
   * @param remedy what else can be done, a whole sentence.
   * @throws GuestBuildError otherwise, naming the remedy and the option.
   */
  except(
    allowance: Allowance,
    code: GuestBuildErrorCode,
    problem: string,
    remedy: string,
    details: GuestBuildErrorDetails = {},
  ): void {
    const option = allowOption(allowance);
    if (!this.#allowed.has(allowance))
      throw new GuestBuildError(code, `${problem} ${remedy} To go on all the same: ${option}.`, {
        ...details,
        allowedBy: allowance,
      });
    this.#used.add(allowance);
    this.#onNote(`${problem} Allowed by ${option}.`);
  }
}
