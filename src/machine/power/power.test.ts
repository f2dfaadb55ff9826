import { expect, test, vi } from "vitest";
import { MachineEndedError } from "../errors.ts";
import { StateRefusedError } from "../../state/errors.ts";
import { PANIC_CHECK_MS, PANIC_CHECKS, PANIC_LINGER_MS } from "../limits.ts";
import { QxlIo } from "../../protocol/index.ts";
import { makeBareMachine, RecordingRed, silentEvents } from "../machine.testing.ts";
import type { Machine, MachineOptions } from "../machine.ts";
import { PanicWatch } from "./panic-watch.ts";
import { QXL_IO_PORT } from "../devices/pci-function.ts";
import type { EndedMachine } from "./power.ts";
import { endWords } from "./power.ts";
import { collect, restorable } from "../../state/state-transfer.ts";
import { biosOf, bootSectorBios, TRIPLE_FAULT } from "../tiny-bios.testing.ts";
import { eventually } from "../../waiting.testing.ts";

const CLI_HLT = [0xfa, 0xf4, 0xeb, 0xfc];
const JUMP_TO_ITSELF = [0xeb, 0xfe];

interface Run {
  readonly machine: Machine;
  /** What the machine told, in order. */
  readonly told: string[];
}

/** A machine that runs `bios`. */
const boot = async (bios: ArrayBuffer, options: Partial<MachineOptions> = {}): Promise<Run> => {
  const told: string[] = [];
  const machine = await makeBareMachine({
    bios,
    events: silentEvents({
      ended: ({ end }) => void told.push(end),
      rebooted: () => void told.push("rebooted"),
      failed: (error) => void told.push(`failed: ${error.message}`),
    }),
    ...options,
  });
  machine.run();
  return { machine, told };
};

const standsStill = ({ machine }: Run) => !machine.running && !machine.emulator.v86.running;

test.each([
  ["a halt with interrupts off", bootSectorBios(CLI_HLT), "halted"],
  ["a jump on the spot with interrupts off", bootSectorBios(JUMP_TO_ITSELF), "halted"],
  ["APM's power-off, which halts inside the BIOS", biosOf(CLI_HLT), "poweredOff"],
  [
    "SLP_EN at QEMU's PM1a_CNT",
    bootSectorBios([0xba, 0x04, 0x06, 0xb8, 0x00, 0x20, 0xef, ...CLI_HLT]),
    "poweredOff",
  ],
  ["its high byte alone", bootSectorBios([0xba, 0x05, 0x06, 0xb0, 0x20, 0xee, ...CLI_HLT]), "poweredOff"],
  [
    "SLP_EN at Bochs' PM1a_CNT",
    bootSectorBios([0xba, 0x04, 0xb0, 0xb8, 0x00, 0x3c, 0xef, ...CLI_HLT]),
    "poweredOff",
  ],
])("%s ends the run, once, and stops the CPU", async (_name, bios, end) => {
  const run = await boot(bios);
  await using machine = run.machine;
  await eventually(() => standsStill(run));
  expect(run.told).toEqual([end]);
  expect(machine.ended).toEqual({ end });
  expect(() => collect(machine)).toThrow(MachineEndedError);
  expect(() => machine.reset()).toThrow(MachineEndedError);
  machine.run();
  expect(machine.running).toBe(false);
});

test.each([
  ["a CPU that waits for an interrupt", [0xfb, 0xf4, 0xeb, 0xfd]],
  ["a jump on the spot that an interrupt can end", [0xfb, ...JUMP_TO_ITSELF]],
  ["a PM1a_CNT without SLP_EN", [0xba, 0x04, 0x06, 0xb8, 0x00, 0x1c, 0xef, 0xfb, 0xf4, 0xeb, 0xfd]],
])("%s is no end", async (_name, code) => {
  const run = await boot(bootSectorBios(code));
  await using machine = run.machine;
  const { cpu } = machine.emulator.v86;
  // It has come as far as its last instruction.
  await eventually(() => (cpu.flags[0] & 0x200) !== 0);
  const { instructions } = machine.stats();
  await eventually(() => machine.stats().instructions > instructions || cpu.in_hlt[0] !== 0);
  expect(run.told).toEqual([]);
  expect(machine.running).toBe(true);
  collect(machine);
});

test.each([
  ["the keyboard controller", bootSectorBios([0xb0, 0xfe, 0xe6, 0x64, ...JUMP_TO_ITSELF])],
  ["the reset control register", bootSectorBios([0xba, 0xf9, 0x0c, 0xb0, 0x06, 0xee, ...JUMP_TO_ITSELF])],
  ["system control port A", bootSectorBios([0xb0, 0x01, 0xe6, 0x92, ...JUMP_TO_ITSELF])],
  ["a triple fault", bootSectorBios(TRIPLE_FAULT)],
])("a reset by %s is told, and the machine begins again", async (_name, bios) => {
  const silenced = vi.spyOn(console, "error").mockImplementation(() => {});
  const run = await boot(bios);
  await using machine = run.machine;
  await eventually(() => run.told.length >= 3);
  expect(run.told.slice(0, 3)).toEqual(["rebooted", "rebooted", "rebooted"]);
  expect(machine.ended).toBeUndefined();
  expect(machine.running).toBe(true);
  silenced.mockRestore();
});

test("a reset in the instruction behind a power-off wins, as it does on a PC's reset line", async () => {
  const run = await boot(
    bootSectorBios([0xba, 0x04, 0x06, 0xb8, 0x00, 0x20, 0xef, 0xb0, 0xfe, 0xe6, 0x64, ...JUMP_TO_ITSELF]),
  );
  await using machine = run.machine;
  await eventually(() => run.told.filter((event) => event === "rebooted").length >= 2);
  expect(machine.emulator.v86.running).toBe(true);
});

test("the screen of a machine that is off says so, also to a new red worker; a halted one keeps VGA's picture", async () => {
  const red = new RecordingRed();
  const run = await boot(biosOf(CLI_HLT), { sink: red.sink });
  await using machine = run.machine;
  await eventually(() => standsStill(run) && red.width === 720);
  expect([red.width, red.height]).toEqual([720, 400]);
  red.commands.length = 0;
  machine.resync();
  await Promise.resolve();
  expect(red.commands.map(({ type }) => type)).toContain("surfaceCreate");

  const other = new RecordingRed();
  const halted = await boot(bootSectorBios(CLI_HLT), { sink: other.sink });
  await using second = halted.machine;
  await eventually(() => standsStill(halted));
  const created = other.commands.filter(({ type }) => type === "surfaceCreate").length;
  expect(created).toBeLessThanOrEqual(1);
  expect(second.scanoutMode?.width).not.toBe(0);
});

test("the screen of a machine that has halted under a driver says so: the driver's last picture is of before", async () => {
  const red = new RecordingRed();
  const [low, high] = [(QXL_IO_PORT + QxlIo.SetMode) & 0xff, QXL_IO_PORT >> 8];
  const run = await boot(bootSectorBios([0xba, low, high, 0xb0, 0x00, 0xee, ...CLI_HLT]), { sink: red.sink });
  await using machine = run.machine;
  await eventually(() => standsStill(run) && red.width === 720);
  expect(machine.ended).toEqual({ end: "halted" });
  // The driver's screen went away for ours.
  const changes = red.commands.map(({ type }) => type).filter((type) => /^surface|^reset/.test(type));
  expect(changes.slice(-3)).toEqual(["surfaceCreate", "reset", "surfaceCreate"]);
  expect([red.width, red.height, machine.scanoutMode?.kind]).toEqual([720, 400, "text"]);
});

test("a state of a machine that stands still is refused", async () => {
  const run = await boot(bootSectorBios([0xfb, 0xf4, 0xeb, 0xfd]));
  await using machine = run.machine;
  await eventually(() => machine.emulator.v86.cpu.in_hlt[0] !== 0);
  const { v86 } = machine.emulator;
  const save = v86.save_state.bind(v86);
  v86.save_state = () => {
    // As earlier versions saved it.
    v86.cpu.in_hlt[0] = 1;
    v86.cpu.flags[0] &= ~0x200;
    return save();
  };
  const saved = collect(machine);
  await using second = await makeBareMachine();
  const refusal = await second.restoreState(restorable(saved)).catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(StateRefusedError);
  expect((refusal as StateRefusedError).refusal).toBe("ended");
});

/** The guest's driver tells the device of a panic. */
const pvpanic = (machine: Machine, value: number): void => {
  const { cpu } = machine.emulator.v86 as unknown as {
    cpu: { memory_map_write8: ((address: number, value: number) => void)[] };
  };
  cpu.memory_map_write8[0xfea00000 >>> 17](0xfea00000, value);
};

test("a panic is told at once; the kernel may finish its words, then the CPU stops", async () => {
  const ends: EndedMachine[] = [];
  await using machine = await makeBareMachine({
    bios: bootSectorBios([0xfb, ...JUMP_TO_ITSELF]),
    events: silentEvents({ ended: (ended) => void ends.push(ended) }),
  });
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  try {
    for (const character of "[    1.000000] Kernel panic - not syncing: sysrq triggered crash\r\n")
      machine.serial.push(character.charCodeAt(0));
    machine.run();
    pvpanic(machine, 2);
    expect(ends).toEqual([]);
    pvpanic(machine, 1);
    expect(ends).toEqual([{ end: "panicked", detail: "sysrq triggered crash" }]);
    expect(endWords(ends[0])).toBe("The guest's kernel has panicked: sysrq triggered crash.");
    expect(machine.running).toBe(true);
    expect(() => collect(machine)).toThrow(MachineEndedError);
    vi.advanceTimersByTime(PANIC_LINGER_MS);
    expect(machine.running).toBe(false);
    expect(ends.length).toBe(1);
  } finally {
    vi.useRealTimers();
  }
});

test("without a driver the kernel's last line counts, if nothing is said behind it and the CPU never rests", () => {
  vi.useFakeTimers();
  try {
    const last = "[    1.200000] ---[ end Kernel panic - not syncing: No working init found. ]---";
    const told: string[] = [];
    let halted = false;
    using watch = new PanicWatch({ isHalted: () => halted, panicked: (reason) => void told.push(reason) });
    const wait = () => vi.advanceTimersByTime(2 * PANIC_CHECKS * PANIC_CHECK_MS);
    watch.line("the log said: ---[ end Kernel panic - not syncing: x ]---");
    wait();
    watch.line(last);
    watch.line("root@spicetab:~#");
    wait();
    watch.line(last);
    halted = true;
    wait();
    halted = false;
    expect(told).toEqual([]);
    watch.line("[    1.100000] Kernel panic - not syncing: No working init found.");
    watch.line(last);
    wait();
    expect(told).toEqual(["No working init found."]);
    expect(watch.reason).toBe("No working init found.");
    watch.reset();
    expect(watch.reason).toBeUndefined();
  } finally {
    vi.useRealTimers();
  }
});
