import { expect, test } from "vitest";
import { AgentPortClosedError, AgentPortOverflowError } from "../errors.ts";
import { AGENT_READ_MAX_BYTES, AGENT_READ_WINDOW, AGENT_WRITE_QUEUE_BYTES } from "../limits.ts";
import { makeBareMachine, silentEvents } from "../machine.testing.ts";
import type { Machine, MachineEvents } from "../machine.ts";
import { VirtioSerialDriver } from "./virtio-driver.testing.ts";
import { AGENT_PORT_NAME, encodeControl } from "./virtio-serial.ts";
import { collect, restorable } from "../../state/state-transfer.ts";

const Event = { deviceReady: 0, portAdd: 1, portReady: 3, portOpen: 6, portName: 7 } as const;
const PORT = 1;
const TIME_PORT = 2;

const bytes = (...values: number[]) => Uint8Array.from(values);

/** A machine whose driver has gone through the handshake and has the port open. */
const openPort = async (
  events: Partial<MachineEvents> = {},
): Promise<{ machine: Machine; driver: VirtioSerialDriver }> => {
  const machine = await makeBareMachine({ events: silentEvents(events) });
  const driver = new VirtioSerialDriver(machine);
  for (let count = 0; count < 4; count++) driver.controlReceive.offer(64);
  driver.control(0, Event.deviceReady, 1);
  driver.control(PORT, Event.portReady, 1);
  driver.control(PORT, Event.portOpen, 1);
  return { machine, driver };
};

test("the control protocol announces the named ports and opens them", async () => {
  const states: boolean[] = [];
  await using machine = await makeBareMachine({
    events: silentEvents({ agentState: (open) => void states.push(open) }),
  });
  const driver = new VirtioSerialDriver(machine);
  expect(driver.status).toBe(15);
  expect(driver.features & 2).toBe(2);
  driver.control(0, Event.deviceReady, 1);
  expect(driver.controlReceive.used()).toEqual([]);
  driver.controlReceive.offer(64);
  expect(driver.controlReceive.used()).toEqual([encodeControl(PORT, Event.portAdd, 0)]);
  expect(driver.interrupt() & 1).toBe(1);
  driver.controlReceive.offer(64);
  expect(driver.controlReceive.used()).toEqual([encodeControl(TIME_PORT, Event.portAdd, 0)]);
  driver.controlReceive.offer(64);
  driver.controlReceive.offer(64);
  driver.control(PORT, Event.portReady, 1);
  expect(driver.controlReceive.used()).toEqual([
    encodeControl(PORT, Event.portName, 1, new TextEncoder().encode(AGENT_PORT_NAME)),
    encodeControl(PORT, Event.portOpen, 1),
  ]);
  expect(states).toEqual([]);
  driver.control(PORT, Event.portOpen, 1);
  driver.control(PORT, Event.portOpen, 1);
  driver.control(PORT, Event.portOpen, 0);
  expect(states).toEqual([true, false]);
});

test("bytes to the guest wait for its buffers and are cut to their size", async () => {
  const { machine, driver } = await openPort();
  await using _ = machine;
  let taken = false;
  const write = machine.agentPort.write(bytes(1, 2, 3, 4, 5)).then(() => (taken = true));
  driver.receive.offer(3);
  await Promise.resolve();
  expect(driver.receive.used()).toEqual([bytes(1, 2, 3)]);
  expect(taken).toBe(false);
  driver.receive.offer(3);
  await write;
  expect(driver.receive.used()).toEqual([bytes(4, 5)]);
});

test("writes are refused while closed, and rejected when the port closes under them", async () => {
  const { machine, driver } = await openPort();
  await using _ = machine;
  const waiting = machine.agentPort.write(bytes(1));
  driver.control(PORT, Event.portOpen, 0);
  await expect(waiting).rejects.toThrow(AgentPortClosedError);
  await expect(machine.agentPort.write(bytes(1))).rejects.toThrow(AgentPortClosedError);
});

test("more than the queue holds is refused", async () => {
  const { machine, driver } = await openPort();
  await using _ = machine;
  const first = machine.agentPort.write(new Uint8Array(AGENT_WRITE_QUEUE_BYTES));
  await expect(machine.agentPort.write(bytes(1))).rejects.toThrow(AgentPortOverflowError);
  driver.reset();
  await expect(first).rejects.toThrow(/reset/);
});

test("reading stops at the window and goes on with each acknowledgement", async () => {
  const chunks: { bytes: Uint8Array; acknowledge: () => void }[] = [];
  const agentData = (data: Uint8Array<ArrayBuffer>) =>
    new Promise<void>((acknowledge) => void chunks.push({ bytes: data, acknowledge }));
  const { machine, driver } = await openPort({ agentData });
  await using _ = machine;
  for (let value = 0; value < AGENT_READ_WINDOW + 2; value++) driver.transmit.offer(bytes(value, value));
  expect(chunks.map((chunk) => chunk.bytes[0])).toEqual([0, 1, 2, 3, 4]);
  expect(driver.transmit.used().length).toBe(AGENT_READ_WINDOW);
  chunks[0].acknowledge();
  await new Promise((resolve) => setTimeout(resolve, 0));
  expect(chunks.length).toBe(AGENT_READ_WINDOW + 1);
  expect(driver.transmit.used().length).toBe(1);
});

test("a reboot closes the port", async () => {
  const states: boolean[] = [];
  const { machine } = await openPort({ agentState: (open) => void states.push(open) });
  await using _ = machine;
  machine.reset();
  expect(states).toEqual([true, false]);
  expect(machine.agentPort.open).toBe(false);
});

test("lying descriptors hurt nobody", async () => {
  const received: number[] = [];
  const agentData = async (data: Uint8Array) => void received.push(data.length);
  const { machine, driver } = await openPort({ agentData });
  await using _ = machine;
  driver.transmit.offer(bytes(1), 0x7fffffff);
  driver.transmit.offer(bytes(1), 0xffffffff);
  driver.receive.offer(4, 0xfffffff0);
  for (const length of received) expect(length).toBeLessThanOrEqual(AGENT_READ_MAX_BYTES);
  for (let count = 0; count < 200; count++) driver.control(0, Event.deviceReady, 1);
  machine.agentPort.write(bytes(1, 2)).catch(() => {});
  driver.receive.offer(4, 0x7fffffff);
});

test("the open port is part of the machine's state", async () => {
  const { machine, driver } = await openPort();
  await using _ = machine;
  const saved = collect(machine);
  const states: boolean[] = [];
  await using second = await makeBareMachine({
    events: silentEvents({ agentState: (open) => void states.push(open) }),
  });
  await second.restoreState(restorable(saved));
  expect(states).toEqual([true]);
  const write = second.agentPort.write(bytes(7, 8));
  // The same driver, now on the restored machine: its queues lie in the restored memory.
  const resumed = driver.receive.onMachine(second);
  resumed.offer(16);
  await write;
  expect(resumed.used()).toEqual([bytes(7, 8)]);
});
