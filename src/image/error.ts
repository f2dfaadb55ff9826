import type { ErrorCode } from "../errors/index.ts";
import { CodedError } from "../errors/index.ts";

/** A compressed image that cannot be decoded: which codec, at which byte of the stream, and what was wrong. */
export class ImageDecodeError extends CodedError {
  override readonly name = "ImageDecodeError";
  readonly code: ErrorCode = "IMAGE_DECODE";
  readonly codec: string;
  /** Byte offset in the compressed stream where the decoder gave up. */
  readonly offset: number;

  constructor(codec: string, offset: number, problem: string) {
    super(`${codec} stream: ${problem} (at byte ${offset})`);
    this.codec = codec;
    this.offset = offset;
  }
}
