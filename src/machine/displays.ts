/** Several displays of one machine: who gets which of a client's heads, and where a client's pointer lies on the guest's one tablet. */
import type { ClientHead } from "../dispatch/messages.ts";
import type { RedHead } from "../protocol/red-command.ts";
import type { QxlDevice } from "../qxl/index.ts";
import { DISPLAY_PITCH_PIXELS } from "./limits.ts";

/** Marker (see devices/serial-log.ts) of a guest whose displays lie in a row, each {@link DISPLAY_PITCH_PIXELS} after the one before. */
export const ROW_MARKER = "displays-in-a-row";

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** A place on the tablet, in a coordinate system of that size. */
export type TabletPlace = Point & Size;

type MonitorsDevice = Pick<QxlDevice, "clientMonitorsConfig">;

const isOn = (head: ClientHead | undefined): head is ClientHead =>
  head !== undefined && head.width > 0 && head.height > 0;

/**
 * Offers a client's heads to the drivers: all of them to one device, head n to device n of several. A head that is switched off there
 * changes nothing: the device shows what it showed. As in spice-server they are the agent's if one of the drivers does not listen.
 */
export function offerHeads(devices: readonly MonitorsDevice[], heads: readonly ClientHead[]): boolean {
  const [first] = devices;
  if (devices.length === 1) return first.clientMonitorsConfig(heads.filter(isOn));
  const offers = devices.flatMap((device, index) => {
    const head = heads[index];
    if (!isOn(head)) return [];
    // Each is a surface of its own, and must not reach into the next one's place.
    return [{ device, head: { ...head, x: 0, y: 0, width: Math.min(head.width, DISPLAY_PITCH_PIXELS) } }];
  });
  if (offers.length === 0) return first.clientMonitorsConfig([]);
  if (!offers.every(({ device }) => device.clientMonitorsConfig([]))) return false;
  for (const { device, head } of offers) device.clientMonitorsConfig([head]);
  return true;
}

/** One device: clients name a pixel within a head, the tablet is as large as the primary surface that the heads lie on. */
export function placeOnHead(
  heads: readonly RedHead[],
  primary: Size,
  { x, y }: Point,
  displayId: number,
): TabletPlace {
  const head = heads.find(({ id }) => id === displayId);
  return { x: x + (head?.x ?? 0), y: y + (head?.y ?? 0), ...primary };
}

/** Several devices in a row: the tablet spans from the first one's left edge to the last one's right. */
export function placeInRow(
  devices: readonly Pick<QxlDevice, "primarySize">[],
  { x, y }: Point,
  displayId: number,
): TabletPlace {
  const size = { width: 0, height: 0 };
  for (const [index, { primarySize }] of devices.entries()) {
    if (primarySize === undefined) continue;
    size.width = Math.max(size.width, index * DISPLAY_PITCH_PIXELS + primarySize.width);
    size.height = Math.max(size.height, primarySize.height);
  }
  return { x: x + displayId * DISPLAY_PITCH_PIXELS, y, ...size };
}
