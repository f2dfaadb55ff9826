import type { RedInspection } from "../dispatch/index.ts";
import type { GuestInspection } from "../machine/control.ts";
import type { CoreInspection } from "../server/host-control.ts";
import { ByteRates } from "./byte-rates.ts";
import type {
  HostInspection,
  PageInspection,
  Rated,
  RatedCore,
  RatedRed,
  ThreadInspection,
} from "./inspection.ts";
import { INSPECT_DEADLINE_MS } from "./limits.ts";
import { ThreadQuestion } from "./thread-question.ts";

/** A thread that can be asked for its part. */
interface Asked<Part> {
  call(type: "inspect", payload: Record<string, never>): Promise<Part>;
}

/** The threads of a host, as far as they are asked. */
export interface InspectedThreads {
  readonly core: Asked<CoreInspection>;
  readonly guest: Asked<GuestInspection>;
  readonly isCoreShared: boolean;
  /** Red workers that there are, by display. */
  readonly reds: readonly { readonly display: number; readonly dispatcher: Asked<RedInspection> }[];
}

/** Asks all threads who owns what. Each answers alone: what is said of one waits for no other. */
export class Inspector {
  /** By whoever is asked: a thread in the place of another is asked anew. */
  readonly #questions = new WeakMap<object, ThreadQuestion<unknown>>();
  readonly #rates: ByteRates;
  readonly #deadlineMs: number;

  constructor(rates = new ByteRates(), deadlineMs = INSPECT_DEADLINE_MS) {
    this.#rates = rates;
    this.#deadlineMs = deadlineMs;
  }

  async inspect(threads: InspectedThreads, page: PageInspection): Promise<HostInspection> {
    const [guest, core, ...reds] = await Promise.all([
      this.#ask(threads.guest),
      this.#ask(threads.core, (part) => this.#ratedCore(part)),
      ...threads.reds.map(async ({ display, dispatcher }): Promise<ThreadInspection> => ({
        kind: "red",
        name: display === 0 ? "red" : `red ${display}`,
        display,
        runsIn: "DedicatedWorker",
        ...(await this.#ask(dispatcher, (part) => this.#ratedRed(part, display))),
      })),
    ]);
    return {
      at: Date.now(),
      threads: [
        { kind: "page", name: "page", runsIn: "window", part: page },
        { kind: "guest", name: "guest", runsIn: "DedicatedWorker", ...guest },
        {
          kind: "core",
          name: "core",
          runsIn: threads.isCoreShared ? "SharedWorker" : "DedicatedWorker",
          ...core,
        },
        ...reds,
      ],
    };
  }

  async #ask<Part, Shown = Part>(
    thread: Asked<Part>,
    show = (part: Part) => part as unknown as Shown,
  ): Promise<{ readonly part?: Shown; readonly silentSince?: number }> {
    let question = this.#questions.get(thread) as ThreadQuestion<Part> | undefined;
    if (question === undefined) {
      question = new ThreadQuestion(() => thread.call("inspect", {}));
      this.#questions.set(thread, question);
    }
    const reply = await question.within(this.#deadlineMs);
    return "part" in reply ? { part: show(reply.part) } : reply;
  }

  #rate(name: string, { sentBytes, receivedBytes }: { sentBytes: number; receivedBytes: number }): Rated {
    const bytesPerSecond = this.#rates.look(name, sentBytes + receivedBytes);
    return bytesPerSecond === undefined ? {} : { bytesPerSecond };
  }

  #ratedCore(part: CoreInspection): RatedCore {
    const clients = part.clients.map((client) => ({
      ...client,
      channelClients: client.channelClients.map((channel) => ({
        ...channel,
        ...(channel.client && this.#rate(`${client.id} ${channel.name}:${channel.id}`, channel.client)),
      })),
    }));
    return { ...part, clients };
  }

  #ratedRed(part: RedInspection, display: number): RatedRed {
    const clients = part.clients.map((client) => ({
      ...client,
      ...this.#rate(`${client.clientId} ${client.channelType}:${display}`, client),
    }));
    return { ...part, clients };
  }
}
