import { expect, test } from "@playwright/test";
import { checkInspection, checkLog } from "../../src/host/inspection-check.testing.ts";
import type { HostInspection } from "../../src/host/inspection.ts";
import type { LogLine } from "../../src/log/index.ts";

/** Milliseconds for what a journey did to come to rest: links have ten seconds, and a machine may be slow. */
const REST_MS = 30_000;
/** Milliseconds between two looks: threads that are asked have not only that to do. */
const LOOK_MS = 250;

/** A driver that changes its mode has no primary surface for a moment, in which journeys look at it, too (readSurfaceInPage). */
const BETWEEN_MODES = /"readSurface" failed: there is no surface/;

/** A page, whoever drives it. */
export interface Inspected {
  evaluate<T>(script: () => T | Promise<T>): Promise<T>;
}

/** What a journey does that its end may show. */
export interface Expectations {
  /** Of the log's lines, as "thread, domain: message", those of mistakes that the journey provokes. */
  readonly log?: readonly RegExp[];
}

/**
 * Waits until the page's host is as docs/threading.md says, and fails the journey if it does not become so, whatever else comes of it.
 * A page that hosts nothing has nothing to show.
 */
export async function expectGraph(page: Inspected, { log = [] }: Expectations = {}): Promise<void> {
  // A benchmark has its own ends.
  if (!isTest()) return;
  const end = performance.now() + REST_MS;
  for (;;) {
    const shown = await page.evaluate(look);
    if (shown === undefined) return;
    const { inspection, lines } = shown;
    const findings = [...checkInspection(inspection), ...checkLog(lines, [BETWEEN_MODES, ...log])];
    if (findings.length === 0) return;
    if (performance.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      continue;
    }
    await test.info().attach("inspection", {
      body: JSON.stringify({ inspection, lines }, undefined, 1),
      contentType: "application/json",
    });
    return expect.soft(findings, "the ownership graph, at rest").toEqual([]);
  }
}

async function look(): Promise<{ inspection: HostInspection; lines: readonly LogLine[] } | undefined> {
  const session = globalThis.window?.spicetab?.session;
  if (session?.threads === undefined) return undefined;
  return { inspection: await session.inspect(), lines: session.log };
}

function isTest(): boolean {
  try {
    test.info();
    return true;
  } catch {
    return false;
  }
}
