/**
 * Our devices inside v86's own state, so that one file holds one moment of the whole machine; and two repairs of v86's restore:
 * registers that it would forget, and BARs that it has no size for.
 */
import { StateRefusedError } from "../../state/errors.ts";
import type { V86Cpu, V86Pci, V86PciDevice } from "./v86-private.ts";

/** Slot in v86's state array; v86 uses those below 100. */
const DEVICE_SLOT = 120;
/** BAR 0 in a configuration space of 32 bit words. */
const FIRST_BAR = 4;

/** A device of ours. States are made of numbers, strings, booleans, null, typed arrays, arrays of these, and v86 objects with get_state. */
export interface StatefulDevice {
  saveState(): unknown[];
  restoreState(state: readonly unknown[]): void;
}

/** Puts the devices' states into v86's. The order of `devices` is part of the format. */
export const embedDevices = (cpu: V86Cpu, devices: readonly StatefulDevice[]): void => {
  const getState = cpu.get_state.bind(cpu);
  const setState = cpu.set_state.bind(cpu);
  cpu.get_state = () => {
    const state = getState();
    state[DEVICE_SLOT] = devices.map((device) => device.saveState());
    return state;
  };
  cpu.set_state = (state) => {
    const own = state[DEVICE_SLOT];
    if (!Array.isArray(own) || own.length !== devices.length) {
      throw new StateRefusedError("content", "it does not hold the states of this machine's devices");
    }
    keepingRegisterViews(cpu, () => setState(state));
    for (const [index, device] of devices.entries()) device.restoreState(own[index] as unknown[]);
  };
};

/**
 * v86 replaces its views of three registers by plain copies out of the state: the registers in wasm keep old values, and
 * the next save writes stale ones. Put the values into the views and the views back.
 */
const keepingRegisterViews = (cpu: V86Cpu, restore: () => void): void => {
  const { last_result: lastResult, fpu_status_word: fpuStatusWord, mxcsr } = cpu;
  restore();
  if (cpu.last_result !== lastResult) lastResult[0] = cpu.last_result[0];
  if (cpu.fpu_status_word !== fpuStatusWord) fpuStatusWord[0] = cpu.fpu_status_word[0];
  if (cpu.mxcsr !== mxcsr) mxcsr[0] = cpu.mxcsr[0];
  cpu.last_result = lastResult;
  cpu.fpu_status_word = fpuStatusWord;
  cpu.mxcsr = mxcsr;
};

/**
 * v86 cannot restore an I/O BAR that it has no size for; its IDE function begins with four. The BIOS clears them, but a
 * machine may be saved before. Clear them from the start.
 */
export const clearUnsizedBars = ({ devices, device_spaces: spaces }: V86Pci): void => {
  for (const [id, device] of devices.entries()) {
    const { pci_bars: bars } = (device ?? { pci_bars: [] }) as Pick<V86PciDevice, "pci_bars">;
    for (let index = 0; index < bars.length; index++) {
      const space = spaces[id];
      if (!bars[index] && space) space[FIRST_BAR + index] = 0;
    }
  }
};
