import { describe, expect, test } from "vitest";
import { streamCompliance } from "./compliance.testing.ts";
import { CREDIT_GRAIN, STREAM_CREDIT } from "./limits.ts";
import { createRedStreamPair, openRedStream } from "./red-stream.ts";
import { eventually } from "../waiting.testing.ts";

describe("RedStream over a MessageChannel", () => {
  streamCompliance(() => {
    const [a, b] = createRedStreamPair();
    return { a, b };
  });
});

test("a peer that ignores its credit is cut off at the reader's limit", async () => {
  const { port1, port2 } = new MessageChannel();
  const flooding = openRedStream(port1);
  const reader = openRedStream(port2, { overshoot: 64 * 1024 });
  let atReader = "";
  let atFlooding = "";
  reader.onClose = (reason) => (atReader = reason);
  flooding.onClose = (reason) => (atFlooding = reason);
  for (let i = 0; i < 20; i++) flooding.write(new Uint8Array(64 * 1024));
  await eventually(() => atReader !== "" && atFlooding !== "");
  expect(atReader).toContain("more than its credit");
  expect(reader.closed).toBe(true);
});

test("small messages cost a credit frame a grain, not one each", async () => {
  const { port1, port2 } = new MessageChannel();
  let credits = 0;
  port1.addEventListener("message", ({ data }: MessageEvent<{ type: string }>) => {
    if (data.type === "credit") credits++;
  });
  const writer = openRedStream(port1);
  const reader = openRedStream(port2);
  let read = 0;
  reader.onData = (bytes) => (read += bytes.length);
  for (let i = 0; i < 2000; i++) writer.write(new Uint8Array(100));
  await eventually(() => read === 200_000);
  const grains = Math.floor(200_000 / CREDIT_GRAIN);
  await eventually(() => credits === grains);
  expect(writer.credit).toBeGreaterThan(STREAM_CREDIT - CREDIT_GRAIN - 100);
  reader.close();
});

test("what waits unread is counted, also what was put back", async () => {
  const [a, b] = createRedStreamPair();
  a.write(new Uint8Array(10));
  a.write(new Uint8Array(20));
  await eventually(() => b.waiting === 30);
  b.onData = (bytes) => {
    b.onData = undefined;
    b.unread(bytes.subarray(4));
  };
  expect(b.waiting).toBe(26);
  b.close();
  expect(b.waiting).toBe(0);
});

test("a stream moved before much was written keeps its own port: no thread in between", () => {
  const [a, b] = createRedStreamPair();
  const { port1, port2 } = new MessageChannel();
  const fresh = openRedStream(port1);
  fresh.write(new Uint8Array(190));
  expect(fresh.credit).toBe(STREAM_CREDIT - 190);
  expect(fresh.detach()).toBe(port1);
  a.write(new Uint8Array(CREDIT_GRAIN + 1));
  expect(a.credit).toBeLessThan(STREAM_CREDIT - CREDIT_GRAIN);
  const moved = openRedStream(a.detach());
  moved.close();
  b.close();
  port1.close();
  port2.close();
});
