/** A renderer's physical memory in bytes, by what it is. */
export interface RendererMemory {
  /** Touched pages of the WebAssembly memory that is the machine's: its RAM, its screen, and what v86 itself keeps there. */
  readonly machineBytes: number;
  /** All of that memory, touched or not. */
  readonly machineSize: number;
  /** Compiled code: JavaScript's, and what v86 makes of the guest's. */
  readonly codeBytes: number;
  /** Chromium's own program and libraries. */
  readonly fileBytes: number;
  /** The rest: the threads' heaps, buffers, pictures, stacks. */
  readonly heapBytes: number;
}

/** `address perms offset device inode path` of a mapping's first line in /proc/<pid>/smaps. */
const HEAD = /^([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ (\d+)/;

/**
 * Sorts what /proc/<pid>/smaps says.
 * @param machineSize the least size of the machine's memory: no other mapping that can be written is as large
 */
export function sortMappings(smaps: string, machineSize: number): RendererMemory {
  const memory = { machineBytes: 0, machineSize: 0, codeBytes: 0, fileBytes: 0, heapBytes: 0 };
  let kind: "machineBytes" | "codeBytes" | "fileBytes" | "heapBytes" = "heapBytes";
  for (const line of smaps.split("\n")) {
    const head = HEAD.exec(line);
    if (head !== null) {
      const [, from, to, permissions, inode] = head;
      const size = Number.parseInt(to, 16) - Number.parseInt(from, 16);
      if (inode !== "0") kind = "fileBytes";
      else if (permissions.includes("x")) kind = "codeBytes";
      else if (permissions.includes("w") && size >= machineSize) kind = "machineBytes";
      else kind = "heapBytes";
      if (kind === "machineBytes") memory.machineSize += size;
    } else if (line.startsWith("Rss:")) memory[kind] += Number(/\d+/.exec(line)?.[0] ?? 0) * 1024;
  }
  return memory;
}
