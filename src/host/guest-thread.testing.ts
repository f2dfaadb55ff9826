import { Dispatcher } from "../dispatch/index.ts";
import type { Handlers } from "../dispatch/index.ts";
import type { GuestControlMessages } from "../machine/control.ts";

/** A guest's thread, as the page sees it: what it is asked is noted and answered as said, over a real port. */
export class TestGuestThread implements Disposable {
  readonly dispatcher: Dispatcher<GuestControlMessages>;
  readonly asked: { readonly type: string; readonly payload: unknown }[] = [];
  readonly #far: Dispatcher<Record<never, never>, GuestControlMessages>;

  constructor(answers: Partial<Handlers<GuestControlMessages>> = {}) {
    const { port1, port2 } = new MessageChannel();
    this.dispatcher = new Dispatcher(port1, { peer: "guest" });
    const types = ["boot", "save", "forget", "pause", "resume", "serialText", "serialSend"] as const;
    const handlers = Object.fromEntries(
      types.map((type) => [
        type,
        (payload: never) => {
          this.asked.push({ type, payload });
          return answers[type]?.(payload);
        },
      ]),
    );
    this.#far = new Dispatcher(port2, { peer: "page", handlers: handlers as never });
  }

  /** What it was asked, by name. */
  get names(): readonly string[] {
    return this.asked.map(({ type }) => type);
  }

  [Symbol.dispose](): void {
    this.dispatcher[Symbol.dispose]();
    this.#far[Symbol.dispose]();
  }
}
