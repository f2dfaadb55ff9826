import type { ChannelClientInspection, DispatcherInspection, RedInspection } from "../dispatch/index.ts";
import { bytes, count, duration } from "./count-words.ts";
import type {
  CoreThread,
  GuestThread,
  HostInspection,
  PageThread,
  Rated,
  RatedClient,
  RedThreadInspection,
  ThreadInspection,
} from "./inspection.ts";

/** A number with its meaning. */
export interface GraphFact {
  readonly label: string;
  readonly value: string;
}

/** `->` of the threading document: what it points to and does not own. */
export interface GraphPointer {
  readonly name: string;
  /** Id of a node that may be shown. */
  readonly to: string;
}

/** Something that a thread has, with what it owns (`=>`). */
export interface GraphNode {
  readonly id: string;
  readonly name: string;
  readonly facts: readonly GraphFact[];
  readonly points: readonly GraphPointer[];
  readonly owns: readonly GraphNode[];
}

export interface GraphThread extends GraphNode {
  readonly runsIn: string;
  /** Milliseconds since 1970. */
  readonly silentSince?: number;
}

const CHANNELS: Readonly<Record<number, string>> = {
  1: "Main",
  2: "Display",
  3: "Inputs",
  4: "Cursor",
};

/** The words of spice-server for what {@link HostInspection} says: who owns what (`=>`), and who points to whom (`->`). */
export function ownershipGraph({ threads }: HostInspection): readonly GraphThread[] {
  return threads.map((thread) => ({
    ...node(thread.name, thread.name, { owns: ownedBy(thread, threads) }),
    runsIn: thread.runsIn,
    silentSince: thread.silentSince,
  }));
}

type Rest = Partial<Pick<GraphNode, "points" | "owns">> & {
  readonly facts?: Readonly<Record<string, string | undefined>>;
};

function node(id: string, name: string, { facts = {}, points = [], owns = [] }: Rest = {}): GraphNode {
  const shown = Object.entries(facts).flatMap(([label, value]) =>
    value === undefined ? [] : [{ label, value }],
  );
  return { id, name, facts: shown, points, owns };
}

function ownedBy(thread: ThreadInspection, threads: readonly ThreadInspection[]): readonly GraphNode[] {
  switch (thread.kind) {
    case "page":
      return thread.part ? pageNodes(thread.part) : [];
    case "guest":
      return thread.part ? guestNodes(thread.part) : [];
    case "core":
      return thread.part ? coreNodes(thread.part) : [];
    case "red":
      return thread.part ? redNodes(thread, thread.part, threads) : [];
  }
}

const dispatchers = (thread: string, ends: readonly DispatcherInspection[]): GraphNode[] =>
  ends.map(({ peer, calls, queued }) =>
    node(`${thread} dispatcher ${peer}`, dispatcherName(thread, peer), {
      facts: { queued: count(queued), unanswered: count(calls) },
      points: [{ name: peer, to: peer }],
    }),
  );

/** Those of the threading document have names. */
function dispatcherName(thread: string, peer: string): string {
  if (thread === "core" && peer.startsWith("red")) return "QxlDispatcher";
  return thread.startsWith("red") && peer === "core" ? "MainDispatcher" : "Dispatcher";
}

const pageNodes = (part: NonNullable<PageThread["part"]>): readonly GraphNode[] => [
  node("page session", "HostSession", {
    facts: { machine: part.phase },
    owns: dispatchers("page", part.dispatchers),
  }),
];

function guestNodes(part: NonNullable<GuestThread["part"]>): readonly GraphNode[] {
  const { status, displays } = part;
  const shown = status.display === "native" ? "QXL driver" : `VGA ${status.display ?? ""}`;
  const links = displays.map(({ isServed, pendingBytes }, display) =>
    node(`guest display ${display}`, "QxlDevice", {
      facts: {
        ...(display === 0 && { shows: `${shown}, ${status.width} × ${status.height}` }),
        "not drawn": bytes(pendingBytes),
      },
      points: isServed ? [{ name: redName(display), to: redName(display) }] : [],
    }),
  );
  return [
    node("guest machine", "Machine", {
      facts: {
        is: [status.level, status.memoryMiB && `${status.memoryMiB} MiB`, status.state]
          .filter(Boolean)
          .join(", "),
        keys: `${count(part.keyboardBytes)} bytes unread`,
        pointer: `${status.tablet ? "absolute" : "relative"}, ${count(part.pointerEvents)} unread`,
        agent: status.agentOpen ? "open" : "closed",
      },
      owns: links,
    }),
    ...dispatchers("guest", part.dispatchers),
  ];
}

function coreNodes(part: NonNullable<CoreThread["part"]>): readonly GraphNode[] {
  const channels = part.channels.map(({ type, id, name }) =>
    node(`core channel ${type}:${id}`, `RedChannel ${name}:${id}`, {
      points: isOfRed(type) ? [{ name: redName(id), to: `${redName(id)} channel ${type}` }] : [],
    }),
  );
  const leaving = part.leaving.map((id) =>
    node(`core leaving ${id}`, `RedClient ${id}`, { facts: { is: "disconnecting" } }),
  );
  return [
    node("core reds", "Reds", {
      facts: { "links under way": count(part.links), "ticket keys": count(part.keys), relay: part.relay },
      owns: [...channels, ...part.clients.map(clientNode), ...leaving],
    }),
    node("core main dispatcher", "MainDispatcher", { facts: { queued: count(part.queued) } }),
    ...dispatchers("core", part.dispatchers),
  ];
}

function clientNode(client: RatedClient): GraphNode {
  const owns = client.channelClients.map((channel): GraphNode => {
    const { type, id, place } = channel;
    const name = `${CHANNELS[type] ?? channel.name}ChannelClient`;
    const at = clientId("core", client.id, type, id);
    if (channel.client !== undefined) return channelClientNode(at, name, { ...channel.client, ...channel });
    // A handle: the channel client is on its red worker.
    const stream = place === "waiting" && node(`${at} stream`, "RedStream", { facts: { waits: "for red" } });
    return node(at, `Qxl${name}`, {
      points: [{ name: redName(id), to: clientId(redName(id), client.id, type, id) }],
      owns: stream ? [stream] : [],
    });
  });
  return node(`core client ${client.id}`, `RedClient ${client.id}`, {
    facts: {
      from: `${client.transport} ${client.address}`,
      ...(client.disconnecting && { is: "disconnecting" }),
    },
    owns,
  });
}

function channelClientNode(
  id: string,
  name: string,
  client: ChannelClientInspection & Rated,
  points: readonly GraphPointer[] = [],
): GraphNode {
  const { pipe, pipeBytes, ack, latencyMs, stream } = client;
  return node(id, name, {
    facts: {
      pipe: pipe === 0 ? "empty" : `${count(pipe)} items, ${bytes(pipeBytes)}`,
      ...(ack && {
        unacknowledged: ack.outstanding === null ? "not open" : `${ack.outstanding} of ${2 * ack.window}`,
        "last ACK": ack.sinceMs === undefined ? "none yet" : `${duration(ack.sinceMs)} ago`,
      }),
      "round trip": latencyMs === undefined ? undefined : duration(latencyMs),
    },
    points,
    owns: [
      node(`${id} stream`, "RedStream", {
        facts: {
          sent: `${bytes(client.sentBytes)} in ${count(client.sentMessages)} messages`,
          rate: client.bytesPerSecond === undefined ? undefined : `${bytes(client.bytesPerSecond)}/s`,
          credit: bytes(stream.creditBytes),
          unread: stream.waitingBytes === 0 ? undefined : bytes(stream.waitingBytes),
        },
      }),
    ],
  });
}

function redNodes(
  { name, display }: RedThreadInspection,
  part: NonNullable<RedThreadInspection["part"]>,
  threads: readonly ThreadInspection[],
): readonly GraphNode[] {
  const coreIsKnown = threads.some((thread) => thread.kind === "core" && thread.part !== undefined);
  const channel = (type: number, owns: readonly GraphNode[] = []) =>
    node(`${name} channel ${type}`, `${CHANNELS[type]}Channel`, {
      owns: [
        ...part.clients
          .filter(({ channelType }) => channelType === type)
          .map((client) =>
            channelClientNode(
              clientId(name, client.clientId, type, display),
              `${CHANNELS[type]}ChannelClient`,
              client,
              coreIsKnown
                ? [{ name: `RedClient ${client.clientId}`, to: `core client ${client.clientId}` }]
                : [],
            ),
          ),
        ...owns,
      ],
    });
  return [
    node(`${name} worker`, "RedWorker", {
      facts: { commands: count(part.commands), queued: count(part.queuedCommands) },
      owns: [channel(2, surfaceNodes(name, part.surfaces)), channel(4)],
    }),
    ...dispatchers(name, part.dispatchers),
  ];
}

/** Off-screen surfaces come by the hundred: they are one line. */
function surfaceNodes(red: string, surfaces: RedInspection["surfaces"]): readonly GraphNode[] {
  const primary = surfaces.find(({ id }) => id === 0);
  const others = surfaces.filter(({ id }) => id !== 0);
  const pixels = others.reduce((sum, { width, height }) => sum + width * height, 0);
  return [
    ...(primary
      ? [
          node(`${red} primary`, "Primary surface", {
            facts: { size: `${primary.width} × ${primary.height}` },
          }),
        ]
      : []),
    ...(others.length > 0
      ? [
          node(`${red} surfaces`, "Off-screen surfaces", {
            facts: { count: count(others.length), pixels: count(pixels) },
          }),
        ]
      : []),
  ];
}

const isOfRed = (type: number): boolean => type === 2 || type === 4;
const redName = (display: number): string => (display === 0 ? "red" : `red ${display}`);
const clientId = (thread: string, client: number, type: number, id: number): string =>
  `${thread} client ${client} ${type}:${id}`;
