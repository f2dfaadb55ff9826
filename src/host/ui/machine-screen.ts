import { css, html, nothing } from "lit";
import type { PropertyValues } from "lit";
import { createRef, ref } from "lit/directives/ref.js";
import { keyed } from "lit/directives/keyed.js";
import type { ScreenEvent } from "../../dispatch/messages.ts";
import { KeyboardLayout } from "../../keyboard/index.ts";
import type { KeyboardMode } from "../../keyboard/index.ts";
import { cssCursor } from "../cursor.ts";
import type { ScreenSizing } from "../hands/keyboard-setting.ts";
import { ScreenHands } from "../hands/screen-hands.ts";
import { Seat, seatSize } from "../hands/seat.ts";
import { TextField } from "../hands/text-field.ts";
import { TOLD_MS } from "../limits.ts";
import { fitScreen, guestPoint } from "../screen-fit.ts";
import { displayOf } from "../state.ts";
import type { DisplayState } from "../state.ts";
import { HostElement } from "./host-element.ts";
import { sharedStyles } from "./shared-styles.ts";

/** CSS pixels around the picture for the focus ring; the style sheet's --frame. */
const FRAME_PIXELS = 6;

/** Keys of a mouse's side buttons, which a PC's mouse does not have. */
const SIDE_BUTTONS: Readonly<Record<number, string>> = { 3: "BrowserBack", 4: "BrowserForward" };

/**
 * The machine's screen. A click (or Enter, for those who come by the Tab key) gives it the keyboard; Control with the left Alt gives
 * the keyboard back, so that nobody is caught in it.
 */
export class MachineScreenElement extends HostElement {
  static override properties = {
    ...HostElement.properties,
    captured: { type: Boolean, reflect: true },
    keyboardMode: { attribute: false },
    sizing: { attribute: false },
    display: { attribute: false },
    guestCursor: { state: true },
    told: { state: true },
  };
  static override styles = [
    sharedStyles,
    css`
      :host {
        position: relative;
        display: grid;
        place-items: center;
        /* Room for the focus ring around the picture. */
        --frame: 6px;
        padding: var(--frame);
        min-height: 0;
        min-width: 0;
        /* The picture's shadow reaches beyond its room. */
        overflow: clip;
        overflow-clip-margin: 52px;
      }
      .glass {
        position: relative;
        border-radius: 6px;
        background: #000;
        box-shadow: var(--shadow);
        outline: 1px solid color-mix(in srgb, var(--line) 70%, transparent);
        touch-action: none;
        user-select: none;
        -webkit-user-select: none;
      }
      :host([bare]) {
        --frame: 0px;
      }
      :host([bare]) :is(.glass, canvas) {
        border-radius: 0;
        box-shadow: none;
        outline: none !important;
      }
      .glass:has(:focus-visible),
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
      textarea {
        position: absolute;
        inset: 0;
        width: 100%;
        height: 100%;
        margin: 0;
        padding: 0;
        border: 0;
        outline: 0;
        opacity: 0;
        resize: none;
        pointer-events: none;
        /* Smaller text makes phones zoom in when it gets the focus. */
        font-size: 16px;
      }
      .told {
        position: absolute;
        inset: auto 16px 16px;
        justify-self: center;
        max-width: 560px;
        padding: 10px 14px;
        border: 1px solid var(--line);
        border-radius: 10px;
        background: var(--card);
        box-shadow: var(--shadow);
        overflow-wrap: anywhere;
      }
      .told:empty {
        display: none;
      }
    `,
  ];
  /** True while keys go to the machine. */
  declare captured: boolean;
  /** Whether keys mean their characters or their places. */
  declare keyboardMode: KeyboardMode;
  declare sizing: ScreenSizing;
  /** Number of the display that it shows. */
  declare display: number;
  declare private guestCursor: string;
  declare private told: string;
  readonly #glass = createRef<HTMLElement>();
  readonly #canvas = createRef<HTMLCanvasElement>();
  readonly #field = createRef<HTMLTextAreaElement>();
  #attached: HTMLCanvasElement | undefined;
  #hands: ScreenHands | undefined;
  #text: TextField | undefined;
  #toldTimer: ReturnType<typeof setTimeout> | undefined;
  /** The window lost the focus while keys went to the machine: they go there again when it comes back. */
  #returns = false;
  #listening: AbortController | undefined;
  readonly #room = new ResizeObserver(() => this.#fit());
  readonly #seat = new Seat({
    setTimer: (callback, ms) => setTimeout(callback, ms),
    clearTimer: (timer) => clearTimeout(timer as ReturnType<typeof setTimeout>),
    want: ({ width, height }) => this.host?.wantScreenSize(width, height, this.display),
  });
  /** Nobody sits at a page that a program drives (`--headless`), until its window changes. */
  #hasSeat = !("spicetabReport" in window);

  constructor() {
    super();
    this.captured = false;
    this.keyboardMode = "characters";
    this.sizing = "follow";
    this.display = 0;
    this.guestCursor = "default";
    this.told = "";
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#room.observe(this);
    this.#listening = new AbortController();
    const { signal } = this.#listening;
    const release = () => this.#releaseHeld();
    const resized = () => {
      this.#hasSeat = true;
      this.#fit();
    };
    window.addEventListener("resize", resized, { signal });
    document.addEventListener("fullscreenchange", () => this.#fit(), { signal });
    // Whichever way the person, the window or the system goes, nobody tells of the keys and buttons that went up meanwhile.
    for (const type of ["blur", "pagehide"]) window.addEventListener(type, release, { signal });
    for (const type of ["visibilitychange", "freeze", "resume", "fullscreenchange", "pointerlockchange"])
      document.addEventListener(type, release, { signal });
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#room.disconnect();
    this.#seat[Symbol.dispose]();
    this.#listening?.abort();
    this.release();
    clearTimeout(this.#toldTimer);
  }

  override willUpdate(changed: PropertyValues): void {
    super.willUpdate(changed);
    if (changed.has("host")) {
      this.#hands?.[Symbol.dispose]();
      this.#hands = this.host && this.#makeHands(this.host);
    }
    const hands = this.#hands;
    if (hands === undefined) return;
    const { keyboard, phase } = this.hostState;
    if (hands.keyboard.layout.name !== keyboard.layout) {
      hands.keyboard.layout = new KeyboardLayout(keyboard.layout);
    }
    if (hands.keyboard.mode !== this.keyboardMode) hands.keyboard.mode = this.keyboardMode;
    if (changed.has("hostState")) {
      hands.keyboard.setLeds(keyboard.leds);
      const before = changed.get("hostState") as typeof this.hostState | undefined;
      if (before !== undefined && (before.phase !== phase || before.pointer !== this.hostState.pointer))
        hands.releaseAll();
    }
  }

  override updated(changed: PropertyValues): void {
    if (changed.has("captured")) {
      this.dispatchEvent(new CustomEvent("capturechange", { detail: this.captured }));
    }
    const field = this.#field.value;
    if (field !== undefined && this.#text === undefined) {
      this.#text = new TextField(field, () => (this.captured ? this.#hands?.keyboard : undefined));
    }
    const canvas = this.#canvas.value;
    if (canvas !== undefined && canvas !== this.#attached && this.host !== undefined) {
      this.#attached = canvas;
      this.host.attachScreen(canvas, (event) => this.#screenEvent(event), this.display);
    }
    this.#fit();
    if (this.#glass.value !== undefined) this.#glass.value.style.cursor = this.guestCursor;
  }

  /** Gives the keyboard to the machine. */
  capture(): void {
    this.#field.value?.focus({ preventScroll: true });
    this.captured = true;
  }

  /** Takes the keyboard back; everything that the machine holds down is let go. */
  release(): void {
    this.#returns = false;
    this.#releaseHeld();
    if (document.pointerLockElement === this) document.exitPointerLock();
    this.captured = false;
  }

  /** Gives the keyboard to the machine, and brings up a phone's own. */
  showKeyboard(): void {
    const field = this.#field.value;
    if (field === undefined) return;
    field.inputMode = "text";
    field.blur();
    this.capture();
  }

  /** Types a text into the machine. */
  type(text: string): void {
    this.#hands?.keyboard.type(text);
  }

  /** The display's picture. */
  get #picture(): DisplayState {
    return displayOf(this.hostState, this.display);
  }

  override render() {
    const { phase, displays } = this.hostState;
    const { width, height, screen } = this.#picture;
    const name = displays.present > 1 ? `Screen ${this.display + 1} of the machine` : "Screen of the machine";
    const hint = this.captured
      ? "Keys go to the machine. Press Control and the left Alt together to get the keyboard back."
      : "Press Enter to type into the machine.";
    return html`
      <div
        ${ref(this.#glass)}
        class="glass ${width === 0 ? "empty" : ""}"
        role="application"
        aria-label=${name}
        aria-busy=${phase === "running" ? nothing : "true"}
        @keydown=${this.#keyDown}
        @keyup=${this.#keyUp}
        @pointerdown=${this.#pointerDown}
        @pointermove=${this.#pointerMoved}
        @pointerup=${this.#pointerUp}
        @pointercancel=${this.#pointerLost}
        @lostpointercapture=${this.#pointerLost}
        @mousedown=${this.#mouseDown}
        @mouseup=${this.#mouseUp}
        @wheel=${this.#wheel}
        @contextmenu=${(event: Event) => event.preventDefault()}
        @dragstart=${(event: Event) => event.preventDefault()}
      >
        ${keyed(screen, html`<canvas ${ref(this.#canvas)} width=${width || 640} height=${height || 480}></canvas>`)}
        <textarea
          ${ref(this.#field)}
          aria-label=${this.display > 0 ? `Keyboard of the machine, at its screen ${this.display + 1}` : "Keyboard of the machine"}
          aria-describedby="hint"
          autocapitalize="off"
          autocomplete="off"
          autocorrect="off"
          spellcheck="false"
          @focus=${this.#focused}
          @blur=${this.#blurred}
        ></textarea>
      </div>
      <div class="told" role="status">${this.told}</div>
      <span id="hint" class="visually-hidden">${hint}</span>
    `;
  }

  /** Says something to the person, on the screen and to screen readers. */
  tell(words: string, forMs = TOLD_MS): void {
    this.told = words;
    clearTimeout(this.#toldTimer);
    this.#toldTimer = setTimeout(() => (this.told = ""), forMs);
  }

  #makeHands(host: NonNullable<typeof this.host>): ScreenHands {
    return new ScreenHands({
      host,
      mode: this.keyboardMode,
      toGuest: (place) => {
        const shown = (this.#canvas.value ?? this).getBoundingClientRect();
        return guestPoint({ x: place.x - shown.left, y: place.y - shown.top }, shown, this.#picture);
      },
      display: () => this.display,
      tell: (words) => this.tell(words),
    });
  }

  #screenEvent(event: ScreenEvent): void {
    if (event.type === "cursor") this.guestCursor = cssCursor(event.shape);
  }

  /** Whether the picture has the whole screen. */
  get #isFullscreen(): boolean {
    return document.fullscreenElement?.contains(inDocument(this)) ?? false;
  }

  #fit(): void {
    const glass = this.#glass.value;
    if (glass === undefined) return;
    const isFullscreen = this.#isFullscreen;
    this.toggleAttribute("bare", isFullscreen);
    const { phase, level } = this.hostState;
    const { width, height } = this.#picture;
    const frame = isFullscreen ? 0 : 2 * FRAME_PIXELS;
    const bounds = this.getBoundingClientRect();
    const room = { width: bounds.width - frame, height: bounds.height - frame };
    this.#seat.room({ ...room, devicePixelRatio });
    this.#seat.update(phase === "running" && level === "desktop", this.sizing === "follow" && this.#hasSeat);
    if (width === 0) {
      glass.style.width = "";
      glass.style.height = "";
      glass.style.translate = "";
      return;
    }
    const fit = fitScreen({ width, height }, room, devicePixelRatio, this.#fills(room));
    glass.style.width = `${fit.width}px`;
    glass.style.height = `${fit.height}px`;
    const perPixel = fit.scale * devicePixelRatio;
    glass.classList.toggle("sharp", Math.abs(perPixel - Math.round(perPixel)) < 1e-6);
    // On whole device pixels: centred at half of one, even an exact picture is blurred.
    glass.style.translate = "";
    const { left, top } = glass.getBoundingClientRect();
    const toPixel = (at: number) => Math.round(at * devicePixelRatio) / devicePixelRatio - at;
    glass.style.translate = `${toPixel(left)}px ${toPixel(top)}px`;
  }

  /** Whether the picture is stretched to its room: asked for, or a full screen whose guest does not take its size. */
  #fills(room: { width: number; height: number }): boolean {
    if (this.sizing === "fill") return true;
    if (this.sizing === "own" || !this.#isFullscreen) return false;
    const { width, height } = this.#picture;
    const size = seatSize({ ...room, devicePixelRatio });
    return size?.width !== width || size.height !== height;
  }

  // --- focus ---------------------------------------------------------------------------------------------------------

  #focused = (): void => {
    if (!this.#returns) return;
    this.#returns = false;
    this.captured = true;
  };

  #blurred = (): void => {
    const returns = this.captured && !document.hasFocus();
    this.release();
    this.#returns = returns;
  };

  #releaseHeld(): void {
    this.#hands?.releaseAll();
  }

  // --- keys ----------------------------------------------------------------------------------------------------------

  #keyDown = (event: KeyboardEvent): void => {
    if (!this.captured) {
      if (event.code !== "Enter" && event.key !== "Enter") return;
      event.preventDefault();
      this.capture();
      return;
    }
    event.stopPropagation();
    if (this.#hands?.keyboard.keyDown(event).handled) event.preventDefault();
    this.#hands?.pressed();
  };

  #keyUp = (event: KeyboardEvent): void => {
    if (!this.captured) return;
    const outcome = this.#hands?.keyboard.keyUp(event);
    if (outcome?.handled) event.preventDefault();
    if (outcome?.freed) this.release();
  };

  // --- pointer -------------------------------------------------------------------------------------------------------

  /** Whether the guest has a picture, and the pointer's events are for it. */
  get #isPointing(): boolean {
    if (this.#picture.width === 0) return false;
    return this.hostState.pointer === "absolute" || document.pointerLockElement === this;
  }

  #pointerDown = (event: PointerEvent): void => {
    const isTouch = event.pointerType === "touch";
    // A finger on the picture must not bring up the phone's keyboard; the button beside it does.
    if (!this.captured && this.#field.value) this.#field.value.inputMode = isTouch ? "none" : "text";
    if (!this.captured) this.capture();
    if (this.hostState.pointer === "relative" && !isTouch) void this.requestPointerLock();
    else this.#glass.value?.setPointerCapture(event.pointerId);
    const side = SIDE_BUTTONS[event.button];
    if (side !== undefined) this.#hands?.keyboard.tap(side);
    if (this.#isPointing || (isTouch && this.#picture.width > 0)) this.#hands?.pointer.down(event);
    this.#hands?.pressed();
  };

  #pointerMoved = (event: PointerEvent): void => {
    // A second button of the same mouse.
    const side = event.buttons > 4 ? SIDE_BUTTONS[event.button] : undefined;
    if (side !== undefined) this.#hands?.keyboard.tap(side);
    if (this.#isPointing || event.pointerType === "touch") this.#hands?.pointer.move(event);
    this.#hands?.pressed();
  };

  #pointerUp = (event: PointerEvent): void => {
    this.#hands?.pointer.up(event);
  };

  #pointerLost = (event: PointerEvent): void => {
    this.#hands?.pointer.cancel(event);
  };

  /** The focus stays where it is, and nothing of the page is selected or dragged. */
  #mouseDown = (event: MouseEvent): void => {
    event.preventDefault();
  };

  /** A mouse's side buttons are the guest's: the page would be left. */
  #mouseUp = (event: MouseEvent): void => {
    if (event.button in SIDE_BUTTONS) event.preventDefault();
  };

  #wheel = (event: WheelEvent): void => {
    if (!this.captured) return;
    event.preventDefault();
    // Browsers make a wheel with Control of two fingers that pinch. No such Control is down, and the guest knows no pinch.
    const { keyboard, pointer } = this.#hands ?? {};
    keyboard?.pointerActs();
    const isPinch = event.ctrlKey && !keyboard?.down.some((code) => code.startsWith("Control"));
    if (!isPinch) pointer?.wheel(event);
  };
}

/** The element as the document sees it, through the shadow trees around it. */
function inDocument(node: Node): Node {
  const root = node.getRootNode();
  return root instanceof ShadowRoot ? inDocument(root.host) : node;
}
