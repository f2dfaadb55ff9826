import type { RedStream } from "../transport/index.ts";

/** The stream ended, or stayed silent for too long, in the middle of the link stage. */
export class LinkAborted extends Error {
  override readonly name = "LinkAborted";
}

/** Reads exact numbers of bytes from a stream during the link stage, however they are cut. Detaches itself when done. */
export class LinkReader {
  readonly #stream: RedStream;
  #chunks: Uint8Array[] = [];
  #available = 0;
  #ended: LinkAborted | undefined;
  #wake: (() => void) | undefined;

  constructor(stream: RedStream) {
    this.#stream = stream;
    stream.onData = (bytes) => {
      this.#chunks.push(bytes);
      this.#available += bytes.length;
      this.#wake?.();
    };
    stream.onClose = (reason) => this.abort(`the client left during the link: ${reason}`);
  }

  /** Makes the read under way and all later ones fail. */
  abort(reason: string): void {
    this.#ended ??= new LinkAborted(reason);
    this.#wake?.();
  }

  /** @throws LinkAborted */
  async read(length: number): Promise<Uint8Array> {
    while (this.#available < length) {
      if (this.#ended) throw this.#ended;
      await new Promise<void>((resolve) => (this.#wake = resolve));
      this.#wake = undefined;
    }
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

  /** Leaves the stream to its channel. @returns the number of bytes already taken from it beyond the link stage. */
  release(): number {
    this.#stream.onData = undefined;
    this.#stream.onClose = undefined;
    return this.#available;
  }
}
