import { defineConfig } from "vite";
import spicetabRelay from "./src/relay/vite-plugin.ts";

export default defineConfig({
  build: { target: "esnext", modulePreload: { polyfill: false } },
  // Module workers: the threads import each other's modules, and v86 is one.
  worker: { format: "es" },
  server: { host: "127.0.0.1", port: 8080 },
  preview: { host: "127.0.0.1", port: 8080 },
  plugins: [spicetabRelay()],
});
