/** Machines for tests: the real v86, with a firmware of zeros where the test does not run it. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { DataSpan, RedCommand } from "../protocol/red-command.ts";
import type { RedCommandSink } from "./command-sink.ts";
import type { DisplayDevice } from "./display-device.ts";
import { Machine } from "./machine.ts";
import type { MachineEvents, MachineOptions } from "./machine.ts";

const wasm = readFileSync(createRequire(import.meta.url).resolve("v86/build/v86.wasm"));

/** {@link MachineOptions.loadWasm} out of node_modules. */
export const loadWasm: MachineOptions["loadWasm"] = async (imports) =>
  (await WebAssembly.instantiate(wasm, imports)).instance.exports;

/** Keeps commands and paints surface 0 as a red worker would, for the commands that the scan-out sends. */
export class RecordingSink implements RedCommandSink {
  creditAvailable = true;
  readonly commands: RedCommand[] = [];
  width = 0;
  height = 0;
  pixels = new Uint32Array(0);
  #spans = new Map<number, Uint8Array>();
  #offset = 0;

  span(bytes: Uint8Array): DataSpan {
    const span = { offset: this.#offset, length: bytes.length };
    this.#spans.set(span.offset, bytes.slice());
    this.#offset += bytes.length;
    return span;
  }

  push(command: RedCommand): void {
    this.commands.push(command);
    if (command.type === "surfaceCreate") {
      this.width = command.width;
      this.height = command.height;
      this.pixels = new Uint32Array(command.width * command.height);
      if (command.data) this.pixels.set(this.#words(command.data));
    } else if (command.type === "surfaceDestroy") {
      this.width = 0;
      this.height = 0;
    } else if (
      command.type === "draw" &&
      command.operation.type === "copy" &&
      command.operation.src.kind === "bitmap"
    ) {
      const { top, left, bottom, right } = command.bbox;
      const words = this.#words(command.operation.src.data);
      for (let y = top; y < bottom; y++) {
        const row = words.subarray((y - top) * (right - left), (y - top + 1) * (right - left));
        this.pixels.set(row, y * this.width + left);
      }
    }
  }

  flush(): void {}

  #words({ offset }: DataSpan): Uint32Array {
    const bytes = this.#spans.get(offset) ?? new Uint8Array(0);
    return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
  }
}

/** A display that never leaves VGA mode. */
export const vgaOnlyDisplay = (): DisplayDevice => ({
  ioWrite: () => {},
  vgaWrite: () => {},
  primarySize: undefined,
  clientMonitorsConfig: () => false,
  reset: () => {},
  resync: () => {},
  saveState: () => [],
  restoreState: () => {},
});

/** Events that a test records. */
export const silentEvents = (events: Partial<MachineEvents> = {}): MachineEvents => ({
  agentData: async () => {},
  agentState: () => {},
  tabletState: () => {},
  leds: () => {},
  bootMarker: () => {},
  rebooted: () => {},
  failed: () => {},
  ...events,
});

/** A machine of 64 MiB that holds no code; tests play the guest by touching its ports and memory. */
export const makeBareMachine = async (options: Partial<MachineOptions> = {}): Promise<Machine> => {
  const machine = await Machine.create({
    level: "test",
    buildId: "test-build",
    memoryMiB: 64,
    bios: new ArrayBuffer(0x10000),
    vgaBios: new ArrayBuffer(0x8000),
    loadWasm,
    sink: new RecordingSink(),
    makeDisplay: vgaOnlyDisplay,
    events: silentEvents(),
    ...options,
  });
  clearLegacyIdeBars(machine);
  return machine;
};

/** v86 cannot restore its IDE function's legacy BARs; every BIOS clears them, and no BIOS has run here. */
const clearLegacyIdeBars = (machine: Machine): void => {
  const { devices, device_spaces: spaces } = machine.emulator.v86.cpu.devices.pci;
  for (const [id, device] of devices.entries()) {
    const { pci_bars: bars } = (device ?? { pci_bars: [] }) as { pci_bars: readonly (object | undefined)[] };
    for (const [index, bar] of bars.entries()) {
      const space = spaces[id];
      if (!bar && space) space[4 + index] = 0;
    }
  }
};

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
