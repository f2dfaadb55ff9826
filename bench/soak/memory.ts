import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { sortMappings } from "./mappings.ts";
import type { RendererMemory } from "./mappings.ts";

/** What `npm start -- --headless` and its browser hold, in bytes of physical memory. */
export interface HostMemory extends RendererMemory {
  /** The Node process with the relay. */
  readonly relayBytes: number;
}

interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly residentBytes: number;
  readonly command: string;
}

/**
 * Reads the memory of the process tree below `pid`. Of the browser's renderers the one with the machine counts: the page and all its
 * workers are there, core among them; others are Chromium's own windows.
 * @param machineSize bytes that the machine was given, at least: it is known by this
 */
export function hostMemory(pid: number, machineSize: number): HostMemory {
  const tree = descendants(pid);
  const relay = tree.filter(({ command }) => !/--type=|^\S*(chrom|crashpad)/i.test(command));
  const tab = tree
    .filter(({ command }) => command.includes("--type=renderer"))
    .flatMap((one) => readMappings(one.pid, machineSize) ?? [])
    .find((memory) => memory.machineSize > 0);
  if (tab === undefined) throw new Error("no renderer has the machine's memory");
  return { relayBytes: relay.reduce((total, one) => total + one.residentBytes, 0), ...tab };
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
