/**
 * Runs in a worker of a test's page: keeps saving moments that are told apart, and tells each step to the test's server, so that the test
 * can end the browser in the midst of one. Begins by telling what it found.
 */
import { IdbStateFolder } from "../../src/state/idb-state-folder.ts";
import { OpfsStateFolder } from "../../src/state/opfs-state-folder.ts";
import { makeStateHeader } from "../../src/state/state-header.ts";
import { StateStore } from "../../src/state/state-store.ts";
import { StateRefusedError } from "../../src/state/errors.ts";

/** What the worker tells. */
export interface StateWorkerReport {
  readonly step: "found" | "saving" | "saved" | "failed";
  /** Which moment: 0 where nothing was found. */
  readonly moment: number;
  /** Refusals of what was passed over. */
  readonly refused?: readonly string[];
  readonly words?: string;
}

const BYTES = 24 * 1024 * 1024 + 4_321;
const identity = { level: "test", buildId: "b", memoryMiB: 64, aperture: "64+64+16", v86Version: "0.5.462" };

const tell = (report: StateWorkerReport) =>
  fetch("/report", { method: "POST", body: JSON.stringify(report) });

/** Every word depends on the moment and on its place. */
const bytesOf = (moment: number): Uint8Array => {
  const words = new Uint32Array(BYTES >> 2);
  for (let index = 0; index < words.length; index++) words[index] = Math.imul(index ^ moment, 0x9e3779b1);
  const bytes = new Uint8Array(BYTES);
  bytes.set(new Uint8Array(words.buffer));
  return bytes;
};

const find = async (store: StateStore): Promise<StateWorkerReport> => {
  const refused: string[] = [];
  for (const kept of await store.kept("test")) {
    try {
      const { header, source } = await store.open(kept);
      using _ = source;
      const bytes = new Uint8Array(source.bytes);
      source.read(bytes, 0);
      source.verifyRest();
      const moment = header.savedAt;
      const wanted = bytesOf(moment);
      if (!bytes.every((byte, index) => byte === wanted[index]))
        throw new Error(`moment ${moment} is not itself`);
      return { step: "found", moment, refused };
    } catch (error) {
      if (!(error instanceof StateRefusedError)) throw error;
      refused.push(error.refusal);
    }
  }
  return { step: "found", moment: 0, refused };
};

const run = async () => {
  const opfs = self.name === "OPFS" ? await OpfsStateFolder.open() : undefined;
  const store = new StateStore(opfs ?? new IdbStateFolder());
  const found = await find(store);
  await tell(found);
  for (let moment = found.moment + 1; ; moment++) {
    const bytes = bytesOf(moment);
    await tell({ step: "saving", moment });
    await store.save("test", {
      capture: (sink) => {
        sink.begin(makeStateHeader(identity, bytes.length, moment));
        sink.write(bytes);
      },
    });
    await tell({ step: "saved", moment });
  }
};

run().catch((error: unknown) => tell({ step: "failed", moment: 0, words: String(error) }));
