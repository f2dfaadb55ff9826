import type { CommandProcessor } from "./command-processor.ts";
import type { DeviceMemory } from "./device-memory.ts";
import { QxlStateError } from "./errors.ts";
import type { MemorySlots } from "./memory-slots.ts";
import type { ReleaseList } from "./release-list.ts";
import type { QxlState } from "./state.ts";
import { restoreCursor, surfaceFromState } from "./state.ts";
import type { DeviceSurface } from "./surface-table.ts";

/** The parts of a device that have state of their own. */
export interface RestoredParts {
  readonly memory: DeviceMemory;
  readonly slots: MemorySlots;
  readonly processor: CommandProcessor;
  readonly releases: ReleaseList;
  readonly nSurfaces: number;
}

/**
 * Brings the parts into a saved state. Everything is checked against the memory, for a state file is as untrusted as a guest.
 * @throws QxlStateError
 */
export function restoreParts(parts: RestoredParts, state: QxlState): void {
  const { memory, slots, processor, releases } = parts;
  processor.reset();
  if (!slots.restore(state.slots)) throw new QxlStateError("its memory slots do not fit the BARs");
  for (const saved of state.surfaces) {
    const surface = surfaceFromState(saved);
    if (!fits(parts, surface)) throw new QxlStateError(`surface ${surface.id} does not fit the memory`);
    if (surface.created && !isAddress(memory, surface.created.info)) {
      throw new QxlStateError(`surface ${surface.id} has no command`);
    }
    processor.surfaces.add(surface);
  }
  const { last, count } = state.releases;
  if (last !== null && !isAddress(memory, last)) throw new QxlStateError("its release list leads nowhere");
  releases.restore(last ?? undefined, last === null ? 0 : count);
  restoreCursor(processor.cursor, state.cursor);
  processor.compat = state.mode === "compat";
  processor.compat16 = state.compat16;
}

function fits({ processor, nSurfaces }: RestoredParts, surface: DeviceSurface): boolean {
  const { id, bank } = surface;
  return (
    Number.isInteger(id) && id >= 0 && id < nSurfaces && isBank(bank) && processor.surfaces.isValid(surface)
  );
}

function isAddress(
  memory: DeviceMemory,
  { bank, offset }: { readonly bank: number; readonly offset: number },
): boolean {
  return (
    isBank(bank) && Number.isSafeInteger(offset) && offset >= 0 && offset + 8 <= memory.bytes(bank).length
  );
}

function isBank(bank: number): bank is 0 | 1 {
  return bank === 0 || bank === 1;
}
