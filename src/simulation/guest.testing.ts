/** The guest's thread without v86: the real device and both real links, and a driver that does what a seed says. */
import type { GuestMessages, Handlers } from "../dispatch/index.ts";
import { CoreLink } from "../machine/core-link.ts";
import { RedLink } from "../machine/red-link.ts";
import type { QxlDeviceOptions, QxlState } from "../qxl/index.ts";
import { TestDriver, TestMachine, rect, testMemory } from "../qxl/driver.testing.ts";
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
  readonly keys: readonly number[];
  readonly size: readonly [width: number, height: number];
}

/** Of the one machine that a world has, whichever thread it is on; and what a device begins with until that is restored. */
const [MEMORY, SCRATCH] = [testMemory(), testMemory()];

/** Costs after which the device lays a drawing aside. */
export type GuestOptions = Pick<QxlDeviceOptions, "sliceCost" | "bandCost">;

export class GuestStandIn implements Disposable {
  readonly driver: TestDriver;
  readonly red = new RedLink();
  readonly core: CoreLink;
  readonly keys: number[] = [];
  /** Off-screen surfaces that the driver has. */
  readonly surfaces = new Set<number>();
  /** Of the primary surface, in pixels. */
  size: readonly [width: number, height: number] = [WIDTH, HEIGHT];

  constructor(saved?: SavedGuest, options: GuestOptions = {}) {
    const memory = saved ? SCRATCH : MEMORY;
    if (!saved) for (const bytes of Object.values(memory)) bytes.fill(0);
    const machine = new TestMachine({ sink: this.red.sink, memory, ...options });
    this.red.serve(machine.device);
    if (saved) {
      machine.memory = saved.memory;
      this.driver = saved.driver;
      this.driver.machine = machine;
      machine.device.restoreState(saved.state);
      for (const id of saved.surfaces) this.surfaces.add(id);
      this.keys.push(...saved.keys);
      this.size = saved.size;
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
    const { driver, machine, keys, size } = this;
    const state = machine.device.saveState();
    return { driver, memory: machine.memory, state, surfaces: [...this.surfaces], keys, size };
  }

  /** The driver is loaded anew, with another mode. */
  reset(width: number, height: number): void {
    this.driver.reset();
    this.surfaces.clear();
    this.size = [width, height];
    this.driver.createPrimary(width, height);
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
    const [w, h] = this.size;
    const place = () => rect(random.below(w - width), random.below(h - height), width, height);
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
        return void driver.copyBits(place(), { x: random.below(w - width), y: random.below(h - height) });
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
        return void driver.cursorSet(8, 8, { x: random.below(w), y: random.below(h) });
      default: {
        const clip = [rect(0, 0, 10, h), rect(20, 0, 9, h)];
        return void driver.drawFill(place(), color, 0, clip);
      }
    }
  }

  /** The driver's primary surface as 0x00RRGGBB words, out of its own memory. */
  pixels(): Uint32Array {
    const { vram } = this.machine.memory;
    const [width, height] = this.size;
    return new Uint32Array(vram.buffer, vram.byteOffset, width * height).map((word) => word & 0xffffff);
  }

  [Symbol.dispose](): void {
    this.red[Symbol.dispose]();
    this.core[Symbol.dispose]();
    this.machine.device[Symbol.dispose]();
  }
}
