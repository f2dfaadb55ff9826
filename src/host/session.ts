import type { ScreenEvent, SurfacePixels } from "../dispatch/messages.ts";
import type { GuestControlEvents, SavedInfo } from "../machine/control.ts";
import { errorText, plainError } from "../errors/index.ts";
import { DispatcherTimeout, PeerDied } from "../dispatch/index.ts";
import type { LogEntry, LogLine } from "../log/index.ts";
import { GatheredLog, LogRing } from "../log/index.ts";
import type { EndedMachine } from "../machine/power/power.ts";
import type { Handlers } from "../dispatch/index.ts";
import {
  applyMarker,
  coldBootSteps,
  describeBytes,
  enterStep,
  failStep,
  finishSteps,
  restoreSteps,
} from "./boot-steps.ts";
import { awaitServer } from "./await-server.ts";
import {
  SecretRefused,
  ServerUnavailable,
  fetchConfig,
  fetchHealth,
  pageUrl,
  webSocketUrl,
} from "./config.ts";
import type { PageConfig } from "./config.ts";
import type { Host, LocalHand } from "./host-api.ts";
import {
  FIRMWARE_POLL_MS,
  KEYBOARD_RETRY_MS,
  KEYBOARD_TRIES,
  SAVE_MAX_MS,
  SAVE_STALL_MS,
  SHUTDOWN_DEADLINE_MS,
  UNLOAD_SAVE_MARGIN_MS,
  UNLOAD_SAVE_MAX_MS,
  WATCHDOG_GUEST_REPLACE_MS,
  WATCHDOG_REPLACE_MS,
} from "./limits.ts";
import type { HostInspection } from "./inspection.ts";
import { Inspector } from "./inspector.ts";
import { ticketConfig } from "./password-end.ts";
import { SCREEN_MISSING, examinePlatform, locksDeniedProblem } from "./platform.ts";
import { PowerMark } from "./power-mark.ts";
import {
  absentServerProblem,
  configProblem,
  endedProblem,
  guestProblem,
  inputProblem,
  passedOverProblem,
  saveProblem,
  restartedProblem,
  silentProblem,
  threadProblem,
  unlessEqual,
  wasOffProblem,
} from "./problems.ts";
import { ProgressDeadline } from "./progress-deadline.ts";
import { fromCore, relayProblem, withRefusal } from "./relay-state.ts";
import { keepSecret, secretsToTry } from "./secret.ts";
import { INITIAL_STATE } from "./state.ts";
import type { DisplayState, HostState, Problem } from "./state.ts";
import { DEFAULT_LAYOUT, KeyboardLayout } from "../keyboard/index.ts";
import { layoutCommand, layoutOfMarker } from "./hands/guest-layout.ts";
import { readDisplaysSetting, writeDisplaysSetting } from "./displays-setting.ts";
import { readLayoutSetting, writeLayoutSetting } from "./hands/keyboard-setting.ts";
import { TabLease } from "./tab-lease.ts";
import { RestartBudget, ThreadWatchdog } from "./supervision.ts";
import { abandonCore } from "./core-name.ts";
import { Threads } from "./threads.ts";
import type { ThreadName } from "./threads.ts";

const MAKERS_OF_LINUX_SAY = "Linux version";

/** A host in this tab: the threads, the machine in them, and one state that tells how things stand. */
export class HostSession implements Host {
  readonly hand: LocalHand;
  readonly #lease: TabLease;
  readonly #powerMark = new PowerMark();
  readonly #listeners = new Set<(state: HostState) => void>();
  #state: HostState = INITIAL_STATE;
  #notifying = false;
  #config: PageConfig | undefined;
  #secret = "";
  #compression: number | undefined;
  /** Milliseconds that saving, or restoring, took last; unknown at first. */
  #saveMs = UNLOAD_SAVE_MAX_MS;
  readonly #savingDeadline = new ProgressDeadline(SAVE_STALL_MS, "saving the machine");
  /** A thread of these ended or does not answer: the next boot needs new ones. */
  #threadLost = false;
  /** A boot was asked for and has not begun to run. */
  #starting = false;
  /** What a person asked for while a machine was being started: done as soon as that has come to something. */
  #next: (() => void) | undefined;
  #threads: Threads | undefined;
  readonly #gathered = new GatheredLog();
  readonly #log = new LogRing({ tell: toLog(this.#gathered.from("page")) });
  readonly #inspector = new Inspector();
  readonly #restarts = new RestartBudget();
  /** The core before hangs, and has the place at the relay still. */
  #succeedsCore = false;
  /** By thread; of red workers, by display. */
  readonly #watchdogs = new Map<string, ThreadWatchdog>();
  /** Canvases that no red worker has yet. */
  readonly #screens = new Map<number, { canvas: OffscreenCanvas; events: MessagePort }>();
  #firmwareTimer: ReturnType<typeof setInterval> | undefined;

  constructor() {
    this.#lease = new TabLease(() => this.#yieldToOtherTab());
    this.hand = {
      keys: (bytes) => {
        if (bytes.length > 0) this.#threads?.core.send("keyScancodes", { bytes });
      },
      moveTo: (x, y, dz, buttons, displayId = 0) =>
        this.#threads?.core.send("mousePosition", {
          x,
          y,
          dz,
          buttons,
          ...(displayId > 0 && { displayId }),
        }),
      moveBy: (dx, dy, dz, buttons) => this.#threads?.core.send("mouseMotion", { dx, dy, dz, buttons }),
    };
  }

  get state(): HostState {
    return this.#state;
  }

  subscribe(listener: (state: HostState) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  /** Gets the configuration, the machine's lease and the threads, and boots. Never rejects: `state` tells. */
  async start(): Promise<void> {
    this.#update({ phase: "starting", problem: undefined });
    const secrets = secretsToTry();
    const { obstacle } = examinePlatform(globalThis);
    if (obstacle !== undefined) {
      this.#update({ phase: "failed", problem: obstacle });
      return this.#tellHowToJoin();
    }
    for (const secret of secrets) {
      if (await this.#configure(secret)) return this.#acquire();
      // What is wrong with the server is no better with another secret.
      if (this.#state.phase === "failed") return;
    }
    this.#update({ phase: "locked" });
    await this.#tellHowToJoin();
  }

  /** For whoever may not host: how to join is no secret. */
  async #tellHowToJoin(): Promise<void> {
    const health = await fetchHealth().catch(() => undefined);
    if (health === undefined || this.#config !== undefined) return;
    const { hosting, spice, webSocketUrl } = health;
    const relay = hosting ? ("connected" as const) : ("vacant" as const);
    this.#update({ join: { ...this.#state.join, relay, spice, webSocketUrl } });
  }

  async unlock(secret: string): Promise<void> {
    if (!(await this.#configure(secret))) return;
    if (this.#threads !== undefined) this.#threads.core.send("configure", this.#coreConfig());
    else if (this.#state.phase === "locked" || this.#state.phase === "failed") await this.#acquire();
  }

  /** True when the server takes the secret and gave its configuration. */
  async #configure(secret: string): Promise<boolean> {
    try {
      this.#config = await fetchConfig(secret);
    } catch (error) {
      const running = this.#threads !== undefined;
      if (error instanceof SecretRefused) this.#update({ secretRefused: true });
      else if (!running && error instanceof ServerUnavailable) {
        this.#update({ phase: "failed", problem: absentServerProblem(error.message) });
        void awaitServer().then(() => location.reload());
      } else if (!running) this.#update({ phase: "failed", problem: configProblem(errorText(error)) });
      return false;
    }
    this.#secret = secret;
    keepSecret(secret);
    const { guest, version, password, passwordValidUntil, spice, webSocketUrl, keyboard } = this.#config;
    this.#setKeyboard({ wanted: readLayoutSetting(keyboard) });
    const wanted = readDisplaysSetting(this.#config.displays);
    // Without a machine that is how many it will have.
    this.#update({ displays: { present: this.#threads ? this.#state.displays.present : wanted, wanted } });
    const join = { ...this.#state.join, password, passwordValidUntil, spice, webSocketUrl };
    this.#update({ level: guest, version, join, secretRefused: false });
    return true;
  }

  async #acquire(): Promise<void> {
    try {
      if (await this.#lease.tryAcquire()) this.#open();
      else this.#update({ phase: "elsewhere" });
    } catch (error) {
      this.#update({ phase: "failed", problem: locksDeniedProblem(errorText(error)) });
    }
  }

  attachScreen(canvas: HTMLCanvasElement, onEvent: (event: ScreenEvent) => void, display = 0): void {
    if (examinePlatform(globalThis).isScreenMissing) {
      this.#update({ screenProblem: SCREEN_MISSING });
      return;
    }
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = ({ data }: MessageEvent<ScreenEvent>) => {
      if (data.type === "size") this.#setDisplay(display, { width: data.width, height: data.height });
      onEvent(data);
    };
    this.#screens.set(display, { canvas: canvas.transferControlToOffscreen(), events: port2 });
    this.#giveScreens();
  }

  wantScreenSize(width: number, height: number, display = 0): void {
    const none = { x: 0, y: 0, width: 0, height: 0, depth: 32 };
    const heads = [...Array.from({ length: display }, () => none), { ...none, width, height }];
    this.#threads?.core.send("monitorsConfig", { heads });
  }

  setDisplays(displays: number): void {
    writeDisplaysSetting(displays, this.#config?.displays);
    this.#update({ displays: { ...this.#state.displays, wanted: displays } });
  }

  #setDisplay(display: number, change: Partial<DisplayState>): void {
    if (display === 0) return this.#update(change);
    const off = { screen: 0, width: 0, height: 0 };
    const others = Array.from({ length: this.#state.displays.present - 1 }, (_, index) => ({
      ...(this.#state.otherDisplays[index] ?? off),
      ...(index === display - 1 && change),
    }));
    this.#update({ otherDisplays: others });
  }

  async setKeyboardLayout(name: string): Promise<void> {
    writeLayoutSetting(new KeyboardLayout(name).name, this.#config?.keyboard);
    this.#setKeyboard({ wanted: name });
    await this.#applyKeyboard();
  }

  async save(): Promise<void> {
    await this.#save({});
  }

  async restore(options: { earlier?: boolean } = {}): Promise<void> {
    if (this.#starting) {
      this.#next = () => void this.restore(options);
      return;
    }
    // It never came as far as a machine: what was in the way may be gone.
    if (this.#threads === undefined) return this.start();
    this.#powerMark.set(this.#state.level, false);
    this.#setSnapshot({ busy: "restoring", problem: undefined });
    this.#boot(options);
  }

  async pause(): Promise<void> {
    await this.#running().guest.call("pause", {});
  }

  async resume(): Promise<void> {
    await this.#running().guest.call("resume", {});
  }

  async bootFresh(): Promise<void> {
    if (this.#starting) this.#next = () => void this.bootFresh();
    else this.#boot({ fresh: true });
  }

  async forget(): Promise<void> {
    this.#setSnapshot({ busy: "forgetting", problem: undefined });
    try {
      await this.#running().guest.call("forget", { level: this.#state.level });
      this.#setSnapshot({
        busy: "none",
        savedAt: undefined,
        earlier: undefined,
        bytes: undefined,
        store: undefined,
      });
    } catch (error) {
      const problem = {
        title: "The kept state could not be dropped",
        detail: errorText(error),
        remedy: "Try again.",
      };
      this.#setSnapshot({ busy: "none", problem });
      throw error;
    }
  }

  async takeOver(): Promise<void> {
    if (this.#state.phase === "elsewhere") {
      this.#update({ phase: "starting" });
      await this.#lease.takeOver();
      this.#open();
      return;
    }
    // The machine is here, but the relay serves another browser's.
    await this.#running().core.call("takeOverRelay", {});
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
    return this.#inspector.inspect(threads, {
      phase: this.#state.phase,
      dispatchers: threads.inspections,
    });
  }

  get log(): readonly LogLine[] {
    return this.#gathered.lines;
  }

  async serialLog(): Promise<string> {
    return this.#running().guest.call("serialText", {});
  }

  /** The threads' own dispatchers, for tests that look deeper than the page does. */
  get threads(): Threads | undefined {
    return this.#threads;
  }

  async leave(): Promise<Problem | undefined> {
    if (this.#threads === undefined) return undefined;
    const lost = await this.#saveBeforeLeaving();
    // Core may close this very port before it answers: the wait is only for the clients to be told.
    const deadlineMs = SHUTDOWN_DEADLINE_MS;
    const reason = "the hosting tab was closed";
    await this.#threads?.core.call("shutdown", { reason }, [], { deadlineMs }).catch(() => {});
    this.#close();
    return lost;
  }

  async #saveBeforeLeaving(): Promise<Problem | undefined> {
    let lost: Problem | undefined;
    if (this.#state.phase === "running" || this.#state.phase === "paused") {
      lost = await this.#save({ unlessCurrent: true }).then(
        () => undefined,
        (error: unknown) => saveProblem(plainError(error)),
      );
    }
    return lost;
  }

  /**
   * The page is about to be left. A browser gives it no time to save: its worker ends with it, unless the page itself still does
   * something. So where there is something to lose, it waits here, on the spot, as long as a save took last (and some more).
   */
  saveBeforeUnload(): void {
    const { phase, snapshot } = this.#state;
    if (phase !== "running") return;
    if (snapshot.unsaved) void this.#save({}).catch(() => {});
    // A save that is cut off is a loss as well, and the next visit begins with words about it.
    else if (snapshot.busy !== "saving") return;
    const end = performance.now() + Math.min(UNLOAD_SAVE_MAX_MS, 3 * this.#saveMs + UNLOAD_SAVE_MARGIN_MS);
    while (performance.now() < end);
  }

  /** For a tab that gets out of sight: whoever closes it later finds this moment again. */
  saveBeforeHidden(): void {
    if (this.#state.phase === "running") void this.#save({ unlessCurrent: true }).catch(() => {});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.leave();
    this.#lease[Symbol.dispose]();
    this.#listeners.clear();
    this.#log[Symbol.dispose]();
  }

  #open(): void {
    this.#openThreads();
    this.#boot({ fresh: this.#powerMark.isOff(this.#state.level) });
  }

  #openThreads(): void {
    this.#threads = new Threads({
      guest: this.#guestHandlers(),
      core: {
        stateChanged: (core) => {
          const hosting = unlessEqual(this.#state.hosting, relayProblem(core));
          this.#update({ ...fromCore(core, this.#state), hosting });
          if (core.relay.state === "refused") this.#update({ secretRefused: true });
          if (core.relay.state === "waiting" && this.#succeedsCore) {
            this.#succeedsCore = false;
            void this.#running().core.call("takeOverRelay", {});
          }
        },
        inputDropped: ({ count }) => this.#update({ problem: inputProblem(count) }),
        linkFailed: (failure) =>
          this.#update({ refusals: withRefusal(this.#state.refusals, failure, Date.now()) }),
        log: fromThread(this.#gathered.from("core")),
      },
      red: (display) => ({ log: fromThread(this.#gathered.from(display === 0 ? "red" : `red ${display}`)) }),
      log: this.#log,
      died: (thread, reason, display) => void this.#recover(thread, reason, display),
    });
    this.#threadLost = false;
    this.#watchAll();
    this.#threads.core.send("configure", this.#coreConfig());
    this.#giveScreens();
  }

  /** A thread is gone: what it did goes on with another one, and the clients stay. */
  async #recover(thread: ThreadName, reason: string, display = 0): Promise<void> {
    const { phase, level } = this.#state;
    const goesOn = phase === "booting" || phase === "restoring" || phase === "running" || phase === "paused";
    if (!goesOn || !this.#restarts.allow(performance.now())) {
      this.#threadLost = true;
      return this.#fail(threadProblem(thread, reason));
    }
    if (thread === "red") return this.#replaceRed(display);
    // The machine itself is alive: what was done in it is kept first.
    if (thread === "core" && phase === "running") await this.#save({ unlessCurrent: true }).catch(() => {});
    this.#threadLost = true;
    this.#boot({ fresh: this.#powerMark.isOff(level) });
    this.#update({ problem: restartedProblem(thread, reason, this.#state.snapshot.savedAt) });
  }

  #replaceRed(display: number): void {
    this.#threads?.replaceRed(display);
    this.#watchRed(display);
    // A canvas that was given away is never given back: the page makes another.
    const { screen } =
      display === 0 ? this.#state : (this.#state.otherDisplays[display - 1] ?? { screen: 0 });
    this.#setDisplay(display, { screen: screen + 1, width: 0, height: 0 });
  }

  #watchRed(display: number): void {
    const red = this.#running().redOf(display);
    if (red === undefined) return;
    const question = () => red.call("inspect", {}, [], { deadlineMs: 2 * WATCHDOG_REPLACE_MS });
    this.#watch("red", "display", question, undefined, display);
  }

  /** Whether a thread that lives answers. */
  #watch(
    thread: ThreadName,
    name: Parameters<typeof silentProblem>[0],
    question: () => Promise<unknown>,
    replaceMs?: number,
    display = 0,
  ): void {
    const key = `${thread} ${display}`;
    this.#watchdogs.get(key)?.[Symbol.dispose]();
    const problem = silentProblem(name);
    const answers = () => {
      if (this.#state.problem?.title === problem.title) this.#update({ problem: undefined });
    };
    const listeners = {
      silent: (isSilent: boolean) => (isSilent ? this.#update({ problem }) : answers()),
      hangs: () => {
        answers();
        if (thread === "core") this.#abandonCore();
        void this.#recover(thread, "it did not answer any more", display);
      },
    };
    this.#watchdogs.set(key, new ThreadWatchdog(question, listeners, replaceMs));
  }

  /** The relay knows it as the host, and hears nothing of its end. */
  #abandonCore(): void {
    abandonCore();
    this.#succeedsCore = true;
  }

  #watchAll(): void {
    const { core, guest } = this.#running();
    const deadlineMs = 2 * WATCHDOG_GUEST_REPLACE_MS;
    this.#watchRed(0);
    this.#watch("core", "core", () => core.call("state", {}, [], { deadlineMs }));
    // What reads or writes hundreds of megabytes has its own deadline.
    const isBusy = () => this.#starting || this.#state.snapshot.busy !== "none";
    const ask = async () => (isBusy() ? undefined : guest.call("status", {}, [], { deadlineMs }));
    this.#watch("guest", "guest", ask, WATCHDOG_GUEST_REPLACE_MS);
  }

  #close(): void {
    this.#starting = false;
    for (const watchdog of this.#watchdogs.values()) watchdog[Symbol.dispose]();
    this.#watchdogs.clear();
    clearInterval(this.#firmwareTimer);
    this.#threads?.[Symbol.dispose]();
    this.#threads = undefined;
    this.#screens.clear();
    this.#update({ screen: this.#state.screen + 1, width: 0, height: 0, otherDisplays: [] });
  }

  async #yieldToOtherTab(): Promise<void> {
    await this.#saveBeforeLeaving();
    // The clients stay: they go on with the other tab's machine.
    const deadlineMs = SHUTDOWN_DEADLINE_MS;
    const reason = "another tab takes the machine over";
    await this.#threads?.core.call("release", { reason }, [], { deadlineMs }).catch(() => {});
    this.#close();
    this.#update({ phase: "elsewhere", clients: [], steps: [] });
  }

  #coreConfig() {
    return {
      name: "spicetab",
      displays: this.#state.displays.present,
      ...ticketConfig(this.#config),
      relayUrl: webSocketUrl("host"),
      relaySecret: this.#secret,
      compression: this.#compression,
    };
  }

  #giveScreens(): void {
    for (const [display, { canvas, events }] of this.#screens) {
      const red = this.#threads?.redOf(display);
      if (red === undefined) continue;
      this.#screens.delete(display);
      red.send("attachCanvas", { canvas, events }, [canvas, events]);
    }
  }

  #running(): Threads {
    if (this.#threads === undefined) throw new Error("this tab does not host the machine");
    return this.#threads;
  }

  #boot(options: { fresh?: boolean; earlier?: boolean }): void {
    this.#starting = true;
    const { present, wanted } = this.#state.displays;
    // Each display's thread begins with the machine that has it.
    if (this.#threadLost || present !== wanted) {
      this.#close();
      this.#openThreads();
      this.#starting = true;
    }
    const { level, displays } = this.#state;
    if (displays.present !== displays.wanted) {
      this.#update({ displays: { ...displays, present: displays.wanted } });
      this.#running().core.send("configure", this.#coreConfig());
    }
    const baseUrl = pageUrl(this.#config?.guestBaseUrl ?? "");
    this.#bootBegins();
    this.#running()
      .guest.call("boot", { level, baseUrl, displays: displays.wanted, ...options })
      .catch((error: unknown) => {
        // A thread that does not even say why is not asked again.
        if (error instanceof DispatcherTimeout || error instanceof PeerDied) this.#threadLost = true;
        this.#fail(guestProblem(plainError(error)));
      });
  }

  #bootBegins(): void {
    this.#starting = true;
    const steps = enterStep(coldBootSteps(this.#state.level), "download");
    this.#update({ phase: "booting", steps, problem: undefined, ended: undefined });
  }

  #guestHandlers(): Handlers<GuestControlEvents> {
    return {
      progress: ({ stage, done, total }) => {
        if (stage === "state") {
          const [step] = restoreSteps();
          const progress = total > 0 ? done / total : undefined;
          this.#update({
            phase: "restoring",
            steps: [{ ...step, progress, detail: describeBytes(total, total) }],
          });
        } else if (stage === "kernel" && this.#state.phase === "booting") {
          const progress = { progress: done / total, detail: describeBytes(done, total) };
          this.#update({ steps: enterStep(this.#state.steps, "download", progress) });
        }
      },
      booted: ({ restored, savedAt, refused, saved }) => {
        this.#starting = false;
        if (saved) this.#showSaved(saved);
        const wasOff = saved !== undefined && !restored && this.#powerMark.isOff(this.#state.level);
        let problem = wasOff ? wasOffProblem() : undefined;
        if (refused) problem = passedOverProblem(refused, savedAt);
        const snapshot = { ...this.#state.snapshot, busy: "none" as const, problem };
        if (restored) {
          this.#update({ phase: "running", steps: finishSteps(this.#state.steps), snapshot });
          void this.#applyKeyboard().catch(() => {});
        } else this.#firmwareRuns(problem);
        this.#doNext();
      },
      displayWanted: ({ display }) => {
        if (display < this.#state.displays.present && this.#threads?.redOf(display) === undefined)
          this.#replaceRed(display);
      },
      marker: ({ name }) => {
        const layout = layoutOfMarker(name);
        if (layout !== undefined) {
          this.#setKeyboard({ layout });
          return;
        }
        clearInterval(this.#firmwareTimer);
        const steps = applyMarker(this.#state.steps, name);
        this.#update(name === "ready" ? { steps, phase: "running" } : { steps });
        if (name !== "ready") return;
        this.#setKeyboard({ layout: DEFAULT_LAYOUT });
        if (this.#state.keyboard.wanted !== DEFAULT_LAYOUT) void this.#applyKeyboard().catch(() => {});
      },
      stateChanged: ({ state, error, ended }) => {
        if (ended) this.#end(ended);
        // Somebody at a client has pressed the power button.
        else if (state === "starting" && this.#state.phase === "ended") this.#bootBegins();
        else if (state === "failed") this.#fail(guestProblem(error ?? plainError("it gave no reason")));
        else if (state === "paused") this.#update({ phase: "paused" });
        else if (state === "running" && this.#state.phase === "paused") this.#update({ phase: "running" });
      },
      rebooted: () => {
        this.#update({ problem: undefined, ended: undefined });
        this.#firmwareRuns(undefined);
      },
      saving: ({ done, total }) => {
        this.#savingDeadline.progress();
        this.#lease.progress();
        const first = done === 0 && { problem: undefined };
        this.#setSnapshot({ busy: "saving", progress: done / total, ...first });
      },
      saved: (info) => this.#saved(info),
      unsaved: ({ unsaved }) => this.#setSnapshot({ unsaved }),
      log: fromThread(this.#gathered.from("guest")),
      saveFailed: ({ error }) =>
        this.#setSnapshot({ busy: "none", progress: undefined, problem: saveProblem(error) }),
    };
  }

  #firmwareRuns(problem: Problem | undefined): void {
    const steps = enterStep(coldBootSteps(this.#state.level), "firmware");
    const snapshot = { ...this.#state.snapshot, busy: "none" as const, problem };
    this.#update({ phase: "booting", steps, snapshot });
    clearInterval(this.#firmwareTimer);
    // Nobody says when the BIOS hands over: the kernel's first line on the serial console does.
    this.#firmwareTimer = setInterval(() => {
      this.serialLog()
        .then((text) => {
          if (!text.includes(MAKERS_OF_LINUX_SAY)) return;
          clearInterval(this.#firmwareTimer);
          this.#update({ steps: enterStep(this.#state.steps, "kernel") });
        })
        .catch(() => clearInterval(this.#firmwareTimer));
    }, FIRMWARE_POLL_MS);
  }

  async #save(options: { unlessCurrent?: boolean }): Promise<void> {
    this.#setSnapshot({ busy: "saving", problem: undefined });
    try {
      const { guest } = this.#running();
      // As long as it gets on, it is waited for: how long hundreds of megabytes take, nobody knows.
      const saved = await this.#savingDeadline.guard(
        guest.call("save", options, [], { deadlineMs: SAVE_MAX_MS }),
      );
      if (saved === undefined) this.#setSnapshot({ busy: "none", progress: undefined });
      else this.#saved(saved);
    } catch (error) {
      this.#setSnapshot({ busy: "none", progress: undefined, problem: saveProblem(plainError(error)) });
      throw error;
    }
  }

  /** Tells the guest which layout to have; its marker says that it has it. The console's guest has the kernel's own only. */
  async #applyKeyboard(): Promise<void> {
    const { level } = this.#state;
    const layout = new KeyboardLayout(this.#state.keyboard.wanted);
    // The console says that it is ready before the shell on its serial port reads, which loses what came before.
    for (let tries = 0; tries < KEYBOARD_TRIES; tries++) {
      if (this.#state.phase !== "running" || this.#state.keyboard.wanted !== layout.name) return;
      await this.#running().guest.call("serialSend", { text: layoutCommand(layout, level) });
      if (level === "desktop") return;
      await new Promise((resolve) => setTimeout(resolve, KEYBOARD_RETRY_MS));
      if (this.#state.keyboard.layout === layout.name) return;
    }
  }

  #setKeyboard(change: Partial<HostState["keyboard"]>): void {
    this.#update({ keyboard: { ...this.#state.keyboard, ...change } });
  }

  #saved(info: SavedInfo): void {
    this.#powerMark.set(this.#state.level, false);
    this.#showSaved(info);
  }

  #showSaved({ savedAt, earlier, bytes, store, tookMs }: SavedInfo): void {
    if (tookMs > 0) this.#saveMs = tookMs;
    this.#setSnapshot({ busy: "none", progress: undefined, savedAt, earlier, bytes, store });
  }

  #setSnapshot(change: Partial<HostState["snapshot"]>): void {
    this.#update({ snapshot: { ...this.#state.snapshot, ...change } });
  }

  /** The guest's run is over; somebody who switched the machine off does not expect to find it as it was before. */
  #end(ended: EndedMachine): void {
    clearInterval(this.#firmwareTimer);
    if (ended.end !== "panicked") this.#powerMark.set(this.#state.level, true);
    const problem = endedProblem(ended, this.#state.snapshot.savedAt !== undefined);
    this.#update({ phase: "ended", ended, steps: finishSteps(this.#state.steps), problem });
  }

  #fail(problem: Problem): void {
    this.#starting = false;
    clearInterval(this.#firmwareTimer);
    const snapshot = { ...this.#state.snapshot, busy: "none" as const };
    this.#update({ phase: "failed", steps: failStep(this.#state.steps), problem, snapshot });
    this.#doNext();
  }

  #doNext(): void {
    const next = this.#next;
    this.#next = undefined;
    next?.();
  }

  #update(change: Partial<HostState>): void {
    this.#state = { ...this.#state, ...change };
    if (this.#notifying) return;
    this.#notifying = true;
    queueMicrotask(() => {
      this.#notifying = false;
      for (const listener of this.#listeners) listener(this.#state);
    });
  }
}

type TakesEntries = (entries: readonly LogEntry[]) => void;

const fromThread =
  (take: TakesEntries) =>
  ({ entries }: { entries: readonly LogEntry[] }): void =>
    take(entries);

const toLog = (take: TakesEntries) => (entries: readonly LogEntry[]) => {
  take(entries);
  return true;
};
