import { CodedError } from "../errors/index.ts";
import type { RedStream } from "../transport/index.ts";

/** The stream ended, or stayed silent for too long, in the middle of the link stage. */
export class LinkAborted extends CodedError {
  override readonly name = "LinkAborted";
  readonly code = "LINK_ABORTED";
}

/**
 * Reads exact numbers of bytes from a stream during the link stage, however they are cut. Takes nothing while nobody waits, so a
 * client cannot fill our memory; what it took too much goes back to the stream for its channel.
 */
export class LinkReader {
  readonly #stream: RedStream;
  #chunks: Uint8Array[] = [];
  #available = 0;
  #ended: LinkAborted | undefined;
  #wake: (() => void) | undefined;
  readonly #aborted = new AbortController();

  constructor(stream: RedStream) {
    this.#stream = stream;
    stream.onClose = (reason) => this.abort(`the client left during the link: ${reason}`);
  }

  /** Makes the read under way and all later ones fail. */
  abort(reason: string): void {
    this.#ended ??= new LinkAborted(reason);
    this.#wake?.();
    this.#aborted.abort();
  }

  /** Aborted when the link ends before its time. */
  get signal(): AbortSignal {
    return this.#aborted.signal;
  }

  /** Why, then. */
  get failure(): LinkAborted | undefined {
    return this.#ended;
  }

  /** @throws LinkAborted */
  async read(length: number): Promise<Uint8Array> {
    await this.#gather(length);
    const result = new Uint8Array(length);
    let at = 0;
    while (at < length) {
      const chunk = this.#chunks[0];
      const part = chunk.subarray(0, length - at);
      result.set(part, at);
      at += part.length;
      if (part.length === chunk.length) this.#chunks.shift();
      else this.#chunks[0] = chunk.subarray(part.length);
    }
    this.#available -= length;
    return result;
  }

  /** Leaves the stream, and all bytes behind the last read, to its channel. */
  release(): void {
    this.#stream.onData = undefined;
    this.#stream.onClose = undefined;
    for (const chunk of this.#chunks.toReversed()) this.#stream.unread(chunk);
    this.#chunks = [];
    this.#available = 0;
  }

  async #gather(length: number): Promise<void> {
    while (this.#available < length) {
      if (this.#ended) throw this.#ended;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        this.#stream.onData = (bytes) => {
          this.#chunks.push(bytes);
          this.#available += bytes.length;
          if (this.#available >= length) this.#stream.onData = undefined;
          resolve();
        };
      });
      this.#wake = undefined;
    }
    this.#stream.onData = undefined;
  }
}
