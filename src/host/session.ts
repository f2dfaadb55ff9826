import type { ScreenEvent, SurfacePixels } from "../dispatch/messages.ts";
import { errorText, plainError } from "../errors/index.ts";
import { DispatcherTimeout, PeerDied } from "../dispatch/index.ts";
import type { LogLine } from "../log/index.ts";
import { abandonCore } from "./core-name.ts";
import { Admission } from "./admission.ts";
import { pageUrl, webSocketUrl } from "./config.ts";
import { readDisplaysSetting, writeDisplaysSetting } from "./displays-setting.ts";
import type { Host, LocalHand } from "./host-api.ts";
import { HostStore } from "./host-store.ts";
import type { HostInspection } from "./inspection.ts";
import { Inspector } from "./inspector.ts";
import { KeyboardChoice } from "./keyboard-choice.ts";
import {
  SHUTDOWN_DEADLINE_MS,
  VM_STOP_DEADLINE_MS,
  WATCHDOG_GUEST_REPLACE_MS,
  WATCHDOG_REPLACE_MS,
} from "./limits.ts";
import { localHand } from "./local-hand.ts";
import { MachineRun } from "./machine-run.ts";
import { MachineSaves } from "./machine-saves.ts";
import { PageLog } from "./page-log.ts";
import { ticketConfig } from "./password-end.ts";
import { SCREEN_MISSING, examinePlatform, locksDeniedProblem } from "./platform.ts";
import { PowerMark } from "./power-mark.ts";
import { guestProblem, inputProblem, restartedProblem, threadProblem, unlessEqual } from "./problems.ts";
import { fromCore, relayProblem, withRefusal } from "./relay-state.ts";
import { Screens } from "./screens.ts";
import type { HostState, Problem } from "./state.ts";
import { RestartBudget } from "./supervision.ts";
import { TabLease } from "./tab-lease.ts";
import { ThreadWatch } from "./thread-watch.ts";
import { Threads } from "./threads.ts";
import type { ThreadListeners, ThreadName } from "./threads.ts";

/** A host in this tab: the threads, the machine in them, and one state that tells how things stand. */
export class HostSession implements Host {
  readonly hand: LocalHand = localHand(() => this.#threads?.core);
  readonly #store = new HostStore();
  readonly #lease: TabLease;
  readonly #powerMark = new PowerMark();
  readonly #admission = new Admission(this.#store);
  readonly #saves: MachineSaves;
  readonly #keyboard: KeyboardChoice;
  readonly #run: MachineRun;
  readonly #screens = new Screens(this.#store);
  readonly #watch = new ThreadWatch(this.#store);
  readonly #log = new PageLog();
  readonly #inspector = new Inspector();
  readonly #restarts = new RestartBudget();
  #threads: Threads | undefined;
  /** A thread of these ended or does not answer: the next boot needs new ones. */
  #threadLost = false;
  /** The core before hangs, and has the place at the relay still. */
  #succeedsCore = false;
  #compression: number | undefined;

  constructor() {
    this.#lease = new TabLease(() => this.#yieldToOtherTab());
    const guest = () => this.#running().guest;
    const parts = { store: this.#store, powerMark: this.#powerMark, guest };
    this.#saves = new MachineSaves({ ...parts, onProgress: () => this.#lease.progress() });
    this.#keyboard = new KeyboardChoice(this.#store, guest);
    this.#run = new MachineRun({
      ...parts,
      saves: this.#saves,
      keyboard: this.#keyboard,
      displayWanted: (display) => {
        if (display < this.state.displays.present && this.#threads?.redOf(display) === undefined)
          this.#replaceRed(display);
      },
    });
  }

  get state(): HostState {
    return this.#store.state;
  }

  subscribe(listener: (state: HostState) => void): Disposable {
    return this.#store.subscribe(listener);
  }

  // --- who may host ------------------------------------------------------------------------------------------------------

  /** Gets the configuration, the machine's lease and the threads, and boots. Never rejects: `state` tells. */
  async start(): Promise<void> {
    this.#store.update({ phase: "starting", problem: undefined });
    const secrets = this.#admission.secretsToTry();
    const { obstacle } = examinePlatform(globalThis);
    if (obstacle !== undefined) {
      this.#store.update({ phase: "failed", problem: obstacle });
      return this.#admission.tellHowToJoin();
    }
    if (!(await this.#admission.enter(secrets))) return;
    this.#configured();
    await this.#acquire();
  }

  async unlock(secret: string): Promise<void> {
    if (!(await this.#admission.unlock(secret, () => this.#threads !== undefined))) return;
    this.#configured();
    if (this.#threads !== undefined) this.#threads.core.send("configure", this.#coreConfig());
    else if (this.state.phase === "locked" || this.state.phase === "failed") await this.#acquire();
  }

  #configured(): void {
    const { keyboard, displays } = this.#admission.config ?? {};
    this.#keyboard.configure(keyboard);
    const wanted = readDisplaysSetting(displays);
    // Without a machine that is how many it will have.
    const present = this.#threads ? this.state.displays.present : wanted;
    this.#store.update({ displays: { present, wanted } });
  }

  async #acquire(): Promise<void> {
    try {
      if (await this.#lease.tryAcquire()) this.#open();
      else this.#store.update({ phase: "elsewhere" });
    } catch (error) {
      this.#store.update({ phase: "failed", problem: locksDeniedProblem(errorText(error)) });
    }
  }

  async takeOver(): Promise<void> {
    if (this.state.phase === "elsewhere") {
      this.#store.update({ phase: "starting" });
      await this.#lease.takeOver();
      this.#open();
      return;
    }
    // The machine is here, but the relay serves another browser's.
    await this.#running().core.call("takeOverRelay", {});
  }

  async #yieldToOtherTab(): Promise<void> {
    await this.#saves.beforeLeaving();
    // The clients stay: they go on with the other tab's machine.
    const reason = "another tab takes the machine over";
    await this.#threads?.core.call("release", { reason }, [], SOON).catch(() => {});
    this.#close();
    this.#store.update({ phase: "elsewhere", clients: [], steps: [] });
  }

  async leave(): Promise<Problem | undefined> {
    if (this.#threads === undefined) return undefined;
    const lost = await this.#saves.beforeLeaving();
    // Core may close this very port before it answers: the wait is only for the clients to be told.
    const reason = "the hosting tab was closed";
    await this.#threads?.core.call("shutdown", { reason }, [], SOON).catch(() => {});
    this.#close();
    return lost;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.leave();
    this.#lease[Symbol.dispose]();
    this.#store[Symbol.dispose]();
    this.#log[Symbol.dispose]();
  }

  // --- the machine -------------------------------------------------------------------------------------------------------

  attachScreen(canvas: HTMLCanvasElement, onEvent: (event: ScreenEvent) => void, display = 0): void {
    if (examinePlatform(globalThis).isScreenMissing) {
      this.#store.update({ screenProblem: SCREEN_MISSING });
      return;
    }
    this.#screens.add(canvas, onEvent, display);
    this.#giveScreens();
  }

  wantScreenSize(width: number, height: number, display = 0): void {
    const none = { x: 0, y: 0, width: 0, height: 0, depth: 32 };
    const heads = [...Array.from({ length: display }, () => none), { ...none, width, height }];
    this.#threads?.core.send("monitorsConfig", { heads });
  }

  setDisplays(displays: number): void {
    writeDisplaysSetting(displays, this.#admission.config?.displays);
    this.#store.update({ displays: { ...this.state.displays, wanted: displays } });
  }

  async setKeyboardLayout(name: string): Promise<void> {
    await this.#keyboard.choose(name);
  }

  async save(): Promise<void> {
    await this.#saves.save();
  }

  saveBeforeUnload(): void {
    this.#saves.beforeUnload();
  }

  saveBeforeHidden(): void {
    this.#saves.beforeHidden();
  }

  async forget(): Promise<void> {
    await this.#saves.forget();
  }

  async restore(options: { earlier?: boolean } = {}): Promise<void> {
    if (this.#run.isStarting) return this.#run.whenStarted(() => void this.restore(options));
    // It never came as far as a machine: what was in the way may be gone.
    if (this.#threads === undefined) return this.start();
    this.#powerMark.set(this.state.level, false);
    this.#store.setSnapshot({ busy: "restoring", problem: undefined });
    this.#boot(options);
  }

  async bootFresh(): Promise<void> {
    this.#run.whenStarted(() => this.#boot({ fresh: true }));
  }

  async pause(): Promise<void> {
    const { guest, core } = this.#running();
    await guest.call("pause", {});
    // Whoever watches has seen then all that was drawn.
    await core.call("vmStop", {}, [], { deadlineMs: VM_STOP_DEADLINE_MS });
  }

  async resume(): Promise<void> {
    await this.#running().guest.call("resume", {});
  }

  async readSurface(surfaceId = 0, display = 0): Promise<SurfacePixels> {
    return this.#running().core.call("readSurface", { surfaceId, display });
  }

  async setCompression(compression: number): Promise<void> {
    this.#compression = compression;
    await this.#running().core.call("configure", this.#coreConfig());
  }

  async inspect(): Promise<HostInspection> {
    const threads = this.#running();
    const { phase } = this.state;
    return this.#inspector.inspect(threads, { phase, dispatchers: threads.inspections });
  }

  get log(): readonly LogLine[] {
    return this.#log.lines;
  }

  async serialLog(): Promise<string> {
    return this.#running().guest.call("serialText", {});
  }

  /** The threads' own dispatchers, for tests that look deeper than the page does. */
  get threads(): Threads | undefined {
    return this.#threads;
  }

  #boot(options: { fresh?: boolean; earlier?: boolean }): void {
    const { present, wanted } = this.state.displays;
    // Each display's thread begins with the machine that has it.
    if (this.#threadLost || present !== wanted) {
      this.#close();
      this.#openThreads();
    }
    if (present !== wanted) {
      this.#store.update({ displays: { present: wanted, wanted } });
      this.#running().core.send("configure", this.#coreConfig());
    }
    const { level } = this.state;
    const baseUrl = pageUrl(this.#admission.config?.guestBaseUrl ?? "");
    this.#run.begins();
    const threads = this.#running();
    threads.guest.call("boot", { level, baseUrl, displays: wanted, ...options }).catch((error: unknown) => {
      // Threads that were ended for others fail what they were asked; the machine of now knows nothing of it.
      if (this.#threads !== threads) return;
      // A thread that does not even say why is not asked again.
      if (error instanceof DispatcherTimeout || error instanceof PeerDied) this.#threadLost = true;
      this.#run.fail(guestProblem(plainError(error)));
    });
  }

  #running(): Threads {
    if (this.#threads === undefined) throw new Error("this tab does not host the machine");
    return this.#threads;
  }

  #open(): void {
    this.#openThreads();
    this.#boot({ fresh: this.#powerMark.isOff(this.state.level) });
  }

  #openThreads(): void {
    this.#threads = new Threads({
      guest: { ...this.#run.events, ...this.#saves.events, log: this.#log.from("guest") },
      core: this.#coreEvents(),
      red: (display) => ({ log: this.#log.from(display === 0 ? "red" : `red ${display}`) }),
      log: this.#log.own,
      died: (thread, reason, display) => void this.#recover(thread, reason, display),
    });
    this.#threadLost = false;
    this.#watchAll();
    this.#threads.core.send("configure", this.#coreConfig());
    this.#giveScreens();
  }

  #coreEvents(): ThreadListeners["core"] {
    return {
      stateChanged: (core) => {
        const hosting = unlessEqual(this.state.hosting, relayProblem(core));
        this.#store.update({ ...fromCore(core, this.state), hosting });
        if (core.relay.state === "refused") this.#store.update({ secretRefused: true });
        if (core.relay.state === "waiting" && this.#succeedsCore) {
          this.#succeedsCore = false;
          void this.#running().core.call("takeOverRelay", {});
        }
      },
      inputDropped: ({ count }) => this.#store.update({ problem: inputProblem(count) }),
      linkFailed: (failure) =>
        this.#store.update({ refusals: withRefusal(this.state.refusals, failure, Date.now()) }),
      log: this.#log.from("core"),
    };
  }

  #coreConfig() {
    return {
      name: "spicetab",
      displays: this.state.displays.present,
      ...ticketConfig(this.#admission.config),
      relayUrl: webSocketUrl("host"),
      relaySecret: this.#admission.secret,
      compression: this.#compression,
    };
  }

  #giveScreens(): void {
    this.#screens.give((display) => this.#threads?.redOf(display));
  }

  #close(): void {
    this.#run[Symbol.dispose]();
    this.#watch[Symbol.dispose]();
    this.#threads?.[Symbol.dispose]();
    this.#threads = undefined;
    this.#screens.clear();
  }

  /** A thread is gone: what it did goes on with another one, and the clients stay. */
  async #recover(thread: ThreadName, reason: string, display = 0): Promise<void> {
    const { phase, level } = this.state;
    const goesOn = phase === "booting" || phase === "restoring" || phase === "running" || phase === "paused";
    if (!goesOn || !this.#restarts.allow(performance.now())) {
      this.#threadLost = true;
      return this.#run.fail(threadProblem(thread, reason));
    }
    if (thread === "red") return this.#replaceRed(display);
    // The machine itself is alive: what was done in it is kept first.
    if (thread === "core" && phase === "running")
      await this.#saves.save({ unlessCurrent: true }).catch(() => {});
    this.#threadLost = true;
    this.#boot({ fresh: this.#powerMark.isOff(level) });
    this.#store.update({ problem: restartedProblem(thread, reason, this.state.snapshot.savedAt) });
  }

  #replaceRed(display: number): void {
    this.#threads?.replaceRed(display);
    this.#watchRed(display);
    this.#screens.renew(display);
  }

  #watchAll(): void {
    const { core, guest } = this.#running();
    const deadlineMs = 2 * WATCHDOG_GUEST_REPLACE_MS;
    const hangs = (thread: ThreadName) => void this.#recover(thread, HANGS);
    this.#watchRed(0);
    this.#watch.watch({
      key: "core",
      name: "core",
      question: () => core.call("state", {}, [], { deadlineMs }),
      hangs: () => {
        // The relay knows it as the host, and hears nothing of its end.
        abandonCore();
        this.#succeedsCore = true;
        hangs("core");
      },
    });
    // What reads or writes hundreds of megabytes has its own deadline.
    const isBusy = () => this.#run.isStarting || this.state.snapshot.busy !== "none";
    this.#watch.watch({
      key: "guest",
      name: "guest",
      question: async () => (isBusy() ? undefined : guest.call("status", {}, [], { deadlineMs })),
      hangs: () => hangs("guest"),
      replaceMs: WATCHDOG_GUEST_REPLACE_MS,
    });
  }

  #watchRed(display: number): void {
    const red = this.#running().redOf(display);
    if (red === undefined) return;
    this.#watch.watch({
      key: `red ${display}`,
      name: "display",
      question: () => red.call("inspect", {}, [], { deadlineMs: 2 * WATCHDOG_REPLACE_MS }),
      hangs: () => void this.#recover("red", HANGS, display),
    });
  }
}

const SOON = { deadlineMs: SHUTDOWN_DEADLINE_MS };
const HANGS = "it did not answer any more";
