import type { GuestStatus } from "../machine/control.ts";
import type { RedInspection } from "../dispatch/messages.ts";
import type { HostInspection } from "../server/host-control.ts";
import type { ThreadNode } from "./state.ts";

const CHANNEL_NAMES: Readonly<Record<number, string>> = {
  1: "Main",
  2: "Display",
  3: "Inputs",
  4: "Cursor",
  5: "Playback",
  6: "Record",
};

/** Who owns what (docs/architecture.md), as a tree per thread. */
export function ownershipGraph(
  inspection: HostInspection,
  guest: GuestStatus | undefined,
  isCoreShared: boolean,
): readonly ThreadNode[] {
  const { core, red, otherReds = [] } = inspection;
  return [
    {
      name: "guest",
      detail: "DedicatedWorker",
      children: guest === undefined ? [] : guestNodes(guest),
    },
    {
      name: "core",
      detail: isCoreShared ? "SharedWorker" : "DedicatedWorker",
      children: [
        { name: "Reds", detail: `${core.links} linking, ${core.keys} keys ready` },
        ...core.clients.map((client) => ({
          name: `RedClient ${client.id}`,
          detail: `${client.transport} ${client.address}, ${bytes(client.sentBytes)} sent`,
          children: client.channels.map((name) => ({ name: `${name} channel` })),
        })),
      ],
    },
    redNode("red", red),
    ...otherReds.flatMap((other, index) => (other ? [redNode(`red ${index + 1}`, other)] : [])),
  ];
}

function redNode(name: string, red: RedInspection | undefined): ThreadNode {
  const children =
    red === undefined
      ? []
      : [
          { name: "RedWorker", detail: `${red.commands.toLocaleString("en")} commands` },
          ...red.surfaces.map(({ id, width, height, format }) => ({
            name: id === 0 ? "Primary surface" : `Surface ${id}`,
            detail: `${width} × ${height}, ${format} bit`,
          })),
          ...red.clients.map((client) => ({
            name: `${CHANNEL_NAMES[client.channelType] ?? "?"}ChannelClient ${client.clientId}`,
            detail: `${bytes(client.sentBytes)} in ${client.sentMessages} messages, ${client.pipe} queued`,
          })),
        ];
  return { name, detail: "DedicatedWorker", children };
}

function guestNodes(guest: GuestStatus): readonly ThreadNode[] {
  const machine =
    guest.level === undefined ? guest.state : `${guest.level}, ${guest.memoryMiB} MiB, ${guest.state}`;
  const display = guest.display === "native" ? "QXL driver" : `VGA ${guest.display ?? ""}`;
  return [
    { name: "Machine", detail: machine },
    { name: "Display", detail: `${display}, ${guest.width} × ${guest.height}` },
    { name: "Pointer", detail: guest.tablet ? "absolute" : "relative" },
    { name: "Agent port", detail: guest.agentOpen ? "open" : "closed" },
  ];
}

/** "1.2 MB", for people. */
export function bytes(count: number): string {
  if (count < 1_000) return `${count} B`;
  const units = ["kB", "MB", "GB"];
  let value = count;
  let unit = -1;
  while (value >= 1_000 && unit < units.length - 1) {
    value /= 1_000;
    unit++;
  }
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}
