/**
 * The screen before the driver: what VGA or VBE show goes out as surface 0 and DRAW_COPYs of the changed rectangles,
 * through the same command stream as the QXL device's. As in QEMU's qxl-render, only while the device is in VGA mode.
 */
import type { Rect } from "../../protocol/red-command.ts";
import type { QxlSink } from "../../qxl/index.ts";
import { SCANOUT_IDLE_AFTER, SCANOUT_IDLE_RATE_HZ, SCANOUT_MAX_PIXELS, SCANOUT_RATE_HZ } from "../limits.ts";
import type { GuestMemory } from "../memory-map.ts";
import { QXL_VGAMEM_BYTES } from "../memory-map.ts";
import { planarRows } from "./planar-rows.ts";
import { ScreenFrame } from "./screen-frame.ts";
import { CellFlag, TextScreen } from "./text-renderer.ts";
import type { V86Cpu, V86Screen, V86VgaLayer } from "../v86/v86-private.ts";
import { vbeRows } from "./vbe-rows.ts";

/** SpiceSurfaceFmt 32 bit xRGB, SpiceBitmapFmt 32BIT, SpiceRopd OP_PUT, QXL_EFFECT_OPAQUE, scale mode INTERPOLATE is unused. */
const SURFACE_FMT_32_XRGB = 32;
const BITMAP_FMT_32BIT = 8;
const ROPD_OP_PUT = 8;
const EFFECT_OPAQUE = 1;
const PRIMARY = 0;

export interface VgaScanoutOptions {
  readonly cpu: V86Cpu;
  readonly screen: V86Screen;
  readonly memory: GuestMemory;
  /** Changes add up in the frame buffer while there is no credit. */
  readonly sink: Pick<QxlSink, "creditAvailable" | "span" | "push" | "flush">;
}

/** What is scanned out; for tests and the page's status. */
export interface ScanoutMode {
  readonly kind: "text" | "planar" | "vbe";
  readonly width: number;
  readonly height: number;
}

/** Polls VGA and draws. Owner disposes. */
export class VgaScanout implements Disposable {
  readonly text = new TextScreen();
  readonly #options: VgaScanoutOptions;
  /** Shown instead of what VGA has, once there is one. */
  #notice: TextScreen | undefined;
  #layers: readonly V86VgaLayer[] = [];
  #frame: ScreenFrame | undefined;
  #mode: ScanoutMode | undefined;
  #active = false;
  #running = false;
  #unchanged = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: VgaScanoutOptions) {
    this.#options = options;
    this.#adoptScreen();
  }

  /** The mode on the screen, undefined while the QXL device shows its own primary. */
  get mode(): ScanoutMode | undefined {
    return this.#active ? this.#mode : undefined;
  }

  /** The device is in VGA mode: a new primary is created with the next poll. */
  enter(): void {
    this.#active = true;
    this.#frame = undefined;
    this.#unchanged = 0;
  }

  /** The device leaves VGA mode: our primary dies before the driver's is created. */
  leave(): void {
    if (this.#frame) this.#options.sink.push({ type: "surfaceDestroy", surfaceId: PRIMARY });
    this.#frame = undefined;
    this.#active = false;
  }

  /** Shows words of ours from now on: the guest shows nothing any more. The device must be in VGA mode. */
  showNotice(notice: TextScreen): void {
    this.#notice = notice;
    this.#mode = undefined;
    this.#unchanged = 0;
  }

  /** Starts polling; VGA's picture as it is now is drawn wholly. */
  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#fetchAll();
    this.#schedule(0);
  }

  /** Stops polling; the picture stays. */
  stop(): void {
    this.#running = false;
    if (this.#timer !== undefined) clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  [Symbol.dispose](): void {
    this.stop();
  }

  /** All of the screen again, in a new primary: after a restore, or when the red worker is new. */
  resync(): void {
    this.#frame = undefined;
    this.#fetchAll();
  }

  /** One poll: draws what changed. Called by the timer, and by tests. */
  poll(): void {
    const { cpu, sink } = this.#options;
    const { vga } = cpu.devices;
    if (!this.#active || !sink.creditAvailable) {
      // Guests wait for the retrace bit even while nothing is shown.
      if (vga.graphical_mode) vga.update_vertical_retrace();
      return;
    }
    const mode = this.#modeNow();
    if (!mode) return;
    const fresh = !this.#frame || this.#mode?.kind !== mode.kind || !this.#sameSize(mode);
    if (fresh) this.#open(mode);
    const frame = this.#frame as ScreenFrame;
    const changed = this.#draw(frame, mode);
    if (fresh) this.#createPrimary(frame);
    else for (const rectangle of changed) this.#copy(frame, rectangle);
    this.#unchanged = fresh || changed.length > 0 ? 0 : this.#unchanged + 1;
    if (this.#unchanged === 0) sink.flush();
  }

  #schedule(delayMs: number): void {
    this.#timer = setTimeout(() => {
      if (!this.#running) return;
      const started = performance.now();
      this.poll();
      const still = this.#mode?.kind !== "text" && this.#unchanged >= SCANOUT_IDLE_AFTER;
      const intervalMs = 1000 / (still ? SCANOUT_IDLE_RATE_HZ : SCANOUT_RATE_HZ);
      this.#schedule(Math.max(1, intervalMs - (performance.now() - started)));
    }, delayMs);
  }

  #modeNow(): ScanoutMode | undefined {
    const { vga } = this.#options.cpu.devices;
    let mode: ScanoutMode;
    const { width, height } = this.#notice ?? this.text;
    if (this.#notice || !vga.graphical_mode) mode = { kind: "text", width, height };
    else if (vga.svga_enabled) mode = { kind: "vbe", width: vga.svga_width, height: vga.svga_height };
    else mode = { kind: "planar", width: vga.screen_width, height: vga.screen_height };
    const pixels = mode.width * mode.height;
    return pixels > 0 && pixels <= SCANOUT_MAX_PIXELS ? mode : undefined;
  }

  #sameSize(mode: ScanoutMode): boolean {
    return this.#frame?.width === mode.width && this.#frame.height === mode.height;
  }

  #open(mode: ScanoutMode): void {
    if (this.#frame) this.#options.sink.push({ type: "surfaceDestroy", surfaceId: PRIMARY });
    this.#frame = new ScreenFrame(mode.width, mode.height);
    this.#mode = mode;
    (this.#notice ?? this.text).invalidate();
  }

  #draw(frame: ScreenFrame, mode: ScanoutMode): Rect[] {
    const { cpu, memory } = this.#options;
    const { vga } = cpu.devices;
    if (mode.kind === "text") return (this.#notice ?? this.text).render(frame.pixels);
    if (mode.kind === "planar") {
      this.#layers = [];
      vga.screen_fill_buffer();
      return frame.update(planarRows(this.#layers, mode.width));
    }
    vga.update_vertical_retrace();
    const vbe = { width: mode.width, height: mode.height, bpp: vga.svga_bpp, offset: vga.svga_offset };
    return frame.update(vbeRows(memory.ram().subarray(0, QXL_VGAMEM_BYTES), vbe, vga.vga256_palette));
  }

  #createPrimary(frame: ScreenFrame): void {
    const { sink } = this.#options;
    const { width, height } = frame;
    sink.push({
      type: "surfaceCreate",
      surfaceId: PRIMARY,
      format: SURFACE_FMT_32_XRGB,
      width,
      height,
      stride: width * 4,
      data: sink.span(new Uint8Array(frame.pixels.buffer)),
      mouseMode: 1,
    });
  }

  #copy(frame: ScreenFrame, bbox: Rect): void {
    const { sink } = this.#options;
    const width = bbox.right - bbox.left;
    const height = bbox.bottom - bbox.top;
    sink.push({
      type: "draw",
      surfaceId: PRIMARY,
      effect: EFFECT_OPAQUE,
      mmTime: 0,
      bbox,
      operation: {
        type: "copy",
        src: {
          kind: "bitmap",
          id: 0n,
          cacheMe: false,
          format: BITMAP_FMT_32BIT,
          width,
          height,
          stride: width * 4,
          topDown: true,
          data: sink.span(frame.bytes(bbox)),
        },
        srcArea: { top: 0, left: 0, bottom: height, right: width },
        rop: ROPD_OP_PUT,
        scaleMode: 0,
      },
    });
  }

  /** Before we listened VGA may already have drawn; ask for all of it. */
  #fetchAll(): void {
    const { vga } = this.#options.cpu.devices;
    if (vga.graphical_mode) {
      vga.complete_redraw();
      return;
    }
    this.text.setSize(vga.max_cols, vga.max_rows);
    vga.text_mode_redraw();
    this.text.invalidate();
  }

  #adoptScreen(): void {
    const { screen } = this.#options;
    const { text } = this;
    Object.assign(screen, {
      FLAG_BLINKING: CellFlag.blinking,
      FLAG_FONT_PAGE_B: CellFlag.fontPageB,
      put_char: text.putCharacter.bind(text),
      set_mode: () => {},
      set_size_text: text.setSize.bind(text),
      set_size_graphical: () => {},
      set_font_bitmap: (height, width9px, widthDouble, copy8thColumn, bitmap, changed) =>
        text.setFont({ height, width9px, widthDouble, copy8thColumn }, bitmap, changed),
      set_font_page: text.setFontPages.bind(text),
      update_cursor: text.moveCursor.bind(text),
      update_cursor_scanline: text.shapeCursor.bind(text),
      update_buffer: (layers) => {
        this.#layers = layers;
      },
      clear_screen: () => {},
      clear_text_state: () => text.invalidate(),
    } satisfies V86Screen);
  }
}
