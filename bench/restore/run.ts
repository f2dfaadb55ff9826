import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Page } from "@playwright/test";
import { HTTP_PORT, HostTab, Server, desktopProfile, root } from "../../e2e/support/host.ts";
import { layOutAperture } from "../../src/machine/memory-map.ts";
import { STATE_HEADER_BYTES } from "../../src/state/state-header.ts";
import { bundle } from "../chromium-page.ts";
import { median } from "../codecs/measure.ts";
import type { ReadingTimes } from "./reading-entry.ts";

const here = dirname(fileURLToPath(import.meta.url));
const ROUNDS = 5;
/** Readings of the state in each of these rounds. */
const READINGS = 3;

/**
 * `npm run bench -- restore`: from navigation to a running desktop on the page's screen, against the time in which v86 alone gets the
 * same saved state back in the same browser; and the state read with every byte checked, against it just read. Needs the profile that the journeys leave (`npm run e2e`).
 */
export async function runRestore(args: string[]): Promise<void> {
  if (!existsSync(desktopProfile)) {
    process.stderr.write(
      "There is no saved desktop yet: run `npm run e2e` first, its first journey boots and keeps one.\n",
    );
    process.exit(1);
  }
  const ours: number[] = [];
  const alone: number[] = [];
  const reading = await bundle(join(here, "reading-entry.ts"));
  const readings: ReadingTimes[] = [];
  await using tab = await HostTab.open("about:blank", { waitForHost: false });
  // In turn, so that a machine that becomes slower or faster does so for both. A state belongs to one origin, port included.
  for (let round = 0; round < ROUNDS; round++) {
    {
      await using server = await Server.start();
      // The first visit after a start pays for caches of files and code; it is not counted, on either side.
      await untilLive(tab.page, server.url);
      ours.push(await untilLive(tab.page, server.url));
    }
    {
      await using baseline = await serveBaseline(reading);
      await v86Alone(tab.page, baseline.url);
      alone.push(await v86Alone(tab.page, baseline.url));
      readings.push(await readKept(tab.page, baseline.url));
    }
  }
  const ratio = median(ours) / median(alone);
  const [plain, checked] = [readings.flatMap((one) => one.plain), readings.flatMap((one) => one.checked)];
  const checkedRatio = median(checked) / median(plain);
  if (args.includes("--json")) console.log(JSON.stringify({ ours, alone, ratio, readings, checkedRatio }));
  else {
    const list = (times: number[]) => times.map((time) => `${(time / 1000).toFixed(2)} s`).join("  ");
    const megabytes = `${(readings[0].bytes / 1e6).toFixed(0)} MB`;
    console.log(`navigation to a live screen:  ${list(ours)}`);
    console.log(`v86 alone, the same state:    ${list(alone)}`);
    console.log(`ratio of the medians:         ${ratio.toFixed(2)}   aim: 1.2 or less`);
    const readingTimes = `${median(plain).toFixed(0)} ms, every byte checked ${median(checked).toFixed(0)} ms`;
    console.log(`reading the state (${megabytes}): ${readingTimes}`);
    console.log(`ratio of the medians:         ${checkedRatio.toFixed(2)}`);
  }
}

async function untilLive(page: Page, url: string): Promise<number> {
  await page.goto(url);
  const time = await page.evaluate(async () => {
    await window.spicetab.ready;
    while (window.spicetab.session.state.width === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await window.spicetab.readSurface(0);
    await new Promise((resolve) => requestAnimationFrame(resolve));
    return performance.now();
  });
  // Without the good-bye: a save would change what the next round restores.
  await page.goto("about:blank");
  return time;
}

/** What reading the kept state takes, with and without its digests. */
async function readKept(page: Page, url: string): Promise<ReadingTimes> {
  await page.goto(url);
  const times = await page.evaluate(
    (job) =>
      new Promise<ReadingTimes>((resolve, reject) => {
        const worker = new Worker("/reading.js", { type: "module" });
        worker.onmessage = ({ data }) => (data.error ? reject(new Error(data.error)) : resolve(data));
        worker.onerror = (event) => reject(new Error(event.message || "the worker did not load"));
        worker.postMessage(job);
      }),
    { level: "desktop", rounds: READINGS },
  );
  await page.goto("about:blank");
  return times;
}

/** The least server that lets a page of the same origin restore the same state with v86 alone. */
async function serveBaseline(reading: string): Promise<AsyncDisposable & { url: string }> {
  const v86 = join(root, "node_modules/v86/build");
  const files: Record<string, [path: string, type: string]> = {
    "/baseline.js": [join(here, "baseline.js"), "text/javascript"],
    "/libv86.mjs": [join(v86, "libv86.mjs"), "text/javascript"],
    "/v86.wasm": [join(v86, "v86.wasm"), "application/wasm"],
    "/bios.bin": [join(root, "build/guest/desktop/bios.bin"), "application/octet-stream"],
    "/vgabios-qxl.bin": [join(root, "build/guest/desktop/vgabios-qxl.bin"), "application/octet-stream"],
  };
  const server = createServer((request, response) => {
    const file = files[request.url ?? ""];
    if (request.url === "/reading.js") response.setHeader("Content-Type", "text/javascript").end(reading);
    else if (file) response.setHeader("Content-Type", file[1]).end(readFileSync(file[0]));
    else response.setHeader("Content-Type", "text/html").end("<!doctype html><title>v86 alone</title>");
  });
  await new Promise<void>((resolve) => server.listen(HTTP_PORT, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${HTTP_PORT}/`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function v86Alone(page: Page, url: string): Promise<number> {
  const { memoryMiB } = JSON.parse(readFileSync(join(root, "build/guest/desktop/manifest.json"), "utf8"));
  await page.goto(url);
  const time = await page.evaluate(
    async (job) => {
      const worker = new Worker("/baseline.js", { type: "module" });
      const { done } = await new Promise<{ done: number }>((resolve, reject) => {
        worker.onmessage = ({ data }) => (data.error ? reject(new Error(data.error)) : resolve(data));
        worker.onerror = (event) => reject(new Error(event.message || "the worker did not load"));
        worker.postMessage(job);
      });
      worker.terminate();
      return done - performance.timeOrigin;
    },
    { level: "desktop", headerBytes: STATE_HEADER_BYTES, memoryBytes: layOutAperture(memoryMiB).total },
  );
  await page.goto("about:blank");
  return time;
}
