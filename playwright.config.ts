import { defineConfig } from "@playwright/test";

/**
 * The journeys run on real parts: one guest, booted once and kept in a browser profile, one relay, stock clients.
 * They share that machine, so they run one after the other, in the order of their file names.
 */
export default defineConfig({
  testDir: "e2e",
  testMatch: "**/*.spec.ts",
  workers: 1,
  fullyParallel: false,
  retries: 0,
  forbidOnly: !!process.env.CI,
  // A shared machine may be several times slower than a quiet one; a hang is still found.
  timeout: 480_000,
  // What is waited for is waited for, however busy the machine: five seconds, the default, are no promise of ours.
  expect: { timeout: 60_000 },
  reporter: process.env.SPICETAB_E2E_JSON
    ? [["list"], ["json", { outputFile: process.env.SPICETAB_E2E_JSON }]]
    : [["list"]],
  use: { trace: "retain-on-failure", video: "off" },
});
