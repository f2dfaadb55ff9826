import { expect, test } from "@playwright/test";
import { MouseMode, inputsChannel } from "../src/protocol/index.ts";
import { HostTab, Server } from "./support/host.ts";
import { PointerClient } from "./support/plain-client.ts";

test("in server mouse mode the guest's pointer moves by the steps a client sends", async () => {
  await using server = await Server.start();
  await using tab = await HostTab.open(server.url);
  await tab.ready();
  using client = await PointerClient.join(server.spicePort);
  const modes: number[] = [];
  client.main.onMouseMode = (mode) => modes.push(mode);
  const { mouseMotion } = inputsChannel.client;

  await test.step("the client asks for one mode and the other, and is told what is on", async () => {
    client.main.requestMouseMode(MouseMode.Client);
    await expect.poll(() => modes).toEqual([MouseMode.Client]);
    client.main.requestMouseMode(MouseMode.Server);
    await expect.poll(() => modes).toEqual([MouseMode.Client, MouseMode.Server]);
  });

  await test.step("motion moves the pointer that the server tells of", async () => {
    // To the upper left corner, wherever it was; then steps into the screen.
    client.inputs.move(-4000, -4000, 0);
    await expect.poll(() => client.position, { timeout: 30_000 }).toEqual({ x: 0, y: 0 });
    client.inputs.move(120, 80, 0);
    await expect
      .poll(() => (client.position?.x ?? 0) > 60 && (client.position?.y ?? 0) > 40, { timeout: 30_000 })
      .toBe(true);
  });

  await test.step("motions are acknowledged, one for each bunch of four", async () => {
    let acks = 0;
    client.inputs.onMessage = ({ def }) => {
      if (def === inputsChannel.server.mouseMotionAck) acks++;
    };
    for (let i = 0; i < 8; i++) client.inputs.send(mouseMotion, { dx: 1, dy: 1, buttonsState: 0 });
    await expect.poll(() => acks).toBe(2);
  });

  await test.step("back in client mode", async () => {
    client.main.requestMouseMode(MouseMode.Client);
    await expect.poll(() => modes.at(-1)).toBe(MouseMode.Client);
  });
  expect(tab.errors).toEqual([]);
});
