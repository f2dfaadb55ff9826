/** What docs/threading.md says of who owns what, checked on a host that rests. Each finding is a sentence. */
import { RED_COMMAND_COST, RED_COMMAND_CREDIT } from "../protocol/red-command.ts";
import { ChannelType } from "../protocol/index.ts";
import { MAX_PIPE_SIZE } from "../red/index.ts";
import { CORE_PIPE_LIMIT } from "../server/index.ts";
import type { LogLine } from "../log/index.ts";
import type { CoreThread, GuestThread, HostInspection, RedThreadInspection } from "./inspection.ts";

/** Most commands that a guest's credit pays for. */
const MOST_COMMANDS = RED_COMMAND_CREDIT / RED_COMMAND_COST + 1;

/** Calls that core has to wait for, of a guest that reads nothing: keys, pointer, agent, and the heads that it is to have. */
const GUEST_CALLS = 4;

export function* checkInspection({ threads }: HostInspection): Iterable<string> {
  for (const { name, silentSince } of threads) if (silentSince !== undefined) yield `${name} is silent`;
  for (const { name, part } of threads) {
    for (const { peer, calls, queued } of part?.dispatchers ?? []) {
      if (queued > 0) yield `${queued} messages of ${peer} wait in ${name}`;
      if (calls > (name === "core" && peer === "guest" ? GUEST_CALLS : 0))
        yield `${calls} calls of ${name} to ${peer} are not answered`;
    }
  }
  const core = threads.find((thread): thread is CoreThread => thread.kind === "core");
  const guest = threads.find((thread): thread is GuestThread => thread.kind === "guest");
  const reds = threads.filter((thread): thread is RedThreadInspection => thread.kind === "red");
  if (guest?.part) yield* checkDisplays(guest.part, reds);
  for (const { name, part } of reds) {
    if (part && part.queuedCommands > MOST_COMMANDS) yield `${part.queuedCommands} commands wait in ${name}`;
    for (const { clientId, pipe } of part?.clients ?? [])
      if (pipe > MAX_PIPE_SIZE + 1) yield `${pipe} items wait in ${name} for client ${clientId}`;
  }
  if (core?.part) yield* checkClients(core.part, reds);
}

function* checkDisplays(
  { displays }: NonNullable<GuestThread["part"]>,
  reds: readonly RedThreadInspection[],
): Iterable<string> {
  for (const [display, { isServed, pendingBytes }] of displays.entries()) {
    const hasRed = reds.some((red) => red.display === display);
    if (isServed && !hasRed) yield `the guest draws for display ${display}, which has no red worker`;
    if (hasRed && !isServed) yield `the red worker of display ${display} gets nothing of the guest`;
    // One command may go beyond the credit.
    if (pendingBytes > 2 * RED_COMMAND_CREDIT)
      yield `${pendingBytes} bytes of display ${display} are not drawn`;
  }
}

/** Every channel client is on one thread, with one stream; what core says of red's, red says itself. */
function* checkClients(
  { clients, leaving, links, channels, queued }: NonNullable<CoreThread["part"]>,
  reds: readonly RedThreadInspection[],
): Iterable<string> {
  if (queued > 0) yield `${queued} messages wait in core's MainDispatcher`;
  if (links > 0) yield `${links} links are under way`;
  for (const id of leaving) yield `client ${id} is disconnecting`;
  const handles = new Set<string>();
  for (const { id, disconnecting, channelClients } of clients) {
    if (disconnecting) yield `client ${id} is disconnecting`;
    if (!channelClients.some(({ type }) => type === ChannelType.Main))
      yield `client ${id} has no main channel`;
    const seen = new Set<string>();
    for (const { type, id: number, name, place, client } of channelClients) {
      const channel = `${name}:${number}`;
      if (seen.has(channel)) yield `client ${id} has channel ${channel} twice`;
      seen.add(channel);
      const isRegistered = channels.some((one) => one.type === type && one.id === number);
      if (type !== ChannelType.Main && !isRegistered)
        yield `client ${id} has channel ${channel}, which is not registered`;
      if (place === "red") handles.add(`${id} ${type}:${number}`);
      const red = reds.find(({ display }) => display === number);
      if (place === "waiting" && red) yield `channel ${channel} of client ${id} waits for ${red.name}`;
      if ((place === "core") !== (client !== undefined))
        yield `channel ${channel} of client ${id} is on ${place}, and its stream is not`;
      if (client && client.pipe > CORE_PIPE_LIMIT) yield `${client.pipe} items wait on core for client ${id}`;
    }
  }
  yield* checkHandles(handles, reds);
}

function* checkHandles(handles: ReadonlySet<string>, reds: readonly RedThreadInspection[]): Iterable<string> {
  const owned = new Set<string>();
  for (const { name, display, part } of reds) {
    for (const { clientId, channelType } of part?.clients ?? []) {
      const one = `${clientId} ${channelType}:${display}`;
      if (owned.has(one)) yield `${name} has channel ${channelType} of client ${clientId} twice`;
      owned.add(one);
      if (!handles.has(one))
        yield `${name} has channel ${channelType} of client ${clientId}, and core has not`;
    }
  }
  const silent = reds.filter(({ part }) => part === undefined).map(({ display }) => `:${display}`);
  for (const one of handles)
    if (!owned.has(one) && !silent.some((end) => one.endsWith(end)))
      yield `core says that a red worker has channel ${one}, and none has`;
}

/** What the log has of our own mistakes: what threw, and what no handler could do. */
export function* checkLog(lines: readonly LogLine[], expected: readonly RegExp[]): Iterable<string> {
  for (const { thread, level, domain, message } of lines) {
    const isOurs = level === "error" || level === "critical" || domain === "dispatcher";
    const words = `${thread}, ${domain}: ${message}`;
    if (isOurs && !expected.some((pattern) => pattern.test(words))) yield `in the log: ${words}`;
  }
}
