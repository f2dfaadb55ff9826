/** A guest driver for tests: it does to a device over plain memory what Linux's qxl.ko does to QEMU's. */
import { LogRing } from "../log/index.ts";
import {
  QXLClip,
  QXLClipRects,
  QXLCommand,
  QXLCopy,
  QXLCopyBits,
  QXLCursor,
  QXLCursorCmd,
  QXLCursorHeader,
  QXLCursorSet,
  QXLDataChunk,
  QXLDrawable,
  QXLFill,
  QXLBitmap,
  QXLImage,
  QXLImageDescriptor,
  QXLMemSlot,
  QXLRam,
  QXLRom,
  QXLSurface,
  QXLSurfaceCmd,
  QXLSurfaceCreate,
  QxlBitmapFlags,
  QxlCmd,
  QxlDraw,
  QxlInterrupt,
  QxlIo,
  SpiceRing,
} from "../protocol/index.ts";
import type { Point, Rect, RedCommand, RedCommandBatch } from "../protocol/red-command.ts";
import type { RasterSurface } from "../raster/index.ts";
import { drawDrawable, surfaceBits } from "../raster/index.ts";
import { RedCommandBatcher } from "./batcher.ts";
import type { QxlBus } from "./bus.ts";
import { QxlDevice } from "./device.ts";
import type { QxlDeviceOptions } from "./device-options.ts";

const KIB = 1024;
export const TEST_RAM = { base: 0x1000_0000, size: 4 * KIB * KIB };
export const TEST_VRAM = { base: 0x1400_0000, size: 4 * KIB * KIB };
export const TEST_VGAMEM = 1 * KIB * KIB;

const MAIN_SLOT = 1;
const SURFACES_SLOT = 2;

/** The other end of the stream: keeps surfaces as a red worker does, by the commands alone. */
export class Replica {
  readonly surfaces = new Map<number, RasterSurface>();
  readonly commands: RedCommand[] = [];
  /** Bytes of data that came with the commands. */
  bytes = 0;

  apply(batch: RedCommandBatch): void {
    const data = new Uint8Array(batch.data);
    this.bytes += data.length;
    for (const command of batch.commands) {
      this.commands.push(command);
      this.#apply(command, data);
    }
  }

  /** Commands since the last call. */
  take(): RedCommand[] {
    return this.commands.splice(0);
  }

  #apply(command: RedCommand, data: Uint8Array): void {
    switch (command.type) {
      case "reset":
        this.surfaces.clear();
        return;
      case "surfaceCreate": {
        const { surfaceId, width, height, stride, format } = command;
        const bytes = new Uint8Array(stride * height);
        if (command.data) {
          bytes.set(data.subarray(command.data.offset, command.data.offset + command.data.length));
        }
        this.surfaces.set(surfaceId, { bytes, offset: 0, stride, width, height, format });
        return;
      }
      case "surfaceDestroy":
        this.surfaces.delete(command.surfaceId);
        return;
      case "draw": {
        const target = this.surfaces.get(command.surfaceId);
        if (target === undefined)
          throw new Error(`drawable for surface ${command.surfaceId}, which is not there`);
        drawDrawable(target, command, { data, surface: (id) => this.surfaces.get(id) });
        return;
      }
      default:
    }
  }
}

/** Of a device, zeroed. */
export const testMemory = () => ({
  ram: new Uint8Array(TEST_RAM.size),
  vram: new Uint8Array(TEST_VRAM.size),
  rom: new Uint8Array(8192),
});
export type TestMemory = ReturnType<typeof testMemory>;

/** Device memory, interrupt line and a batcher whose batches reach a {@link Replica}. */
export class TestMachine implements QxlBus {
  memory: TestMemory;
  readonly replica = new Replica();
  readonly batcher: RedCommandBatcher;
  readonly device: QxlDevice;
  readonly modes: string[] = [];
  /** Its clock stands. */
  readonly log = new LogRing({ now: () => 0 });
  /** What the device wants to go on with when the thread had its turn. */
  readonly tasks: (() => void)[] = [];
  /** Level of INTx. */
  irq = false;
  vga = 0;
  /** Credit comes back at once unless this is false. */
  autoCredit = true;
  /** Bytes to give back by hand. */
  owed = 0;

  constructor(
    options: Partial<Omit<QxlDeviceOptions, "later">> & { credit?: number; memory?: TestMemory } = {},
  ) {
    this.memory = options.memory ?? testMemory();
    this.batcher = new RedCommandBatcher({
      credit: options.credit,
      post: (batch) => {
        this.replica.apply(batch);
        if (this.autoCredit) this.batcher.credit(batch.bytes);
        else this.owed += batch.bytes;
      },
      schedule: () => {},
      onCredit: () => this.device.creditAvailable(),
    });
    this.device = new QxlDevice({
      bus: this,
      sink: this.batcher,
      ram: TEST_RAM,
      vram: TEST_VRAM,
      vgamemSize: TEST_VGAMEM,
      onModeChange: (mode) => this.modes.push(mode),
      log: this.log,
      later: (task) => this.tasks.push(task),
      ...options,
    });
  }

  ram(): Uint8Array {
    return this.memory.ram;
  }

  vram(): Uint8Array {
    return this.memory.vram;
  }

  rom(): Uint8Array {
    return this.memory.rom;
  }

  raiseIrq(): void {
    this.irq = true;
  }

  lowerIrq(): void {
    this.irq = false;
  }

  enterVga(): void {
    this.vga++;
  }

  leaveVga(): void {
    this.vga--;
  }

  /** What wasm memory does when it grows: the old views are dead. */
  growMemory(): void {
    for (const name of ["ram", "vram", "rom"] as const) {
      const old = this.memory[name];
      this.memory[name] = old.slice();
      old.fill(0xee);
    }
  }

  /** Sends what is collected, as the end of a tick would. */
  flush(): void {
    this.batcher.flush();
  }

  /** The thread's next turn for the device; false if it wants none. */
  turn(): boolean {
    const task = this.tasks.shift();
    task?.();
    return task !== undefined;
  }

  giveCredit(): void {
    const bytes = this.owed;
    this.owed = 0;
    this.batcher.credit(bytes);
  }
}

/** The driver. Object ids are counted up from 1; an object lives until its release came back. */
export class TestDriver {
  /** Another one takes its place when a saved machine goes on. */
  machine: TestMachine;
  /** Objects handed to the device, by id. */
  readonly live = new Map<bigint, number>();
  /** Ids in the order in which they came back. */
  readonly released: bigint[] = [];
  /** I/O commands completed by interrupt. */
  completions = 0;
  errors = 0;
  clientMonitorsChanges = 0;
  clientChanges = 0;
  /** Whether the driver reacts to interrupts, or leaves them pending. */
  handlesInterrupts = true;
  #next = TEST_VGAMEM;
  #nextId = 1n;

  constructor(machine = new TestMachine()) {
    this.machine = machine;
  }

  get ram(): DataView {
    const { ram } = this.machine.memory;
    return new DataView(ram.buffer, ram.byteOffset, ram.byteLength);
  }

  get header(): number {
    const { rom } = this.machine.memory;
    return new DataView(rom.buffer, rom.byteOffset).getUint32(QXLRom.offset.ramHeaderOffset, true);
  }

  /** A port write, and what the CPU does right after it: taking the interrupt. */
  out(port: number, value = 0): void {
    this.machine.device.ioWrite(port, value);
    this.serviceInterrupts();
  }

  serviceInterrupts(): void {
    while (this.machine.irq && this.handlesInterrupts) this.#interrupt();
  }

  /** The load sequence of Linux 6.1 (reset, slots, a small primary, draws larger than it, monitors, the real primary). */
  load(): void {
    this.reset();
    this.createPrimary(64, 64);
    this.drawCopy({ bbox: rect(0, 0, 200, 100), color: 0x10_20_30 });
    this.monitorsConfig([[0, 0, 64, 64]]);
    this.out(QxlIo.DestroyPrimaryAsync);
    // The driver sleeps until the device says that it is done.
    while (this.machine.turn());
    this.serviceInterrupts();
    this.createPrimary(256, 192);
  }

  reset(): void {
    this.out(QxlIo.Reset);
    this.live.clear();
    this.#next = TEST_VGAMEM;
    this.ram.setUint32(
      this.header + QXLRam.offset.intMask,
      QxlInterrupt.Display | QxlInterrupt.Cursor | QxlInterrupt.IoCmd | QxlInterrupt.ClientMonitorsConfig,
      true,
    );
    this.out(QxlIo.UpdateIrq);
    this.addSlot(MAIN_SLOT, TEST_RAM.base, TEST_RAM.base + this.header);
    this.addSlot(SURFACES_SLOT, TEST_VRAM.base, TEST_VRAM.base + TEST_VRAM.size);
  }

  addSlot(id: number, start: number, end: number): void {
    const at = this.header + QXLRam.offset.memSlot;
    this.ram.setBigUint64(at + QXLMemSlot.offset.memStart, BigInt(start), true);
    this.ram.setBigUint64(at + QXLMemSlot.offset.memEnd, BigInt(end), true);
    this.out(QxlIo.MemslotAddAsync, id);
  }

  createPrimary(width: number, height: number, changes: Partial<Record<string, number>> = {}): void {
    const at = this.header + QXLRam.offset.createSurface;
    const { offset } = QXLSurfaceCreate;
    const values = { width, height, stride: width * 4, format: 32, flags: 0, ...changes };
    const { ram } = this;
    ram.setUint32(at + offset.width, values.width, true);
    ram.setUint32(at + offset.height, values.height, true);
    ram.setInt32(at + offset.stride, values.stride, true);
    ram.setUint32(at + offset.format, values.format, true);
    ram.setUint32(at + offset.flags, values.flags, true);
    ram.setBigUint64(at + offset.mem, this.surfaceAddress(0), true);
    this.out(QxlIo.CreatePrimaryAsync);
  }

  /** QXLPHYSICAL of a byte of BAR1. */
  surfaceAddress(offset: number): bigint {
    return (BigInt(SURFACES_SLOT) << 56n) + BigInt(offset);
  }

  /** QXLPHYSICAL of a byte of BAR0. */
  address(offset: number): bigint {
    return (BigInt(MAIN_SLOT) << 56n) + BigInt(offset);
  }

  /** Room for an object in BAR0, zeroed. Nothing is ever reused. */
  allocate(bytes: number): number {
    const at = this.#next;
    this.#next += (bytes + 7) & ~7;
    if (this.#next > this.header) throw new Error("the test driver ran out of memory");
    this.machine.memory.ram.fill(0, at, at + bytes);
    return at;
  }

  /** Room for a command with its release id. */
  command(bytes: number): number {
    const at = this.allocate(bytes);
    const id = this.#nextId++;
    this.ram.setBigUint64(at, id, true);
    this.live.set(id, at);
    return at;
  }

  /** A chain of chunks of at most `chunkBytes` each. */
  chunks(data: Uint8Array, chunkBytes = data.length): number {
    const { offset, size } = QXLDataChunk;
    const count = Math.max(1, Math.ceil(data.length / Math.max(1, chunkBytes)));
    const places = Array.from({ length: count }, () => this.allocate(size + chunkBytes));
    for (const [i, at] of places.entries()) {
      const part = data.subarray(i * chunkBytes, (i + 1) * chunkBytes);
      this.ram.setUint32(at + offset.dataSize, part.length, true);
      if (i > 0) this.ram.setBigUint64(at + offset.prevChunk, this.address(places[i - 1]), true);
      if (i + 1 < count) this.ram.setBigUint64(at + offset.nextChunk, this.address(places[i + 1]), true);
      this.machine.memory.ram.set(part, at + size);
    }
    return places[0];
  }

  /** A 32 bit bitmap. */
  bitmap(
    width: number,
    height: number,
    pixels: Uint8Array,
    { chunkBytes = pixels.length, flags = 4 } = {},
  ): number {
    const at = this.allocate(QXLImage.size);
    const { ram } = this;
    const { offset } = QXLImageDescriptor;
    ram.setUint32(at + offset.width, width, true);
    ram.setUint32(at + offset.height, height, true);
    const bitmap = at + QXLImage.offset.u;
    ram.setUint8(bitmap + QXLBitmap.offset.format, 8);
    ram.setUint8(bitmap + QXLBitmap.offset.flags, flags);
    ram.setUint32(bitmap + QXLBitmap.offset.x, width, true);
    ram.setUint32(bitmap + QXLBitmap.offset.y, height, true);
    ram.setUint32(bitmap + QXLBitmap.offset.stride, width * 4, true);
    const data = flags & QxlBitmapFlags.Direct ? this.#raw(pixels) : this.chunks(pixels, chunkBytes);
    ram.setBigUint64(bitmap + QXLBitmap.offset.data, this.address(data), true);
    return at;
  }

  #raw(data: Uint8Array): number {
    const at = this.allocate(data.length);
    this.machine.memory.ram.set(data, at);
    return at;
  }

  drawable(type: number, bbox: Rect, surfaceId = 0, clip?: readonly Rect[]): number {
    const at = this.command(QXLDrawable.size);
    const { offset } = QXLDrawable;
    const { ram } = this;
    ram.setUint32(at + offset.surfaceId, surfaceId, true);
    ram.setUint8(at + offset.effect, 1);
    ram.setUint8(at + offset.type, type);
    this.putRect(at + offset.bbox, bbox);
    if (clip) {
      ram.setUint32(at + offset.clip + QXLClip.offset.type, 1, true);
      ram.setBigUint64(at + offset.clip + QXLClip.offset.data, this.address(this.clipRects(clip)), true);
    }
    return at;
  }

  clipRects(rects: readonly Rect[]): number {
    const at = this.allocate(QXLClipRects.size + 16 * rects.length);
    this.ram.setUint32(at + QXLClipRects.offset.numRects, rects.length, true);
    this.ram.setUint32(at + QXLClipRects.offset.chunk, 16 * rects.length, true);
    for (const [i, one] of rects.entries()) this.putRect(at + QXLClipRects.size + 16 * i, one);
    return at;
  }

  putRect(at: number, { top, left, bottom, right }: Rect): void {
    for (const [i, edge] of [top, left, bottom, right].entries()) this.ram.setInt32(at + 4 * i, edge, true);
  }

  /** A DRAW_FILL with a solid colour, not pushed. */
  fill(bbox: Rect, color: number, surfaceId = 0, clip?: readonly Rect[]): number {
    const at = this.drawable(QxlDraw.Fill, bbox, surfaceId, clip);
    const fill = at + QXLDrawable.offset.u;
    this.ram.setUint32(fill + QXLFill.offset.brush, 1, true);
    this.ram.setUint32(fill + QXLFill.offset.brush + 4, color, true);
    this.ram.setUint16(fill + QXLFill.offset.ropDescriptor, 8, true);
    return at;
  }

  /** Pushes DRAW_FILL with a solid colour. */
  drawFill(bbox: Rect, color: number, surfaceId = 0, clip?: readonly Rect[]): number {
    const at = this.fill(bbox, color, surfaceId, clip);
    this.push(QxlCmd.Draw, at);
    return at;
  }

  /** Pushes DRAW_COPY of a picture as large as the box, of one colour or of given pixels. */
  drawCopy(options: {
    bbox: Rect;
    color?: number;
    pixels?: Uint8Array;
    surfaceId?: number;
    chunkBytes?: number;
  }): number {
    const { bbox, color = 0, surfaceId } = options;
    const width = bbox.right - bbox.left;
    const height = bbox.bottom - bbox.top;
    const pixels = options.pixels ?? new Uint8Array(new Uint32Array(width * height).fill(color).buffer);
    const image = this.bitmap(width, height, pixels, { chunkBytes: options.chunkBytes });
    const at = this.copyOf(image, rect(0, 0, width, height), bbox, surfaceId);
    this.push(QxlCmd.Draw, at);
    return at;
  }

  /** A DRAW_COPY of an image that exists, not pushed. */
  copyOf(image: number, srcArea: Rect, bbox: Rect, surfaceId = 0): number {
    const at = this.drawable(QxlDraw.Copy, bbox, surfaceId);
    const copy = at + QXLDrawable.offset.u;
    this.ram.setBigUint64(copy + QXLCopy.offset.srcBitmap, this.address(image), true);
    this.putRect(copy + QXLCopy.offset.srcArea, srcArea);
    this.ram.setUint16(copy + QXLCopy.offset.ropDescriptor, 8, true);
    return at;
  }

  copyBits(bbox: Rect, src: Point): number {
    const at = this.drawable(QxlDraw.CopyBits, bbox);
    const point = at + QXLDrawable.offset.u + QXLCopyBits.offset.srcPos;
    this.ram.setInt32(point, src.x, true);
    this.ram.setInt32(point + 4, src.y, true);
    this.push(QxlCmd.Draw, at);
    return at;
  }

  surfaceCommand(id: number, type: number): number {
    const at = this.command(QXLSurfaceCmd.size);
    this.ram.setUint32(at + QXLSurfaceCmd.offset.surfaceId, id, true);
    this.ram.setUint8(at + QXLSurfaceCmd.offset.type, type);
    return at;
  }

  /** Pushes a CREATE of an off-screen surface at `offset` of BAR1. */
  surfaceCreate(
    id: number,
    width: number,
    height: number,
    offset: number,
    format = 32,
    bottomUp = false,
  ): number {
    const at = this.surfaceCommand(id, 0);
    const surface = at + QXLSurfaceCmd.offset.u;
    const stride = Math.ceil((width * surfaceBits(format)) / 32) * 4;
    this.ram.setUint32(surface + QXLSurface.offset.format, format, true);
    this.ram.setUint32(surface + QXLSurface.offset.width, width, true);
    this.ram.setUint32(surface + QXLSurface.offset.height, height, true);
    this.ram.setInt32(surface + QXLSurface.offset.stride, bottomUp ? -stride : stride, true);
    this.ram.setBigUint64(surface + QXLSurface.offset.data, this.surfaceAddress(offset), true);
    this.push(QxlCmd.Surface, at);
    return at;
  }

  surfaceDestroy(id: number): number {
    const at = this.surfaceCommand(id, 1);
    this.push(QxlCmd.Surface, at);
    return at;
  }

  /** Pushes a cursor SET of type ALPHA. */
  cursorSet(
    width: number,
    height: number,
    position: Point,
    pixels = new Uint8Array(width * height * 4),
  ): number {
    const shape = this.allocate(QXLCursor.size + pixels.length);
    const { ram } = this;
    ram.setBigUint64(shape + QXLCursorHeader.offset.unique, 77n, true);
    ram.setUint16(shape + QXLCursorHeader.offset.width, width, true);
    ram.setUint16(shape + QXLCursorHeader.offset.height, height, true);
    ram.setUint32(shape + QXLCursor.offset.dataSize, pixels.length, true);
    ram.setUint32(shape + QXLCursor.offset.chunk, pixels.length, true);
    this.machine.memory.ram.set(pixels, shape + QXLCursor.size);
    const at = this.command(QXLCursorCmd.size);
    const set = at + QXLCursorCmd.offset.u;
    ram.setInt16(set + QXLCursorSet.offset.position, position.x, true);
    ram.setInt16(set + QXLCursorSet.offset.position + 2, position.y, true);
    ram.setUint8(set + QXLCursorSet.offset.visible, 1);
    ram.setBigUint64(set + QXLCursorSet.offset.shape, this.address(shape), true);
    this.push(QxlCmd.Cursor, at, QXLRam.offset.cursorRing, QxlIo.NotifyCursor);
    return at;
  }

  /** MONITORS_CONFIG_ASYNC; each head x, y, width, height. @returns where the structure is */
  monitorsConfig(heads: readonly (readonly number[])[], maxAllowed = 4, count = heads.length): number {
    const at = this.allocate(4 + 28 * heads.length);
    const { ram } = this;
    ram.setUint16(at, count, true);
    ram.setUint16(at + 2, maxAllowed, true);
    for (const [i, [x, y, width, height]] of heads.entries()) {
      for (const [field, value] of [i, 0, width, height, x, y, 0].entries()) {
        ram.setUint32(at + 4 + 28 * i + 4 * field, value, true);
      }
    }
    ram.setBigUint64(this.header + QXLRam.offset.monitorsConfig, this.address(at), true);
    this.out(QxlIo.MonitorsConfigAsync);
    return at;
  }

  /** Whether the ring has no room. The guest then asks to be told when the device takes an item. */
  isRingFull(ring: number = QXLRam.offset.cmdRing): boolean {
    const at = this.header + ring;
    const { ram } = this;
    const { offset } = SpiceRing;
    const prod = ram.getUint32(at + offset.prod, true);
    const cons = ram.getUint32(at + offset.cons, true);
    if (prod - cons !== ram.getUint32(at + offset.numItems, true)) return false;
    ram.setUint32(at + offset.notifyOnCons, cons + 1, true);
    return true;
  }

  /** Puts a command in a ring, and notifies if the device wants that. */
  push(
    type: number,
    command: number | bigint,
    ring: number = QXLRam.offset.cmdRing,
    notify: number = QxlIo.NotifyCmd,
  ): void {
    // A real driver sleeps while the ring is full, and the device's thread has its turns.
    while (this.isRingFull(ring)) {
      if (!this.machine.turn()) throw new Error("the ring is full, and stays so: a real driver would sleep");
    }
    const at = this.header + ring;
    const { ram } = this;
    const { offset } = SpiceRing;
    const prod = ram.getUint32(at + offset.prod, true);
    const item = at + SpiceRing.size + (prod % ram.getUint32(at + offset.numItems, true)) * QXLCommand.size;
    ram.setBigUint64(item, typeof command === "bigint" ? command : this.address(command), true);
    ram.setUint32(item + QXLCommand.offset.type, type, true);
    const next = (prod + 1) >>> 0;
    ram.setUint32(at + offset.prod, next, true);
    if (next === ram.getUint32(at + offset.notifyOnProd, true)) this.out(notify);
  }

  /** qxl_garbage_collect: walks every list that the device handed over. */
  collect(): void {
    const at = this.header + QXLRam.offset.releaseRing;
    const { ram } = this;
    const { offset } = SpiceRing;
    for (;;) {
      const cons = ram.getUint32(at + offset.cons, true);
      const prod = ram.getUint32(at + offset.prod, true);
      if (cons === prod) {
        ram.setUint32(at + offset.notifyOnProd, prod + 1, true);
        return;
      }
      let id = ram.getBigUint64(at + SpiceRing.size + (cons % 8) * 8, true);
      ram.setUint32(at + offset.cons, cons + 1, true);
      while (id !== 0n) {
        const command = this.live.get(id);
        if (command === undefined) throw new Error(`the device released ${id}, which it does not have`);
        const next = ram.getBigUint64(command, true);
        this.live.delete(id);
        this.released.push(id);
        id = next;
      }
    }
  }

  /** Everything the device has collected, by FLUSH_RELEASE. */
  flushReleases(): void {
    this.out(QxlIo.FlushRelease);
    this.collect();
  }

  /** qxl_irq_handler. */
  #interrupt(): void {
    const at = this.header + QXLRam.offset.intPending;
    const pending = this.ram.getUint32(at, true);
    this.ram.setUint32(at, 0, true);
    if (pending & QxlInterrupt.Display) this.collect();
    if (pending & QxlInterrupt.IoCmd) this.completions++;
    if (pending & QxlInterrupt.Error) this.errors++;
    if (pending & QxlInterrupt.Client) this.clientChanges++;
    if (pending & QxlInterrupt.ClientMonitorsConfig) this.clientMonitorsChanges++;
    this.machine.device.ioWrite(QxlIo.UpdateIrq, 0);
  }
}

export function rect(left: number, top: number, width: number, height: number): Rect {
  return { top, left, bottom: top + height, right: left + width };
}
