import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { sortMappings } from "./mappings.ts";
import type { RendererMemory } from "./mappings.ts";

/** What a process and its children hold, in bytes of physical memory. */
export interface ProcessMemory {
  /** The Node process with the relay. */
  readonly relayBytes: number;
  /** The renderers (the tab with all its workers, core among them, and the one that Chromium keeps spare), but for the machine's memory. */
  readonly tab: Omit<RendererMemory, "machineBytes" | "machineSize">;
  /** What of the machine's memory has been touched so far; a browser backs no page before that. */
  readonly machineBytes: number;
  /** All of the machine's memory: more than this it cannot become. */
  readonly machineSize: number;
}

interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly residentBytes: number;
  readonly command: string;
}

/**
 * Reads the memory of the process tree below `pid`, which is that of `npm start -- --headless`.
 * @param machineSize bytes that the machine was given, at least: it is known by this among the tab's memory
 */
export function processMemory(pid: number, machineSize: number): ProcessMemory {
  const tree = descendants(pid);
  const relay = tree.filter(({ command }) => !/--type=|^\S*(chrom|crashpad)/i.test(command));
  const renderers = tree
    .filter(({ command }) => command.includes("--type=renderer"))
    .flatMap((one) => readMappings(one.pid, machineSize) ?? []);
  const sum = (name: keyof RendererMemory) => renderers.reduce((total, one) => total + one[name], 0);
  const tab = {
    codeBytes: sum("codeBytes"),
    fileBytes: sum("fileBytes"),
    heapBytes: sum("heapBytes"),
  };
  return {
    relayBytes: relay.reduce((total, one) => total + one.residentBytes, 0),
    tab,
    machineBytes: sum("machineBytes"),
    machineSize: sum("machineSize"),
  };
}

function descendants(root: number): Process[] {
  const all = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => readProcess(Number(name)) ?? []);
  const found = all.filter(({ pid }) => pid === root);
  for (const one of found) found.push(...all.filter(({ parent }) => parent === one.pid));
  return found;
}

/** Undefined for a process that ended meanwhile. */
function readProcess(pid: number): Process | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    const field = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(status)?.[1] ?? 0);
    const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
    return { pid, parent: field("PPid"), residentBytes: field("VmRSS") * 1024, command };
  } catch {
    return undefined;
  }
}

function readMappings(pid: number, machineSize: number): RendererMemory | undefined {
  try {
    return sortMappings(readFileSync(join("/proc", String(pid), "smaps"), "utf8"), machineSize);
  } catch {
    return undefined;
  }
}
