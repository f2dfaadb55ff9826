/**
 * One guest worker: the machine, its files and its saved state, between core (input, agent), a red worker (drawing
 * commands) and the page (control). `workers/guest.ts` only makes one of these.
 */
import { errorText, plainError } from "../errors/index.ts";
import { LogRing, failureLogger } from "../log/index.ts";
import { Dispatcher } from "../dispatch/index.ts";
import type { Handlers, Payload } from "../dispatch/index.ts";
import type { GuestMessages } from "../dispatch/messages.ts";
import { AttentionChord } from "./devices/attention-chord.ts";
import { AutosavePolicy } from "../state/autosave.ts";
import type {
  GuestControlEvents,
  GuestControlMessages,
  GuestInspection,
  GuestState,
  GuestStatus,
  GuestWorkerStart,
  RefusedState,
  SavedInfo,
} from "./control.ts";
import { CoreLink } from "./core-link.ts";
import { GuestFilesError, MachineEndedError, MachineOptionsError } from "./errors.ts";
import { StateRefusedError } from "../state/errors.ts";
import { GuestFiles } from "./guest-files.ts";
import type { FetchFile, GuestManifest } from "./guest-files.ts";
import { PROGRESS_INTERVAL_MS, REBOOT_NOTICE_MS } from "./limits.ts";
import { STATE_PROOF_RUN_MS } from "../state/limits.ts";
import { Machine, machineIdentity } from "./machine.ts";
import type { MachineEvents, MachineOptions } from "./machine.ts";
import { endWords } from "./power/power.ts";
import { RedLink } from "./red-link.ts";
import type { BootMarker } from "./devices/serial-log.ts";
import { assertStateFits } from "../state/state-header.ts";
import type { StoredStateHeader } from "../state/state-header.ts";
import type { SavableMachine } from "../state/state-transfer.ts";
import type { KeptState, StateStore, StoredState } from "../state/state-store.ts";

export interface GuestServiceOptions {
  readonly start: GuestWorkerStart;
  readonly red: RedLink;
  /** Opens the store of saved machines, once it is ours; asked again after a failure. */
  readonly openStore: () => Promise<StateStore>;
  readonly loadWasm: MachineOptions["loadWasm"];
  readonly fetchFile?: FetchFile;
  /** Milliseconds, monotonic. @default performance.now */
  readonly now?: () => number;
}

/** What came of the kept states. */
interface Restored {
  readonly machine?: Machine;
  readonly header?: StoredStateHeader;
  /** The first that was passed over, and why. */
  readonly refused?: RefusedState;
}

/** The marker by which our guests say that they shut down, or reboot. */
const GOING_DOWN = "down";

/** Owner disposes; then the machine is gone. */
export class GuestService implements AsyncDisposable {
  readonly #options: GuestServiceOptions;
  /** By display. */
  readonly #reds: RedLink[];
  readonly #core: CoreLink;
  readonly #page: Dispatcher<GuestControlEvents, GuestControlMessages>;
  readonly #log = new LogRing({
    tell: (entries) => {
      this.#page.send("log", { entries });
      return true;
    },
  });
  readonly #autosave: AutosavePolicy;
  #machine: Machine | undefined;
  #manifest: GuestManifest | undefined;
  /** What the machine was booted from, for the power button. */
  #booted: { level: string; baseUrl: string; displays?: number } | undefined;
  #chord = new AttentionChord();
  /** Why nothing runs, until it is started again: for whoever looks at it, and whoever comes. */
  #standsBecause: string | undefined;
  /** The guest ends its programs, and then the machine: what is saved now would end as well. */
  #isGoingDown = false;
  #rebootToldAt = -Infinity;
  #state: GuestState = "off";
  #markers: BootMarker[] = [];
  #saved: SavedInfo | undefined;
  #tablet = false;
  #saving: Promise<SavedInfo> | undefined;
  #opening: Promise<StateStore> | undefined;
  #toldProgress = { stage: "", at: 0 };
  /** The state that the machine came out of, until it has run long enough to prove it. */
  #unproven: { readonly header: StoredStateHeader; readonly since: number } | undefined;

  constructor(options: GuestServiceOptions) {
    this.#options = options;
    this.#autosave = new AutosavePolicy({
      save: () => void this.#saveQuietly(),
      isIdle: () => this.#machine?.stats().halted ?? false,
      onUnsaved: (unsaved) => this.#page.send("unsaved", { unsaved }),
    });
    this.#core = new CoreLink({
      handlers: this.#coreHandlers(),
      onError: failureLogger(this.#log),
      current: () => ({
        agentOpen: this.#machine?.agentPort.open ?? false,
        tablet: this.#tablet,
        leds: this.#machine?.leds ?? 0,
        ...(this.#machine && { tabletReach: this.#machine.tabletReach }),
        ...(this.#standsBecause !== undefined && { standsBecause: this.#standsBecause }),
      }),
    });
    const { start, red } = options;
    this.#reds = [red];
    this.#core.attach(start.core);
    red.attach(start.red);
    this.#page = new Dispatcher(start.control, {
      peer: "page",
      handlers: this.#controlHandlers(),
      // It takes its seconds, and may begin by itself at any time.
      concurrent: ["save"],
      onError: failureLogger(this.#log),
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#autosave[Symbol.dispose]();
    await this.#machine?.[Symbol.asyncDispose]();
    this.#machine = undefined;
    this.#log[Symbol.dispose]();
    this.#core[Symbol.dispose]();
    for (const red of this.#reds) red[Symbol.dispose]();
    this.#page[Symbol.dispose]();
  }

  #coreHandlers(): Handlers<GuestMessages> {
    return {
      keyScancodes: async ({ bytes }) => {
        if (this.#isDown) {
          if (this.#chord.push(bytes)) this.#powerOn();
          return 0;
        }
        this.#autosave.used();
        return (await this.#machine?.keyboard.push(bytes)) ?? 0;
      },
      mouseMotion: async ({ dx, dy, dz, buttons }) => {
        if (this.#isDown) return 0;
        if (buttons !== 0) this.#autosave.used();
        return (await this.#machine?.pointer.motion(dx, dy, dz, buttons)) ?? 0;
      },
      mousePosition: async ({ x, y, dz, buttons, displayId }) => {
        const machine = this.#machine;
        if (!machine || this.#isDown) return 0;
        // A pointer that only passes over changes nothing that anybody would miss.
        if (buttons !== 0) this.#autosave.used();
        const place = machine.tabletPlace({ x, y }, displayId);
        return machine.pointer.position(place.x, place.y, dz, buttons, place.width, place.height);
      },
      agentWrite: async ({ bytes }) => {
        this.#autosave.used();
        await this.#running().agentPort.write(bytes);
      },
      clientMonitorsConfig: ({ heads }) => this.#machine?.clientMonitorsConfig(heads) ?? false,
    };
  }

  #controlHandlers(): Handlers<GuestControlMessages> {
    return {
      boot: (message) => {
        if (this.#state === "starting") throw new MachineOptionsError("the guest is already starting");
        void this.#boot(message);
      },
      status: () => this.#status(),
      inspect: () => this.#inspect(),
      save: ({ unlessCurrent }) => {
        if (unlessCurrent && this.#autosave.isCurrent) return this.#saved;
        return this.#save();
      },
      forget: async ({ level }) => {
        // What is being saved would come back otherwise.
        await this.#saving?.catch(() => {});
        await (await this.#store()).delete(level);
        this.#saved = undefined;
        this.#autosave.forgotten();
      },
      pause: async () => {
        await this.#alive().pause();
        this.#setState("paused");
        this.#core.power("The machine is paused.", true);
      },
      resume: () => {
        this.#alive().run();
        this.#setState("running");
        this.#core.power("The machine goes on.", false);
      },
      reset: () => {
        if (this.#isDown) this.#powerOn();
        else this.#running().reset();
      },
      serialText: () => this.#machine?.serial.tail ?? "",
      serialSend: ({ text }) => this.#running().serialSend(text),
      attachCore: ({ port }) => this.#core.attach(port),
      attachRed: ({ port, display = 0 }) => {
        this.#redOf(display).attach(port);
        if (this.#machine && display < this.#machine.displays.length) this.#machine.resync(display);
      },
    };
  }

  #redOf(display: number): RedLink {
    while (this.#reds.length <= display) {
      const next = this.#reds.length;
      this.#reds.push(new RedLink(() => this.#page.send("displayWanted", { display: next })));
    }
    return this.#reds[display];
  }

  #running(): Machine {
    if (!this.#machine) throw new MachineOptionsError("there is no guest: boot one first");
    return this.#machine;
  }

  /** The machine, if there is still something to run. @throws MachineEndedError */
  #alive(): Machine {
    const machine = this.#running();
    if (machine.ended) throw new MachineEndedError(endWords(machine.ended));
    if (this.#state === "failed")
      throw new MachineEndedError(this.#standsBecause ?? "The machine has stopped.");
    return machine;
  }

  /** The machine, if what would be saved could go on. @throws MachineEndedError */
  #worthSaving(): Machine {
    const machine = this.#alive();
    if (this.#isGoingDown) throw new MachineEndedError("The guest is shutting down.");
    return machine;
  }

  /** Its run is over, or it never began: nothing can be done but to start it. */
  get #isDown(): boolean {
    return this.#state === "ended" || this.#state === "failed";
  }

  /** The power button: a machine that was switched off boots, one that a fault stopped goes on from where it was saved. */
  #powerOn(): void {
    if (this.#booted) void this.#boot({ ...this.#booted, fresh: this.#state === "ended" });
  }

  /** Tells everybody why nothing runs any more. Ctrl+Alt+Del is the power button now. */
  #stands(because: string): void {
    this.#chord = new AttentionChord();
    this.#standsBecause = `${because} Ctrl+Alt+Del starts it again.`;
    this.#core.power(this.#standsBecause, true);
  }

  #setState(state: GuestState, failure?: unknown): void {
    this.#state = state;
    this.#page.send(
      "stateChanged",
      failure === undefined ? { state } : { state, error: plainError(failure) },
    );
  }

  #status(): GuestStatus {
    const machine = this.#machine;
    const stats = machine?.stats();
    return {
      state: this.#state,
      ...(this.#manifest && {
        level: this.#manifest.level,
        buildId: this.#manifest.buildId,
        memoryMiB: this.#manifest.memoryMiB,
      }),
      ...(machine && { display: machine.scanoutMode?.kind ?? "native" }),
      ...(machine?.screenSize ?? { width: 0, height: 0 }),
      instructions: stats?.instructions ?? 0,
      halted: stats?.halted ?? true,
      agentOpen: machine?.agentPort.open ?? false,
      tablet: this.#tablet,
      markers: this.#markers,
      ...(this.#saved && { saved: this.#saved }),
      ...(machine?.ended && { ended: machine.ended }),
    };
  }

  #inspect(): GuestInspection {
    const machine = this.#machine;
    return {
      status: this.#status(),
      keyboardBytes: machine?.keyboard.queued ?? 0,
      pointerEvents: machine?.pointer.queued ?? 0,
      displays: this.#reds
        .slice(0, machine?.displays.length ?? 1)
        .map(({ isServed, sink }) => ({ isServed, pendingBytes: sink.pendingBytes })),
      dispatchers: [this.#page.inspection, ...this.#core.inspections],
    };
  }

  async #boot({
    level,
    baseUrl,
    fresh,
    earlier,
    displays,
  }: Payload<GuestControlMessages, "boot">): Promise<void> {
    if (this.#standsBecause !== undefined) this.#core.power("The machine starts.", false);
    this.#standsBecause = undefined;
    this.#setState("starting");
    this.#booted = { level, baseUrl, displays };
    this.#chord = new AttentionChord();
    this.#isGoingDown = false;
    try {
      await this.#saving?.catch(() => {});
      await this.#machine?.[Symbol.asyncDispose]();
      this.#machine = undefined;
      this.#markers = [];
      this.#autosave.restart();
      this.#unproven = undefined;
      if (!fresh) {
        // It may have to wait for the page before this one; meanwhile the files are fetched.
        this.#store().catch(() => {});
      }
      const files = new GuestFiles(baseUrl, this.#options.fetchFile);
      this.#progress("manifest", 0, 1);
      const manifest = await files.manifest();
      if (manifest.level !== level) {
        throw new GuestFilesError("manifest.json", `it describes level ${manifest.level}, not ${level}`);
      }
      this.#manifest = manifest;
      this.#progress("manifest", 1, 1);
      const firmware = await files.files([manifest.bios, manifest.vgaBios], (done, total) =>
        this.#progress("firmware", done, total),
      );
      const make = (kernelNow: boolean) => this.#makeMachine(files, manifest, firmware, kernelNow);
      if (fresh) await this.#readKept(manifest.level);
      const outcome = fresh ? {} : await this.#restore(manifest, make, earlier ?? false);
      const machine = outcome.machine ?? (await make(true));
      this.#machine = machine;
      // What a restored guest had said of its displays was said before there was a machine to ask.
      if (machine.displays.length > 1) this.#core.tabletState(this.#tablet, machine.tabletReach);
      machine.run();
      if (outcome.header) this.#unproven = { header: outcome.header, since: this.#now() };
      this.#setState("running");
      this.#page.send("booted", {
        level: manifest.level,
        buildId: manifest.buildId,
        restored: outcome.machine !== undefined,
        ...(outcome.header && { savedAt: outcome.header.savedAt }),
        ...(outcome.refused && { refused: outcome.refused }),
        ...(this.#saved && { saved: this.#saved }),
      });
    } catch (error) {
      this.#setState("failed", error);
      this.#stands(`The machine could not start: ${errorText(error)}.`);
    }
  }

  #progress(
    stage: Parameters<GuestControlEvents["progress"]>[0]["stage"],
    done: number,
    total: number,
  ): void {
    const now = performance.now();
    const told = this.#toldProgress;
    if (told.stage === stage && done < total && now - told.at < PROGRESS_INTERVAL_MS) return;
    this.#toldProgress = { stage, at: now };
    this.#page.send("progress", { stage, done, total });
  }

  async #makeMachine(
    files: GuestFiles,
    manifest: GuestManifest,
    [bios, vgaBios]: readonly ArrayBuffer[],
    kernelNow: boolean,
  ): Promise<Machine> {
    const { loadWasm } = this.#options;
    const { displays = 1 } = this.#booted ?? {};
    const [red, ...otherReds] = Array.from({ length: displays }, (_, display) => this.#redOf(display));
    const { level, buildId, memoryMiB, cmdline } = manifest;
    const kernel = async () => {
      const [image, initrd] = await files.files([manifest.kernel, manifest.initrd], (done, total) =>
        this.#progress("kernel", done, total),
      );
      return { kernel: image, initrd, cmdline };
    };
    this.#progress("machine", 0, 1);
    const machine = await Machine.create({
      level,
      buildId,
      memoryMiB,
      bios,
      vgaBios,
      kernel,
      kernelNow,
      loadWasm,
      sink: red.sink,
      log: this.#log,
      otherSinks: otherReds.map(({ sink }) => sink),
      events: this.#machineEvents(),
    });
    for (const [display, device] of machine.displays.entries()) this.#reds[display].serve(device);
    this.#progress("machine", 1, 1);
    return machine;
  }

  #machineEvents(): MachineEvents {
    return {
      agentData: (bytes) => this.#core.agentData(bytes),
      agentState: (open) => this.#core.agentState(open),
      tabletState: (enabled) => {
        this.#tablet = enabled;
        this.#core.tabletState(enabled, this.#machine?.tabletReach);
      },
      displaysArranged: () => this.#core.tabletState(this.#tablet, this.#machine?.tabletReach),
      leds: (modifiers) => this.#core.leds(modifiers),
      bootMarker: (marker) => {
        this.#markers = [...this.#markers.filter(({ name }) => name !== marker.name), marker];
        this.#page.send("marker", marker);
        if (marker.name === GOING_DOWN) {
          this.#isGoingDown = true;
          this.#autosave.restart();
        } else this.#autosave.marker(marker.name);
      },
      rebooted: () => {
        this.#markers = [];
        this.#isGoingDown = false;
        this.#autosave.restart();
        this.#tellReboot();
      },
      ended: (ended) => {
        // What it was is gone: the last good state stays.
        this.#autosave.restart();
        this.#state = "ended";
        this.#page.send("stateChanged", { state: "ended", ended });
        this.#stands(endWords(ended));
      },
      failed: (error) => {
        // What is left of it must not take the place of the last good state.
        this.#autosave.restart();
        this.#unproven = undefined;
        this.#setState("failed", error);
        this.#stands(`The machine was stopped by a fault of its emulation: ${errorText(error)}.`);
      },
    };
  }

  /** What is kept although it is not used now; the machine boots also where that cannot be told. */
  async #readKept(level: string): Promise<void> {
    await this.#store()
      .then((store) => this.#describeKept(store, level, 0))
      .catch(() => {});
  }

  /** A guest may reset its machine many times a second. */
  #tellReboot(): void {
    const now = this.#now();
    const hadEnded = this.#state === "ended";
    if (hadEnded) this.#standsBecause = undefined;
    if (hadEnded) this.#setState("running");
    if (!hadEnded && now - this.#rebootToldAt < REBOOT_NOTICE_MS) return;
    this.#rebootToldAt = now;
    this.#page.send("rebooted", {});
    this.#core.power("The machine restarts.", false);
  }

  /**
   * The machine out of the newest state that is whole and fits, or none; and what is wrong with those that were passed over. `earlier`
   * leaves out the newest.
   */
  async #restore(
    manifest: GuestManifest,
    make: (kernelNow: boolean) => Promise<Machine>,
    earlier: boolean,
  ): Promise<Restored> {
    const store = await this.#store();
    await this.#describeKept(store, manifest.level, 0);
    const all = await store.kept(manifest.level);
    const newest = all.find((one) => "header" in one);
    let refused: RefusedState | undefined;
    for (const kept of earlier ? all.filter((one) => one !== newest) : all) {
      try {
        const restored = await this.#restoreOne(store, kept, manifest, make);
        return { ...restored, ...(refused && { refused }) };
      } catch (error) {
        // A state that cannot be reached now is not one that does not fit: a fresh machine would be saved over it.
        if (!(error instanceof StateRefusedError)) throw error;
        store.disproved(kept, error);
        refused ??= { refusal: error.refusal, message: error.message };
      }
    }
    await this.#describeKept(store, manifest.level, 0);
    return refused ? { refused } : {};
  }

  async #restoreOne(
    store: StateStore,
    kept: KeptState,
    manifest: GuestManifest,
    make: (kernelNow: boolean) => Promise<Machine>,
  ): Promise<{ machine: Machine; header: StoredStateHeader }> {
    let machine: Machine | undefined;
    let stored: StoredState | undefined;
    try {
      stored = await store.open(kept);
      const { header } = stored;
      assertStateFits(header, machineIdentity(manifest, this.#booted?.displays));
      machine = await make(false);
      this.#progress("state", 0, header.stateBytes);
      const start = performance.now();
      await machine.restoreState(stored);
      // A file is open once at a time, and the next look opens them all.
      stored.source[Symbol.dispose]();
      await this.#describeKept(store, manifest.level, performance.now() - start);
      this.#progress("state", header.stateBytes, header.stateBytes);
      this.#autosave.restored();
      return { machine, header };
    } catch (error) {
      await machine?.[Symbol.asyncDispose]();
      throw error;
    } finally {
      stored?.source[Symbol.dispose]();
    }
  }

  /** What the page shows of the states that are kept. */
  async #describeKept(store: StateStore, level: string, tookMs: number): Promise<void> {
    const [newest, before] = (await store.kept(level)).filter((one) => "header" in one);
    this.#saved = newest && {
      store: store.kind,
      bytes: newest.bytes,
      savedAt: newest.header.savedAt,
      ...(before && { earlier: before.header.savedAt }),
      tookMs,
    };
  }

  #now(): number {
    return (this.#options.now ?? performance.now.bind(performance))();
  }

  #store(): Promise<StateStore> {
    this.#opening ??= this.#options.openStore().catch((error: unknown) => {
      this.#opening = undefined;
      throw error;
    });
    return this.#opening;
  }

  /** Saves once at a time; what was done since the save that is under way took its moment is saved behind it. */
  async #save(): Promise<SavedInfo> {
    const running = await this.#saving?.catch(() => undefined);
    if (running !== undefined && !this.#autosave.hasUnsaved) return running;
    this.#saving ??= this.#saveNow().finally(() => {
      this.#saving = undefined;
    });
    return this.#saving;
  }

  async #saveNow(): Promise<SavedInfo> {
    const machine = this.#worthSaving();
    const { level } = machine.identity;
    let tookMs = 0;
    this.#tellSaving(0, 1);
    try {
      const store = await this.#store();
      const unproven = this.#unproven;
      if (unproven && this.#now() - unproven.since >= STATE_PROOF_RUN_MS) {
        store.proved(level, unproven.header);
        this.#unproven = undefined;
      }
      const start = performance.now();
      const capture: SavableMachine["capture"] = (sink) => {
        this.#worthSaving().capture(sink);
        this.#autosave.captured();
      };
      await store.save(level, { capture }, (done, total) => {
        // From the middle on it is only looked at: whoever leaves then finds it.
        if (2 * done <= total) tookMs = performance.now() - start;
        this.#tellSaving(done, total);
      });
      this.#unproven = undefined;
      await this.#describeKept(store, level, tookMs);
      const info = this.#saved;
      if (!info) throw new MachineOptionsError("the state was dropped while it was being saved");
      this.#autosave.saved();
      this.#page.send("saved", info);
      return info;
    } catch (error) {
      this.#autosave.failed();
      throw error;
    }
  }

  #tellSaving(done: number, total: number): void {
    const now = performance.now();
    const told = this.#toldProgress;
    if (told.stage === "saving" && done > 0 && done < total && now - told.at < PROGRESS_INTERVAL_MS) return;
    this.#toldProgress = { stage: "saving", at: now };
    this.#page.send("saving", { done, total });
  }

  async #saveQuietly(): Promise<void> {
    try {
      await this.#save();
    } catch (error) {
      this.#page.send("saveFailed", { error: plainError(error) });
    }
  }
}
