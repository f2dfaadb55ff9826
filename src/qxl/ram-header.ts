import {
  QXLCommand,
  QXLMemSlot,
  QXLRam,
  QXL_COMMAND_RING_SIZE,
  QXL_CURSOR_RING_SIZE,
  QXL_RAM_MAGIC,
  QXL_RELEASE_RING_SIZE,
  SpiceRing,
} from "../protocol/index.ts";
import type { Rect } from "../protocol/red-command.ts";
import { BANK_RAM } from "./device-memory.ts";
import type { DeviceMemory } from "./device-memory.ts";

/** The RAM header takes the last 8 KiB of BAR0. */
export const RAM_HEADER_BYTES = 8192;

const { offset: ram } = QXLRam;
const { offset: ring } = SpiceRing;

/** One of the two rings the guest produces: items are QXLCommand. Indices are free-running u32. */
export class CommandRing {
  readonly #memory: DeviceMemory;
  readonly #at: number;
  /** Items that it can hold. */
  readonly size: number;

  constructor(memory: DeviceMemory, at: number, size: number) {
    this.#memory = memory;
    this.#at = at;
    this.size = size;
  }

  initialise(): void {
    initialiseRing(this.#view, this.#at, this.size);
  }

  /** How many items wait. More than the ring holds means that the guest destroyed its indices. */
  get waiting(): number {
    const view = this.#view;
    return (view.getUint32(this.#at + ring.prod, true) - view.getUint32(this.#at + ring.cons, true)) >>> 0;
  }

  get isCorrupt(): boolean {
    return this.waiting > this.size;
  }

  /** Forgets everything in the ring. */
  discard(): void {
    const view = this.#view;
    view.setUint32(this.#at + ring.cons, view.getUint32(this.#at + ring.prod, true), true);
  }

  /** Takes the oldest item; there must be one. `notify`: the guest waits for this one to be taken. */
  pop(): { readonly address: bigint; readonly type: number; readonly notify: boolean } {
    const view = this.#view;
    const cons = view.getUint32(this.#at + ring.cons, true);
    const item = this.#at + SpiceRing.size + (cons % this.size) * QXLCommand.size;
    const address = view.getBigUint64(item + QXLCommand.offset.data, true);
    const type = view.getUint32(item + QXLCommand.offset.type, true);
    const next = (cons + 1) >>> 0;
    view.setUint32(this.#at + ring.cons, next, true);
    return { address, type, notify: next === view.getUint32(this.#at + ring.notifyOnCons, true) };
  }

  /** The guest is to notify when it pushes the next item. */
  requestNotification(): void {
    const view = this.#view;
    view.setUint32(this.#at + ring.notifyOnProd, view.getUint32(this.#at + ring.prod, true) + 1, true);
  }

  get #view(): DataView {
    return this.#memory.view(BANK_RAM);
  }
}

/** The ring the device produces: items are heads of release lists. */
export class ReleaseRing {
  readonly #memory: DeviceMemory;
  readonly #at: number;

  constructor(memory: DeviceMemory, at: number) {
    this.#memory = memory;
    this.#at = at;
  }

  initialise(): void {
    initialiseRing(this.#view, this.#at, QXL_RELEASE_RING_SIZE);
    this.head = 0n;
  }

  get isEmpty(): boolean {
    const view = this.#view;
    return view.getUint32(this.#at + ring.prod, true) === view.getUint32(this.#at + ring.cons, true);
  }

  /** Whether the current item cannot be pushed: one more would leave none to collect the next list in. */
  get isFull(): boolean {
    const view = this.#view;
    const prod = view.getUint32(this.#at + ring.prod, true);
    const waiting = (prod - view.getUint32(this.#at + ring.cons, true)) >>> 0;
    if (waiting <= QXL_RELEASE_RING_SIZE) return waiting >= QXL_RELEASE_RING_SIZE - 1;
    // The guest destroyed an index. What it had not collected is lost to it, what comes now need not be.
    view.setUint32(this.#at + ring.cons, prod, true);
    return false;
  }

  /** The current item: the head of the list that is being collected. */
  set head(id: bigint) {
    const view = this.#view;
    const prod = view.getUint32(this.#at + ring.prod, true);
    view.setBigUint64(this.#at + SpiceRing.size + (prod % QXL_RELEASE_RING_SIZE) * 8, id, true);
  }

  /** Hands the current item to the guest. @returns whether the guest wants to be notified */
  push(): boolean {
    const view = this.#view;
    const prod = (view.getUint32(this.#at + ring.prod, true) + 1) >>> 0;
    view.setUint32(this.#at + ring.prod, prod, true);
    this.head = 0n;
    return prod === view.getUint32(this.#at + ring.notifyOnProd, true);
  }

  get #view(): DataView {
    return this.#memory.view(BANK_RAM);
  }
}

function initialiseRing(view: DataView, at: number, items: number): void {
  view.setUint32(at + ring.numItems, items, true);
  view.setUint32(at + ring.prod, 0, true);
  view.setUint32(at + ring.notifyOnProd, 1, true);
  view.setUint32(at + ring.cons, 0, true);
  view.setUint32(at + ring.notifyOnCons, 0, true);
}

/** QXLRam, at the end of BAR0. The guest writes it too: every getter reads once, and what it gives is checked by its caller. */
export class RamHeader {
  readonly commands: CommandRing;
  readonly cursors: CommandRing;
  readonly releases: ReleaseRing;
  readonly #memory: DeviceMemory;
  readonly #at: number;

  /** @param at byte of BAR0 where the header begins */
  constructor(memory: DeviceMemory, at: number) {
    this.#memory = memory;
    this.#at = at;
    this.commands = new CommandRing(memory, at + ram.cmdRing, QXL_COMMAND_RING_SIZE);
    this.cursors = new CommandRing(memory, at + ram.cursorRing, QXL_CURSOR_RING_SIZE);
    this.releases = new ReleaseRing(memory, at + ram.releaseRing);
  }

  /** As at a device reset. */
  initialise(): void {
    const view = this.#view;
    this.#memory.bytes(BANK_RAM).fill(0, this.#at, this.#at + RAM_HEADER_BYTES);
    view.setUint32(this.#at + ram.magic, QXL_RAM_MAGIC, true);
    this.commands.initialise();
    this.cursors.initialise();
    this.releases.initialise();
  }

  get pending(): number {
    return this.#view.getUint32(this.#at + ram.intPending, true);
  }

  set pending(bits: number) {
    this.#view.setUint32(this.#at + ram.intPending, bits, true);
  }

  get mask(): number {
    return this.#view.getUint32(this.#at + ram.intMask, true);
  }

  /** The text for IO LOG: up to the first NUL, other control characters replaced. */
  get logText(): string {
    const start = this.#at + ram.logBuf;
    const text = this.#memory.bytes(BANK_RAM).subarray(start, start + ram.cmdRing - ram.logBuf);
    const nul = text.indexOf(0);
    const line = Array.from(nul < 0 ? text : text.subarray(0, nul), (byte) =>
      byte < 0x20 || byte > 0x7e ? " " : String.fromCharCode(byte),
    );
    return line.join("").trimEnd();
  }

  get updateArea(): Rect {
    const view = this.#view;
    const at = this.#at + ram.updateArea;
    return {
      top: view.getInt32(at, true),
      left: view.getInt32(at + 4, true),
      bottom: view.getInt32(at + 8, true),
      right: view.getInt32(at + 12, true),
    };
  }

  get updateSurface(): number {
    return this.#view.getUint32(this.#at + ram.updateSurface, true);
  }

  /** Guest-physical addresses for MEMSLOT_ADD. */
  get memSlot(): { readonly start: bigint; readonly end: bigint } {
    const view = this.#view;
    const at = this.#at + ram.memSlot;
    return {
      start: view.getBigUint64(at + QXLMemSlot.offset.memStart, true),
      end: view.getBigUint64(at + QXLMemSlot.offset.memEnd, true),
    };
  }

  /** A copy of QXLSurfaceCreate for CREATE_PRIMARY. */
  copyCreateSurface(size: number): Uint8Array {
    const at = this.#at + ram.createSurface;
    return this.#memory.bytes(BANK_RAM).slice(at, at + size);
  }

  /** QXLPHYSICAL of the QXLMonitorsConfig for MONITORS_CONFIG_ASYNC. */
  get monitorsConfig(): bigint {
    return this.#view.getBigUint64(this.#at + ram.monitorsConfig, true);
  }

  get #view(): DataView {
    return this.#memory.view(BANK_RAM);
  }
}
