import { expect, test } from "@playwright/test";
import { ImageCompression } from "../../src/protocol/index.ts";
import type { HostTab } from "./host.ts";
import { fullHeaderScreenshot } from "./plain-client.ts";
import { difference } from "./ppm.ts";
import { spicyScreenshot } from "./stock-clients.ts";

/** Compressions by the names of SpiceImageCompression. */
export type Compression = Exclude<keyof typeof ImageCompression, "Invalid">;

/** What the issue of exactness is about; the others are variations of these. */
export const MAIN_COMPRESSIONS: readonly Compression[] = ["Off", "Quic", "Lz"];
export const ALL_COMPRESSIONS: readonly Compression[] = [
  ...MAIN_COMPRESSIONS,
  "AutoGlz",
  "AutoLz",
  "Glz",
  "Lz4",
];

/**
 * Takes the picture with every compression, by the stock client (mini headers, as all stock clients) and by one that announces
 * full headers only, and compares each pixel with the server's primary surface at rest.
 */
export async function expectExactScreenshots(
  tab: HostTab,
  port: number,
  options: { compressions?: readonly Compression[]; password?: string } = {},
): Promise<void> {
  const { compressions = MAIN_COMPRESSIONS, password } = options;
  for (const name of compressions) {
    await test.step(`compression ${name}${password === undefined ? "" : ", with the password"}`, async () => {
      await tab.page.evaluate(
        (value) => window.spicetab.session.setCompression(value),
        ImageCompression[name],
      );
      const expected = await tab.restingSurface();
      const shot = await spicyScreenshot(port, { password });
      expect(shot.code, shot.stderr).toBe(0);
      expect(difference(shot.picture!, expected), "spicy-screenshot, mini headers").toBeUndefined();
      const picture = await fullHeaderScreenshot(port, password);
      expect(difference(picture, await tab.restingSurface()), "full headers").toBeUndefined();
    });
  }
}

/** SPICE_CHANNEL_ERROR_AUTH: the client understood PERMISSION_DENIED. */
export async function expectPasswordRefused(port: number, password: string | undefined): Promise<void> {
  const wrong = await spicyScreenshot(port, { password });
  expect(wrong.code).toBe(1);
  expect(wrong.stdout + wrong.stderr).toContain("main channel event: 23");
  expect(wrong.picture).toBeUndefined();
}
