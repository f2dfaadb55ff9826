/** Messages between threads for each drawn command, key and pointer position. */
import { parseArgs } from "node:util";
import { countEdges } from "./count.ts";

const CLIENTS = [1, 3];

export async function runEdges(args: string[]): Promise<void> {
  const { values } = parseArgs({ args, options: { json: { type: "boolean" } } });
  const counted: Record<string, Awaited<ReturnType<typeof countEdges>>> = {};
  for (const clients of CLIENTS)
    counted[`${clients} client${clients === 1 ? "" : "s"}`] = await countEdges(clients);
  if (values.json) {
    process.stdout.write(`${JSON.stringify(counted, undefined, 2)}\n`);
    return;
  }
  for (const [clients, events] of Object.entries(counted)) {
    for (const [event, edges] of Object.entries(events)) {
      process.stdout.write(`${clients}, messages per ${event}\n`);
      for (const [edge, messages] of Object.entries(edges))
        process.stdout.write(`  ${edge.padEnd(18)} ${messages.toFixed(2).padStart(6)}\n`);
    }
  }
}
