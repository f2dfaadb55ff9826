import { expect, test } from "@playwright/test";
import { linkError } from "../src/client/client.testing.ts";
import { dialTcp } from "../src/client/transports/node-socket.ts";
import { ChannelType, LinkErr } from "../src/protocol/index.ts";
import { HostTab, Server } from "./support/host.ts";
import { serial } from "./support/serial.ts";

/** QXL_IO_LOG, of the BAR that sysfs has in its fourth line. */
const IO_LOG = 7;
const FIND_QXL = `for d in /sys/bus/pci/devices/*; do [ "$(cat $d/device)" = 0x0100 ] && sed -n 4p $d/resource; done | cut -d" " -f1`;

test("the page's log says what the guest's driver and strangers at the port do, and counts what they repeat", async () => {
  await using server = await Server.start();
  await using tab = await HostTab.open(server.url);
  await tab.ready();
  const stranger = await dialTcp(server.spicePort);
  expect(await linkError(stranger, { channelType: ChannelType.Main, connectionId: 4711 })).toBe(
    LinkErr.BadConnectionId,
  );
  const port = Number(await serial(tab, FIND_QXL));
  expect(port).toBeGreaterThan(0);
  const write = `dd if=/dev/zero of=/dev/port bs=1 count=1 seek=${port + IO_LOG} 2>/dev/null`;
  await serial(tab, `for i in 1 2 3; do ${write}; done`);

  const log = () => tab.page.evaluate(() => window.spicetab.session.log);
  await expect
    .poll(async () => (await log()).find(({ domain }) => domain === "qxl-driver")?.count, { timeout: 30_000 })
    .toBe(3);
  await tab.page.getByText("Threads", { exact: true }).click();
  // The panel scrolls, however long it is; the page does not.
  const overflow = () => document.scrollingElement!.scrollHeight - innerHeight;
  expect(await tab.page.evaluate(overflow)).toBe(0);
  const lines = tab.page.getByRole("list", { name: "Log" });
  await expect(lines.getByText(/names session 4711/)).toBeVisible({ timeout: 30_000 });
  await expect(lines.getByText(/guest, qxl-driver · message · 3 times/)).toBeVisible();
  for (const colorScheme of ["light", "dark"] as const) {
    await tab.page.emulateMedia({ colorScheme });
    await lines.scrollIntoViewIfNeeded();
    if (process.env.SHOTS) await tab.page.screenshot({ path: `${process.env.SHOTS}/log-${colorScheme}.png` });
  }
  expect(tab.errors).toEqual([]);
});
