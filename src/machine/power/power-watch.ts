/**
 * Notices on the machine's own lines that its run has ended or begins again: power-off, a processor that stands still for ever, reset
 * registers. It looks at the CPU and its ports, so it holds for any guest.
 */
import { SPIN_CHECK_MS } from "../limits.ts";
import type { EndedMachine } from "./power.ts";
import type { V86Cpu, V86Emulator } from "../v86/v86-private.ts";

/** PM1a_CNT where QEMU, and where Bochs and v86, have it. We have no ACPI tables, but small systems write there unasked. */
const PM1A_CONTROL_PORTS: readonly number[] = [0x604, 0xb004];
/** SLP_EN of PM1a_CNT. */
const SLEEP_ENABLE = 1 << 13;
/** PIIX3's reset control register; bit 2 resets. */
const RESET_CONTROL_PORT = 0xcf9;
const RESET_CPU = 1 << 2;
/** System control port A; bit 0 resets, bit 1 is A20. */
const SYSTEM_CONTROL_PORT = 0x92;
const FAST_RESET = 1 << 0;

const FLAG_INTERRUPT = 1 << 9;
const CS = 1;
/** PE of CR0. */
const PROTECTED_MODE = 1 << 0;
const GATE_BYTES = 8;
const DOUBLE_FAULT = 8;
/** `jmp $`, little-endian. */
const JUMP_TO_ITSELF = 0xfeeb;

/** Whether the CPU is halted with interrupts off: v86 has no NMI, nothing can wake it. */
export const standsStill = (cpu: V86Cpu): boolean =>
  cpu.in_hlt[0] !== 0 && (cpu.flags[0] & FLAG_INTERRUPT) === 0;

/**
 * Whether the CPU runs in the BIOS's own segment (F000, or APM's 32 bit segments over it). SeaBIOS halts there for good only when
 * APM's "set power state: off" was called: by a kernel, or by INT 15h.
 */
const isInBios = (cpu: V86Cpu): boolean => (cpu.segment_offsets[CS] & 0xfffff) === 0xf0000;

/** Whether the CPU jumps on the spot with interrupts off, as some systems' last instruction does. */
const spinsForEver = (cpu: V86Cpu): boolean => {
  if (cpu.in_hlt[0] !== 0 || (cpu.flags[0] & FLAG_INTERRUPT) !== 0) return false;
  const address = cpu.instruction_pointer[0];
  // Two bytes on one page: a translation could fault on the next.
  if ((address & 0xfff) === 0xfff) return false;
  const physical = cpu.translate_address_system_read(address);
  return (cpu.read8(physical) | (cpu.read8(physical + 1) << 8)) === JUMP_TO_ITSELF;
};

/**
 * Whether the CPU could not deliver a double fault: the IDT is too short for it. A PC then resets itself; v86 throws. In real mode v86
 * does not look at the limit.
 */
export const canTripleFault = (cpu: V86Cpu): boolean =>
  (cpu.cr[0] & PROTECTED_MODE) !== 0 && cpu.idtr_size[0] < DOUBLE_FAULT * GATE_BYTES + GATE_BYTES - 1;

/** Owner disposes. */
export class PowerWatch implements Disposable {
  readonly #cpu: V86Cpu;
  readonly #ended: (ended: EndedMachine) => void;
  #timer: ReturnType<typeof setInterval> | undefined;

  /** `ended` is called inside the guest's own instruction, or from a timer; resets go to `cpu.reboot_internal`. */
  constructor(emulator: V86Emulator, ended: (ended: EndedMachine) => void) {
    const { cpu } = emulator.v86;
    this.#cpu = cpu;
    this.#ended = ended;
    emulator.add_listener("cpu-event-halt", () => this.#halted());
    this.#watchPowerOff();
    this.#watchResets();
  }

  /** While the machine runs, looks now and then for what no event tells. */
  start(): void {
    this.#timer ??= setInterval(() => this.check(), SPIN_CHECK_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** One look at the CPU, between two slices. */
  check(): void {
    if (standsStill(this.#cpu)) this.#halted();
    else if (spinsForEver(this.#cpu)) this.#ended({ end: "halted" });
  }

  [Symbol.dispose](): void {
    this.stop();
  }

  #halted(): void {
    this.#ended({ end: isInBios(this.#cpu) ? "poweredOff" : "halted" });
  }

  #watchPowerOff(): void {
    const owner = { name: "pm1a" };
    const write = (value: number): void => {
      if (value & SLEEP_ENABLE) this.#ended({ end: "poweredOff" });
    };
    const ignored = (): void => {};
    for (const port of PM1A_CONTROL_PORTS) {
      this.#cpu.io.register_write(port, owner, ignored, write, write);
      this.#cpu.io.register_write(port + 1, owner, (high) => write(high << 8), ignored, ignored);
    }
  }

  /** v86 resets only when bit 2 of 0xCF9 follows bit 1, and not by 0x92 at all. */
  #watchResets(): void {
    const cpu = this.#cpu;
    for (const [port, bit] of [
      [RESET_CONTROL_PORT, RESET_CPU],
      [SYSTEM_CONTROL_PORT, FAST_RESET],
    ] as const) {
      const entry = cpu.io.ports[port];
      const write8 = entry.write8;
      entry.write8 = function resets(this: object, value) {
        if (value & bit) cpu.reboot_internal();
        else write8.call(this, value);
      };
    }
  }
}
