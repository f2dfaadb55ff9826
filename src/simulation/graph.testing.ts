/** What the threading model says of who owns what, checked on a whole host. Each finding is a sentence. */
import { ChannelType } from "../protocol/index.ts";
import type { SimulatedClient } from "./client.testing.ts";
import type { SimulatedHost, SimulatedPage } from "./host.testing.ts";

const NAMES: Readonly<Record<number, string>> = {
  [ChannelType.Display]: "display",
  [ChannelType.Cursor]: "cursor",
};

/** `client:channel` of everything that a red worker has. */
function redChannels({ red }: SimulatedPage): string[] {
  return red.worker.inspect().clients.map(({ clientId, channelType }) => `${clientId}:${NAMES[channelType]}`);
}

function twice(names: readonly string[]): readonly string[] {
  return names.filter((name, index) => names.indexOf(name) !== index);
}

/** What holds at every moment. */
export function* checkAlways({ core, page, clients }: SimulatedHost): Iterable<string> {
  const graph = core.core.graph();
  for (const { id, channels } of graph?.clients ?? []) {
    for (const name of twice(channels)) yield `core has channel ${name} of client ${id} twice`;
    // Until its end, which is queued, is begun.
    if (channels[0] !== "main" && graph?.queued === 0)
      yield `client ${id} is in the list without its main channel`;
    if (graph?.leaving.includes(id)) yield `client ${id} goes on, and is disconnecting`;
  }
  if (page?.red.thread.alive) {
    for (const name of twice(redChannels(page))) yield `red has ${name} twice`;
    const { display, cursor } = page.red.worker;
    for (const client of [...display.clients, ...cursor.clients])
      if (!client.connected) yield "a channel has a client that is not connected";
  }
  for (const client of clients) {
    for (const { name, channel } of client.connections)
      if (channel.failure !== undefined) yield `${name} of ${client.name}: ${String(channel.failure)}`;
  }
}

/** What holds once nothing happens any more, with a machine that runs. */
export function* checkAtRest(host: SimulatedHost): Iterable<string> {
  const { core, page, clients } = host;
  const graph = core.core.graph();
  if (graph === undefined || page === undefined) return yield "there is no server";
  if (graph.leaving.length > 0)
    yield `of clients ${graph.leaving} something is left, and nobody waits for it`;
  if (graph.queued > 0) yield `${graph.queued} messages wait in the MainDispatcher`;
  if (graph.links > 0) yield `${graph.links} links are still in their handshake`;
  const owned = new Set<string>();
  for (const { id, address, channels } of graph.clients) {
    for (const name of channels) if (name === "display" || name === "cursor") owned.add(`${id}:${name}`);
    const client = clients.find((one) => address.startsWith(`${one.name}:`));
    const open = client?.openNames ?? [];
    if (`${channels.toSorted()}` !== `${open.toSorted()}`)
      yield `core has ${channels} of ${client?.name}, which has ${open}`;
  }
  for (const client of clients) {
    if (
      client.openNames.length > 0 &&
      !graph.clients.some(({ address }) => address.startsWith(`${client.name}:`))
    )
      yield `${client.name} has ${client.openNames}, and core has nothing of it`;
    const open = client.sockets.filter(({ readyState }) => readyState === 1).length;
    if (open !== client.openNames.length)
      yield `${open} sockets of ${client.name} are open, and ${client.openNames.length} of its channels`;
  }
  yield* checkRed(page, owned);
  for (const client of clients) if (client.openNames.includes("display")) yield* checkPicture(client, page);
  yield* checkKeys(page);
}

function* checkRed(page: SimulatedPage, owned: ReadonlySet<string>): Iterable<string> {
  const { worker } = page.red;
  const { surfaces, clients } = worker.inspect();
  const has = new Set(redChannels(page));
  for (const name of owned)
    if (!has.has(name)) yield `core has a handle of ${name}, and red has no such channel client`;
  for (const name of has) if (!owned.has(name)) yield `red has ${name}, and core has no handle of it`;
  for (const { clientId, pipe } of clients) if (pipe > 0) yield `${pipe} items wait for client ${clientId}`;
  if (worker.display.clients.size + worker.cursor.clients.size !== has.size)
    yield "the channels of red have other clients than red";
  const ids = [0, ...page.guest.surfaces].toSorted();
  if (`${surfaces.map(({ id }) => id).toSorted()}` !== `${ids}`)
    yield `red has surfaces ${surfaces.map(({ id }) => id)}, the guest ${ids}`;
  if (worker.isUnderWay) yield "red has something laid aside";
  if (page.guest.red.sink.pendingBytes > 0)
    yield `${page.guest.red.sink.pendingBytes} bytes of commands are owed`;
}

function* checkPicture(client: SimulatedClient, page: SimulatedPage): Iterable<string> {
  const { display } = client;
  const [width, height] = page.guest.size;
  const surface = display?.surfaces.get(0);
  if (surface?.width !== width || surface.height !== height)
    return yield `${client.name} has a picture of ${surface?.width} x ${surface?.height} for ${width} x ${height}`;
  const pixels = page.guest.pixels();
  const seen = display!.rgb(0);
  const wrong = pixels.findIndex((pixel, at) => pixel !== seen[at]);
  if (wrong >= 0)
    yield `${client.name} sees another pixel than the guest drew, at ${wrong % width}, ${Math.floor(wrong / width)}`;
  for (const id of display!.surfaces.keys())
    if (page.red.worker.display.surface(id) === undefined)
      yield `${client.name} has surface ${id}, which is gone`;
}

/** A key that nobody holds is not down in the guest. */
function* checkKeys({ guest }: SimulatedPage): Iterable<string> {
  const down = new Set<number>();
  for (const code of guest.keys) {
    if (code < 0x80) down.add(code);
    else down.delete(code - 0x80);
  }
  for (const code of down) yield `key ${code} is down for ever`;
}

/** The last message of a main channel that ended, in words. */
export function lastWords(client: SimulatedClient): string {
  const main = client.connections.find(({ name }) => name === "main")?.channel;
  return main ? `${main.names.at(-1)}: ${main.closed}` : "never linked";
}
