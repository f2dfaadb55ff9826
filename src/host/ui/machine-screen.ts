import { css, html, nothing } from "lit";
import type { PropertyValues } from "lit";
import { createRef, ref } from "lit/directives/ref.js";
import { keyed } from "lit/directives/keyed.js";
import type { ScreenEvent } from "../../dispatch/messages.ts";
import { cssCursor } from "../cursor.ts";
import { KeyboardInput, PointerInput } from "../screen-input.ts";
import { fitScreen } from "../screen-fit.ts";
import { HostElement } from "./host-element.ts";
import { sharedStyles } from "./shared-styles.ts";

/**
 * The machine's screen. A click (or Enter, for those who come by the Tab key) gives it the keyboard; Ctrl+Alt gives the
 * keyboard back, so that nobody is caught in it.
 */
export class MachineScreenElement extends HostElement {
  static override properties = {
    ...HostElement.properties,
    captured: { type: Boolean, reflect: true },
    guestCursor: { state: true },
  };
  static override styles = [
    sharedStyles,
    css`
      :host {
        position: relative;
        display: grid;
        place-items: center;
        min-height: 0;
        min-width: 0;
        overflow: hidden;
      }
      .glass {
        position: relative;
        border-radius: 6px;
        background: #000;
        box-shadow: var(--shadow);
        outline: 1px solid color-mix(in srgb, var(--line) 70%, transparent);
        touch-action: none;
      }
      .glass:focus-visible,
      :host([captured]) .glass {
        outline: 2px solid var(--accent);
        outline-offset: 3px;
      }
      .glass.empty {
        width: min(640px, 100%);
        aspect-ratio: 4 / 3;
        max-height: 100%;
      }
      canvas {
        display: block;
        width: 100%;
        height: 100%;
        border-radius: 6px;
      }
      .sharp canvas {
        image-rendering: pixelated;
      }
    `,
  ];
  /** True while keys go to the machine. */
  declare captured: boolean;
  declare private guestCursor: string;
  readonly #glass = createRef<HTMLElement>();
  readonly #canvas = createRef<HTMLCanvasElement>();
  #attached: HTMLCanvasElement | undefined;
  #keyboard: KeyboardInput | undefined;
  #pointer: PointerInput | undefined;
  readonly #room = new ResizeObserver(() => this.#fit());

  constructor() {
    super();
    this.captured = false;
    this.guestCursor = "default";
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#room.observe(this);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#room.disconnect();
  }

  override willUpdate(changed: PropertyValues): void {
    super.willUpdate(changed);
    if (!changed.has("host") || this.host === undefined) return;
    this.#keyboard = new KeyboardInput(this.host.hand);
    this.#pointer = new PointerInput(this.host.hand);
  }

  override updated(changed: PropertyValues): void {
    if (changed.has("captured")) {
      this.dispatchEvent(new CustomEvent("capturechange", { detail: this.captured }));
    }
    const canvas = this.#canvas.value;
    if (canvas !== undefined && canvas !== this.#attached && this.host !== undefined) {
      this.#attached = canvas;
      this.host.attachScreen(canvas, (event) => this.#screenEvent(event));
    }
    this.#fit();
    if (this.#glass.value !== undefined) this.#glass.value.style.cursor = this.guestCursor;
  }

  /** Gives the keyboard to the machine. */
  capture(): void {
    this.#glass.value?.focus({ preventScroll: true });
    this.captured = true;
  }

  /** Takes the keyboard back; every key that the machine holds down is let go. */
  release(): void {
    this.#keyboard?.releaseAll();
    this.#pointer?.releaseAll(this.hostState.pointer);
    if (document.pointerLockElement === this) document.exitPointerLock();
    this.captured = false;
  }

  override render() {
    const { width, height, screen, phase } = this.hostState;
    const hint = this.captured
      ? "Keys go to the machine. Press Control and Alt together to get the keyboard back."
      : "Press Enter to type into the machine.";
    return html`
      <div
        ${ref(this.#glass)}
        class="glass ${width === 0 ? "empty" : ""}"
        tabindex="0"
        role="application"
        aria-label="Screen of the machine"
        aria-describedby="hint"
        aria-busy=${phase === "running" ? nothing : "true"}
        @blur=${() => this.release()}
        @keydown=${this.#keyDown}
        @keyup=${this.#keyUp}
        @pointerdown=${this.#pointerDown}
        @pointermove=${this.#pointerMoved}
        @pointerup=${this.#pointerMoved}
        @wheel=${this.#wheel}
        @contextmenu=${(event: Event) => event.preventDefault()}
      >
        ${keyed(screen, html`<canvas ${ref(this.#canvas)} width=${width || 640} height=${height || 480}></canvas>`)}
      </div>
      <span id="hint" class="visually-hidden">${hint}</span>
    `;
  }

  #screenEvent(event: ScreenEvent): void {
    if (event.type === "cursor") this.guestCursor = cssCursor(event.shape);
  }

  #fit(): void {
    const glass = this.#glass.value;
    const { width, height } = this.hostState;
    if (glass === undefined) return;
    if (width === 0) {
      glass.style.width = "";
      glass.style.height = "";
      return;
    }
    // Room for the focus ring around the picture.
    const room = { width: this.clientWidth - 12, height: this.clientHeight - 12 };
    const fit = fitScreen({ width, height }, room, devicePixelRatio);
    glass.style.width = `${fit.width}px`;
    glass.style.height = `${fit.height}px`;
    glass.classList.toggle("sharp", Number.isInteger(fit.scale * devicePixelRatio));
  }

  #keyDown = (event: KeyboardEvent): void => {
    if (!this.captured) {
      if (event.code !== "Enter") return;
      event.preventDefault();
      this.capture();
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    this.#keyboard?.press(event.code);
  };

  #keyUp = (event: KeyboardEvent): void => {
    if (!this.captured) return;
    event.preventDefault();
    if (this.#keyboard?.release(event.code)) this.release();
  };

  #pointerDown = (event: PointerEvent): void => {
    event.preventDefault();
    if (!this.captured) this.capture();
    const glass = this.#glass.value;
    if (this.hostState.pointer === "relative") void this.requestPointerLock();
    else glass?.setPointerCapture(event.pointerId);
    this.#pointerMoved(event);
  };

  #pointerMoved = (event: PointerEvent): void => {
    const canvas = this.#canvas.value;
    if (canvas === undefined || this.hostState.width === 0) return;
    if (this.hostState.pointer === "absolute") {
      this.#pointer?.absolute(event, canvas.getBoundingClientRect(), this.hostState);
    } else if (document.pointerLockElement !== null) {
      this.#pointer?.relative(event);
    }
  };

  #wheel = (event: WheelEvent): void => {
    if (!this.captured) return;
    event.preventDefault();
    this.#pointer?.wheel(event, this.hostState.pointer);
  };
}
