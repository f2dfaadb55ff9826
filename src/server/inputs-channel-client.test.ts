import { expect, test } from "vitest";
import { KeyboardModifier, MouseMode, inputsChannel, mainChannel } from "../protocol/index.ts";
import { TestServer } from "./server.testing.ts";
import { eventually } from "../waiting.testing.ts";

const { client } = inputsChannel;
/** All scancodes, however they were cut. */
const keys = (server: TestServer) =>
  server.guestLog.flatMap(([, message]) => (message as { bytes?: number[] }).bytes ?? []);

test("keys reach the guest in order and are let go when their client leaves", async () => {
  using server = new TestServer();
  const { session } = await server.linkMain();
  const inputs = await server.linkInputs(session);
  inputs.send(client.keyDown, { code: 0x1d });
  inputs.send(client.keyScancode, { data: new Uint8Array([0xe0, 0x48]) });
  inputs.send(client.keyDown, { code: 0x1e });
  inputs.send(client.keyUp, { code: 0x9e });
  inputs.send(client.keyDown, { code: 0x4be0 });
  const typed = [0x1d, 0xe0, 0x48, 0x1e, 0x9e, 0xe0, 0x4b];
  await eventually(() => keys(server).length === typed.length);
  inputs.close();
  const releases = [0x9d, 0xe0, 0xc8, 0xe0, 0xcb];
  await eventually(() => keys(server).length === typed.length + releases.length);
  expect(keys(server)).toEqual([...typed, ...releases]);
});

test("another client's keys stay down when one leaves", async () => {
  using server = new TestServer();
  const { session } = await server.linkMain();
  const other = await server.linkMain();
  const inputs = await server.linkInputs(session);
  const otherInputs = await server.linkInputs(other.session);
  inputs.send(client.keyDown, { code: 0x1e });
  otherInputs.send(client.keyDown, { code: 0x30 });
  await eventually(() => server.guestLog.length === 2);
  otherInputs.close();
  await eventually(() => server.guestLog.length === 3);
  expect(keys(server)[2]).toEqual(0xb0);
});

test("lock keys follow the client's lights, once however often it says so, and the guest's lights reach the client", async () => {
  using server = new TestServer();
  const { session } = await server.linkMain();
  const inputs = await server.linkInputs(session);
  const wanted = { modifiers: KeyboardModifier.NumLock | KeyboardModifier.CapsLock };
  inputs.send(client.keyModifiers, wanted);
  inputs.send(client.keyModifiers, wanted);
  inputs.send(client.keyModifiers, { modifiers: KeyboardModifier.NumLock });
  inputs.send(client.keyDown, { code: 1 });
  await eventually(() => keys(server).length === 7);
  expect(keys(server)).toEqual([0x45, 0xc5, 0x3a, 0xba, 0x3a, 0xba, 1]);
  server.reds.leds(KeyboardModifier.NumLock);
  await eventually(() => inputs.find(inputsChannel.server.keyModifiers) !== undefined);
  expect(inputs.find(inputsChannel.server.keyModifiers)).toEqual({ modifiers: KeyboardModifier.NumLock });
});

test("mouse modes: relative until the guest takes positions, then absolute at the client's wish; one ack in four", async () => {
  using server = new TestServer();
  const { main, session } = await server.linkMain();
  const inputs = await server.linkInputs(session);
  inputs.send(client.mouseMotion, { dx: 3, dy: -2, buttonsState: 0 });
  inputs.send(client.mousePosition, { x: 9, y: 9, buttonsState: 0, displayId: 0 });
  await eventually(() => server.guestLog.length === 1);
  expect(server.guestLog[0]).toEqual(["motion", { dx: 3, dy: -2, dz: 0, buttons: 0 }]);

  main.send(mainChannel.client.mouseModeRequest, { mode: MouseMode.Client });
  main.send(mainChannel.client.attachChannels, {});
  await eventually(() => main.names.includes("channelsList"));
  expect(server.reds.mouseMode).toBe(MouseMode.Server);
  server.reds.tabletState(true);
  await eventually(() => main.find(mainChannel.server.mouseMode) !== undefined);
  expect(main.find(mainChannel.server.mouseMode)).toEqual({
    supportedModes: 3,
    currentMode: MouseMode.Server,
  });
  main.send(mainChannel.client.mouseModeRequest, { mode: MouseMode.Client });
  await eventually(() => server.reds.mouseMode === MouseMode.Client);
  inputs.send(client.mousePosition, { x: 100, y: 50, buttonsState: 0, displayId: 0 });
  inputs.send(client.mousePress, { button: 1, buttonsState: 1 });
  inputs.send(client.mousePress, { button: 4, buttonsState: 1 });
  inputs.send(client.mousePosition, { x: 101, y: 50, buttonsState: 1, displayId: 0 });
  await eventually(() => server.guestLog.length === 5);
  expect(server.guestLog.slice(1)).toEqual([
    ["position", { x: 100, y: 50, dz: 0, buttons: 0 }],
    ["position", { x: 100, y: 50, dz: 0, buttons: 1 }],
    ["position", { x: 100, y: 50, dz: -1, buttons: 1 }],
    ["position", { x: 101, y: 50, dz: 0, buttons: 1 }],
  ]);
  await eventually(() => inputs.names.includes("mouseMotionAck"));
  expect(inputs.names.filter((name) => name === "mouseMotionAck")).toHaveLength(1);
  inputs.close();
  await eventually(() => server.guestLog.length === 6);
  expect(server.guestLog[5]).toEqual(["position", { x: 101, y: 50, dz: 0, buttons: 0 }]);
});

test("a driver that draws its own pointer takes positions away from the clients", async () => {
  using server = new TestServer();
  const { main } = await server.linkMain();
  const primary = { channelId: 0, active: true, width: 640, height: 480 };
  server.reds.tabletState(true);
  server.red.send("primaryChanged", { ...primary, mouseMode: 1 });
  main.send(mainChannel.client.mouseModeRequest, { mode: MouseMode.Client });
  await eventually(() => server.reds.mouseMode === MouseMode.Client);
  server.red.send("primaryChanged", { ...primary, mouseMode: 0 });
  await eventually(() => server.reds.mouseMode === MouseMode.Server);
  expect(server.reds.absolutePointer).toBe(false);
  server.red.send("primaryChanged", { ...primary, active: false, mouseMode: 0 });
  await eventually(() => server.reds.absolutePointer);
  main.send(mainChannel.client.mouseModeRequest, { mode: MouseMode.Client });
  await eventually(() => server.reds.mouseMode === MouseMode.Client);
  // The next client may know nothing but relative motion.
  main.close();
  await eventually(() => server.reds.mouseMode === MouseMode.Server);
});
