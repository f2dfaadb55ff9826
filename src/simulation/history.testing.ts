/** Histories: what happens to a host, step by step, each decided by a seed; so are the order and the delays of everything between. */
import { inputsChannel } from "../protocol/index.ts";
import type { ChannelName, SimulatedClient } from "./client.testing.ts";
import { checkAlways, checkAtRest, lastWords } from "./graph.testing.ts";
import { SimulatedHost } from "./host.testing.ts";
import { SeededRandom } from "./random.testing.ts";
import { SimulatedWorld } from "./world.testing.ts";

/** Milliseconds that anything may hang: below every deadline after which somebody is given up (a link has 10 s). */
const HANG_MAX_MS = 7_000;
/** Beyond DISCONNECT_DEADLINE_MS, after which nothing waits for a thread that hung. */
const REST_MS = 8_000;
/** Beyond DETACH_GRACE_MS. */
const AWAY_MS = 31_000;
/** The latest rest comes after so many steps. */
const REST_EVERY = 8;

const CHANNELS: readonly ChannelName[] = ["inputs", "display", "cursor"];

type Action =
  | { readonly do: "join"; readonly others: readonly ChannelName[] }
  | { readonly do: "link" | "drop"; readonly client: number; readonly channel: ChannelName }
  | { readonly do: "leave" | "kick" | "hangClient" | "wakeClient" | "key"; readonly client: number }
  | { readonly do: "draw"; readonly seed: number; readonly count: number }
  | { readonly do: "mode"; readonly width: number; readonly height: number }
  | { readonly do: "pass"; readonly ms: number }
  | { readonly do: "reload"; readonly gapMs: number; readonly releases: boolean }
  | {
      readonly do:
        | "killRed"
        | "hangRed"
        | "wakeRed"
        | "replaceRed"
        | "killGuest"
        | "takeOver"
        | "rest"
        | "away";
    }
  | { readonly do: "hangCore" | "hangGuest" };

/** One step; `events` happen after it before the next one. */
export type Step = Action & { readonly id: number; readonly events: number };

/** Actions and how often each is chosen. */
const WEIGHTS: readonly (readonly [Action["do"], number])[] = [
  ["join", 6],
  ["draw", 10],
  ["link", 3],
  ["drop", 4],
  ["leave", 2],
  ["kick", 2],
  ["hangClient", 2],
  ["wakeClient", 1],
  ["key", 4],
  ["mode", 1],
  ["pass", 4],
  ["reload", 4],
  ["takeOver", 2],
  ["killRed", 3],
  ["hangRed", 3],
  ["wakeRed", 1],
  ["replaceRed", 2],
  ["killGuest", 2],
  ["hangCore", 1],
  ["hangGuest", 1],
  ["rest", 2],
  ["away", 0.5],
];

export function makeHistory(seed: number): Step[] {
  const random = new SeededRandom(seed);
  const length = 6 + random.below(20);
  return Array.from({ length }, (_, id) => {
    const events = random.chance(0.2) ? 0 : Math.floor(random.next() ** 3 * 300);
    return { id, events, ...makeAction(random) };
  });
}

function makeAction(random: SeededRandom): Action {
  let at = random.next() * WEIGHTS.reduce((sum, [, weight]) => sum + weight, 0);
  const name = WEIGHTS.find(([, weight]) => (at -= weight) < 0)?.[0] ?? "rest";
  const client = random.below(4);
  switch (name) {
    case "join":
      return { do: name, others: CHANNELS.filter(() => random.chance(0.8)) };
    case "link":
      return { do: name, client, channel: random.pick(CHANNELS) };
    case "drop":
      return { do: name, client, channel: random.pick(["main", ...CHANNELS] as const) };
    case "leave":
    case "kick":
    case "hangClient":
    case "wakeClient":
    case "key":
      return { do: name, client };
    case "draw":
      return { do: name, seed: random.below(1_000_000), count: 1 + random.below(20) };
    case "mode":
      return { do: name, width: 40 + 8 * random.below(4), height: 32 + 8 * random.below(3) };
    case "pass":
      return { do: name, ms: random.below(3_000) };
    case "reload":
      return { do: name, gapMs: random.below(4_000), releases: random.chance(0.3) };
    default:
      return { do: name };
  }
}

/** The interleavings of a step depend on the seed and on that step alone, so that a history without some other step is still like it. */
const stepRandom = (seed: number, id: number) =>
  new SeededRandom(Math.imul(seed + 1, 0x9e3779b1) ^ Math.imul(id + 1, 0x85ebca6b));

export interface Course {
  /** What went against the model; empty: nothing. */
  readonly findings: readonly string[];
  readonly log: readonly string[];
  readonly events: number;
}

/** Runs a history to its end, or to the first finding. */
export async function runHistory(seed: number, steps: readonly Step[]): Promise<Course> {
  using world = new SimulatedWorld(seed);
  const run = new HistoryRun(world);
  const finish = (findings: readonly string[]): Course => ({ findings, log: run.log, events: world.events });
  try {
    await run.begin();
    for (const step of steps) {
      world.random = stepRandom(seed, step.id);
      await run.step(step);
      const findings = run.findings();
      if (findings.length > 0) return finish(findings);
    }
    world.random = stepRandom(seed, -1);
    return finish([...(await run.rest()), ...(await run.end())]);
  } catch (error) {
    return finish([error instanceof Error ? (error.stack ?? error.message) : String(error)]);
  }
}

/** A client, and what of it must still be there unless something in the history ended it. */
interface Guest {
  readonly client: SimulatedClient;
  readonly mayLose: Set<ChannelName>;
}

class HistoryRun {
  readonly log: string[] = [];
  readonly #world: SimulatedWorld;
  readonly #host: SimulatedHost;
  readonly #clients: Guest[] = [];
  /** Threads that hang, and since when. */
  readonly #hung = new Map<{ wake(): void }, number>();
  #sinceRest = 0;
  #before: readonly number[] = [];

  constructor(world: SimulatedWorld) {
    this.#world = world;
    this.#host = new SimulatedHost(world);
    this.#host.onLog = (line) => this.#note(`core: ${line}`);
  }

  #note(words: string): void {
    this.log.push(`${Math.round(this.#world.now)} ms: ${words}`);
  }

  async begin(): Promise<void> {
    await this.#host.startCore();
    await this.#world.pass(1_000);
    this.#before = this.#held();
    await this.#host.openPage();
    await this.#world.pass(100);
  }

  #held(): readonly number[] {
    const { thread } = this.#host.core;
    return [this.#world.openPorts(thread), this.#world.timersOf(thread)];
  }

  findings(): string[] {
    const lost = this.#clients.flatMap(({ client, mayLose }) =>
      client.connections
        .filter(({ name, socket }) => socket.readyState !== 1 && !mayLose.has(name))
        .map(
          ({ name }) => `${client.name} lost its ${name} channel, which nothing ended (${lastWords(client)})`,
        ),
    );
    return [...this.#world.faults, ...lost, ...checkAlways(this.#host)];
  }

  async step(step: Step): Promise<void> {
    this.#note(JSON.stringify(step));
    this.#wakeOld();
    await this.#act(step);
    await this.#world.steps(step.events);
    if (++this.#sinceRest < REST_EVERY) return;
    for (const finding of await this.rest()) this.#world.fault(finding);
  }

  async #act(step: Step): Promise<void> {
    const host = this.#host;
    const { page } = host;
    const guest = "client" in step ? this.#clients.at(-1 - step.client) : undefined;
    switch (step.do) {
      case "join":
        return this.#join(step.others);
      case "draw":
        if (page?.guestThread.runs) await page.guestThread.run(() => page.guest.draw(step.seed, step.count));
        return;
      case "mode":
        if (page?.guestThread.runs)
          await page.guestThread.run(() => page.guest.reset(step.width, step.height));
        return;
      case "pass":
        return this.#pass(step.ms);
      case "reload":
        return this.#reload(step);
      case "killGuest":
        page?.guestThread.kill();
        await this.#world.steps(step.events);
        return this.#reload({ gapMs: 0, releases: false });
      case "takeOver":
        return this.#takeOver();
      case "away":
        return this.#away();
      case "killRed":
        return page?.red.thread.kill();
      case "replaceRed":
        return page?.replaceRed();
      case "hangRed":
        return this.#hang(page?.red.thread);
      case "wakeRed":
        return this.#wake(page?.red.thread);
      case "hangCore":
        return this.#hang(host.core.thread);
      case "hangGuest":
        return this.#hang(page?.guestThread);
      case "rest":
        for (const finding of await this.rest()) this.#world.fault(finding);
        return;
      default:
        if (guest) await this.#actOnClient(guest, step);
    }
  }

  async #actOnClient(guest: Guest, step: Step): Promise<void> {
    const { client, mayLose } = guest;
    const { page } = this.#host;
    const all = () => ["main", ...CHANNELS].forEach((name) => mayLose.add(name as ChannelName));
    if (step.do === "kick") {
      const id = this.#host.core.core
        .graph()
        ?.clients.find(({ address }) => address === `${client.name}:1`)?.id;
      if (id === undefined || page === undefined || !page.page.alive) return;
      all();
      // A page that goes before it has its answer hears of none.
      await page.page.run(() => void page.core.call("kick", { clientId: id }).catch(() => {}));
      return;
    }
    if (step.do === "wakeClient") return this.#wake(client.thread);
    if (!client.thread.runs) return;
    if (step.do === "hangClient") return this.#hang(client.thread);
    await client.thread.run(() => {
      if (step.do === "leave") {
        all();
        client.leave();
      } else if (step.do === "drop") {
        if (step.channel === "main") all();
        mayLose.add(step.channel);
        client.drop(step.channel);
      } else if (step.do === "link" && client.session !== 0 && !client.openNames.includes(step.channel)) {
        void client.link(step.channel).catch(() => {});
      } else if (step.do === "key") {
        const inputs = client.openNames.includes("inputs") ? client.channel("inputs") : undefined;
        inputs?.send(inputsChannel.client.keyDown, { code: 0x10 + client.connections.length });
        inputs?.send(inputsChannel.client.keyUp, { code: 0x90 + client.connections.length });
      }
    });
  }

  async #join(others: readonly ChannelName[]): Promise<void> {
    if (this.#clients.length >= 6) return;
    const client = await this.#host.newClient();
    this.#clients.push({ client, mayLose: new Set() });
    await client.thread.run(() => void client.join(others).catch(() => {}));
  }

  /** The page goes, as it was saved, and another one comes. */
  async #reload({ gapMs, releases }: { gapMs: number; releases: boolean }): Promise<void> {
    const { page } = this.#host;
    if (page === undefined) return;
    if (releases && page.page.alive)
      await page.page.run(() => void page.core.call("release", { reason: "a reload" }).catch(() => {}));
    if (releases) await this.#world.steps(10);
    page.kill();
    await this.#pass(gapMs);
    await this.#host.openPage(page.guest.save());
  }

  /** Another page has the machine before the first one is gone. */
  async #takeOver(): Promise<void> {
    const { page } = this.#host;
    if (page === undefined) return;
    page.guestThread.kill();
    await this.#host.openPage(page.guest.save());
    await this.#world.steps(20);
    page.kill();
  }

  async #away(): Promise<void> {
    const { page } = this.#host;
    if (page === undefined) return;
    for (const thread of this.#hung.keys()) this.#wake(thread);
    page.kill();
    for (const { mayLose } of this.#clients)
      ["main", ...CHANNELS].forEach((name) => mayLose.add(name as ChannelName));
    await this.#world.pass(AWAY_MS);
    for (const { client } of this.#clients)
      if (client.openNames.length > 0)
        this.#world.fault(`${client.name} is still connected to a machine that is gone`);
    await this.#host.openPage(page.guest.save());
  }

  #hang(thread: { hang(): void; wake(): void } | undefined): void {
    if (!thread) return;
    thread.hang();
    if (!this.#hung.has(thread)) this.#hung.set(thread, this.#world.now);
  }

  #wake(thread: { wake(): void } | undefined): void {
    if (!thread) return;
    thread.wake();
    this.#hung.delete(thread);
  }

  /** Nothing hangs for so long that it is given up. */
  #wakeOld(): void {
    for (const [thread, since] of this.#hung) if (this.#world.now - since > HANG_MAX_MS) this.#wake(thread);
  }

  async #pass(ms: number): Promise<void> {
    const oldest = Math.min(this.#world.now, ...this.#hung.values());
    await this.#world.pass(Math.min(ms, Math.max(0, oldest + HANG_MAX_MS - this.#world.now)));
  }

  /** Lets everything come to its end. @returns what is against the model then */
  async rest(): Promise<string[]> {
    this.#sinceRest = 0;
    for (const thread of this.#hung.keys()) this.#wake(thread);
    await this.#world.pass(REST_MS);
    return [...this.findings(), ...checkAtRest(this.#host)];
  }

  /** Everybody leaves, and the machine ends. @returns what is left over */
  async end(): Promise<string[]> {
    const { page } = this.#host;
    if (page === undefined) return [];
    await this.#host.finish(page.page, () => page.core.call("shutdown", { reason: "the end" }));
    const red = page.red.worker.inspect().clients;
    await this.#world.pass(REST_MS);
    const { surfaces } = page.red.worker.inspect();
    const redPorts = this.#world.openPorts(page.red.thread);
    const redTimers = this.#world.timersOf(page.red.thread);
    page.kill();
    await this.#world.pass(REST_MS);
    const [ports, timers] = this.#held();
    // Each client's network is the simulation's own, and each page's way in is collected when the page is.
    const own = this.#clients.length + this.#host.pages;
    const [portsBefore, timersBefore] = this.#before;
    return [
      ...(red.length > 0 ? [`red has ${red.length} channel clients after the end`] : []),
      ...(surfaces.length > 0 ? [`red has ${surfaces.length} surfaces after CLOSE_WORKER`] : []),
      // Those that it is asked through.
      ...(redPorts > 2 ? [`red has ${redPorts - 2} ports after CLOSE_WORKER`] : []),
      ...(redTimers > 0 ? [`red has ${redTimers} timers after CLOSE_WORKER`] : []),
      ...(ports > portsBefore + own ? [`core has ${ports - portsBefore - own} ports left over`] : []),
      ...(timers > timersBefore ? [`core has ${timers - timersBefore} timers left over`] : []),
      ...this.#clients.flatMap(({ client }) =>
        client.openNames.map((name) => `${client.name} still has ${name} after the end`),
      ),
      ...this.#world.faults,
    ];
  }
}

/** The shortest history that was found to go wrong as well: steps are left out for as long as it does. */
export async function shrink(seed: number, steps: readonly Step[], tries = 300): Promise<readonly Step[]> {
  let best = steps;
  for (let size = Math.ceil(best.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let at = 0; at < best.length && tries > 0;) {
      const shorter = best.toSpliced(at, size);
      tries--;
      if ((await runHistory(seed, shorter)).findings.length > 0) best = shorter;
      else at += size;
    }
  }
  return best;
}

/** For people: what went wrong in the shortest history of a seed that does. */
export async function report(seed: number): Promise<string> {
  const steps = await shrink(seed, makeHistory(seed));
  const { findings, log } = await runHistory(seed, steps);
  return [`seed ${seed}, ${steps.length} steps:`, ...log, "against the model:", ...findings].join("\n");
}
