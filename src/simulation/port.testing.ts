import type { SimulatedThread, SimulatedWorld } from "./world.testing.ts";

type Listener = (event: { readonly data: unknown; readonly ports: readonly unknown[] }) => void;

/**
 * A MessagePort of the simulated world: first in first out, nothing comes before it is started, it belongs to one thread and moves with a
 * transfer, and nobody is told when the thread at the other end dies.
 */
export class SimulatedPort {
  readonly world: SimulatedWorld;
  owner: SimulatedThread;
  peer!: SimulatedPort;
  readonly queue: unknown[] = [];
  closed = false;
  /** Its messages take their time: others overtake them. */
  readonly slow: boolean;
  /** Messages that were sent through it. */
  posted = 0;
  /** Whoever had it has said that nothing comes from it any more: a message is a fault. */
  sealed: string | undefined;
  #started = false;
  #onmessage: Listener | null = null;
  readonly #listeners = new Set<Listener>();

  constructor(world: SimulatedWorld, owner: SimulatedThread, slow: boolean) {
    this.world = world;
    this.owner = owner;
    this.slow = slow;
  }

  get onmessage(): Listener | null {
    return this.#onmessage;
  }

  set onmessage(listener: Listener | null) {
    this.#onmessage = listener;
    if (listener) this.start();
  }

  start(): void {
    this.#started = true;
    this.world.portChanged(this);
  }

  /** Whether its next message can be delivered now. */
  get isReady(): boolean {
    return this.#started && !this.closed && this.queue.length > 0 && this.owner.runs;
  }

  postMessage(message: unknown, options?: readonly unknown[] | { transfer?: readonly unknown[] }): void {
    const { current } = this.world;
    if (current !== this.owner && this.owner.alive && !this.closed)
      this.world.fault(`${current.name} used a port that is with ${this.owner.name}`);
    if (this.sealed !== undefined) this.world.fault(`${this.sealed}, and yet something was sent`);
    this.posted++;
    this.world.onPosted?.(this.owner, this.peer.owner);
    const transfer: readonly unknown[] = Array.isArray(options)
      ? options
      : ((options as { transfer?: readonly unknown[] } | undefined)?.transfer ?? []);
    const data = this.world.clone(message, transfer);
    if (this.closed || !this.owner.alive) return;
    const { peer } = this;
    for (const one of portsOf(data)) one.moveTo(peer.owner);
    // A port that arrives nowhere is collected.
    if (peer.closed || !peer.owner.alive) return closeAll(data);
    peer.queue.push(data);
    this.world.portChanged(peer);
  }

  /** Another thread has it now, and has not started it. */
  moveTo(owner: SimulatedThread): void {
    this.owner = owner;
    this.#started = false;
    this.#onmessage = null;
    this.#listeners.clear();
    // A port within a message goes wherever the port that carries the message goes: those in its queue as well.
    for (const message of this.queue) for (const port of portsOf(message)) port.moveTo(owner);
  }

  deliver(): void {
    const event = { data: this.queue.shift(), ports: [] };
    this.world.portChanged(this);
    this.#onmessage?.(event);
    for (const listener of this.#listeners) listener(event);
  }

  close(): void {
    this.closed = true;
    closeAll(this.queue.splice(0));
    this.world.portChanged(this);
  }

  addEventListener(type: string, listener: Listener): void {
    if (type === "message") this.#listeners.add(listener);
  }

  removeEventListener(_type: string, listener: Listener): void {
    this.#listeners.delete(listener);
  }
}

function closeAll(message: unknown): void {
  for (const port of portsOf(message)) port.close();
}

function* portsOf(value: unknown): Iterable<SimulatedPort> {
  if (value instanceof SimulatedPort) yield value;
  else if (typeof value === "object" && value !== null && !ArrayBuffer.isView(value))
    for (const one of Object.values(value)) yield* portsOf(one);
}
