import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Page } from "@playwright/test";
import { HostTab, Server, desktopProfile, root } from "../../e2e/support/host.ts";
import { layOutAperture } from "../../src/guest/memory-map.ts";
import { STATE_HEADER_BYTES } from "../../src/guest/state-header.ts";
import { median } from "../codecs/measure.ts";

const here = dirname(fileURLToPath(import.meta.url));
const ROUNDS = 5;

/**
 * `npm run bench -- restore`: from navigation to a running desktop on the page's screen, against the time in which v86 alone gets the
 * same saved state back in the same browser. Needs the profile that the journeys leave (`npm run e2e`).
 */
export async function runRestore(args: string[]): Promise<void> {
  if (!existsSync(desktopProfile)) {
    process.stderr.write(
      "There is no saved desktop yet: run `npm run e2e` first, its first journey boots and keeps one.\n",
    );
    process.exit(1);
  }
  await using server = await Server.start();
  const { memoryMiB } = JSON.parse(readFileSync(join(root, "build/guest/desktop/manifest.json"), "utf8"));
  const ours: number[] = [];
  const alone: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    await using tab = await HostTab.open("about:blank", { waitForHost: false });
    // The order alternates: whoever comes second finds the state in the file cache.
    const measures = [
      async () => ours.push(await untilLive(tab.page, server.url)),
      async () => alone.push(await v86Alone(tab.page, server.url, layOutAperture(memoryMiB).total)),
    ];
    for (const run of round % 2 === 0 ? measures : measures.toReversed()) await run();
  }
  const ratio = median(ours.map((time, i) => time / alone[i]));
  if (args.includes("--json")) console.log(JSON.stringify({ ours, alone, ratio }));
  else {
    const list = (times: number[]) => times.map((time) => `${(time / 1000).toFixed(2)} s`).join("  ");
    console.log(`navigation to a live screen:  ${list(ours)}`);
    console.log(`v86 alone, the same state:    ${list(alone)}`);
    console.log(`ratio (median of rounds):     ${ratio.toFixed(2)}   aim: 1.2 or less`);
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

async function v86Alone(page: Page, url: string, memoryBytes: number): Promise<number> {
  const build = join(root, "node_modules/v86/build");
  const files: Record<string, { path?: string; body?: string; contentType: string }> = {
    "bench/baseline.html": { body: "<!doctype html><title>baseline</title>", contentType: "text/html" },
    "bench/baseline.js": { path: join(here, "baseline.js"), contentType: "text/javascript" },
    "bench/libv86.mjs": { path: join(build, "libv86.mjs"), contentType: "text/javascript" },
    "bench/v86.wasm": { path: join(build, "v86.wasm"), contentType: "application/wasm" },
  };
  for (const [name, file] of Object.entries(files))
    await page.route(url + name, (route) => route.fulfill(file));
  await page.goto(`${url}bench/baseline.html`);
  const time = await page.evaluate(
    async (job) => {
      const worker = new Worker("/bench/baseline.js", { type: "module" });
      const { done } = await new Promise<{ done: number }>((resolve, reject) => {
        worker.onmessage = ({ data }) => resolve(data);
        worker.onerror = (event) => reject(new Error(event.message));
        worker.postMessage(job);
      });
      worker.terminate();
      return done - performance.timeOrigin;
    },
    { level: "desktop", headerBytes: STATE_HEADER_BYTES, memoryBytes },
  );
  await page.unrouteAll();
  await page.goto("about:blank");
  return time;
}
