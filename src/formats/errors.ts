/** A text cannot be written in that format at all, however it is escaped: says which format and why. */
export class UnrepresentableError extends Error {
  override readonly name = "UnrepresentableError";
}
