/**
 * How many messages pass each edge between two threads for one thing that happens. Counted on the real core, red worker and device in the
 * simulated world, so the figures are the same on every machine.
 */
import { inputsChannel } from "../../src/protocol/index.ts";
import { rect } from "../../src/qxl/driver.testing.ts";
import { SimulatedHost } from "../../src/simulation/host.testing.ts";
import type { SimulatedClient } from "../../src/simulation/client.testing.ts";
import type { SimulatedPage } from "../../src/simulation/host.testing.ts";
import type { SimulatedThread } from "../../src/simulation/world.testing.ts";
import { SimulatedWorld } from "../../src/simulation/world.testing.ts";

/** Things that happen one after the other, or at once, for a figure per thing. */
const TIMES = 100;
/** Milliseconds of the world between two of them: they do not meet. */
const APART_MS = 25;
/** Milliseconds until nothing is left over of what happened before. */
const REST_MS = 2_000;

/** Messages by edge ("core → red"), for one thing that happened. */
export type Edges = Readonly<Record<string, number>>;

interface Scene {
  readonly world: SimulatedWorld;
  readonly page: SimulatedPage;
  readonly clients: readonly SimulatedClient[];
}

/** What happens, by name. */
const EVENTS: Readonly<Record<string, (scene: Scene, index: number) => Promise<unknown>>> = {
  "drawn command": ({ page }, index) => page.guestThread.run(() => draw(page, 1, index)),
  "key, down and up": ({ clients: [client] }) =>
    client.thread.run(() => {
      const inputs = client.channel("inputs")!;
      inputs.send(inputsChannel.client.keyDown, { code: 0x1e });
      inputs.send(inputsChannel.client.keyUp, { code: 0x9e });
    }),
  "pointer motion": ({ clients: [client] }, index) =>
    client.thread.run(() =>
      client
        .channel("inputs")!
        .send(inputsChannel.client.mouseMotion, { dx: (index % 3) - 1, dy: 1, buttonsState: 0 }),
    ),
};

function draw(page: SimulatedPage, count: number, from: number): void {
  const { driver, machine } = page.guest;
  for (let i = 0; i < count; i++) {
    const at = ((from + i) * 7) % 40;
    driver.drawFill(rect(at, 3, at + 9, 9), (from + i) * 977);
  }
  while (machine.turn());
  driver.serviceInterrupts();
}

/** Messages per thing, with so many clients connected, by what happens. */
export async function countEdges(clientCount: number): Promise<Readonly<Record<string, Edges>>> {
  using world = new SimulatedWorld(1);
  const host = new SimulatedHost(world);
  await host.startCore({ name: "simulated", allowMultipleClients: true });
  const page = await host.openPage();
  await world.pass(REST_MS);
  const clients: SimulatedClient[] = [];
  for (let i = 0; i < clientCount; i++) clients.push(await host.join());
  const scene = { world, page, clients };
  const counted: Record<string, Edges> = {};
  for (const [name, happen] of Object.entries(EVENTS)) {
    counted[name] = await count(scene, async () => {
      for (let i = 0; i < TIMES; i++) {
        await happen(scene, i);
        await world.pass(APART_MS);
      }
    });
  }
  counted[`drawn command, ${TIMES} at once`] = await count(scene, () =>
    page.guestThread.run(() => draw(page, TIMES, 0)),
  );
  if (world.faults.length > 0) throw new Error(world.faults.join("\n"));
  return counted;
}

async function count({ world }: Scene, body: () => Promise<unknown>): Promise<Edges> {
  await world.pass(REST_MS);
  const edges = new Map<string, number>();
  world.onPosted = (from, to) => {
    const edge = `${kindOf(from)} → ${kindOf(to)}`;
    edges.set(edge, (edges.get(edge) ?? 0) + 1);
  };
  await body();
  await world.pass(REST_MS);
  world.onPosted = undefined;
  return Object.fromEntries(
    [...edges]
      .map(([edge, messages]) => [edge, messages / TIMES] as const)
      .toSorted(([a], [b]) => (a < b ? -1 : 1)),
  );
}

/** "red:1:0" and "client 2" are of a kind. */
const kindOf = ({ name }: SimulatedThread): string => /^[a-z]+/.exec(name)?.[0] ?? name;
