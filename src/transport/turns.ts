import { TURNS_AT_ONCE, TURN_REST_MS } from "./limits.ts";

/** Somebody whose work is done a slice at a time. */
export interface TurnTaker {
  /** One slice. Whoever has more left asks for another turn. */
  takeTurn(): void;
}

/** Runs a task once the thread's other events (messages of ports, timers) had their turn. */
export type Defer = (task: () => void) => void;

/** How many turns somebody may have one after the other, and the milliseconds in which he earns another. */
export interface TurnPace {
  readonly turns: number;
  readonly restMs: number;
}

interface Earned {
  turns: number;
  since: number;
}

/**
 * Round robin over all streams of a thread: each gets one slice, and the thread's own events in between, however much waits from one
 * of them. A later turn is a task of its own, so that what has arrived meanwhile is seen first. Who needs turn after turn is made to
 * rest in between: a flood must not have the whole of a processor either.
 */
export class Turns {
  readonly #defer: Defer;
  /** In the order of their turns; a Set, since who waits already waits no more for asking again. */
  readonly #waiting = new Set<TurnTaker>();
  #scheduled = false;
  readonly #pace: TurnPace | undefined;
  readonly #earned = new WeakMap<TurnTaker, Earned>();
  readonly #resting = new Map<TurnTaker, ReturnType<typeof setTimeout>>();

  /** @param pace absent: nobody rests. */
  constructor(defer: Defer = deferTask, pace?: TurnPace) {
    this.#defer = defer;
    this.#pace = pace;
  }

  /** How many wait for their turn. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** A turn for `taker` behind those who wait already. */
  ask(taker: TurnTaker): void {
    if (this.#waiting.has(taker) || this.#resting.has(taker)) return;
    const restMs = this.#restOf(taker);
    if (restMs === 0) return this.#add(taker);
    const timer = setTimeout(() => {
      this.#resting.delete(taker);
      this.#add(taker);
    }, restMs);
    this.#resting.set(taker, timer);
  }

  /** `taker` is gone. */
  forget(taker: TurnTaker): void {
    this.#waiting.delete(taker);
    clearTimeout(this.#resting.get(taker));
    this.#resting.delete(taker);
  }

  #add(taker: TurnTaker): void {
    this.#waiting.add(taker);
    this.#schedule();
  }

  /** Milliseconds until its next turn is earned, which is spent with this. */
  #restOf(taker: TurnTaker): number {
    if (this.#pace === undefined) return 0;
    const { turns, restMs } = this.#pace;
    const now = performance.now();
    const { turns: had, since } = this.#earned.get(taker) ?? { turns, since: now };
    const left = Math.min(turns, had + (now - since) / restMs) - 1;
    this.#earned.set(taker, { turns: left, since: now });
    return left >= 0 ? 0 : Math.ceil(-left * restMs);
  }

  #schedule(): void {
    if (this.#scheduled || this.#waiting.size === 0) return;
    this.#scheduled = true;
    this.#defer(() => {
      this.#scheduled = false;
      const [next] = this.#waiting;
      if (next === undefined) return;
      this.#waiting.delete(next);
      // Whatever becomes of this one, the others have theirs.
      this.#schedule();
      next.takeTurn();
    });
  }
}

let channel: MessageChannel | undefined;
const tasks: (() => void)[] = [];

/**
 * Node runs up to a thousand messages of one port before it looks at another, so there it is setImmediate; browsers hold nested
 * timers back for 4 ms, so there it is a message.
 */
function deferTask(task: () => void): void {
  const { setImmediate } = globalThis as { setImmediate?: (task: () => void) => void };
  if (setImmediate !== undefined) return setImmediate(task);
  if (channel === undefined) {
    channel = new MessageChannel();
    channel.port1.onmessage = () => tasks.shift()?.();
  }
  tasks.push(task);
  channel.port2.postMessage(0);
}

/** The turns of this thread. */
export const threadTurns = new Turns(deferTask, { turns: TURNS_AT_ONCE, restMs: TURN_REST_MS });
