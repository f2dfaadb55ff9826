// `npm run bench -- <name> [options]`: benchmarks quote ratios taken in one run, since machines are noisy. One verifies instead.

/** What can be measured, by name. */
export const BENCHES: Record<
  string,
  { readonly about: string; readonly run: (args: string[]) => Promise<void> }
> = {
  bands: {
    about:
      "how long one command of a guest keeps the red worker to itself   [--rounds N] [--client] [--json]",
    run: async (args) => (await import("./bands/run.ts")).runBands(args),
  },
  codecs: {
    about:
      "image encoders against spice-server's C: speed and size   [--json] [--browser] [--rounds N] [--codec NAME]…",
    run: async (args) => (await import("./codecs/run.ts")).runCodecs(args),
  },
  edges: {
    about: "messages between the threads for each drawn command, key and pointer position   [--json]",
    run: async (args) => (await import("./edges/run.ts")).runEdges(args),
  },
  idle: {
    about: "CPU of a guest that does nothing, with our yield and with v86's own   [--desktop] [--json]",
    run: async (args) => (await import("./idle/run.ts")).runIdle(args),
  },
  jpeg: {
    about: "the size from which the browser's own JPEG encoder pays, in Chromium   [--rounds N]",
    run: async (args) => (await import("./jpeg/run.ts")).runJpeg(args),
  },
  reference: {
    about:
      "our streams through spice's, spice-gtk's and libjpeg's decoders, and theirs through ours   [--runs N] [--write]",
    run: async (args) => (await import("./reference/verify.ts")).runReference(args),
  },
  relay: {
    about: "CPU that a byte costs the relay each way, against websockify   [--json]",
    run: async (args) => (await import("./relay/run.ts")).runRelay(args),
  },
  restore: {
    about:
      "time from navigation to a live screen against v86's own restore; reading the state with its digests   [--json]",
    run: async (args) => (await import("./restore/run.ts")).runRestore(args),
  },
  soak: {
    about:
      "memory of tab and relay over an hour of printing, watching, joining and leaving   [--minutes N] [--visit-seconds N] [--json]",
    run: async (args) => (await import("./soak/run.ts")).runSoak(args),
  },
};

const [which, ...args] = process.argv.slice(2);
const bench = BENCHES[which ?? ""];
if (!bench) {
  const list = Object.entries(BENCHES).map(([key, { about }]) => `  ${key.padEnd(10)} ${about}`);
  process.stderr.write(`Usage: npm run bench -- <name>\n\n${list.join("\n")}\n`);
  process.exit(2);
}
try {
  await bench.run(args);
} catch (error) {
  // What is missing on this machine is told in a sentence; a fault of ours keeps its trace.
  if (!(error instanceof Error) || error.name !== "ReferenceUnavailable") throw error;
  process.stderr.write(`${error.message}\n`);
  process.exit(2);
}
