/** What the machine needs of its display device, so that it can be made with the QXL device or with a stand-in. */
import type { ClientHead } from "../dispatch/messages.ts";
import type { ApertureLayout, GuestMemory } from "./memory-map.ts";
import type { StatefulDevice } from "./state.ts";

/** The machine as the device sees it. */
export interface DisplayBus {
  readonly memory: GuestMemory;
  readonly layout: ApertureLayout;
  raiseIrq(): void;
  lowerIrq(): void;
  /** The device has gone to VGA mode: the legacy core's picture is shown from now on. */
  enterVga(): void;
  /** The device leaves VGA mode, called before it creates its primary. */
  leaveVga(): void;
}

export interface DisplayDevice extends StatefulDevice {
  /** A byte written to BAR3 + `offset`. */
  ioWrite(offset: number, value: number): void;
  /** A VGA register is about to be written: outside VGA mode that brings VGA back. */
  vgaWrite(): void;
  /** Size of the driver's primary, undefined in VGA mode. */
  readonly primarySize: { width: number; height: number } | undefined;
  clientMonitorsConfig(heads: readonly ClientHead[]): boolean;
  /** Hard reset, into VGA mode. */
  reset(): void;
  /** Sends all surfaces, the cursor and the monitors again. */
  resync(): void;
}

export type DisplayDeviceFactory = (bus: DisplayBus) => DisplayDevice;
