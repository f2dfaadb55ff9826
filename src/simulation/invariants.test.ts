/**
 * The invariants of spice-server's threading model, each on the real parts (core, red worker, QXL device, clients), in several courses of
 * events. `npm run mutants` breaks each of them in the source, and shows that its test fails then.
 */
import { expect, onTestFinished, test } from "vitest";
import { ACK_WINDOWS_IN_FLIGHT, CLIENT_ACK_WINDOW } from "../channel/index.ts";
import {
  ChannelType,
  LinkErr,
  MigrateMagic,
  QxlIo,
  baseClient,
  decodeStruct,
  displayMigrateData,
  inputsChannel,
  inputsMigrateData,
  mainChannel,
  mainMigrateData,
} from "../protocol/index.ts";
import { TEST_VGAMEM } from "../qxl/driver.testing.ts";
import { MAX_PIPE_SIZE } from "../red/index.ts";
import type { SimulatedClient } from "./client.testing.ts";
import { LinkRefusedError } from "../client/index.ts";
import type { GuestOptions } from "./guest.testing.ts";
import type { SimulatedPage } from "./host.testing.ts";
import { SimulatedHost } from "./host.testing.ts";
import { SimulatedWorld } from "./world.testing.ts";

const SEEDS = [1, 2, 3];
const SETTLED_MS = 1_000;

interface Scene {
  readonly world: SimulatedWorld;
  readonly host: SimulatedHost;
  readonly page: SimulatedPage;
}

/** A test of one invariant, in several courses of events. */
function invariant(
  name: string,
  body: (scene: Scene) => Promise<void>,
  options: { readonly allowMultipleClients?: boolean } & GuestOptions = {},
): void {
  test.each(SEEDS)(`${name} (seed %i)`, async (seed) => {
    using world = new SimulatedWorld(seed);
    const host = new SimulatedHost(world);
    const { allowMultipleClients, ...costs } = options;
    await host.startCore({ name: "simulated", allowMultipleClients });
    const page = await host.openPage(undefined, costs);
    await world.pass(SETTLED_MS);
    await body({ world, host, page });
    expect(world.faults).toEqual([]);
  });
}

const coreChannels = (host: SimulatedHost) =>
  (host.core.core.graph()?.clients ?? []).map(({ channels }) => channels.toSorted());
const redChannels = ({ red }: SimulatedPage) =>
  red.worker
    .inspect()
    .clients.map(({ channelType }) => channelType)
    .toSorted((a, b) => a - b);
const lines = (host: SimulatedHost, pattern: RegExp) => host.log.filter((line) => pattern.test(line));

/** Its channels have had nothing but serials that go on, and what they were sent made sense. */
function expectSound(client: SimulatedClient): void {
  expect(client.connections.map(({ channel }) => channel.failure).filter(Boolean)).toEqual([]);
}

/** What the client shows is what the guest has drawn. */
function expectSamePicture(client: SimulatedClient, page: SimulatedPage): void {
  expectSound(client);
  expect(
    Buffer.compare(Buffer.from(client.display!.rgb(0).buffer), Buffer.from(page.guest.pixels().buffer)),
  ).toBe(0);
}

const draw = ({ world, page }: Pick<Scene, "world" | "page">, count = 40) =>
  page.guestThread.run(() => page.guest.draw(world.events + count, count));

invariant("1: losing main loses every channel of the client, losing another only that", async (scene) => {
  const { world, host, page } = scene;
  const [client, other] = [await host.join(), await host.join()];
  await client.thread.run(() => client.drop("display"));
  await world.pass(SETTLED_MS);
  expect(coreChannels(host)).toEqual([
    ["cursor", "inputs", "main"],
    ["cursor", "display", "inputs", "main"],
  ]);
  expect(redChannels(page)).toEqual([ChannelType.Display, ChannelType.Cursor, ChannelType.Cursor]);

  await client.thread.run(() => client.drop("main"));
  await world.pass(SETTLED_MS);
  expect(client.openNames).toEqual([]);
  expect(coreChannels(host)).toEqual([["cursor", "display", "inputs", "main"]]);
  expect(redChannels(page)).toEqual([ChannelType.Display, ChannelType.Cursor]);
  expect(other.openNames).toHaveLength(4);
});

invariant("2: a client's end comes once, and never inside the code that found the error", async (scene) => {
  const { world, host, page } = scene;
  const client = await host.join();
  const ends: string[] = [];
  const { stackTraceLimit } = Error;
  onTestFinished(() => void (Error.stackTraceLimit = stackTraceLimit));
  Error.stackTraceLimit = 100;
  host.onLog = (line) => {
    if (/^client 1 .* left/.test(line)) ends.push(new Error("here").stack ?? "");
  };
  // A message that main does not know, a dropped wire and a kick, all at once.
  await client.thread.run(() => {
    client.channel("main")!.send({ ...mainChannel.client.attachChannels, id: 999 }, {});
    client.drop("main");
  });
  await world.until(() => ends.length > 0);
  await host.finish(page.page, () => page.core.call("kick", { clientId: 1 }));
  await world.pass(SETTLED_MS);
  expect(ends).toHaveLength(1);
  expect(ends[0]).not.toMatch(/RedChannelClient|PortRedStream|Receiver/);
  expect(ends[0]).toMatch(/MainDispatcher/);
  expect(coreChannels(host)).toEqual([]);
});

invariant("3: of a client that was disconnected no queue, timer or stream is left", async (scene) => {
  const { world, host, page } = scene;
  const client = await host.newClient();
  await world.pass(SETTLED_MS);
  const { thread } = page.red;
  const held = () => [thread, host.core.thread].map((one) => [world.openPorts(one), world.timersOf(one)]);
  const before = held();
  await host.finish(client.thread, () => client.join());
  // It reads nothing more, so that its pipes are full when it goes.
  client.thread.hang();
  await draw(scene, 200);
  await world.pass(SETTLED_MS);
  expect(held()).not.toEqual(before);
  await host.finish(page.page, () => page.core.call("kick", { clientId: 1 }));
  const { display, cursor } = page.red.worker;
  expect([display.clients.size, cursor.clients.size, redChannels(page).length]).toEqual([0, 0, 0]);
  // The guest may be told that nobody is there, and the page of who is.
  await world.pass(SETTLED_MS);
  expect(held()).toEqual(before);
});

invariant("4: who is connected is in its channel's list, and leaves it once", async (scene) => {
  const { world, host, page } = scene;
  const [client, other] = [await host.join(), await host.join()];
  await world.pass(SETTLED_MS);
  const { display } = page.red.worker;
  const both = [...display.clients];
  expect(both.map(({ connected }) => connected)).toEqual([true, true]);
  await client.thread.run(() => client.drop("display"));
  await host.finish(page.page, () => page.core.call("kick", { clientId: 1 }));
  await world.pass(SETTLED_MS);
  expect(both.filter((one) => one.connected !== display.clients.has(one))).toEqual([]);
  expect(display.clients.size).toBe(1);
  expect(lines(host, /display channel of client 1 ended/).length).toBeLessThanOrEqual(1);
  expect(coreChannels(host)).toEqual([["cursor", "display", "inputs", "main"]]);
  expect(other.openNames).toHaveLength(4);
});

invariant(
  "5: no two channels of one type and number, and none for a client that is leaving",
  async (scene) => {
    const { world, host, page } = scene;
    const client = await host.join([]);
    const tries = await host.finish(client.thread, () =>
      Promise.allSettled([client.link("display"), client.link("display"), client.link("display")]),
    );
    expect(tries.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    const refusals = tries.flatMap((one) =>
      one.status === "rejected" ? [(one.reason as LinkRefusedError).linkError] : [],
    );
    expect(refusals).toEqual([LinkErr.Error, LinkErr.Error]);
    expect(redChannels(page)).toEqual([ChannelType.Display]);

    const late = await client.thread.run(() => client.link("cursor"));
    await host.finish(page.page, () => page.core.call("kick", { clientId: 1 }));
    await world.pass(SETTLED_MS);
    expect(late.done).toBe(true);
    expect([coreChannels(host), redChannels(page), client.openNames]).toEqual([[], [], []]);
  },
);

invariant("6: main comes first, other channels need its connection id", async (scene) => {
  const { world, host, page } = scene;
  const stranger = await host.newClient();
  const refusal = (session: number) =>
    host.finish(stranger.thread, () => stranger.link("display", session).catch((error: unknown) => error));
  expect(await refusal(0)).toMatchObject({ linkError: LinkErr.BadConnectionId });
  const client = await host.join(["display"]);
  expect(await refusal((client.session ^ 1) >>> 0)).toMatchObject({ linkError: LinkErr.BadConnectionId });
  expect(await refusal(0)).toMatchObject({ linkError: LinkErr.BadConnectionId });
  await world.pass(SETTLED_MS);
  expect(host.core.core.graph()!.clients[0].channels[0]).toBe("main");
  expect(redChannels(page)).toEqual([ChannelType.Display]);
});

invariant("7: a red worker never waits for core", async (scene) => {
  const { world, host, page } = scene;
  const client = await host.join();
  host.core.thread.hang();
  await draw(scene);
  await page.guestThread.run(() => {
    page.guest.driver.out(QxlIo.DestroyPrimaryAsync);
    page.guest.driver.createPrimary(32, 32);
  });
  await world.pass(SETTLED_MS);
  const pixels = await page.page.run(() => page.redPage.call("readSurface", { surfaceId: 0 }));
  await world.pass(SETTLED_MS);
  expect(pixels).toMatchObject({ done: true, value: { width: 32, height: 32 } });
  expect(page.guest.red.sink.pendingBytes).toBe(0);
  host.core.thread.wake();
  await world.pass(SETTLED_MS);
  expect(client.openNames).toHaveLength(4);
});

invariant(
  "8: a dispatcher is first in first out, and a call has one answer behind all before it",
  async (scene) => {
    const { world, host, page } = scene;
    const done: string[] = [];
    // Each handler takes its time, the first longest.
    let takesMs = 40;
    host.onRedMessage = async (type) => {
      await new Promise((resolve) => setTimeout(resolve, (takesMs -= 10)));
      done.push(type);
    };
    const { posted } = page.red.page;
    const call = await page.page.run(() => {
      page.redPage.send("setMouseMode", { mode: 1 });
      page.redPage.send("setCompression", { compression: 1 });
      return page.redPage.call("inspect", {}).then(() => [...done]);
    });
    await world.until(() => call.done);
    expect(call.value).toEqual(["setMouseMode", "setCompression", "inspect"]);
    await world.pass(SETTLED_MS);
    expect(page.red.page.posted - posted).toBe(1);
  },
);

invariant(
  "9: what comes before the red worker runs is one message, what comes later another",
  async (scene) => {
    const { world, page } = scene;
    const { commands } = page.red;
    const sent = commands.peer.posted;
    await draw(scene, 30);
    expect(commands.peer.posted - sent).toBe(1);
    const { slices } = page.red.worker;
    await world.pass(SETTLED_MS);
    expect(page.red.worker.slices.count - slices.count).toBe(1);
    await draw(scene, 30);
    expect(commands.peer.posted - sent).toBe(2);
    await world.pass(SETTLED_MS);
    expect(page.red.worker.slices.count - slices.count).toBe(2);
  },
);

invariant("10: a client lives until the red worker has acknowledged its end", async (scene) => {
  const { world, host, page } = scene;
  const client = await host.join([]);
  page.red.thread.hang();
  const linked = await client.thread.run(() => client.link("display"));
  await world.until(() => linked.done);
  const kick = await page.page.run(() => page.core.call("kick", { clientId: 1 }));
  await world.pass(SETTLED_MS);
  expect(kick.done).toBe(false);
  // The connect that waited comes first, and finds its client.
  page.red.thread.wake();
  await world.until(() => kick.done);
  expect(redChannels(page)).toEqual([]);
  await world.pass(SETTLED_MS);
  expect(client.openNames).toEqual([]);
  expect(lines(host, /not taken/)).toEqual([]);
});

invariant(
  "11: nobody links any more once the clients are being disconnected",
  async (scene) => {
    const { world, host, page } = scene;
    const client = await host.join(["display"]);
    // The first one's end takes as long as the red worker hangs, and the second one waits for that.
    page.red.thread.hang();
    const second = await host.newClient();
    const joining = await second.thread.run(() => second.join([]).catch((error: unknown) => error));
    await world.pass(SETTLED_MS);
    const ending = await page.page.run(() => page.core.call("shutdown", { reason: "the end" }));
    await world.pass(SETTLED_MS);
    page.red.thread.wake();
    await world.until(() => ending.done);
    expect(redChannels(page)).toEqual([]);
    await world.pass(SETTLED_MS);
    expect(joining.value).toBeInstanceOf(LinkRefusedError);
    const sockets = [...client.sockets, ...second.sockets];
    expect(sockets.filter(({ readyState }) => readyState === 1)).toEqual([]);
    expect(lines(host, /^client \d+ .* left/)).toHaveLength(1);
  },
  { allowMultipleClients: false },
);

invariant("12: of a red worker that was replaced nothing is heard any more", async (scene) => {
  const { world, host, page } = scene;
  const client = await host.join();
  await draw(scene);
  await world.pass(SETTLED_MS);
  const old = page.red;
  old.thread.hang();
  await page.replaceRed({ kills: false });
  await world.pass(SETTLED_MS);
  // It finds that its streams have ended, and would tell core so.
  old.thread.wake();
  await world.pass(SETTLED_MS);
  expect(old.worker.inspect().clients).toEqual([]);
  expect(coreChannels(host)).toEqual([["cursor", "display", "inputs", "main"]]);
  expect(redChannels(page)).toEqual([ChannelType.Display, ChannelType.Cursor]);
  await draw(scene);
  await world.pass(SETTLED_MS);
  expectSamePicture(client, page);
});

invariant(
  "13: with one client at a time, the older has left before the newer hears INIT",
  async (scene) => {
    const { world, host, page } = scene;
    await host.join();
    const newer = await host.newClient();
    const joining = await newer.thread.run(() => newer.join());
    await world.until(() => (host.core.core.graph()?.clients ?? []).some(({ id }) => id === 2));
    expect(lines(host, /^client 1 .* left: another client connected/)).toHaveLength(1);
    expect([coreChannels(host), redChannels(page)]).toEqual([[["main"]], []]);
    await world.until(() => joining.done);
    expect(newer.channel("main")!.names[0]).toBe("init");

    // Of two who wait for the same end, one is there in the end.
    page.red.thread.hang();
    const both = [await host.newClient(), await host.newClient()];
    for (const one of both) await one.thread.run(() => one.join([]).catch(() => {}));
    await world.pass(SETTLED_MS);
    page.red.thread.wake();
    await world.pass(SETTLED_MS);
    expect(coreChannels(host)).toEqual([["main"]]);
    expect(both.flatMap(({ openNames }) => openNames)).toEqual(["main"]);
  },
  { allowMultipleClients: false },
);

invariant("14: serials of every channel count from 1, by one, through every red worker", async (scene) => {
  const { world, host, page } = scene;
  const client = await host.join();
  await draw(scene);
  await world.pass(SETTLED_MS);
  page.red.thread.kill();
  await draw(scene);
  await world.pass(SETTLED_MS);
  expectSamePicture(client, page);
  for (const name of ["main", "inputs", "cursor"] as const)
    expect(client.channel(name)!.received).toBeGreaterThanOrEqual(1n);
  expect(client.display!.messages).toBeGreaterThan(10);
});

/** What each channel hears behind MIGRATE, with spice-server's flags for its type: the cursor has nothing to carry over. */
const BEHIND_MIGRATE = {
  main: ["migrateData"],
  inputs: ["migrateData"],
  display: ["migrateData"],
  cursor: [],
};

/** What a client's channels have heard, from MIGRATE on. */
const heardFrom = (client: SimulatedClient) =>
  Object.fromEntries(
    client.connections.map(({ name, channel: { names } }) => {
      const at = names.indexOf("migrate");
      return [name, at < 0 ? undefined : names.slice(at + 1).filter((one) => one !== "ping")];
    }),
  );

invariant("15: behind MIGRATE nothing is sent but MIGRATE_DATA, on any channel", async (scene) => {
  const { world, host, page } = scene;
  const [client, other] = [await host.join(), await host.join()];
  const given = new Map<string, Uint8Array>();
  const clientChannels = client.connections.map(({ name, channel }) => [name, channel] as const);
  for (const [name, channel] of clientChannels) {
    // As long as it is not over, it keeps what it was given, and shows that it has it.
    channel.onMigrateData = (data) => {
      given.set(name, data.slice());
      channel.giveMigrateData(data);
    };
  }
  await draw(scene, 60);
  const inputs = client.channel("inputs")!;
  // Six motions, of which four are acknowledged; the last come before its flush mark.
  await client.thread.run(() => {
    for (let i = 0; i < 6; i++)
      inputs.send(inputsChannel.client.mouseMotion, { dx: 1, dy: 1, buttonsState: 0 });
  });
  await host.core.thread.run(() => host.core.core.migrateClient(1));
  // All that would be told otherwise: drawings, another mode, a cursor, lock keys, an agent.
  await draw(scene, 60);
  await page.guestThread.run(() => page.guest.reset(80, 48));
  await draw(scene, 60);
  await world.pass(30_000);
  expect(heardFrom(client)).toEqual(BEHIND_MIGRATE);
  expect(client.openNames).toHaveLength(4);
  expectSamePicture(other, page);
  const flags = clientChannels.map(([name, { migrateFlags }]) => [name, migrateFlags]);
  expect(Object.fromEntries(flags)).toEqual({ main: 3, inputs: 3, display: 3, cursor: 0 });

  const { magic, version, motionCount } = decodeStruct("", inputsMigrateData, given.get("inputs")!);
  expect([magic, version, motionCount]).toEqual([MigrateMagic.Inputs, 1, 2]);
  const display = decodeStruct("", displayMigrateData, given.get("display")!);
  expect(display.magic).toBe(MigrateMagic.Display);
  expect(display.messageSerial).toBe(client.display!.received);
  expect(display.surfaces?.toSorted()).toEqual([...client.display!.surfaces.keys()].toSorted());
  const main = decodeStruct("", mainMigrateData, given.get("main")!);
  expect([main.magic, main.agentConnected]).toEqual([MigrateMagic.Main, 0]);

  // A red worker that goes takes none of it up again, and the client's end is like any other.
  await page.replaceRed();
  await world.pass(SETTLED_MS);
  expect(client.openNames.toSorted()).toEqual(["inputs", "main"]);
  expect(heardFrom(client)).toEqual(BEHIND_MIGRATE);
  await host.finish(page.page, () => page.core.call("kick", { clientId: 1 }));
  await world.pass(SETTLED_MS);
  expect([client.openNames, heardFrom(client)]).toEqual([[], BEHIND_MIGRATE]);
  expect(other.openNames).toHaveLength(4);
});

invariant("15: what comes unasked of a migration ends its channel", async (scene) => {
  const { world, host } = scene;
  const data = new Uint8Array(8);
  for (const name of ["display", "inputs", "main"] as const) {
    const client = await host.join();
    const channel = client.connections.find((one) => one.name === name)!.channel;
    await client.thread.run(() => channel.giveMigrateData(data));
    await world.until(() => channel.end !== undefined, `the end of ${name}`);
    expect(channel.end!.reason).toMatch(/no migration is under way/);
  }
  const marked = await host.join();
  const inputs = marked.channel("inputs")!;
  await marked.thread.run(() => inputs.send(baseClient.migrateFlushMark, {}));
  await world.until(() => inputs.end !== undefined);
  // Data that it was not given, and data that it has given back.
  for (const [times, name] of [
    [1, "main"],
    [2, "inputs"],
  ] as const) {
    const client = await host.join(["inputs"]);
    const channel = client.connections.find((one) => one.name === name)!.channel;
    channel.onMigrateData = (given) => {
      for (let i = 0; i < times; i++) channel.giveMigrateData(times === 1 ? data : given);
    };
    const { id } = host.core.core.graph()!.clients.at(-1)!;
    await host.core.thread.run(() => host.core.core.migrateClient(id));
    await world.until(() => channel.end !== undefined, `the end of ${name}`);
    expect(channel.end!.reason).toMatch(times === 1 ? /not what the client was given/ : /nobody waits for/);
  }
});

invariant(
  "16: a pipe may be longer than what a client owes, so its ACK always wakes the red worker",
  async (scene) => {
    expect(MAX_PIPE_SIZE).toBeGreaterThan(CLIENT_ACK_WINDOW * ACK_WINDOWS_IN_FLIGHT);
    const { world, host, page } = scene;
    const client = await host.join();
    await world.pass(SETTLED_MS);
    client.thread.hang();
    await draw(scene, 200);
    await world.pass(50);
    expect(page.red.worker.display.isBlocked).toBe(true);
    client.thread.wake();
    // Before the time is over after which a stalled client's pipe would be given up.
    await world.until(() => !page.red.worker.display.isBlocked, "the ACK", 40);
    await world.pass(SETTLED_MS);
    expectSamePicture(client, page);
  },
);

invariant(
  "17: each resource of the guest comes back once, and nobody needs it any more then",
  async (scene) => {
    const { world, host, page } = scene;
    const client = await host.join();
    await world.pass(SETTLED_MS);
    client.thread.hang();
    const { guest } = page;
    const { driver } = guest;
    await draw(scene, 150);
    await page.guestThread.run(() => {
      driver.flushReleases();
      // All but the CREATE of each surface that lives: the driver would have noticed what comes twice.
      expect(driver.live.size).toBe(guest.surfaces.size);
      for (const id of guest.surfaces) {
        driver.surfaceDestroy(id);
        guest.surfaces.delete(id);
      }
      driver.flushReleases();
      expect(driver.live.size).toBe(0);
      expect(new Set(driver.released).size).toBe(driver.released.length);
      // What the guest got back it uses for something else.
      driver.machine.memory.ram.fill(0xee, TEST_VGAMEM, driver.allocate(0));
    });
    client.thread.wake();
    await world.pass(SETTLED_MS);
    expectSamePicture(client, page);
  },
);

invariant(
  "18: what is saved is drawn to its end, and surfaces that are gone are read by nobody",
  async (scene) => {
    const { world, host, page } = scene;
    const client = await host.join();
    const { guest } = page;
    // A drawing that is laid aside half done.
    await page.guestThread.run(() => {
      guest.driver.drawFill({ left: 0, top: 0, right: 64, bottom: 48 }, 0x123456);
      const drawn = () => guest.pixels().filter((pixel) => pixel !== 0).length;
      while (drawn() === 0) guest.machine.turn();
      expect(drawn()).toBeLessThan(64 * 48);
      guest.save();
      expect(new Set(guest.pixels())).toEqual(new Set([0x123456]));
    });
    await world.pass(SETTLED_MS);
    expectSamePicture(client, page);

    await draw(scene, 100);
    await page.guestThread.run(() => {
      guest.driver.out(QxlIo.DestroyAllSurfacesAsync);
      while (guest.machine.turn());
      guest.driver.serviceInterrupts();
      guest.machine.memory.vram.fill(0xee);
      guest.machine.memory.ram.fill(0xee, 0, guest.driver.header);
    });
    await world.pass(SETTLED_MS);
    expect(page.red.worker.inspect().surfaces).toEqual([]);
    expect(client.display!.surfaces.size).toBe(0);
    expectSound(client);
  },
  { sliceCost: 100, bandCost: 100 },
);
