/** The guest's thread without v86: the real device and both real links, and a driver that does what a seed says. */
import type { GuestMessages, Handlers } from "../dispatch/index.ts";
import { CoreLink } from "../machine/core-link.ts";
import { RedLink } from "../machine/red-link.ts";
import type { QxlDeviceOptions, QxlState } from "../qxl/index.ts";
import { TestDriver, TestMachine, rect } from "../qxl/driver.testing.ts";
import { SeededRandom } from "./random.testing.ts";

export const WIDTH = 64;
export const HEIGHT = 48;

/** Bytes of BAR1 of each off-screen surface; the primary is at its start. */
const SURFACE_BYTES = 64 * 1024;

/** A machine as it was saved, for another guest thread to go on with: its memory, and what of its device is not in it. */
export interface SavedGuest {
  readonly driver: TestDriver;
  readonly memory: TestMachine["memory"];
  readonly state: QxlState;
  readonly surfaces: readonly number[];
}

/** Costs after which the device lays a drawing aside. */
export type GuestOptions = Pick<QxlDeviceOptions, "sliceCost" | "bandCost">;

export class GuestStandIn implements Disposable {
  readonly driver: TestDriver;
  readonly red = new RedLink();
  readonly core: CoreLink;
  readonly keys: number[] = [];
  /** Off-screen surfaces that the driver has. */
  readonly surfaces = new Set<number>();

  constructor(saved?: SavedGuest, options: GuestOptions = {}) {
    const machine = new TestMachine({ sink: this.red.sink, ...options });
    this.red.serve(machine.device);
    if (saved) {
      machine.memory = saved.memory;
      this.driver = saved.driver;
      this.driver.machine = machine;
      machine.device.restoreState(saved.state);
      for (const id of saved.surfaces) this.surfaces.add(id);
    } else {
      this.driver = new TestDriver(machine);
      this.driver.reset();
      this.driver.createPrimary(WIDTH, HEIGHT);
    }
    this.core = new CoreLink({
      handlers: {
        keyScancodes: ({ bytes }) => {
          this.keys.push(...bytes);
          return 0;
        },
        mouseMotion: () => 0,
        mousePosition: () => 0,
        agentWrite: async () => {},
        clientMonitorsConfig: ({ heads }) => this.machine.device.clientMonitorsConfig(heads),
      } satisfies Handlers<GuestMessages>,
      current: () => ({ agentOpen: false, tablet: false, leds: 0 }),
    });
  }

  get machine(): TestMachine {
    return this.driver.machine;
  }

  save(): SavedGuest {
    const { driver, machine } = this;
    const state = machine.device.saveState();
    return { driver, memory: machine.memory, state, surfaces: [...this.surfaces] };
  }

  /** Another red worker draws for it from now on. */
  attachRed(port: MessagePort): void {
    this.red.attach(port);
    this.machine.device.resync();
  }

  /** So many commands, decided by the seed. */
  draw(seed: number, count: number): void {
    const random = new SeededRandom(seed);
    for (let i = 0; i < count; i++) this.#one(random);
    while (this.machine.turn());
    this.driver.serviceInterrupts();
  }

  #one(random: SeededRandom): void {
    const { driver } = this;
    const width = 1 + random.below(24);
    const height = 1 + random.below(16);
    const place = (w = WIDTH, h = HEIGHT) =>
      rect(random.below(w - width), random.below(h - height), width, height);
    const color = random.below(0x100_0000);
    const off = [...this.surfaces];
    switch (random.below(9)) {
      case 0:
      case 1:
        return void driver.drawFill(place(), color);
      case 2:
      case 3:
        return void driver.drawCopy({ bbox: place(), color });
      case 4:
        return void driver.copyBits(place(), {
          x: random.below(WIDTH - width),
          y: random.below(HEIGHT - height),
        });
      case 5: {
        const id = 1 + random.below(3);
        if (this.surfaces.has(id)) return void driver.drawFill(rect(0, 0, width, height), color, id);
        this.surfaces.add(id);
        return void driver.surfaceCreate(id, 32, 32, id * SURFACE_BYTES);
      }
      case 6: {
        const id = off[random.below(off.length)];
        if (id === undefined) return;
        this.surfaces.delete(id);
        return void driver.surfaceDestroy(id);
      }
      case 7:
        return void driver.cursorSet(8, 8, { x: random.below(WIDTH), y: random.below(HEIGHT) });
      default: {
        const clip = [rect(0, 0, 10, HEIGHT), rect(20, 0, 9, HEIGHT)];
        return void driver.drawFill(place(), color, 0, clip);
      }
    }
  }

  /** The driver's primary surface as 0x00RRGGBB words, out of its own memory. */
  pixels(): Uint32Array {
    const { vram } = this.machine.memory;
    return new Uint32Array(vram.buffer, vram.byteOffset, WIDTH * HEIGHT).map((word) => word & 0xffffff);
  }

  [Symbol.dispose](): void {
    this.red[Symbol.dispose]();
    this.core[Symbol.dispose]();
    this.machine.device[Symbol.dispose]();
  }
}
