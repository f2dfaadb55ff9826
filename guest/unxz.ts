import { createRequire } from "node:module";

// The package is CommonJS without named exports for Node, though its types say otherwise.
const { XzReadableStream } = createRequire(import.meta.url)(
  "xz-decompress",
) as typeof import("xz-decompress");

/**
 * Unpacks an .xz file whose only filter is LZMA2 (every Debian index and package archive).
 * The kernel's payload has a second filter: see `kernel/xz.ts`.
 * @param limit bytes that are accepted: a few kilobytes of XZ can hold gigabytes of zeros.
 */
export async function unpackXz(data: Uint8Array, limit: number): Promise<Buffer> {
  const source = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(data);
      controller.close();
    },
  });
  const chunks: Uint8Array[] = [];
  const reader = new XzReadableStream(source).getReader();
  let length = 0;
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    length += next.value.length;
    if (length > limit) {
      await reader.cancel();
      throw new Error(`it unpacks to more than ${limit} bytes`);
    }
    chunks.push(next.value);
  }
  return Buffer.concat(chunks);
}
