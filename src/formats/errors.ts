import { CodedError } from "../errors/index.ts";

/** A text cannot be written in that format at all, however it is escaped: says which format and why. */
export class UnrepresentableError extends CodedError {
  override readonly name = "UnrepresentableError";
  readonly code = "UNREPRESENTABLE";
}
