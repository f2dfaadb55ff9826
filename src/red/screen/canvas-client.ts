import type { ScreenEvent } from "../../dispatch/messages.ts";
import { MouseMode } from "../../protocol/index.ts";
import type { Rect } from "../../protocol/red-command.ts";
import type { Region } from "../../raster/index.ts";
import type { CursorState } from "./cursor-channel-client.ts";
import { cursorToRgba } from "./cursor-shape.ts";
import { DirtyRegion } from "../display/dirty-region.ts";
import type { PixelClient } from "../display/display-channel.ts";
import { CANVAS_FRAME_MS, CANVAS_TURN_PIXELS } from "../limits.ts";
import { areaOf, strips } from "../display/strips.ts";
import type { RedSurface } from "../display/surface.ts";

/**
 * The tab's own screen: a client of the display and the cursor that takes pixels. Paints what changed once per frame; tells the page
 * the size and the pointer shape, which the page shows as a CSS cursor.
 */
export class CanvasClient implements PixelClient {
  readonly #canvas: OffscreenCanvas;
  readonly #context: OffscreenCanvasRenderingContext2D;
  readonly #events: MessagePort | undefined;
  readonly #dirty = new DirtyRegion();
  #surface: RedSurface | undefined;
  #shape: CursorState["shape"];
  #shown: boolean | undefined;
  #frame: ReturnType<typeof setTimeout> | undefined;

  constructor(canvas: OffscreenCanvas, events?: MessagePort) {
    const context = canvas.getContext("2d", { alpha: false });
    if (context === null)
      throw new TypeError("this canvas has no 2d context; transfer one that was not used before");
    this.#canvas = canvas;
    this.#context = context;
    this.#events = events;
  }

  surfaceChanged(surface: RedSurface | undefined): void {
    this.#surface = surface;
    this.#dirty.clear();
    const { width, height } = surface ?? { width: 0, height: 0 };
    if (surface !== undefined) {
      this.#canvas.width = width;
      this.#canvas.height = height;
      this.#dirty.addRect(surface.bounds);
      this.#schedule();
    } else {
      this.#context.clearRect(0, 0, this.#canvas.width, this.#canvas.height);
    }
    this.#tell({ type: "size", width, height });
  }

  damaged(region: Region): void {
    this.#dirty.add(region);
    this.#schedule();
  }

  /** The pointer changed its shape, its place or its visibility. */
  cursorChanged(state: CursorState, mouseMode: number): void {
    if (mouseMode === MouseMode.Server) this.#tell({ type: "cursor-moved", ...state.position });
    const shown = state.visible && state.shape !== undefined;
    if (shown === this.#shown && state.shape === this.#shape) return;
    this.#shown = shown;
    this.#shape = state.shape;
    if (!shown || state.shape === undefined) return this.#tell({ type: "cursor", shape: undefined });
    const { width, height, hotX, hotY } = state.shape;
    const pixels = new Uint8Array(cursorToRgba(state.shape).buffer);
    this.#tell({ type: "cursor", shape: { width, height, hotX, hotY, pixels } });
  }

  #tell(event: ScreenEvent): void {
    this.#events?.postMessage(event);
  }

  #schedule(delayMs = CANVAS_FRAME_MS): void {
    this.#frame ??= setTimeout(() => {
      this.#frame = undefined;
      this.#paint();
    }, delayMs);
  }

  #paint(): void {
    const surface = this.#surface;
    if (surface === undefined) return;
    let pixels = 0;
    for (const rect of strips(this.#dirty.rects)) {
      if (pixels >= CANVAS_TURN_PIXELS) return this.#schedule(0);
      pixels += areaOf([rect]);
      this.#dirty.remove(rect);
      this.#context.putImageData(toImageData(surface, rect), rect.left, rect.top);
    }
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#frame);
    this.#surface = undefined;
    this.#events?.close();
  }
}

/** Opaque RGBA of a rectangle. */
function toImageData(surface: RedSurface, rect: Rect): ImageData {
  const { bytes, width, height } = surface.read32(rect);
  // The copy is ours and aligned: one word at a time, 0xXXRRGGBB to 0xFFBBGGRR.
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, width * height);
  for (let i = 0; i < words.length; i++) {
    const word = words[i];
    words[i] = 0xff000000 | ((word & 0xff) << 16) | (word & 0xff00) | ((word >> 16) & 0xff);
  }
  return new ImageData(new Uint8ClampedArray(bytes.buffer), width, height);
}
