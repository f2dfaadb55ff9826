import { afterEach, expect, onTestFinished, test, vi } from "vitest";
import { CodedError } from "../errors/index.ts";
import type { NoMessages } from "./dispatcher.ts";
import { Dispatcher } from "./dispatcher.ts";
import { DispatcherTimeout, RemoteError, PeerDied } from "./errors.ts";
import { MAX_QUEUED_MESSAGES } from "./limits.ts";
import { LocalLiveness } from "./liveness.ts";
import { TransferredAnswer } from "./receiver.ts";
import { eventually, turns } from "../waiting.testing.ts";

interface Table {
  note(message: { text: string }): void;
  /** Answers when the test lets it. */
  slow(message: object): number;
  fail(message: { text: string }): void;
  take(message: { bytes: Uint8Array }): Uint8Array;
}

class Full extends CodedError {
  readonly code = "IMAGE_HEAP_FULL";
  readonly excess: number;
  constructor(excess: number) {
    super(`${excess} too many`);
    this.excess = excess;
  }
}

const open: Disposable[] = [];
afterEach(() => {
  for (const one of open.splice(0)) one[Symbol.dispose]();
});

function pair(deadlineMs?: number, concurrent?: readonly (keyof Table & string)[]) {
  const { port1, port2 } = new MessageChannel();
  const log: string[] = [];
  let finishSlow: (answer: number) => void = () => {};
  const slow = new Promise<number>((resolve) => (finishSlow = resolve));
  const server = new Dispatcher<NoMessages, Table>(port2, {
    peer: "test",
    concurrent,
    handlers: {
      note: ({ text }) => void log.push(text),
      slow: async () => {
        log.push("slow begins");
        const answer = await slow;
        log.push("slow ends");
        return answer;
      },
      fail: ({ text }) => {
        if (text === "full") throw new DOMException(text, "QuotaExceededError");
        if (text === "own") throw new Full(3);
        throw new RangeError(text);
      },
      take: ({ bytes }) => {
        const answer = new Uint8Array([...bytes].toReversed());
        return new TransferredAnswer(answer, [answer.buffer]) as unknown as Uint8Array;
      },
    },
  });
  const dispatcher = new Dispatcher<Table>(port1, { peer: "test worker", deadlineMs });
  open.push(dispatcher, server);
  return { dispatcher, log, finishSlow };
}

test("handlers run one after the other; a call is a barrier behind earlier sends", async () => {
  const { dispatcher, log, finishSlow } = pair();
  const slow = dispatcher.call("slow", {});
  dispatcher.send("note", { text: "a" });
  dispatcher.send("note", { text: "b" });
  const last = dispatcher.call("note", { text: "c" });
  await turns();
  expect(log).toEqual(["slow begins"]);
  finishSlow(20);
  await last;
  expect(log).toEqual(["slow begins", "slow ends", "a", "b", "c"]);
  expect(await slow).toBe(20);
});

test("a failing handler fails its call, with its code, words and fields, and nothing else", async () => {
  const { dispatcher, log } = pair();
  dispatcher.send("fail", { text: "ignored" });
  const error = await dispatcher.call("fail", { text: "too far" }).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(RemoteError);
  expect(error).toMatchObject({
    code: "UNEXPECTED",
    message: "too far",
    peer: "test worker",
    messageType: "fail",
  });
  // What the platform calls by a name of its own, and what is ours.
  await expect(dispatcher.call("fail", { text: "full" })).rejects.toMatchObject({ code: "STORAGE_FULL" });
  const own = { code: "IMAGE_HEAP_FULL", message: "3 too many", details: { excess: 3 } };
  await expect(dispatcher.call("fail", { text: "own" })).rejects.toMatchObject(own);
  await dispatcher.call("note", { text: "still here" });
  expect(log).toEqual(["still here"]);
});

test("a call has a deadline", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  const { dispatcher, log } = pair(10_000);
  let failure: unknown;
  dispatcher.call("slow", {}).catch((error: unknown) => (failure = error));
  await turns();
  vi.advanceTimersByTime(9_999);
  await turns();
  expect([log, failure]).toEqual([["slow begins"], undefined]);
  vi.advanceTimersByTime(1);
  await turns();
  expect(failure).toBeInstanceOf(DispatcherTimeout);
});

test("the peer's death fails every call under way and later ones", async () => {
  const { dispatcher } = pair();
  const calls = [dispatcher.call("slow", {}), dispatcher.call("note", { text: "never" })];
  dispatcher.peerDied("its tab was closed");
  for (const call of calls) await expect(call).rejects.toBeInstanceOf(PeerDied);
  await expect(dispatcher.call("note", { text: "x" })).rejects.toThrow("its tab was closed");
  dispatcher.send("note", { text: "x" });
});

test("a concurrent message begins in order and holds nobody up", async () => {
  const { dispatcher, log, finishSlow } = pair(undefined, ["slow"]);
  const slow = dispatcher.call("slow", {});
  await dispatcher.call("note", { text: "behind" });
  expect(log).toEqual(["slow begins", "behind"]);
  finishSlow(30);
  expect(await slow).toBe(30);
});

test("both ends of a port call and serve, and either one ends both", async () => {
  const { port1, port2 } = new MessageChannel();
  interface Up {
    add(message: { to: number }): number;
  }
  interface Down {
    told(message: { word: string }): string;
  }
  let finish = () => {};
  const gate = new Promise<void>((resolve) => (finish = resolve));
  const upper: Dispatcher<Down, Up> = new Dispatcher<Down, Up>(port1, {
    peer: "lower",
    handlers: {
      // Asks back before it answers.
      add: async ({ to }) => to + (await upper.call("told", { word: "three" })).length,
    },
  });
  const heard: string[] = [];
  const lower = new Dispatcher<Up, Down>(port2, {
    peer: "upper",
    concurrent: ["told"],
    handlers: {
      told: async ({ word }) => {
        heard.push(word);
        if (word === "wait") await gate;
        return word;
      },
    },
  });
  open.push(upper, lower);
  expect(await lower.call("add", { to: 2 })).toBe(7);
  const waiting = expect(upper.call("told", { word: "wait" })).rejects.toThrow("closed the connection");
  await eventually(() => heard.length >= 2);
  lower[Symbol.dispose]();
  await waiting;
  expect([upper.alive, lower.alive]).toEqual([false, false]);
  finish();
});

test("buffers are transferred both ways", async () => {
  const { dispatcher } = pair();
  const bytes = new Uint8Array([1, 2, 3]);
  expect(await dispatcher.call("take", { bytes }, [bytes.buffer])).toEqual(new Uint8Array([3, 2, 1]));
  expect(bytes.length).toBe(0);
});

test("an unknown message type is an error, not a prototype's function", async () => {
  const { dispatcher } = pair();
  const untyped = dispatcher as unknown as Dispatcher<{ toString(payload: object): void }>;
  await expect(untyped.call("toString", {})).rejects.toMatchObject({
    code: "UNKNOWN_MESSAGE",
    message: 'no handler for message "toString"',
  });
});

test("what nobody waits for is told when it fails, and when it is lost; nothing else is", async () => {
  const { port1, port2 } = new MessageChannel();
  const told: [string, string][] = [];
  let go = () => {};
  const gate = new Promise<void>((resolve) => (go = resolve));
  const notes: string[] = [];
  const server = new Dispatcher<NoMessages, Table>(port2, {
    peer: "test",
    onError: (type, error) => told.push([type, (error as Error).message]),
    handlers: {
      note: ({ text }) => void notes.push(text),
      slow: async () => {
        await gate;
        return 0;
      },
      fail: ({ text }) => {
        throw new RangeError(text);
      },
      take: ({ bytes }) => bytes,
    },
  });
  const dispatcher = new Dispatcher<Table>(port1, { peer: "test worker" });
  open.push(dispatcher, server);
  const slow = dispatcher.call("slow", {});
  const lost = 5;
  // The slow one waits with them.
  for (let i = 1; i < MAX_QUEUED_MESSAGES + lost; i++) dispatcher.send("note", { text: String(i) });
  const late = dispatcher.call("note", { text: "late" });
  await expect(late).rejects.toThrow("were lost");
  expect(told).toEqual([["note", expect.stringContaining("1 messages were lost")]]);
  go();
  await slow;
  dispatcher.send("fail", { text: "too far" });
  await dispatcher.call("note", { text: "again" });
  expect(notes).toHaveLength(MAX_QUEUED_MESSAGES - 1 + 1);
  expect(told.slice(1)).toEqual([
    ["", expect.stringContaining(`${lost} messages were lost`)],
    ["fail", "too far"],
  ]);
});

test("a message that nobody answers costs one event, not two", async () => {
  const { port1, port2 } = new MessageChannel();
  let answers = 0;
  port1.addEventListener("message", () => answers++);
  let handled = 0;
  const server = new Dispatcher<NoMessages, Pick<Table, "note">>(port2, {
    peer: "test",
    handlers: { note: () => void handled++ },
  });
  const dispatcher = new Dispatcher<Pick<Table, "note">>(port1, { peer: "test worker" });
  open.push(dispatcher, server);
  for (let i = 0; i < 100; i++) dispatcher.send("note", { text: "x" });
  await dispatcher.call("note", { text: "last" });
  expect([handled, answers]).toEqual([101, 1]);
});

test("whoever watches a name learns once that its holder died", async () => {
  const liveness = new LocalLiveness();
  const held = liveness.holdAlive("guest");
  let deaths = 0;
  liveness.watchAlive("guest", () => deaths++);
  const unwatched = liveness.watchAlive("guest", () => (deaths += 100));
  unwatched[Symbol.dispose]();
  expect(deaths).toBe(0);
  held[Symbol.dispose]();
  expect(deaths).toBe(1);
});
