/**
 * Threads, ports, locks, timers and the clock as one program, in which a seed decides what happens next. Whatever runs inside sees them
 * as globals, as it does in a browser.
 */
import type { LivenessRegistry } from "../dispatch/index.ts";
import { TURNS_AT_ONCE, TURN_REST_MS, Turns } from "../transport/index.ts";
import { cloneMessage } from "./clone.testing.ts";
import { simulatedCrypto } from "./crypto.testing.ts";
import { SimulatedPort } from "./port.testing.ts";
import { SeededRandom } from "./random.testing.ts";

/** One turn of Node's real event loop: promises have settled then. */
const realTurn = setImmediate;
const drain = () => new Promise<void>((resolve) => void realTurn(resolve));

/** Milliseconds that a timer may overtake messages which are under way: a busy machine. */
const TIMER_LEAD_MS = 20;
/** Part of the events in which it does. */
const TIMER_LEAD_CHANCE = 0.01;
/** Part of the ports whose messages are slow, and part of the events in which one of them is looked at. */
const SLOW_PORTS = 0.15;
const SLOW_CHANCE = 0.03;

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly thread: SimulatedThread;
  readonly task: () => void;
  readonly every?: number;
}

/** What a thread was asked to do. */
export interface Task<T> {
  readonly done: boolean;
  readonly value?: T;
  readonly error?: unknown;
}

/** A thread: it owns ports and timers, can hang, and dies without a word except to those who watch its lock. */
export class SimulatedThread {
  readonly name: string;
  readonly turns: Turns;
  readonly tasks: (() => void)[] = [];
  alive = true;
  hung = false;
  readonly #world: SimulatedWorld;

  constructor(world: SimulatedWorld, name: string) {
    this.#world = world;
    this.name = name;
    this.turns = new Turns((task) => void this.tasks.push(task), {
      turns: TURNS_AT_ONCE,
      restMs: TURN_REST_MS,
    });
  }

  get runs(): boolean {
    return this.alive && !this.hung;
  }

  /** Has `body` done on this thread. What it waits for happens in the course of the world. @throws what it throws at once */
  async run<T>(body: () => T | Promise<T>): Promise<Task<T>> {
    await drain();
    const task: { done: boolean; value?: T; error?: unknown } = { done: false };
    this.#world.current = this;
    const outcome = (async () => {
      await undefined;
      return body();
    })();
    outcome.then(
      (value) => Object.assign(task, { done: true, value }),
      (error: unknown) => Object.assign(task, { done: true, error }),
    );
    await drain();
    if ("error" in task) throw task.error;
    return task;
  }

  /** Ends it as Worker.terminate() or a crash does: in the midst of whatever there is. */
  kill(): void {
    if (!this.alive) return;
    this.alive = false;
    this.tasks.length = 0;
    this.#world.threadDied(this);
  }

  hang(): void {
    this.hung = true;
    this.#world.threadChanged();
  }

  wake(): void {
    this.hung = false;
    this.#world.threadChanged();
  }
}

export class SimulatedWorld implements Disposable {
  /** Milliseconds. */
  now = 1_000;
  current: SimulatedThread;
  events = 0;
  readonly threads: SimulatedThread[] = [];
  readonly faults: string[] = [];
  /** What no single thread can do for itself, such as to start another one: done before the next event. */
  readonly chores: (() => Promise<void>)[] = [];
  random: SeededRandom;
  /** Told of each message, whether it arrives or not. */
  onPosted: ((from: SimulatedThread, to: SimulatedThread) => void) | undefined;
  readonly #ports = new Set<SimulatedPort>();
  readonly #ready = new Set<SimulatedPort>();
  readonly #timers = new Map<number, Timer>();
  readonly #locks = new Map<string, SimulatedThread>();
  readonly #watchers = new Set<{ name: string; thread: SimulatedThread; onDeath: () => void }>();
  readonly #restore: (() => void)[] = [];
  #order = 0;

  constructor(seed: number) {
    this.random = new SeededRandom(seed);
    this.current = this.thread("nobody");
    this.#install(seed);
  }

  thread(name: string): SimulatedThread {
    const thread = new SimulatedThread(this, name);
    this.threads.push(thread);
    return thread;
  }

  // --- ports -----------------------------------------------------------------------------------------------------------

  channel(): { port1: SimulatedPort; port2: SimulatedPort } {
    const slow = this.random.chance(SLOW_PORTS);
    const port1 = new SimulatedPort(this, this.current, slow);
    const port2 = new SimulatedPort(this, this.current, slow);
    port1.peer = port2;
    port2.peer = port1;
    this.#ports.add(port1).add(port2);
    return { port1, port2 };
  }

  portChanged(port: SimulatedPort): void {
    if (port.closed) this.#ports.delete(port);
    if (port.isReady) this.#ready.add(port);
    else this.#ready.delete(port);
  }

  threadChanged(): void {
    for (const port of this.#ports) this.portChanged(port);
  }

  /** Ports of living threads that are open, for whoever looks for what was left over. */
  openPorts(thread: SimulatedThread): number {
    let count = 0;
    for (const { owner, closed } of this.#ports) if (owner === thread && !closed) count++;
    return count;
  }

  timersOf(thread: SimulatedThread): number {
    let count = 0;
    for (const timer of this.#timers.values()) if (timer.thread === thread) count++;
    return count;
  }

  clone(message: unknown, transfer: readonly unknown[]): unknown {
    return cloneMessage(message, transfer);
  }

  // --- locks -----------------------------------------------------------------------------------------------------------

  /** Web Locks as one thread sees them. */
  liveness(thread: SimulatedThread): LivenessRegistry {
    return {
      holdAlive: (name) => {
        this.#locks.set(name, thread);
        return { [Symbol.dispose]: () => this.#release(name) };
      },
      isAlive: async (name) => this.#locks.has(name),
      watchAlive: (name, onDeath) => {
        const watcher = { name, thread, onDeath };
        this.#watchers.add(watcher);
        if (!this.#locks.has(name)) this.#release(name);
        return { [Symbol.dispose]: () => void this.#watchers.delete(watcher) };
      },
    };
  }

  #release(name: string): void {
    this.#locks.delete(name);
    for (const watcher of this.#watchers) {
      if (watcher.name !== name) continue;
      // The browser grants the lock when it comes to it.
      this.#addTimer(watcher.thread, this.random.below(5), () => {
        if (this.#watchers.delete(watcher)) watcher.onDeath();
      });
    }
  }

  threadDied(thread: SimulatedThread): void {
    for (const [id, timer] of this.#timers) if (timer.thread === thread) this.#timers.delete(id);
    for (const watcher of this.#watchers) if (watcher.thread === thread) this.#watchers.delete(watcher);
    for (const port of this.#ports) {
      if (port.owner === thread) port.close();
    }
    for (const [name, holder] of this.#locks) if (holder === thread) this.#release(name);
  }

  // --- the course of things --------------------------------------------------------------------------------------------

  fault(words: string): void {
    if (!this.faults.includes(words)) this.faults.push(words);
  }

  /** Lets one thing happen; false if nothing is left but to wait for a timer. */
  async step(): Promise<boolean> {
    await drain();
    for (let chore = this.chores.shift(); chore; chore = this.chores.shift()) await chore();
    const next = this.#choose();
    if (next === undefined) return false;
    this.events++;
    this.current = next.thread;
    try {
      next.task();
    } catch (error) {
      this.fault(`uncaught on ${next.thread.name}: ${error instanceof Error ? error.stack : String(error)}`);
    }
    return true;
  }

  /** So many events, as far as there are any without waiting. */
  async steps(count: number): Promise<void> {
    for (let i = 0; i < count; i++) if (!(await this.step())) return;
  }

  /** Lets everything happen that does within so many milliseconds. */
  async pass(ms: number): Promise<void> {
    const until = this.now + ms;
    for (;;) {
      if (await this.step()) continue;
      const at = this.#nextTimer()?.at;
      if (at === undefined || at > until) break;
      this.now = Math.max(this.now, at);
    }
    this.now = Math.max(this.now, until);
    await drain();
  }

  /** Until `isSo`, however long that takes in the world's time, up to a bound. @throws if it never comes about */
  async until(isSo: () => boolean, what = "what was waited for", boundMs = 120_000): Promise<void> {
    const until = this.now + boundMs;
    for (;;) {
      await drain();
      if (isSo()) return;
      if (await this.step()) continue;
      const at = this.#nextTimer()?.at;
      if (at === undefined || at > until) throw new Error(`${what} never came about`);
      this.now = Math.max(this.now, at);
    }
  }

  #choose(): { thread: SimulatedThread; task: () => void } | undefined {
    const timer = this.#nextTimer();
    const isDue = timer !== undefined && timer.at <= this.now;
    const busy = this.threads.filter((thread) => thread.runs && thread.tasks.length > 0);
    const quick: SimulatedPort[] = [];
    const slow: SimulatedPort[] = [];
    for (const port of this.#ready) (port.slow ? slow : quick).push(port);
    const choices = quick.length + busy.length + (isDue ? 1 : 0);
    const ports = slow.length > 0 && (choices === 0 || this.random.chance(SLOW_CHANCE)) ? slow : quick;
    const count = ports === slow ? slow.length : choices;
    if (count === 0) return undefined;
    if (timer && !isDue && timer.at <= this.now + TIMER_LEAD_MS && this.random.chance(TIMER_LEAD_CHANCE)) {
      this.now = timer.at;
      return this.#fire(timer);
    }
    let index = this.random.below(count);
    if (index < ports.length) {
      const port = ports[index];
      return { thread: port.owner, task: () => port.deliver() };
    }
    index -= ports.length;
    if (index < busy.length) return { thread: busy[index], task: busy[index].tasks.shift()! };
    return this.#fire(timer!);
  }

  #nextTimer(): (Timer & { id: number }) | undefined {
    let found: (Timer & { id: number }) | undefined;
    for (const [id, timer] of this.#timers) {
      if (!timer.thread.runs) continue;
      if (!found || timer.at < found.at || (timer.at === found.at && timer.order < found.order))
        found = { ...timer, id };
    }
    return found;
  }

  #fire({ id, thread, task, every }: Timer & { id: number }): { thread: SimulatedThread; task: () => void } {
    if (every === undefined) this.#timers.delete(id);
    else this.#timers.set(id, { at: this.now + every, order: this.#order++, thread, task, every });
    return { thread, task };
  }

  #addTimer(thread: SimulatedThread, ms: number, task: () => void, every?: number): number {
    const id = ++this.#order;
    this.#timers.set(id, { at: this.now + Math.max(0, ms), order: id, thread, task, every });
    return id;
  }

  // --- globals ---------------------------------------------------------------------------------------------------------

  #install(seed: number): void {
    // `new` gives what such a function returns.
    const channel = () => this.channel();
    const Channel = function MessageChannel() {
      return channel();
    };
    const clear = (id: unknown) => void this.#timers.delete(id as number);
    this.#swap(globalThis, {
      MessageChannel: Channel,
      setTimeout: (task: () => void, ms = 0) => this.#addTimer(this.current, ms, task),
      setInterval: (task: () => void, ms = 0) => this.#addTimer(this.current, ms, task, Math.max(1, ms)),
      clearTimeout: clear,
      clearInterval: clear,
      setImmediate: (task: () => void) => void this.current.tasks.push(task),
      crypto: simulatedCrypto(seed),
    });
    this.#swap(performance, { now: () => this.now });
    this.#swap(Date, { now: () => this.now });
    const noises = (...words: unknown[]) =>
      this.fault(words.map((one) => (one instanceof Error ? one.stack : String(one))).join(" "));
    this.#swap(console, { error: noises });
  }

  #swap(target: object, values: Record<string, unknown>): void {
    for (const [name, value] of Object.entries(values)) {
      const before = Object.getOwnPropertyDescriptor(target, name);
      Object.defineProperty(target, name, { value, configurable: true, writable: true });
      this.#restore.push(() => {
        if (before) Object.defineProperty(target, name, before);
        else delete (target as Record<string, unknown>)[name];
      });
    }
  }

  /** Gives the globals back. */
  [Symbol.dispose](): void {
    for (const restore of this.#restore.splice(0).toReversed()) restore();
  }
}
