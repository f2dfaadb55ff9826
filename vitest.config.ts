import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: [
      "src/**/*.test.ts",
      "workers/**/*.test.ts",
      "guest/**/*.test.ts",
      "bench/**/*.test.ts",
      "scripts/**/*.test.ts",
    ],
    environment: "node",
    setupFiles: ["scripts/property-tests.setup.ts"],
    // Two cores are what CI has; more workers only make timers late.
    maxWorkers: 2,
    testTimeout: 60_000,
  },
});
