import { describe, expect, it } from "vitest";
import { AckWindow } from "./ack-window.ts";

function opened(): AckWindow {
  const acks = new AckWindow(20);
  acks.sync(acks.begin().generation);
  return acks;
}

describe("AckWindow", () => {
  it("blocks until SET_ACK is sent", () => {
    const acks = new AckWindow(20);
    expect(acks.waiting).toBe(true);
    expect(acks.begin()).toEqual({ generation: 1, window: 20 });
    expect(acks.waiting).toBe(false);
  });

  it("stops at two windows and goes on after one ACK", () => {
    const acks = opened();
    for (let i = 0; i < 39; i++) acks.sent();
    expect(acks.waiting).toBe(false);
    acks.sent();
    expect(acks.waiting).toBe(true);
    acks.ack();
    expect(acks.outstanding).toBe(20);
    expect(acks.waiting).toBe(false);
  });

  it("counts no ACK before the client has synced with the generation", () => {
    const acks = new AckWindow(20);
    const { generation } = acks.begin();
    for (let i = 0; i < 40; i++) acks.sent();
    acks.ack();
    acks.sync(generation + 1);
    acks.ack();
    expect(acks.waiting).toBe(true);
    acks.sync(generation);
    acks.ack();
    expect(acks.waiting).toBe(false);
  });

  it("gains nothing from surplus ACKs", () => {
    const acks = opened();
    for (let i = 0; i < 1000; i++) acks.ack();
    for (let i = 0; i < 40; i++) acks.sent();
    expect(acks.waiting).toBe(true);
  });
});
