import { expect, test } from "vitest";
import type { RedCommandBatch } from "../protocol/red-command.ts";
import { eventually } from "../waiting.testing.ts";
import { makeBareMachine, outb } from "./machine.testing.ts";
import { QXL_IO_BYTES, QXL_IO_PORT } from "./devices/pci-function.ts";
import { RedLink } from "./red-link.ts";

test("a display that the guest does not drive asks for no red worker; one that it drives gets the whole picture", async () => {
  let wanted = 0;
  const links = [new RedLink(), new RedLink(() => wanted++)];
  const [sink, other] = links.map((link) => link.sink);
  await using machine = await makeBareMachine({ sink, otherSinks: [other] });
  for (const [display, link] of links.entries()) link.serve(machine.displays[display]);
  await Promise.resolve();
  expect(wanted).toBe(0);
  // SET_MODE makes a primary.
  outb(machine, QXL_IO_PORT + QXL_IO_BYTES + 6, 0);
  await eventually(() => wanted > 0);
  // Nobody takes what is sent, and nothing waits for it.
  expect(other.creditAvailable).toBe(true);
  expect(other.pendingBytes).toBe(0);

  using red = { port: new MessageChannel(), [Symbol.dispose]: () => red.port.port2.close() };
  const types: string[] = [];
  red.port.port2.onmessage = ({ data }: MessageEvent<RedCommandBatch>) =>
    void types.push(...data.commands.map(({ type }) => type));
  links[1].attach(red.port.port1);
  machine.resync(1);
  await eventually(() => types.includes("surfaceCreate"));
  expect(types).toEqual(["reset", "surfaceCreate"]);
  for (const link of links) link[Symbol.dispose]();
});
