import type { Dispatcher } from "../dispatch/index.ts";
import type { RedWorkerMessages, ScreenEvent } from "../dispatch/messages.ts";
import type { HostStore } from "./host-store.ts";
import { displayOf } from "./state.ts";

/**
 * The page's canvases, on their way to the red workers that paint them. A canvas that was given away is never given back: each red worker
 * needs one of its own.
 */
export class Screens {
  readonly #store: HostStore;
  /** By display: canvases that no red worker has yet. */
  readonly #waiting = new Map<number, { canvas: OffscreenCanvas; events: MessagePort }>();

  constructor(store: HostStore) {
    this.#store = store;
  }

  /** @param onEvent hears of the picture's size and the guest's pointer */
  add(
    canvas: Pick<HTMLCanvasElement, "transferControlToOffscreen">,
    onEvent: (event: ScreenEvent) => void,
    display: number,
  ): void {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = ({ data }: MessageEvent<ScreenEvent>) => {
      if (data.type === "size") this.#store.setDisplay(display, { width: data.width, height: data.height });
      onEvent(data);
    };
    this.#waiting.set(display, { canvas: canvas.transferControlToOffscreen(), events: port2 });
  }

  /** To the red workers that there are; the others stay. */
  give(redOf: (display: number) => Pick<Dispatcher<RedWorkerMessages>, "send"> | undefined): void {
    for (const [display, { canvas, events }] of this.#waiting) {
      const red = redOf(display);
      if (red === undefined) continue;
      this.#waiting.delete(display);
      red.send("attachCanvas", { canvas, events }, [canvas, events]);
    }
  }

  /** A display has another red worker: the page makes another canvas. */
  renew(display: number): void {
    const { screen } = displayOf(this.#store.state, display);
    this.#store.setDisplay(display, { screen: screen + 1, width: 0, height: 0 });
  }

  /** All red workers are gone. */
  clear(): void {
    this.#waiting.clear();
    const { screen } = this.#store.state;
    this.#store.update({ screen: screen + 1, width: 0, height: 0, otherDisplays: [] });
  }
}
