/** A whole host in the simulated world: core, a page with its guest and its red worker, and whoever joins. All of them are the real parts. */
import type { Handlers, MainMessages, NoMessages, RedWorkerMessages } from "../dispatch/index.ts";
import { Dispatcher } from "../dispatch/index.ts";
import { createCodecs } from "../image/index.ts";
import { RedWorker } from "../red/index.ts";
import { Core } from "../server/index.ts";
import type {
  CoreStart,
  HostConfig,
  HostControlEvents,
  HostControlMessages,
  HostState,
} from "../server/index.ts";
import { joinWebSocket } from "../transport/index.ts";
import { SimulatedClient } from "./client.testing.ts";
import type { GuestOptions, SavedGuest } from "./guest.testing.ts";
import { GuestStandIn } from "./guest.testing.ts";
import { SimulatedPort } from "./port.testing.ts";
import { PortSocket } from "./socket.testing.ts";
import type { SimulatedThread, SimulatedWorld, Task } from "./world.testing.ts";

/** page -> guest, of which only this is needed. */
interface GuestControl {
  attachRed(message: { port: MessagePort }): void;
}

/** A red worker on its thread. */
export interface RedThread {
  readonly thread: SimulatedThread;
  /** Its ends of the ways to the page and from the guest. */
  readonly page: SimulatedPort;
  readonly commands: SimulatedPort;
  worker: RedWorker;
}

/** Gives an end of a fresh channel to another thread, as the message that starts it does. */
function give(port: MessagePort, thread: SimulatedThread): MessagePort {
  (port as unknown as SimulatedPort).moveTo(thread);
  return port;
}

export class SimulatedPage {
  readonly page: SimulatedThread;
  readonly guestThread: SimulatedThread;
  guest!: GuestStandIn;
  red!: RedThread;
  core!: Dispatcher<HostControlMessages, HostControlEvents>;
  /** The page's own way into its red worker, which core has no part in. */
  redPage!: Dispatcher<RedWorkerMessages>;
  state: HostState | undefined;
  /** Set while no red worker is made in the place of one that died. */
  supervises = true;
  readonly #host: SimulatedHost;
  readonly #name: string;
  /** A dispatcher that is collected closes its connection. */
  readonly #kept: Disposable[] = [];
  #control!: Dispatcher<GuestControl>;
  #reds = 0;

  constructor(host: SimulatedHost, name: string) {
    this.#host = host;
    this.#name = name;
    this.page = host.world.thread(`page ${name}`);
    this.guestThread = host.world.thread(`guest ${name}`);
  }

  /** Starts the threads, and hands the machine to core. */
  async open(saved?: SavedGuest, options?: GuestOptions): Promise<void> {
    const { world } = this.#host;
    const { page, guestThread } = this;
    const ids = {
      guestId: `guest:${this.#name}`,
      pageId: `page:${this.#name}`,
      coreId: `core:${this.#name}`,
    };
    world.liveness(page).holdAlive(ids.pageId);
    world.liveness(guestThread).holdAlive(ids.guestId);
    const { value } = await page.run(() => Array.from({ length: 3 }, () => new MessageChannel()));
    const [guestCore, guestPage, corePage] = value!;
    give(guestCore.port1, guestThread);
    give(guestPage.port1, guestThread);
    await page.run(() => {
      this.#control = new Dispatcher(guestPage.port2, { peer: "guest" });
      this.core = new Dispatcher<HostControlMessages, HostControlEvents>(corePage.port2, {
        peer: "core",
        handlers: {
          stateChanged: (state) => void (this.state = state),
          inputDropped: () => {},
          linkFailed: () => {},
          log: () => {},
        },
      });
    });
    const red = await this.#openRed();
    give(red.commands, guestThread);
    await guestThread.run(() => {
      const guest = (this.guest = new GuestStandIn(saved, options));
      guest.attachRed(red.commands);
      guest.core.attach(guestCore.port1);
      const handlers: Handlers<GuestControl> = { attachRed: ({ port }) => guest.attachRed(port) };
      this.#kept.push(new Dispatcher<NoMessages, GuestControl>(guestPage.port1, { peer: "page", handlers }));
    });
    const redId = red.lock;
    const ports = { control: corePage.port1, guest: guestCore.port2, red: red.core };
    await this.#host.startMachine(page, { type: "start", ...ports, redId, ...ids }, Object.values(ports));
  }

  async #openRed() {
    const { world } = this.#host;
    const lock = `red:${this.#name}:${this.#reds++}`;
    const thread = world.thread(lock);
    world.liveness(thread).holdAlive(lock);
    const { value } = await this.page.run(() => [
      new MessageChannel(),
      new MessageChannel(),
      new MessageChannel(),
    ]);
    const [redCore, redPage, commands] = value!;
    give(redCore.port1, thread);
    give(redPage.port1, thread);
    const red = (this.red = {
      thread,
      page: redPage.port1 as unknown as SimulatedPort,
      commands: commands.port2 as unknown as SimulatedPort,
    } as RedThread);
    await thread.run(() => {
      // Filled before anything can come.
      const handlers = {} as Handlers<RedWorkerMessages>;
      const served = { handlers, concurrent: RedWorker.concurrent } as const;
      const main = new Dispatcher<MainMessages, RedWorkerMessages>(redCore.port1, {
        peer: "core",
        ...served,
      });
      red.worker = new RedWorker({ channelId: 0, main, turns: thread.turns, codecs: this.#host.codecs });
      Object.assign(handlers, this.#host.watch(red.worker.handlers));
      this.#kept.push(
        main,
        new Dispatcher<NoMessages, RedWorkerMessages>(redPage.port1, { peer: "page", ...served }),
      );
    });
    await this.page.run(() => {
      this.redPage = new Dispatcher<RedWorkerMessages>(redPage.port2, { peer: "red" });
      this.redPage.send("attachCommands", { port: commands.port2 }, [commands.port2]);
      world.liveness(this.page).watchAlive(lock, () => {
        if (this.red === red && this.supervises) world.chores.push(() => this.replaceRed());
      });
    });
    return { lock, core: redCore.port2, commands: commands.port1 };
  }

  /** Another red worker in the place of one that died, or hangs: as Threads does it. */
  async replaceRed({ kills = true } = {}): Promise<void> {
    if (kills) this.red.thread.kill();
    await this.page.run(() => this.redPage[Symbol.dispose]());
    const red = await this.#openRed();
    await this.page.run(async () => {
      await this.#control.call("attachRed", { port: red.commands }, [red.commands]).catch(() => {});
      this.core.send("replaceRed", { red: red.core, redId: red.lock }, [red.core]);
    });
  }

  /** The page and its workers are gone at once. */
  kill(): void {
    for (const thread of [this.page, this.guestThread, this.red.thread]) thread.kill();
  }
}

export class SimulatedHost {
  readonly world: SimulatedWorld;
  /** Shared by all red workers, which keep nothing in them between two images. */
  readonly codecs = createCodecs();
  core!: { readonly thread: SimulatedThread; readonly core: Core };
  page: SimulatedPage | undefined;
  readonly clients: SimulatedClient[] = [];
  readonly log: string[] = [];
  /** Told of each line of core's log, at the moment that it is written. */
  onLog: ((line: string) => void) | undefined;
  /** Awaited before each message that a red worker handles, if it answers. */
  onRedMessage: ((type: string) => Promise<void> | undefined) | undefined;
  #pages = 0;

  /** That have been opened so far. */
  get pages(): number {
    return this.#pages;
  }

  constructor(world: SimulatedWorld) {
    this.world = world;
  }

  async startCore(config: HostConfig = { name: "simulated" }): Promise<void> {
    const thread = this.world.thread("core");
    await thread.run(() => {
      const core = new Core({
        liveness: this.world.liveness(thread),
        version: "simulated",
        turns: thread.turns,
        log: {
          log: (_level, _domain, words) => {
            const text = String(words);
            this.log.push(text);
            this.onLog?.(text);
          },
        },
      });
      this.core = { thread, core };
    });
    this.config = config;
  }

  /** As a SharedWorker gets it: over the page's own port, so that what two pages say may come in any order. */
  async startMachine(page: SimulatedThread, start: CoreStart, ports: readonly MessagePort[]): Promise<void> {
    const { value } = await page.run(() => new MessageChannel());
    const { port1, port2 } = value!;
    give(port2, this.core.thread);
    await this.core.thread.run(() => {
      port2.onmessage = ({ data }: MessageEvent<CoreStart>) => void this.core.core.start(data);
    });
    await page.run(() => port1.postMessage(start, [...ports]));
  }

  config: HostConfig = { name: "simulated" };

  async openPage(saved?: SavedGuest, options?: GuestOptions): Promise<SimulatedPage> {
    const page = new SimulatedPage(this, String(++this.#pages));
    this.page = page;
    await page.open(saved, options);
    await page.page.run(() => page.core.send("configure", this.config));
    return page;
  }

  /** Somebody with a network of his own. */
  async newClient(name = `client ${this.clients.length + 1}`): Promise<SimulatedClient> {
    const thread = this.world.thread(name);
    const { value } = await thread.run(() => new MessageChannel());
    const { port1, port2 } = value!;
    give(port2, this.core.thread);
    await this.core.thread.run(() => {
      port2.onmessage = ({ data }: MessageEvent<{ from: string; port: MessagePort }>) => {
        const wire = joinWebSocket(new PortSocket(data.port));
        this.core.core.accept(
          wire.port,
          { transport: "tcp", address: `${data.from}:1`, secure: false },
          wire,
        );
      };
    });
    const client = new SimulatedClient(name, thread, port1);
    this.clients.push(client);
    return client;
  }

  /** A client that has joined, with the channels that it wants. */
  async join(...others: Parameters<SimulatedClient["join"]>): Promise<SimulatedClient> {
    const client = await this.newClient();
    await this.finish(client.thread, () => client.join(...others));
    return client;
  }

  /** Has `body` done on a thread, and lets the world go on until it is. @throws what it throws */
  async finish<T>(thread: SimulatedThread, body: () => T | Promise<T>): Promise<T> {
    const task: Task<T> = await thread.run(body);
    await this.world.until(() => task.done, `what ${thread.name} was asked for`);
    if ("error" in task) throw task.error;
    return task.value as T;
  }

  /** Streams that a red worker has let go of must not carry another byte. */
  watch(handlers: Handlers<RedWorkerMessages>): Handlers<RedWorkerMessages> {
    const streams = new Map<string, SimulatedPort[]>();
    const watched: Handlers<RedWorkerMessages> = {
      ...handlers,
      connect: (message) => {
        const key = `${message.clientId}:${message.channelType}`;
        streams.set(key, [...(streams.get(key) ?? []), message.port as unknown as SimulatedPort]);
        return handlers.connect(message);
      },
      disconnectClient: async (message) => {
        await handlers.disconnectClient(message);
        const key = `${message.clientId}:${message.channelType}`;
        for (const port of streams.get(key) ?? []) port.sealed = `red acknowledged the end of channel ${key}`;
        streams.delete(key);
      },
    };
    const entries = Object.entries(watched).map(([type, handler]) => {
      const run = handler as (message: unknown) => unknown;
      const noticed = (message: unknown) => {
        const busy = this.onRedMessage?.(type);
        return busy ? busy.then(() => run(message)) : run(message);
      };
      return [type, noticed];
    });
    return Object.fromEntries(entries) as Handlers<RedWorkerMessages>;
  }
}
