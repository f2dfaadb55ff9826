import type { ImageCodecs, ImageSource } from "../../src/image/index.ts";
import { SurfaceHeap, createCodecs, loadImageModule } from "../../src/image/index.ts";

/** A picture to encode: pixels as base64, since what a page gets from outside is JSON. */
export interface JpegTask {
  readonly format: number;
  readonly width: number;
  readonly height: number;
  readonly stride: number;
  readonly topDown: boolean;
  readonly pixels: string;
  /** Calls to measure. */
  readonly rounds?: number;
}

/** Milliseconds a call takes, median; `taken`: until the platform's encoder has the pixels, so what it costs this thread at least. */
export interface JpegTimes {
  readonly ours: number;
  readonly platform: number;
  readonly taken: number;
}

let codecs: ImageCodecs;

const toBytes = (text: string) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
const toText = (bytes: Uint8Array) => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
const median = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1];

/** The picture in the codecs' own memory, as surfaces are. */
function place({ format, width, height, stride, topDown, pixels }: JpegTask): ImageSource & Disposable {
  const bytes = toBytes(pixels);
  const offset = codecs.heap.allocate(bytes.length);
  codecs.heap.u8.set(bytes, offset);
  return {
    format,
    width,
    height,
    stride,
    topDown,
    offset,
    bytes: codecs.heap.u8,
    [Symbol.dispose]: () => codecs.heap.release(offset),
  };
}

const page = {
  async load(wasm: string): Promise<void> {
    const heap = new SurfaceHeap();
    codecs = createCodecs(heap, await loadImageModule(toBytes(wasm), heap));
  },
  /** What the platform's encoder makes, as base64; undefined if it does not take the picture. */
  async encode(task: JpegTask): Promise<string | undefined> {
    using source = place(task);
    const stream = await codecs.platformJpeg?.encodeAsync(source);
    return stream && toText(stream);
  },
  /** Two pictures at once: the streams must not be mixed up. */
  async encodeTwo(task: JpegTask): Promise<(string | undefined)[]> {
    using whole = place(task);
    const half = { ...whole, height: task.height >> 1 };
    const streams = await Promise.all(
      [whole, half].map((source) => codecs.platformJpeg?.encodeAsync(source)),
    );
    return streams.map((stream) => stream && toText(stream));
  },
  /** How long our encoder and the platform's take. */
  async compare(task: JpegTask): Promise<JpegTimes> {
    using source = place(task);
    const { platformJpeg, encoders } = codecs;
    if (platformJpeg === undefined || encoders.jpeg === undefined) throw new Error("an encoder is missing");
    const times: Record<keyof JpegTimes, number[]> = { ours: [], platform: [], taken: [] };
    for (let round = 0; round < (task.rounds ?? 21); round++) {
      let start = performance.now();
      encoders.jpeg.encodeFrame(source);
      times.ours.push(performance.now() - start);
      start = performance.now();
      const stream = platformJpeg.encodeAsync(source, { anySize: true });
      times.taken.push(performance.now() - start);
      await stream;
      times.platform.push(performance.now() - start);
    }
    return { ours: median(times.ours), platform: median(times.platform), taken: median(times.taken) };
  },
};
export type JpegPage = typeof page;
(globalThis as unknown as { jpegPage: JpegPage }).jpegPage = page;
