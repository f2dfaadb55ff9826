import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { RedCommand } from "../protocol/red-command.ts";
import { spiceHtml5Caps } from "./display-client.testing.ts";
import type { TestClientOptions, TestDisplayClient } from "./display-client.testing.ts";
import { arbitraryCommands, batchData, createAll } from "./red-commands.testing.ts";
import { TestRedWorker } from "./red-worker.testing.ts";

/** Every surface the client holds equals the server's; the primary it must hold if there is one. */
async function expectEqual(
  red: TestRedWorker,
  client: TestDisplayClient & { readonly clientId: number },
): Promise<void> {
  await red.settle(client);
  const ids = red.worker.inspect().surfaces.map(({ id }) => id);
  expect(client.surfaces.has(0)).toBe(ids.includes(0));
  for (const id of client.surfaces.keys()) expect(ids).toContain(id);
  if (ids.includes(0)) expect(client.rgb(0)).toEqual(await red.rgb());
}

async function play(
  options: TestClientOptions,
  worker: ConstructorParameters<typeof TestRedWorker>[0],
  early: readonly RedCommand[],
  late: readonly RedCommand[],
): Promise<void> {
  using red = new TestRedWorker(worker);
  await red.run(createAll);
  const client = red.join(options);
  await red.run(early, batchData);
  // A second one joins in the middle, and the first stays.
  const other = red.join(options);
  await red.run(late, batchData);
  await expectEqual(red, client);
  await expectEqual(red, other);
}

const runs = { numRuns: 60 };

describe("what a client sees is what the server drew", () => {
  it.each<[string, TestClientOptions]>([
    ["spice-gtk, automatic compression", {}],
    ["spice-gtk, no compression, full headers", { compression: 1, miniHeader: false }],
    ["spice-gtk, LZ", { compression: 6 }],
    ["spice-gtk, QUIC", { compression: 4 }],
    ["spice-html5", { caps: spiceHtml5Caps }],
  ])("%s", async (_name, options) => {
    await fc.assert(
      fc.asyncProperty(arbitraryCommands, arbitraryCommands, (early, late) => play(options, {}, early, late)),
      runs,
    );
  });

  it("also when pipes collapse at once", async () => {
    await fc.assert(
      fc.asyncProperty(arbitraryCommands, arbitraryCommands, (early, late) =>
        play({}, { pipeStallTime: 0 }, early, [...late, ...late, ...late]),
      ),
      runs,
    );
  });
});
