import { expect, test } from "vitest";
import { coreClient, corePart, guestPart, hostInspection, redPart } from "./inspection.testing.ts";
import type { HostInspection } from "./inspection.ts";
import type { GraphNode } from "./ownership-graph.ts";
import { ownershipGraph } from "./ownership-graph.ts";

/** One line per node, as the document writes it. */
function lines(nodes: readonly GraphNode[], indent = ""): string[] {
  return nodes.flatMap(({ name, points, owns }) => [
    `${indent}${name}${points.map((pointer) => ` -> ${pointer.name}`).join("")}`,
    ...lines(owns, `${indent}  `),
  ]);
}

function* all(nodes: readonly GraphNode[]): Iterable<GraphNode> {
  for (const node of nodes) {
    yield node;
    yield* all(node.owns);
  }
}

const graphOf = (inspection: HostInspection, name: string) =>
  ownershipGraph(inspection).find((thread) => thread.name === name)!;

const factsOf = (inspection: HostInspection, id: string) => {
  const node = [...all(ownershipGraph(inspection))].find((one) => one.id === id);
  return Object.fromEntries((node?.facts ?? []).map(({ label, value }) => [label, value]));
};

test("core owns channels and clients, and points to what lives on red", () => {
  expect(lines(graphOf(hostInspection(), "core").owns)).toEqual([
    "Reds",
    "  RedChannel display:0 -> red",
    "  RedChannel cursor:0 -> red",
    "  RedChannel inputs:0",
    "  RedClient 1",
    "    MainChannelClient",
    "      RedStream",
    "    InputsChannelClient",
    "      RedStream",
    "    QxlDisplayChannelClient -> red",
    "    QxlCursorChannelClient -> red",
    "MainDispatcher",
    "Dispatcher -> page",
    "Dispatcher -> guest",
    "QxlDispatcher -> red",
  ]);
});

test("red owns its channels, their clients and the streams, and points back to the RedClient", () => {
  expect(lines(graphOf(hostInspection(), "red").owns)).toEqual([
    "RedWorker",
    "  DisplayChannel",
    "    DisplayChannelClient -> RedClient 1",
    "      RedStream",
    "    Primary surface",
    "  CursorChannel",
    "    CursorChannelClient -> RedClient 1",
    "      RedStream",
    "MainDispatcher -> core",
    "Dispatcher -> page",
  ]);
});

test("each node has an id of its own, and every pointer leads to one", () => {
  const nodes = [...all(ownershipGraph(hostInspection()))];
  const ids = nodes.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  const lost = nodes.flatMap(({ points }) => points).filter(({ to }) => !ids.includes(to));
  expect(lost).toEqual([]);
});

test("queues, credit, acknowledgements and rates are told with their units", () => {
  const inspection = hostInspection();
  expect(factsOf(inspection, "core client 1 1:0 stream")).toEqual({
    sent: "3.0 kB in 12 messages",
    rate: "1.5 kB/s",
    credit: "1.0 MB",
  });
  expect(factsOf(inspection, "red client 1 2:0")).toEqual({
    pipe: "empty",
    unacknowledged: "7 of 40",
    "last ACK": "1.5 s ago",
  });
});

test("a channel that waits for a red worker has its stream on core", () => {
  const client = coreClient();
  const waits = {
    ...client,
    channelClients: client.channelClients.map((one) =>
      one.name === "display" ? { ...one, place: "waiting" as const } : one,
    ),
  };
  const graph = graphOf(hostInspection({ core: corePart({ clients: [waits] }) }), "core");
  expect(lines(graph.owns).join("\n")).toContain("QxlDisplayChannelClient -> red\n      RedStream");
});

test("a client on its way out is shown until nothing is left of it", () => {
  const inspection = hostInspection({ core: corePart({ clients: [], leaving: [7] }) });
  expect(factsOf(inspection, "core leaving 7")).toEqual({ is: "disconnecting" });
});

test("off-screen surfaces, however many, are one line", () => {
  const surfaces = Array.from({ length: 300 }, (_, id) => ({ id, width: 10, height: 10, format: 32 }));
  const inspection = hostInspection({ red: redPart({ surfaces }) });
  expect(factsOf(inspection, "red surfaces")).toEqual({ count: "299", pixels: "29,900" });
});

test("a silent thread is there, with nothing that it did not say", () => {
  const { at, threads } = hostInspection({ guest: guestPart() });
  const silent = threads.map((thread) =>
    thread.kind === "core" ? { ...thread, part: undefined, silentSince: 99 } : thread,
  );
  const graph = ownershipGraph({ at, threads: silent });
  expect(graph.map(({ name, silentSince }) => [name, silentSince])).toEqual([
    ["page", undefined],
    ["guest", undefined],
    ["core", 99],
    ["red", undefined],
  ]);
  expect(graph[2].owns).toEqual([]);
  expect(lines(graph[3].owns)).toContain("    DisplayChannelClient");
});
