import { ClientError } from "./errors.ts";
import type { DeadlineOptions } from "./deadline.ts";
import { within } from "./deadline.ts";
import type { ByteTransport } from "./transport.ts";

/** Reads so many bytes at a time, and takes none that are not its own: what follows stays in the transport. */
export class ByteReader {
  readonly #transport: ByteTransport;

  constructor(transport: ByteTransport) {
    this.#transport = transport;
  }

  /** @throws ClientError `CHANNEL_CLOSED`, `SERVER_SILENT` or `CHANNEL_LEFT` */
  async read(length: number, options: DeadlineOptions): Promise<Uint8Array<ArrayBuffer>> {
    const transport = this.#transport;
    const result = new Uint8Array(length);
    let filled = 0;
    const bytes = new Promise<Uint8Array<ArrayBuffer>>((resolve, reject) => {
      transport.onData = (piece) => {
        const part = piece.subarray(0, length - filled);
        result.set(part, filled);
        filled += part.length;
        if (filled < length) return;
        transport.onData = transport.onClose = undefined;
        transport.unread(piece.subarray(part.length));
        resolve(result);
      };
      // The end is told once: it is left to whoever reads next.
      if (filled === length) return;
      transport.onClose = (reason) =>
        reject(new ClientError("CHANNEL_CLOSED", `${options.what}: the connection ended first: ${reason}`));
    });
    try {
      return await within(bytes, options);
    } finally {
      transport.onData = transport.onClose = undefined;
    }
  }
}
