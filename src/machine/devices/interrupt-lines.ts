import type { V86Pci } from "../v86/v86-private.ts";

/**
 * Lets PCI functions share interrupt lines. v86 lowers a line when any function lowers its own, so a function that still has something
 * to say would not be heard; here the line goes up again for it, which an edge-triggered controller takes for a new interrupt, too.
 */
export const shareInterruptLines = (pci: V86Pci): void => {
  const high = new Set<number>();
  const raise = pci.raise_irq.bind(pci);
  const lower = pci.lower_irq.bind(pci);
  pci.raise_irq = (pciId) => {
    high.add(pciId);
    raise(pciId);
  };
  pci.lower_irq = (pciId) => {
    high.delete(pciId);
    lower(pciId);
    // On another line this changes nothing: it is high already.
    for (const other of high) raise(other);
  };
};
