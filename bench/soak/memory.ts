import { readFileSync, readdirSync } from "node:fs";

/** What a process and its children hold, in bytes of physical memory (VmRSS of /proc). */
export interface ProcessMemory {
  /** The Node process with the relay. */
  readonly relayBytes: number;
  /** The renderers: the tab with all its workers, and core's SharedWorker. */
  readonly tabBytes: number;
  /** The largest of the renderers: the one in which the machine runs. */
  readonly machineBytes: number;
}

interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly residentBytes: number;
  readonly command: string;
}

/** Reads the memory of the process tree below `pid`, which is that of `npm start -- --headless`. */
export function processMemory(pid: number): ProcessMemory {
  const tree = descendants(pid);
  const relay = tree.filter(({ command }) => !/--type=|^\S*(chrom|crashpad)/i.test(command));
  const renderers = tree.filter(({ command }) => command.includes("--type=renderer"));
  const sum = (some: readonly Process[]) => some.reduce((total, one) => total + one.residentBytes, 0);
  return {
    relayBytes: sum(relay),
    tabBytes: sum(renderers),
    machineBytes: Math.max(0, ...renderers.map(({ residentBytes }) => residentBytes)),
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
