import type { Dispatcher, RedWorkerMessages, SurfacePixels } from "../dispatch/index.ts";
import { ChannelType } from "../protocol/index.ts";
import { STOP_DEADLINE_MS } from "./limits.ts";
import type { QxlChannelOwner } from "./qxl-channel.ts";
import { QxlChannel } from "./qxl-channel.ts";
import type { RedClient } from "./red-client.ts";
import { ThreadDoor } from "./thread-door.ts";

/** A QXL device: the door to its red worker, which may not be there, and its channels. */
export interface QxlDevice {
  readonly door: ThreadDoor<RedWorkerMessages>;
  readonly channels: readonly QxlChannel[];
}

/** The machine's QXL devices (RedsState.qxl_instances), by their number. Owns the doors to their red workers, and their channels. */
export class QxlDevices {
  readonly #devices: QxlDevice[] = [];
  readonly #owner: QxlChannelOwner;

  constructor(owner: QxlChannelOwner) {
    this.#owner = owner;
  }

  get length(): number {
    return this.#devices.length;
  }

  get doors(): readonly ThreadDoor<RedWorkerMessages>[] {
    return this.#devices.map(({ door }) => door);
  }

  /** One device more. @returns its channels, which nobody knows yet */
  add(): QxlDevice {
    const door = new ThreadDoor<RedWorkerMessages>("red");
    const id = this.#devices.length;
    const types = [ChannelType.Display, ChannelType.Cursor];
    const device = { door, channels: types.map((type) => new QxlChannel(type, id, door, this.#owner)) };
    this.#devices.push(device);
    return device;
  }

  /** Takes the last device off; its door is the caller's to close, when its channels are gone. */
  remove(): QxlDevice | undefined {
    return this.#devices.pop();
  }

  /** A device's red worker is there: the clients' channels go on with it. */
  attach(qxl: Dispatcher<RedWorkerMessages>, display: number, clients: readonly RedClient[]): void {
    const device = this.#devices[display];
    if (device === undefined) return;
    device.door.open(qxl);
    for (const client of clients) {
      for (const channel of device.channels) channel.resume(client);
    }
  }

  /** A device's red worker is gone. */
  detach(display: number): void {
    this.#devices[display]?.door.shut();
  }

  /** Pixels of a surface, after everything that the guest has drawn so far; waits while there is no red worker. */
  async readSurface(surfaceId: number, display: number): Promise<SurfacePixels> {
    const device = this.#devices[display];
    if (device === undefined) throw new RangeError(`the machine has no display ${display}`);
    return device.door.call("readSurface", { surfaceId });
  }

  /** STOP: resolves when every red worker that is there has carried out and sent all that came to it. Never rejects. */
  async stop(): Promise<void> {
    const options = { deadlineMs: STOP_DEADLINE_MS };
    // One that dies, or hangs, over it has nothing more to send.
    await Promise.allSettled(this.doors.map(({ dispatcher }) => dispatcher?.call("stop", {}, [], options)));
  }

  /** No red worker comes any more; those that are there have no clients left. */
  close(reason: string): void {
    for (const { door } of this.#devices) {
      door.send("closeWorker", {});
      door.close(reason);
    }
  }
}
