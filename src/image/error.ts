/** A compressed image that cannot be decoded: which codec, at which byte of the stream, and what was wrong. */
export class ImageDecodeError extends Error {
  override readonly name = "ImageDecodeError";
  readonly codec: string;
  /** Byte offset in the compressed stream where the decoder gave up. */
  readonly offset: number;

  constructor(codec: string, offset: number, problem: string) {
    super(`${codec} stream: ${problem} (at byte ${offset})`);
    this.codec = codec;
    this.offset = offset;
  }
}
