import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseBootMarker } from "../../machine/devices/serial-log.ts";
import { KeyboardLayout, LAYOUT_NAMES } from "../../keyboard/index.ts";
import { layoutCommand, layoutOfMarker } from "./guest-layout.ts";

test.each(LAYOUT_NAMES)(
  "%s: a shell sets it once, says so, and its echo of the line says nothing",
  (name) => {
    const command = layoutCommand(new KeyboardLayout(name), "desktop");
    expect(parseBootMarker(command)).toBeUndefined();
    const folder = mkdtempSync(join(tmpdir(), "layout-"));
    try {
      writeFileSync(join(folder, "setxkbmap"), `#!/bin/sh\necho "$@" >>${folder}/set\n`, { mode: 0o755 });
      const here = command.replaceAll("/run/spicetab.keyboard", join(folder, "keyboard"));
      const run = () =>
        execFileSync("sh", ["-c", here], { env: { PATH: `${folder}:/usr/bin:/bin` }, encoding: "utf8" });
      for (let i = 0; i < 2; i++) {
        expect(layoutOfMarker(parseBootMarker(run())?.name ?? "")).toBe(name);
      }
      const set = name === "us" ? "" : readFileSync(join(folder, "set"), "utf8");
      expect(set.split("\n").filter(Boolean)).toHaveLength(name === "us" ? 0 : 1);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);

test("other markers name no layout", () => {
  expect(layoutOfMarker("ready")).toBeUndefined();
});
