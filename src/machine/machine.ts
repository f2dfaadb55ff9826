/**
 * The virtual machine: v86 with QXL as its VGA function, the agent's serial port, keyboard, pointer, the screen before
 * the driver, and snapshots. Runs in a DedicatedWorker, and in Node for tests: nothing here is a browser's.
 */
import "./v86/no-nested-worker.ts";
import { V86 } from "v86";
import type { ClientHead } from "../dispatch/messages.ts";
import type { QxlSink, QxlState } from "../qxl/index.ts";
import { nextTask } from "../dispatch/index.ts";
import { quicImages } from "../image/index.ts";
import { QxlDevice } from "../qxl/index.ts";
import { loadKernel } from "./direct-boot.ts";
import type { KernelFiles } from "./direct-boot.ts";
import { MachineEndedError, MachineOptionsError, OutOfMemoryError } from "./errors.ts";
import { StateRefusedError } from "../state/errors.ts";
import { GuestTime } from "./clock/guest-time.ts";
import { ensureImageData } from "./v86/image-data.ts";
import { shareInterruptLines } from "./devices/interrupt-lines.ts";
import { Keyboard, watchLeds } from "./devices/keyboard.ts";
import { PANIC_LINGER_MS } from "./limits.ts";
import { MachineClock } from "./clock/machine-clock.ts";
import { GuestMemory, hideAperture, layOutAperture, QXL_VGAMEM_BYTES } from "./memory-map.ts";
import type { ApertureLayout } from "./memory-map.ts";
import { noticeScreen } from "./vga/notice-screen.ts";
import { PanicWatch } from "./power/panic-watch.ts";
import { qxlPciId, registerQxlFunction } from "./devices/pci-function.ts";
import { Pointer } from "./devices/pointer.ts";
import { offerHeads, placeInRow, placeOnHead, ROW_MARKER } from "./displays.ts";
import type { Point, TabletPlace } from "./displays.ts";
import { endWords } from "./power/power.ts";
import type { EndedMachine } from "./power/power.ts";
import { canTripleFault, PowerWatch, standsStill } from "./power/power-watch.ts";
import { registerPvpanic } from "./devices/pvpanic.ts";
import type { Log } from "../log/index.ts";
import { SerialLog } from "./devices/serial-log.ts";
import type { BootMarker } from "./devices/serial-log.ts";
import { assertStateFits, makeStateHeader } from "../state/state-header.ts";
import type { MachineIdentity } from "../state/state-header.ts";
import type { RestorableMachine, SavableMachine, StateSink } from "../state/state-transfer.ts";
import { replacePackMemory, replaceUnpackMemory } from "./memory-pages.ts";
import type { GuestPages } from "./memory-pages.ts";
import { clearUnsizedBars, embedDevices } from "./v86/device-states.ts";
import type { StatefulDevice } from "./v86/device-states.ts";
import { assertPrivateMembers, V86_VERSION } from "./v86/v86-private.ts";
import type { V86Emulator } from "./v86/v86-private.ts";
import { redirectVbe, watchVgaWrites } from "./vga/vga-ports.ts";
import { VgaScanout } from "./vga/vga-scanout.ts";
import type { ScanoutMode } from "./vga/vga-scanout.ts";
import type { SerialPort } from "./devices/virtio-port.ts";
import { VirtioSerial } from "./devices/virtio-serial.ts";
import { splitState, stateHead } from "./v86/v86-state.ts";
import type { PackedPages } from "./v86/v86-state.ts";
import { replaceYield } from "./clock/yield.ts";

/** v86's own VGA memory: the least it makes, since VBE lives in QXL's RAM. */
const V86_VGA_MEMORY_BYTES = 256 * 1024;

/** What happens inside the machine. Called on the machine's thread, must not throw. */
export interface MachineEvents {
  /** Bytes from the agent's port; settle the promise to give back-pressure. */
  agentData(bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  agentState(open: boolean): void;
  tabletState(enabled: boolean): void;
  /** The guest has said, or forgotten, where its displays lie; {@link Machine.tabletReach} has changed. */
  displaysArranged(): void;
  /** SpiceKeyboardModifierFlags: scroll 1, num 2, caps 4. */
  leds(modifiers: number): void;
  bootMarker(marker: BootMarker): void;
  /** The guest (or {@link Machine.reset}) rebooted the machine. */
  rebooted(): void;
  /** The guest has ended its run: nothing happens any more until the machine is reset, or another one is made. */
  ended(ended: EndedMachine): void;
  /** The machine stands still for ever: a slice threw, or the kernel could not be had after a reboot. */
  failed(error: Error): void;
}

/** How to make a machine. Images are not changed and may be dropped by the caller afterwards. */
export interface MachineOptions {
  readonly level: string;
  readonly buildId: string;
  readonly memoryMiB: number;
  /** SeaBIOS, and SeaBIOS's vgabios-qxl. */
  readonly bios: ArrayBuffer;
  readonly vgaBios: ArrayBuffer;
  /** Gives the kernel: for the first boot if `kernelNow`, and again after each reboot. None: the BIOS boots from disk. */
  readonly kernel?: () => Promise<KernelFiles>;
  /** False for a machine whose state will be restored. @default true */
  readonly kernelNow?: boolean;
  /** First floppy, for guests without a kernel of ours. */
  readonly floppy?: ArrayBuffer;
  /** Instantiates v86.wasm with v86's imports. */
  readonly loadWasm: (imports: WebAssembly.Imports) => Promise<WebAssembly.Exports>;
  /** Where the first display's drawing commands go: the RedCommandBatcher of a red worker's port. */
  readonly sink: QxlSink;
  /** Those of further displays: the machine has a QXL device for each. */
  readonly otherSinks?: readonly QxlSink[];
  readonly events: MachineEvents;
  /** What the QXL driver logs, and what the device has against it. */
  readonly log?: Log;
}

export interface MachineStats {
  /** Instructions since the machine was made. */
  readonly instructions: number;
  readonly running: boolean;
  /** Guest CPU halted right now. */
  readonly halted: boolean;
}

/** What a saved state must agree with, known before any machine is made. */
export const machineIdentity = (
  options: Pick<MachineOptions, "level" | "buildId" | "memoryMiB">,
  displays = 1,
): MachineIdentity => {
  const { level, buildId, memoryMiB } = options;
  const { ram, vram } = layOutAperture(memoryMiB, displays);
  const aperture = [ram.size, vram.size, QXL_VGAMEM_BYTES].map((bytes) => bytes >> 20).join("+");
  return { level, buildId, memoryMiB, aperture, v86Version: V86_VERSION, ...(displays > 1 && { displays }) };
};

const displaysOf = ({ otherSinks = [] }: MachineOptions): number => 1 + otherSinks.length;

/** The device's state is plain JSON; v86's format keeps strings. */
const qxlState = (device: QxlDevice): StatefulDevice => ({
  saveState: () => [JSON.stringify(device.saveState())],
  restoreState: ([state]) => device.restoreState(JSON.parse(String(state)) as QxlState),
});

/** What the screen of a machine that is off, or has halted, shows, in code page 437. */
const OFF_LINES = ["The machine is switched off.", "", "Ctrl+Alt+Del switches it on."] as const;
const HALTED_LINES = ["The machine has halted.", "", "Ctrl+Alt+Del starts it again."] as const;

const NEVER = new Promise<never>(() => {});
const NO_PAGES: GuestPages = { bytes: 0, runs: [] };

/** One machine. Owner disposes (asynchronously: v86 stops between two slices). */
export class Machine implements AsyncDisposable, SavableMachine {
  readonly identity: MachineIdentity;
  readonly layout: ApertureLayout;
  readonly memory: GuestMemory;
  /** The first display, which is the VGA device. */
  readonly qxl: QxlDevice;
  /** All of them. */
  readonly displays: readonly QxlDevice[];
  readonly scanout: VgaScanout;
  readonly agentPort: SerialPort;
  readonly keyboard: Keyboard;
  readonly pointer: Pointer;
  readonly serial: SerialLog;
  /** v86's own object, for this folder and its tests: everything else goes through the machine. */
  readonly emulator: V86Emulator;
  readonly #options: MachineOptions;
  readonly #virtioSerial: VirtioSerial;
  readonly #clock: MachineClock;
  readonly #guestTime: GuestTime;
  readonly #power: PowerWatch;
  readonly #panic: PanicWatch;
  #ended: EndedMachine | undefined;
  #panicTimer: ReturnType<typeof setTimeout> | undefined;
  /** The guest has its displays in a row, see {@link DISPLAY_PITCH_PIXELS}. */
  #inRow = false;
  readonly #rebootCpu: () => void;
  #pristine = true;
  /** The guest's pages while a state is being saved. */
  #packedMemory: GuestPages = NO_PAGES;
  /** The guest's pages while a state is being restored. */
  #storedMemory: PackedPages | undefined;
  #leds = 0;
  /** What a restored guest believes to be pressed. */
  #restoredDown: { keys: readonly number[]; buttons: number } = { keys: [], buttons: 0 };
  #wanted = false;
  #dead = false;
  #disposed = false;
  #reloading: Promise<void> | undefined;
  #instructions = 0;
  #lastCounter = 0;

  /**
   * Makes a machine with its kernel loaded, standing still.
   * @throws MachineOptionsError, V86SurfaceError, KernelImageError
   */
  static async create(options: MachineOptions): Promise<Machine> {
    ensureImageData();
    const layout = layOutAperture(options.memoryMiB, displaysOf(options));
    // v86 would wait for ever for a module that cannot be had.
    let fail: (error: unknown) => Promise<never> = () => NEVER;
    const failed = new Promise<never>((_, reject) => {
      fail = (error) => {
        reject(error instanceof Error ? error : new Error(String(error)));
        return NEVER;
      };
    });
    const emulator = new V86({
      memory_size: layout.total,
      vga_memory_size: V86_VGA_MEMORY_BYTES,
      bios: { buffer: options.bios },
      vga_bios: { buffer: options.vgaBios },
      ...(options.floppy ? { fda: { buffer: options.floppy } } : {}),
      wasm_fn: (imports: WebAssembly.Imports) =>
        options.loadWasm(imports).catch((error: unknown) =>
          // What WebAssembly throws where its memory cannot be had.
          fail(error instanceof RangeError ? new OutOfMemoryError("the machine", { cause: error }) : error),
        ),
      acpi: false,
      autostart: false,
      disable_keyboard: true,
      disable_mouse: true,
      disable_speaker: true,
      virtio_balloon: true,
      net_device: { type: "none" },
    } as unknown as ConstructorParameters<typeof V86>[0]);
    const loaded = new Promise<void>((resolve) => {
      emulator.add_listener("emulator-loaded", () => resolve());
    });
    await Promise.race([loaded, failed]);
    const machine = new Machine(options, layout, assertPrivateMembers(emulator));
    if (options.kernel && options.kernelNow !== false) machine.#loadKernel(await options.kernel());
    return machine;
  }

  private constructor(options: MachineOptions, layout: ApertureLayout, emulator: V86Emulator) {
    this.#options = options;
    this.emulator = emulator;
    this.layout = layout;
    this.identity = machineIdentity(options, displaysOf(options));
    const { cpu } = emulator.v86;
    const { events } = options;

    this.#clock = new MachineClock({ cpu, onStep: () => this.#guestTime.tell() });
    replaceYield(emulator.v86, (error) => this.#crashed(error), this.#clock);
    hideAperture(cpu, layout.usable);
    this.memory = new GuestMemory(cpu, layout);
    redirectVbe(cpu, this.memory);
    this.scanout = new VgaScanout({
      cpu,
      screen: emulator.screen_adapter,
      memory: this.memory,
      sink: options.sink,
    });
    // A machine with one display stays what it always was.
    if (layout.devices.length > 1) shareInterruptLines(cpu.devices.pci);
    for (const [index, device] of layout.devices.entries())
      registerQxlFunction(cpu, device, (offset, value) => this.displays[index].ioWrite(offset, value), index);
    watchVgaWrites(cpu, () => this.qxl.vgaWrite());
    this.displays = layout.devices.map((_, index) => this.#makeQxl(index));
    [this.qxl] = this.displays;
    this.#virtioSerial = new VirtioSerial(cpu, {
      agent: {
        state: (open) => events.agentState(open),
        data: (bytes) => events.agentData(bytes),
      },
      guestAgent: {
        state: (open) => void (open && this.#guestTime.tell()),
        // Its answers are nobody's.
        data: async () => {},
      },
    });
    this.agentPort = this.#virtioSerial.agent;
    const port = this.#virtioSerial.guestAgent;
    this.#guestTime = new GuestTime({ port, isRunning: () => this.#wanted });
    registerPvpanic(cpu, () => this.#panicked());
    this.keyboard = new Keyboard(emulator);
    this.pointer = new Pointer(emulator);
    watchLeds(cpu, (modifiers) => this.#setLeds(modifiers));
    this.#panic = new PanicWatch({
      isHalted: () => cpu.in_hlt[0] !== 0,
      panicked: () => this.#panicked(),
    });
    this.serial = new SerialLog(
      (marker) => {
        if (marker.name === ROW_MARKER) this.#setInRow(true);
        events.bootMarker(marker);
      },
      (line) => this.#panic.line(line),
    );
    emulator.add_listener("serial0-output-byte", (byte: number) => this.serial.push(byte));
    emulator.add_listener("vmware-absolute-mouse", (enabled: boolean) => events.tabletState(enabled));

    this.#rebootCpu = cpu.reboot_internal.bind(cpu);
    cpu.reboot_internal = () => this.#rebooted();
    this.#power = new PowerWatch(emulator, (ended) => this.#end(ended));
    clearUnsizedBars(cpu.devices.pci);
    replacePackMemory(cpu, (pages) => {
      this.#packedMemory = pages;
    });
    replaceUnpackMemory(
      cpu,
      () => this.#pristine,
      () => this.#storedMemory,
    );
    const [first, ...others] = this.displays.map((device) => qxlState(device));
    embedDevices(cpu, [first, this.#virtioSerial, this.#ownState(), ...others]);
  }

  get running(): boolean {
    return this.#wanted;
  }

  /** How the guest's run ended, once it has. */
  get ended(): EndedMachine | undefined {
    return this.#ended;
  }

  /** LED bits as the guest last set them. */
  get leds(): number {
    return this.#leds;
  }

  /** What VGA shows, undefined while the driver's own primary is on the screen. */
  get scanoutMode(): ScanoutMode | undefined {
    return this.scanout.mode;
  }

  /** Size of what is on the screen, in pixels. */
  get screenSize(): { width: number; height: number } {
    return this.qxl.primarySize ?? this.scanout.mode ?? { width: 0, height: 0 };
  }

  run(): void {
    if (this.#wanted || this.#dead || this.#ended) return;
    this.#wanted = true;
    this.#pristine = false;
    this.scanout.start();
    this.#power.start();
    this.#guestTime.tell();
    if (this.#reloading) return;
    void this.emulator.run();
  }

  /** Stands still when it resolves; the picture stays. */
  async pause(): Promise<void> {
    this.#wanted = false;
    this.scanout.stop();
    this.#power.stop();
    if (!this.#dead) await this.emulator.stop();
  }

  /** The reset button. A machine whose run has ended cannot go on: make another one. */
  reset(): void {
    if (this.#ended) throw new MachineEndedError(endWords(this.#ended));
    this.emulator.v86.cpu.reboot_internal();
  }

  /** Text for the serial console. */
  serialSend(text: string): void {
    this.emulator.serial0_send(text);
  }

  /**
   * Whether the QXL drivers take the heads (ROM and interrupt); if not, they are the agent's business. One device gets all of them, of
   * several each gets its own, if all that have one take it.
   */
  clientMonitorsConfig(heads: readonly ClientHead[]): boolean {
    return offerHeads(this.displays, heads);
  }

  /** Displays that positions of the guest's absolute pointer reach. */
  get tabletReach(): number {
    return this.displays.length === 1 || this.#inRow ? this.displays.length : 1;
  }

  /** Where on the guest's tablet, and of which size, a pixel of a client's display lies; without a number one of the first primary. */
  tabletPlace(point: Point, displayId = 0): TabletPlace {
    if (this.displays.length > 1 && this.#inRow) return placeInRow(this.displays, point, displayId);
    return placeOnHead(this.qxl.heads, this.screenSize, point, displayId);
  }

  stats(): MachineStats {
    const counter = this.emulator.get_instruction_counter();
    this.#instructions += (counter - this.#lastCounter) >>> 0;
    this.#lastCounter = counter;
    const halted = this.emulator.v86.cpu.in_hlt[0] !== 0;
    return { instructions: this.#instructions, running: this.#wanted, halted };
  }

  /** One moment of the whole machine. May be called while it runs. @throws MachineOptionsError while it reboots */
  capture(sink: StateSink): void {
    if (this.#reloading)
      throw new MachineOptionsError("the machine is rebooting: save it when its kernel runs");
    if (this.#dead) throw new MachineOptionsError("the machine was stopped by a fault: it is not saved");
    if (this.#ended) throw new MachineEndedError(endWords(this.#ended));
    if (standsStill(this.emulator.v86.cpu)) throw new MachineEndedError(endWords({ end: "halted" }));
    for (const device of this.displays) device.settle();
    const small = this.emulator.v86.save_state();
    const { bytes, runs } = this.#packedMemory;
    const head = stateHead(small, bytes);
    this.#packedMemory = NO_PAGES;
    sink.begin(makeStateHeader(this.identity, head.length + bytes, Date.now()));
    sink.write(head);
    for (const run of runs) sink.write(run);
  }

  /**
   * Becomes the saved machine, standing still or running as before.
   * @throws StateRefusedError; with refusal "content" or "damaged" v86 may be half restored: dispose of this machine and make a new one
   */
  async restoreState({ header, source }: RestorableMachine): Promise<void> {
    assertStateFits(header, this.identity);
    if (header.stateBytes !== source.bytes) {
      throw new StateRefusedError(
        "truncated",
        `it has ${source.bytes} bytes instead of ${header.stateBytes}`,
      );
    }
    const { state, memory } = splitState(source);
    this.keyboard.clear();
    this.pointer.clear();
    this.#storedMemory = memory;
    try {
      await this.emulator.restore_state(state);
      source.verifyRest();
    } catch (cause) {
      if (cause instanceof StateRefusedError) throw cause;
      throw new StateRefusedError("content", `v86 could not read it (${String(cause)})`, { cause });
    } finally {
      this.#storedMemory = undefined;
    }
    this.#pristine = false;
    if (standsStill(this.emulator.v86.cpu)) {
      throw new StateRefusedError("ended", "the machine in it was off, or had halted, when it was saved");
    }
    this.#clock.restored();
    // It was kept while somebody held them; he has let go since.
    const { keys, buttons } = this.#restoredDown;
    this.keyboard.push(keys);
    if (buttons !== 0) this.pointer.letGo(buttons);
    // The device has sent its surfaces already; VGA's picture is ours.
    this.scanout.resync();
  }

  /** Sends the whole picture again: the red worker is new, or the machine was restored. */
  resync(display = 0): void {
    this.displays[display].resync();
    if (display > 0) return;
    this.scanout.resync();
    if (this.#wanted || this.#ended) this.scanout.poll();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const device of this.displays) device[Symbol.dispose]();
    this.scanout[Symbol.dispose]();
    this.keyboard[Symbol.dispose]();
    this.pointer[Symbol.dispose]();
    this.#power[Symbol.dispose]();
    this.#panic[Symbol.dispose]();
    this.#guestTime[Symbol.dispose]();
    clearTimeout(this.#panicTimer);
    this.#disposed = true;
    this.#wanted = false;
    // v86 waits for its next slice to stop; after a fault there is none.
    if (!this.#dead) await this.emulator.destroy();
  }

  #loadKernel(files: KernelFiles): void {
    this.#pristine = false;
    loadKernel(this.emulator.v86.cpu, this.layout.usable, files);
  }

  #makeQxl(index: number): QxlDevice {
    const { emulator, layout, memory, scanout } = this;
    const { pci } = emulator.v86.cpu.devices;
    const { ram, vram } = layout.devices[index];
    const hasVga = index === 0;
    const pciId = qxlPciId(index);
    return new QxlDevice({
      id: index,
      hasVga,
      // Clients number displays by channel and head together: with several channels there is one head on each.
      ...(layout.devices.length > 1 && { maxHeads: 1 }),
      bus: {
        ram: () => memory.ram(index),
        vram: () => memory.vram(index),
        rom: () => memory.rom(index),
        raiseIrq: () => pci.raise_irq(pciId),
        lowerIrq: () => pci.lower_irq(pciId),
        enterVga: () => hasVga && scanout.enter(),
        leaveVga: () => hasVga && scanout.leave(),
      },
      sink: [this.#options.sink, ...(this.#options.otherSinks ?? [])][index],
      ram,
      vram,
      vgamemSize: QXL_VGAMEM_BYTES,
      quic: quicImages(),
      // A long drawing and the CPU take turns.
      later: nextTask(),
      now: () => performance.now(),
      log: this.#options.log,
    });
  }

  #ownState(): StatefulDevice {
    return {
      saveState: () => [
        this.#leds,
        JSON.stringify({ keys: this.keyboard.releases, buttons: this.pointer.buttons }),
        ...(this.displays.length > 1 ? [this.#inRow] : []),
      ],
      restoreState: ([leds, down, inRow]) => {
        this.#setInRow(inRow === true);
        this.#setLeds(typeof leds === "number" ? leds & 7 : 0);
        // States of before have no such entry.
        this.#restoredDown = typeof down === "string" ? JSON.parse(down) : { keys: [], buttons: 0 };
      },
    };
  }

  #setInRow(inRow: boolean): void {
    if (inRow === this.#inRow) return;
    this.#inRow = inRow;
    this.#options.events.displaysArranged();
  }

  #setLeds(modifiers: number): void {
    if (modifiers === this.#leds) return;
    this.#leds = modifiers;
    this.#options.events.leds(modifiers);
  }

  /** A slice threw: v86 cannot go on from there, unless the guest did what makes a PC reset itself. */
  #crashed(error: Error): void {
    if (error instanceof WebAssembly.RuntimeError && canTripleFault(this.emulator.v86.cpu)) {
      // The loop that the fault has torn goes on first: only a loop can be stopped, which a reset does.
      void this.emulator.run();
      this.emulator.v86.cpu.reboot_internal();
      return;
    }
    this.#dead = true;
    this.#wanted = false;
    this.scanout.stop();
    this.#power.stop();
    this.#options.events.failed(error);
  }

  #panicked(): void {
    const detail = this.#panic.reason;
    this.#end({ end: "panicked", ...(detail !== undefined && { detail }) });
  }

  /** May run inside the guest's own instruction. */
  #end(ended: EndedMachine): void {
    if (this.#dead || this.#disposed || this.#reloading) return;
    // A kernel that halts behind its panic has panicked.
    const isNew = this.#ended === undefined;
    this.#ended ??= ended;
    if (ended.end !== "panicked") void this.#standStill();
    else if (isNew) this.#panicTimer = setTimeout(() => void this.#standStill(), PANIC_LINGER_MS);
    if (isNew) this.#options.events.ended(this.#ended);
  }

  /** The end is for good: the CPU stops, nobody in the guest listens any more, and a machine that is off shows so. */
  async #standStill(): Promise<void> {
    clearTimeout(this.#panicTimer);
    if (!this.#wanted) return;
    this.#wanted = false;
    this.#power.stop();
    await this.emulator.stop();
    if (this.#disposed) return;
    const ended = this.#ended;
    if (!ended) {
      // The guest's next instruction was a reset.
      this.run();
      return;
    }
    this.#virtioSerial.reset();
    this.keyboard.clear();
    this.pointer.clear();
    this.#setLeds(0);
    const lines = ended.end === "poweredOff" ? OFF_LINES : HALTED_LINES;
    // A halted kernel's last words stand on VGA's screen. A driver's screen is painted by a thread that no longer runs: it shows what
    // was there before, and clients with nothing but a picture would wait. After a panic that picture may be all that is left of a work.
    if (ended.end === "panicked" || (ended.end === "halted" && this.qxl.mode === "vga")) return;
    for (const device of this.displays) device.reset();
    this.scanout.showNotice(noticeScreen(new Uint8Array(this.#options.vgaBios), lines));
    this.scanout.poll();
  }

  /** Runs inside the guest's port write or triple fault. v86 resets CPU and memory map; the rest is ours. */
  #rebooted(): void {
    this.#rebootCpu();
    this.#ended = undefined;
    clearTimeout(this.#panicTimer);
    this.#panic.reset();
    for (const device of this.displays) device.reset();
    this.#virtioSerial.reset();
    this.keyboard.clear();
    this.pointer.clear();
    this.#setLeds(0);
    this.#setInRow(false);
    this.#options.events.rebooted();
    // Nothing more of this slice: a guest that resets at once again would keep this thread for minutes.
    this.emulator.v86.cpu.in_hlt[0] = 1;
    this.#reloading ??= this.#reload().finally(() => {
      this.#reloading = undefined;
    });
  }

  /** The guest has used the memory where its kernel lay: put it there again, then start from the BIOS. */
  async #reload(): Promise<void> {
    try {
      const { kernel } = this.#options;
      const [files] = await Promise.all([kernel?.(), this.emulator.stop()]);
      if (this.#disposed) return;
      this.#rebootCpu();
      if (files) this.#loadKernel(files);
      if (this.#wanted) void this.emulator.run();
    } catch (error) {
      this.#wanted = false;
      this.#options.events.failed(error instanceof Error ? error : new Error(String(error)));
    }
  }
}
