import type { ChannelClientInspection, DispatcherInspection } from "../dispatch/index.ts";
import type { GuestInspection } from "../machine/control.ts";
import type { HostInspection, RatedClient, RatedCore, RatedRed } from "./inspection.ts";

export const dispatcher = (peer: string): DispatcherInspection => ({ peer, calls: 0, queued: 0 });

export const channelClient = (change: Partial<ChannelClientInspection> = {}): ChannelClientInspection => ({
  pipe: 0,
  pipeBytes: 0,
  sentMessages: 12,
  sentBytes: 3_000,
  receivedBytes: 200,
  stream: { creditBytes: 1_048_576, waitingBytes: 0 },
  ...change,
});

/** A client with main, inputs, display and cursor, the last two on red. */
export const coreClient = (id = 1): RatedClient => ({
  id,
  address: "127.0.0.1:4711",
  transport: "tcp",
  since: 0,
  channels: ["main", "inputs", "display", "cursor"],
  disconnecting: false,
  channelClients: [
    { type: 1, id: 0, name: "main", place: "core", client: channelClient(), bytesPerSecond: 1_500 },
    { type: 3, id: 0, name: "inputs", place: "core", client: channelClient() },
    { type: 2, id: 0, name: "display", place: "red" },
    { type: 4, id: 0, name: "cursor", place: "red" },
  ],
});

export const corePart = (change: Partial<RatedCore> = {}): RatedCore => ({
  links: 0,
  keys: 8,
  channels: [
    { type: 2, id: 0, name: "display" },
    { type: 4, id: 0, name: "cursor" },
    { type: 3, id: 0, name: "inputs" },
  ],
  clients: [coreClient()],
  leaving: [],
  queued: 0,
  relay: "online",
  dispatchers: [dispatcher("page"), dispatcher("guest"), dispatcher("red")],
  log: [],
  ...change,
});

export const redPart = (change: Partial<RatedRed> = {}): RatedRed => ({
  surfaces: [{ id: 0, width: 640, height: 480, format: 32 }],
  clients: [2, 4].map((channelType) => ({
    clientId: 1,
    channelType,
    ...channelClient({ ack: { window: 20, outstanding: 7, sinceMs: 1_500 } }),
  })),
  commands: 1_234,
  queuedCommands: 0,
  dispatchers: [dispatcher("core"), dispatcher("page")],
  ...change,
});

export const guestPart = (change: Partial<GuestInspection> = {}): GuestInspection => ({
  status: {
    state: "running",
    level: "desktop",
    memoryMiB: 256,
    display: "native",
    width: 640,
    height: 480,
    instructions: 1,
    halted: false,
    agentOpen: true,
    tablet: true,
    markers: [],
  },
  keyboardBytes: 0,
  pointerEvents: 0,
  displays: [{ isServed: true, pendingBytes: 0 }],
  dispatchers: [dispatcher("page"), dispatcher("core")],
  ...change,
});

/** A host with one client, as it is when nothing happens. */
export function hostInspection({
  core = corePart(),
  red = redPart(),
  guest = guestPart(),
}: { core?: RatedCore; red?: RatedRed; guest?: GuestInspection } = {}): HostInspection {
  return {
    at: 0,
    threads: [
      {
        kind: "page",
        name: "page",
        runsIn: "window",
        part: { phase: "running", dispatchers: ["guest", "core", "red"].map(dispatcher) },
      },
      { kind: "guest", name: "guest", runsIn: "DedicatedWorker", part: guest },
      { kind: "core", name: "core", runsIn: "SharedWorker", part: core },
      { kind: "red", name: "red", runsIn: "DedicatedWorker", display: 0, part: red },
    ],
  };
}
