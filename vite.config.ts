import { defineConfig } from "vite";
import type { Plugin } from "vite";
import spicetabRelay from "./src/relay/vite-plugin.ts";

/** v86 asks for these only in Node. In a browser they are nothing, and Vite need not warn of it. */
const NODE_PARTS_OF_V86 = ["crypto", "fs", "node:crypto", "node:fs/promises", "perf_hooks"];

const withoutNodeParts = (): Plugin => ({
  name: "v86-without-node",
  enforce: "pre",
  resolveId(id, importer) {
    return importer?.includes("/v86/build/") && NODE_PARTS_OF_V86.includes(id) ? "\0nothing" : undefined;
  },
  load(id) {
    return id === "\0nothing" ? "export default {};" : undefined;
  },
});

export default defineConfig({
  // A reverse proxy may put the page under any path.
  base: "./",
  build: { target: "esnext", modulePreload: { polyfill: false } },
  // Module workers: the threads import each other's modules, and v86 is one.
  worker: { format: "es", plugins: () => [withoutNodeParts()] },
  server: { host: "127.0.0.1", port: 8080 },
  preview: { host: "127.0.0.1", port: 8080 },
  plugins: [
    withoutNodeParts(),
    spicetabRelay({ spicePort: Number(process.env.SPICETAB_SPICE_PORT ?? 5900) }),
  ],
});
