import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ImageType } from "../protocol/index.ts";
import type { RedCommand } from "../protocol/red-command.ts";
import { TestRedWorker, createSurface } from "./worker/red-worker.testing.ts";

const captures = join(import.meta.dirname, "../../../shared/captures");

/** What a stock client sent on its display channel behind the link stage: header, link message, mechanism, ticket. */
function displayMessages(session: string): Uint8Array {
  const bytes = readFileSync(join(captures, session, "01-display-c2s.bin"));
  const linkMessage = bytes.readUInt32LE(12);
  return Uint8Array.from(bytes.subarray(16 + linkMessage + 4 + 128));
}

// Captures of stock clients are not part of the project.
describe.skipIf(!existsSync(captures))("what stock clients really send", () => {
  it.each(["spicy-screenshot-pw", "spicy-session", "remote-viewer-session"])(
    "%s, in odd pieces",
    async (session) => {
      const bytes = displayMessages(session);
      using red = new TestRedWorker();
      const bar: RedCommand = {
        type: "draw",
        surfaceId: 0,
        effect: 1,
        mmTime: 0,
        bbox: { top: 0, left: 0, bottom: 5, right: 5 },
        operation: { type: "whiteness" },
      };
      await red.run([createSurface(0, 64, 48), bar]);
      const client = red.join({ withoutInit: true });
      for (let at = 0; at < bytes.length; at += 7) client.write(bytes.slice(at, at + 7));
      await red.settle(client);
      expect(client.closed).toBeUndefined();
      expect(client.names).toContain("mark");
      expect(client.rgb(0)).toEqual(await red.rgb());
      // remote-viewer was started with --spice-preferred-compression=lz4.
      if (session !== "remote-viewer-session") return;
      await red.run([createSurface(0, 64, 48)]);
      await red.settle(client);
      expect(client.imageTypes.at(-1)).toBe(ImageType.Lz4);
    },
  );
});
