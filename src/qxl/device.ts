import type { Log } from "../log/index.ts";
import { NO_LOG } from "../log/index.ts";
import { MAX_HEADS } from "../protocol/limits.ts";
import { QXL_IO_RANGE_SIZE, QxlInterrupt, QxlIo } from "../protocol/index.ts";
import type { RedHead } from "../protocol/red-command.ts";
import type { QxlSink } from "./bus.ts";
import { ClientNotices } from "./client-notices.ts";
import { CommandProcessor } from "./command-processor.ts";
import { CommandRings } from "./command-rings.ts";
import type { QxlDeviceOptions, QxlStats } from "./device-options.ts";
import { DeviceMemory } from "./device-memory.ts";
import { DeviceScreen } from "./device-screen.ts";
import { QxlGuestError, QxlStateError } from "./errors.ts";
import { ASYNC_PORTS, DRAINING_PORTS, SETTLING_PORTS, VGA_PORTS } from "./io-ports.ts";
import { InterruptLine } from "./interrupts.ts";
import { DEFAULT_SURFACES } from "./limits.ts";
import { MemorySlots } from "./memory-slots.ts";
import { qxlModes } from "./modes.ts";
import { RAM_HEADER_BYTES, RamHeader } from "./ram-header.ts";
import { ReleaseList } from "./release-list.ts";
import { restoreParts } from "./restore.ts";
import type { QxlClientHead } from "./rom.ts";
import { QxlRomMemory } from "./rom.ts";
import type { QxlMode, QxlState } from "./state.ts";
import { QXL_STATE_VERSION, assertState, cursorState, surfaceState } from "./state.ts";

/**
 * The QXL device, as QEMU's hw/display/qxl.c and spice-server's command parser together: ROM, RAM header, rings, memory slots,
 * I/O commands, interrupts and surfaces, over plain memory. Everything that a guest writes is copied before it is checked.
 */
export class QxlDevice implements Disposable {
  readonly #options: QxlDeviceOptions;
  readonly #log: Log;
  readonly #sink: QxlSink;
  readonly #nSurfaces: number;
  readonly #memory: DeviceMemory;
  readonly #rom: QxlRomMemory;
  readonly #ram: RamHeader;
  readonly #slots: MemorySlots;
  readonly #interrupts: InterruptLine;
  readonly #clients: ClientNotices;
  readonly #releases: ReleaseList;
  readonly #processor: CommandProcessor;
  readonly #rings: CommandRings;
  readonly #screen: DeviceScreen;
  #guestBug = false;
  #pendingAsync: { readonly port: number; readonly value: number } | undefined;
  #resuming = false;
  #disposed = false;

  /** Powers the device on: memory is initialised, VGA mode is entered. */
  constructor(options: QxlDeviceOptions) {
    const { bus, sink, ram, vram, vgamemSize } = options;
    this.#options = options;
    this.#log = options.log ?? NO_LOG;
    this.#sink = sink;
    this.#nSurfaces = options.nSurfaces ?? DEFAULT_SURFACES;
    const modes = qxlModes(vgamemSize);
    this.#memory = new DeviceMemory(bus);
    const ramHeaderOffset = ram.size - RAM_HEADER_BYTES;
    this.#rom = new QxlRomMemory(this.#memory, {
      id: options.id ?? 0,
      vgamemSize,
      ramHeaderOffset,
      nSurfaces: this.#nSurfaces,
      modes,
    });
    this.#ram = new RamHeader(this.#memory, ramHeaderOffset);
    this.#slots = new MemorySlots(this.#memory, ram, vram);
    this.#interrupts = new InterruptLine(bus, this.#ram);
    this.#clients = new ClientNotices({
      rom: this.#rom,
      ram: this.#ram,
      interrupts: this.#interrupts,
      revision: options.revision ?? 4,
      maxHeads: options.maxHeads ?? MAX_HEADS,
    });
    this.#releases = new ReleaseList(this.#memory, this.#ram.releases, () =>
      this.#interrupts.raise(QxlInterrupt.Display),
    );
    this.#processor = new CommandProcessor({
      memory: this.#memory,
      slots: this.#slots,
      sink,
      releases: this.#releases,
      nSurfaces: this.#nSurfaces,
      quic: options.quic,
      sliceCost: options.sliceCost,
      bandCost: options.bandCost,
      forcedCost: options.forcedCost,
      log: this.#log,
    });
    this.#rings = new CommandRings({
      ram: this.#ram,
      processor: this.#processor,
      sink,
      interrupts: this.#interrupts,
    });
    this.#screen = new DeviceScreen({
      bus,
      sink,
      ram: this.#ram,
      slots: this.#slots,
      processor: this.#processor,
      modes,
      vgamemSize,
      hasVga: options.hasVga ?? true,
      maxHeads: options.maxHeads ?? MAX_HEADS,
      onModeChange: options.onModeChange,
    });
    this.#hardReset();
  }

  get mode(): QxlMode {
    return this.#screen.mode;
  }

  /** Size of the driver's primary surface in pixels; undefined without one. */
  get primarySize(): { readonly width: number; readonly height: number } | undefined {
    const primary = this.#processor.surfaces.get(0);
    return primary && { width: primary.width, height: primary.height };
  }

  /** The driver's monitors on the primary surface, as it last set them. */
  get heads(): readonly RedHead[] {
    return this.#screen.monitors?.heads ?? [];
  }

  get stats(): QxlStats {
    return {
      ...this.#processor.stats,
      released: this.#releases.total,
      releasesPending: this.#releases.pending,
      surfaces: this.#processor.surfaces.size,
      interrupts: this.#interrupts.raised,
      guestBug: this.#guestBug,
    };
  }

  /** Reads of the I/O BAR give all ones. */
  ioRead(_port: number): number {
    return 0xff;
  }

  /** A byte written to BAR3 + `port`. */
  ioWrite(port: number, value: number): void {
    if (this.#disposed) return;
    this.#memory.refresh();
    // UPDATE_IRQ goes on working: otherwise a level that is high would hold the guest in its interrupt handler.
    if (this.#guestBug && port !== QxlIo.Reset && port !== QxlIo.UpdateIrq) return;
    if (port >= QXL_IO_RANGE_SIZE) {
      this.#setGuestBug(`write to I/O port ${port}`);
      return;
    }
    const operation = ASYNC_PORTS.get(port);
    if (operation === undefined) this.#sync(port, value);
    else this.#async(port, operation, value);
  }

  /** A legacy VGA register is about to be written: outside of VGA mode the guest wants its console back. */
  vgaWrite(): void {
    if (this.#screen.mode === "vga" || this.#disposed) return;
    this.#memory.refresh();
    this.#processor.settle();
    this.#screen.destroyPrimary();
    this.#interrupts.update();
    this.#guestBug = false;
    this.#pendingAsync = undefined;
    this.#screen.enterVga();
  }

  /** Hard reset, as by the machine's reset button: into VGA mode, all memory of the device's own initialised. */
  reset(): void {
    if (this.#disposed) return;
    this.#memory.refresh();
    this.#hardReset();
  }

  /** The sink has credit again: goes on with what waits in the rings. */
  creditAvailable(): void {
    if (this.#disposed || this.#screen.mode === "vga" || this.#guestBug) return;
    this.#memory.refresh();
    const drained = this.#drain(false);
    const waiting = this.#pendingAsync;
    if (!drained || waiting === undefined) return;
    this.#pendingAsync = undefined;
    this.#completeAsync(ASYNC_PORTS.get(waiting.port) ?? waiting.port, waiting.value);
  }

  /** Empties the rings; what is too much for this slice is gone on with later, when the thread had its turn. */
  #drain(force: boolean): boolean {
    const drained = this.#rings.drain(force);
    if (!drained && this.#processor.meter.isSpent && !this.#resuming) {
      this.#resuming = true;
      this.#options.later(() => {
        this.#resuming = false;
        this.#processor.refill();
        this.creditAvailable();
      });
    }
    return drained;
  }

  /** Whether display clients are there and what all of them can do (58 bytes of capability bits), for the driver. */
  setClientCapabilities(present: boolean, capabilities: Uint8Array): void {
    if (this.#disposed) return;
    this.#memory.refresh();
    this.#clients.setCapabilities(present, capabilities);
  }

  /**
   * Offers the monitors that a client wants to the driver; without heads only asks.
   * @returns false if no driver listens: then they are the guest agent's business
   */
  clientMonitorsConfig(heads: readonly QxlClientHead[]): boolean {
    if (this.#disposed) return false;
    this.#memory.refresh();
    return this.#clients.offerMonitors(heads);
  }

  /** Finishes a drawing that is laid aside: before its memory is saved, which goes on changing otherwise. */
  settle(): void {
    this.#memory.refresh();
    this.#processor.settle();
  }

  /** What of the device is not in its memory, as plain JSON. */
  saveState(): QxlState {
    this.settle();
    const { surfaces, cursor, compat16 } = this.#processor;
    return {
      version: QXL_STATE_VERSION,
      mode: this.#screen.mode,
      guestBug: this.#guestBug,
      compat16,
      slots: this.#slots.save(),
      surfaces: surfaces.all().map((surface) => surfaceState(surface)),
      releases: this.#releases.save(),
      cursor: cursorState(cursor),
      monitors: this.#screen.monitors ?? null,
      pendingAsync: this.#pendingAsync ?? null,
    };
  }

  /**
   * Becomes a saved device; its memory must have been restored before. Sends everything to the sink again.
   * @throws QxlStateError when it does not fit; then the device was reset
   */
  restoreState(state: QxlState): void {
    if (this.#disposed) return;
    this.#memory.refresh();
    try {
      this.#restore(state);
    } catch (error) {
      this.#hardReset();
      throw error instanceof TypeError ? new QxlStateError(error.message) : error;
    }
    this.#clients.rewrite();
    this.#interrupts.announce();
    this.#screen.announce();
    this.resync();
  }

  /** Sends surfaces with their content, cursor and monitors: to a new red worker, or after a restore. */
  resync(): void {
    if (this.#disposed) return;
    this.#memory.refresh();
    const sink = this.#sink;
    this.#processor.settle(false);
    const { surfaces, cursor } = this.#processor;
    sink.push({ type: "reset" });
    for (const surface of surfaces.all()) sink.push(surfaces.createCommand(surface, sink, true));
    if (this.#screen.monitors) sink.push(this.#screen.monitors);
    const command = cursor.command(sink);
    if (command) sink.push(command);
    sink.flush();
    // A sink that was restarted has credit without having said so.
    this.creditAvailable();
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
  }

  #sync(port: number, value: number): void {
    if (this.#screen.mode === "vga" && !VGA_PORTS.has(port)) return;
    if (DRAINING_PORTS.has(port)) this.#drain(true);
    if (SETTLING_PORTS.has(port)) this.#processor.settle();
    this.#execute(port, value);
  }

  #async(port: number, operation: number, value: number): void {
    if (this.#screen.mode === "vga" && !VGA_PORTS.has(operation)) {
      this.#interrupts.raise(QxlInterrupt.IoCmd);
      return;
    }
    if (this.#pendingAsync !== undefined) {
      this.#setGuestBug(`I/O command ${port} while ${this.#pendingAsync.port} is under way`);
      return;
    }
    if (DRAINING_PORTS.has(operation) && !this.#drain(false)) {
      this.#pendingAsync = { port, value };
      return;
    }
    this.#completeAsync(operation, value);
  }

  #completeAsync(operation: number, value: number): void {
    this.#execute(operation, value);
    this.#interrupts.raise(QxlInterrupt.IoCmd);
  }

  #execute(port: number, value: number): void {
    try {
      this.#carryOut(port, value);
    } catch (error) {
      if (!(error instanceof QxlGuestError)) throw error;
      this.#setGuestBug(error.message);
    }
  }

  /** @throws QxlGuestError for what only a broken driver does */
  #carryOut(port: number, value: number): void {
    switch (port) {
      case QxlIo.NotifyCmd:
      case QxlIo.NotifyCursor:
        this.#tick();
        this.#drain(false);
        return;
      case QxlIo.UpdateArea:
        // The surface in guest memory is always up to date.
        if (this.#ram.updateSurface >= this.#nSurfaces) this.#setGuestBug("UPDATE_AREA of no surface");
        return;
      case QxlIo.UpdateIrq:
        this.#interrupts.update();
        return;
      case QxlIo.NotifyOom:
        if (this.#ram.releases.isEmpty) this.#releases.push();
        return;
      case QxlIo.Reset:
        this.#hardReset();
        return;
      case QxlIo.SetMode:
        this.#screen.setCompatMode(value);
        return;
      case QxlIo.Log:
        // The guest may write it at the speed of its CPU: it is only looked at when it is kept.
        this.#log.log("message", "qxl-driver", () => this.#ram.logText);
        return;
      case QxlIo.MemslotAdd: {
        const { start, end } = this.#ram.memSlot;
        const problem = this.#slots.add(value, start, end);
        if (problem !== undefined) this.#setGuestBug(`MEMSLOT_ADD: ${problem}`);
        return;
      }
      case QxlIo.MemslotDel:
        this.#slots.delete(value);
        return;
      case QxlIo.CreatePrimary:
        this.#screen.createPrimary(value);
        return;
      case QxlIo.DestroyPrimary:
        if (value === 0) this.#screen.destroyPrimary();
        else this.#setGuestBug(`DESTROY_PRIMARY with value ${value}`);
        return;
      case QxlIo.DestroySurfaceWait:
        if (value >= this.#nSurfaces) this.#setGuestBug("DESTROY_SURFACE_WAIT of no surface");
        else if (value === 0) this.#screen.destroyPrimary();
        else this.#processor.destroySurface(value);
        return;
      case QxlIo.DestroyAllSurfaces:
        this.#screen.destroyAllSurfaces();
        return;
      case QxlIo.FlushRelease:
        this.#releases.push();
        return;
      case QxlIo.MonitorsConfigAsync:
        this.#setMonitors();
        return;
      default:
      // DETACH_PRIMARY, ATTACH_PRIMARY: nothing to do. FLUSH_SURFACES: all is drawn.
    }
  }

  #setMonitors(): void {
    try {
      this.#screen.setMonitors();
    } catch (error) {
      // A driver may go on without them, as in spice-server.
      if (!(error instanceof QxlGuestError)) throw error;
      this.#log.log("warning", "qxl", error.message);
    }
  }

  #hardReset(): void {
    this.#pendingAsync = undefined;
    this.#guestBug = false;
    this.#processor.reset();
    this.#releases.reset();
    this.#slots.reset();
    this.#rom.initialise();
    this.#clients.rewrite();
    this.#ram.initialise();
    this.#interrupts.update();
    this.#sink.push({ type: "reset" });
    this.#screen.reset();
  }

  #restore(state: QxlState): void {
    assertState(state);
    restoreParts(
      {
        memory: this.#memory,
        slots: this.#slots,
        processor: this.#processor,
        releases: this.#releases,
        nSurfaces: this.#nSurfaces,
      },
      state,
    );
    const { pendingAsync } = state;
    this.#pendingAsync =
      pendingAsync !== null && ASYNC_PORTS.has(pendingAsync.port) ? { ...pendingAsync } : undefined;
    this.#screen.restore(state.mode, state.monitors ?? undefined);
    this.#guestBug = state.guestBug;
  }

  /** The driver is broken: nothing is done for it any more until it resets the device. */
  #setGuestBug(problem: string): void {
    this.#log.log("warning", "qxl", `guest bug: ${problem}`);
    if (this.#guestBug) return;
    this.#guestBug = true;
    this.#interrupts.raise(QxlInterrupt.Error);
  }

  #tick(): void {
    const { now } = this.#options;
    if (now) this.#rom.clock = Math.trunc(now()) >>> 0;
  }
}
