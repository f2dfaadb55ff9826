/** Machines for tests: the real v86, with a firmware of zeros where the test does not run it. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { DataSpan, RedCommand, RedCommandBatch, RedDrawable } from "../protocol/red-command.ts";
import { RedCommandBatcher } from "../qxl/index.ts";
import { Machine } from "./machine.ts";
import type { MachineEvents, MachineOptions } from "./machine.ts";

const wasm = readFileSync(createRequire(import.meta.url).resolve("v86/build/v86.wasm"));

/** {@link MachineOptions.loadWasm} out of node_modules. */
export const loadWasm: MachineOptions["loadWasm"] = async (imports) =>
  (await WebAssembly.instantiate(wasm, imports)).instance.exports;

/** Stands at the other end of a real batcher: keeps commands, gives credit, paints what surface 0 shows. */
export class RecordingRed {
  readonly sink: RedCommandBatcher;
  /** While set, credit is held back; {@link release} gives it. */
  holding = false;
  #held = 0;
  readonly commands: RedCommand[] = [];
  width = 0;
  height = 0;
  /** 0x00RRGGBB. */
  pixels = new Uint32Array(0);

  constructor(options: { credit?: number } = {}) {
    this.sink = new RedCommandBatcher({ post: (batch) => this.#onBatch(batch), ...options });
  }

  /** Gives the credit that was held back. */
  release(): void {
    this.holding = false;
    this.sink.credit(this.#held);
    this.#held = 0;
  }

  #onBatch({ commands, data, bytes }: RedCommandBatch): void {
    const take = ({ offset, length }: DataSpan) => new Uint8Array(data.slice(offset, offset + length));
    for (const command of commands) this.#onCommand(command, take);
    if (this.holding) this.#held += bytes;
    else this.sink.credit(bytes);
  }

  #onCommand(command: RedCommand, take: (span: DataSpan) => Uint8Array): void {
    this.commands.push(command);
    if (command.type === "surfaceCreate" && command.surfaceId === 0) {
      this.width = command.width;
      this.height = command.height;
      this.pixels = new Uint32Array(command.width * command.height);
      if (command.data) this.#blit(take(command.data), command.stride, 0, 0, command.width, command.height);
    } else if (command.type === "reset" || (command.type === "surfaceDestroy" && command.surfaceId === 0)) {
      this.width = 0;
      this.height = 0;
    } else if (command.type === "draw" && command.surfaceId === 0) {
      this.#draw(command, take);
    }
  }

  #draw({ bbox, operation }: RedDrawable, take: (span: DataSpan) => Uint8Array): void {
    const [width, height] = [bbox.right - bbox.left, bbox.bottom - bbox.top];
    if (operation.type === "fill" && operation.brush.type === "solid") {
      for (let y = bbox.top; y < bbox.bottom; y++) {
        this.pixels.fill(operation.brush.color, y * this.width + bbox.left, y * this.width + bbox.right);
      }
    } else if (operation.type === "copy" && operation.src.kind === "bitmap") {
      const { stride, data } = operation.src;
      const { top, left } = operation.srcArea;
      this.#blit(take(data).subarray(top * stride + left * 4), stride, bbox.left, bbox.top, width, height);
    }
  }

  #blit(bytes: Uint8Array, stride: number, left: number, top: number, width: number, height: number): void {
    for (let y = 0; y < Math.min(height, this.height - top); y++) {
      for (let x = 0; x < Math.min(width, this.width - left); x++) {
        const at = y * stride + x * 4;
        this.pixels[(top + y) * this.width + left + x] =
          bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16);
      }
    }
  }
}

/** Events that a test records. */
export const silentEvents = (events: Partial<MachineEvents> = {}): MachineEvents => ({
  agentData: async () => {},
  agentState: () => {},
  tabletState: () => {},
  displaysArranged: () => {},
  leds: () => {},
  bootMarker: () => {},
  rebooted: () => {},
  ended: () => {},
  failed: () => {},
  ...events,
});

/** A machine of 64 MiB that holds no code; tests play the guest by touching its ports and memory. */
export const makeBareMachine = (options: Partial<MachineOptions> = {}): Promise<Machine> =>
  Machine.create({
    level: "test",
    buildId: "test-build",
    memoryMiB: 64,
    bios: new ArrayBuffer(0x10000),
    vgaBios: new ArrayBuffer(0x8000),
    loadWasm,
    sink: new RecordingRed().sink,
    events: silentEvents(),
    ...options,
  });

/** A byte written to a port, as the guest's CPU would. */
export const outb = (machine: Machine, port: number, value: number): void => {
  const entry = machine.emulator.v86.cpu.io.ports[port];
  entry.write8.call(entry.device, value);
};

export const outw = (machine: Machine, port: number, value: number): void => {
  const entry = machine.emulator.v86.cpu.io.ports[port];
  entry.write16.call(entry.device, value);
};

export const outl = (machine: Machine, port: number, value: number): void => {
  const entry = machine.emulator.v86.cpu.io.ports[port];
  entry.write32.call(entry.device, value);
};

/** A byte read from a port, as the guest's CPU would. */
export const inb = (machine: Machine, port: number): number => {
  const entry = machine.emulator.v86.cpu.io.ports[port];
  return entry.read8.call(entry.device, port);
};

export const inl = (machine: Machine, port: number): number => {
  const entry = machine.emulator.v86.cpu.io.ports[port];
  return entry.read32.call(entry.device, port);
};

/** A bzImage with two setup sectors and 16 bytes of kernel. */
export const tinyKernel = (change: (view: DataView) => void = () => {}): ArrayBuffer => {
  const bytes = new Uint8Array(3 * 512 + 16).fill(0xcc, 3 * 512);
  const view = new DataView(bytes.buffer);
  view.setUint8(0x1f1, 2);
  view.setUint16(0x1fe, 0xaa55, true);
  view.setUint32(0x202, 0x53726448, true);
  view.setUint16(0x206, 0x20f, true);
  view.setUint8(0x211, 0x61);
  view.setUint32(0x238, 255, true);
  change(view);
  return bytes.buffer;
};
