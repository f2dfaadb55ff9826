/** Somebody whose work is done a slice at a time. */
export interface TurnTaker {
  /** One slice. Whoever has more left asks for another turn. */
  takeTurn(): void;
}

/** Runs a task once the thread's other events (messages of ports, timers) had their turn. */
export type Defer = (task: () => void) => void;

/**
 * Round robin over all streams of a thread: each gets one slice, and the thread's own events in between, however much waits from one
 * of them. A later turn is a task of its own, so that what has arrived meanwhile is seen first.
 */
export class Turns {
  readonly #defer: Defer;
  /** In the order of their turns; a Set, since who waits already waits no more for asking again. */
  readonly #waiting = new Set<TurnTaker>();
  #scheduled = false;

  constructor(defer: Defer = deferTask) {
    this.#defer = defer;
  }

  /** How many wait for their turn. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** A turn for `taker` behind those who wait already. */
  ask(taker: TurnTaker): void {
    this.#waiting.add(taker);
    this.#schedule();
  }

  /** `taker` is gone. */
  forget(taker: TurnTaker): void {
    this.#waiting.delete(taker);
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
export const threadTurns = new Turns();
