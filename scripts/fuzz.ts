/**
 * `npm run fuzz`: mutated and truncated streams against every image decoder and every message parser. Nothing but the decoder's own
 * typed error may come out, nothing may hang, and nothing may be written outside the picture.
 *
 *     npm run fuzz -- --runs 100000 --seed 1 --only quic
 */
import { parseArgs } from "node:util";
import { fuzzDecoder, fuzzTargets, seededRandom } from "../src/image/fuzz.testing.ts";
import { SurfaceHeap } from "../src/image/index.ts";
import { loadImageModuleFromFile } from "../src/image/load.node.ts";
import { MessageParser, ProtocolError, SchemaError, channels } from "../src/protocol/index.ts";

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "100000" },
    seed: { type: "string", default: "1" },
    only: { type: "string" },
  },
});
const runs = Number(values.runs);
const seed = Number(values.seed);
/** Milliseconds for one message. */
const HANG_MS = 2_000;

/** Random and half-plausible messages on every channel, both directions. */
function fuzzParsers(): void {
  const random = seededRandom(seed);
  for (const channel of channels) {
    for (const table of [channel.server, channel.client]) {
      const definitions = Object.values(table);
      for (let run = 0; run < runs / 20; run++) {
        const definition = definitions[random(definitions.length)];
        const size = random(200);
        const bytes = new Uint8Array(6 + size).map(() => (random(3) === 0 ? 0 : random(256)));
        const view = new DataView(bytes.buffer);
        view.setUint16(0, random(20) === 0 ? random(65536) : definition.id, true);
        view.setUint32(2, random(20) === 0 ? random(0x7fffffff) : size, true);
        const fail = (problem: string) =>
          new Error(`${channel.name}: ${problem}\nmessage: ${Buffer.from(bytes).toString("base64")}`);
        const start = performance.now();
        try {
          const parser = new MessageParser({ miniHeader: true, channel: table });
          for (const message of parser.push(bytes)) void message.value;
        } catch (error) {
          if (!(error instanceof SchemaError || error instanceof ProtocolError)) throw fail(String(error));
        }
        if (performance.now() - start > HANG_MS) throw fail("took too long");
      }
    }
  }
}

const heap = new SurfaceHeap();
let failed = false;
const attempt = (name: string, fuzz: () => string): void => {
  if (values.only !== undefined && values.only !== name) return;
  try {
    console.log(`${name}: ${fuzz()}`);
  } catch (error) {
    failed = true;
    console.error(error instanceof Error ? error.message : error);
  }
};
for (const target of fuzzTargets(heap, await loadImageModuleFromFile(heap))) {
  attempt(target.name, () => {
    const decoded = fuzzDecoder(target, runs, seed);
    return `${runs} streams (${decoded} were decoded all the same), no crash, no hang, no write outside`;
  });
}
attempt("messages", () => {
  fuzzParsers();
  return `${Math.floor(runs / 20)} per channel and direction, only typed errors`;
});
process.exit(failed ? 1 : 0);
