import { afterEach, expect, test } from "vitest";
import type { NoMessages } from "../dispatch/index.ts";
import { Dispatcher, PeerDied } from "../dispatch/index.ts";
import { ThreadDoor } from "./thread-door.ts";
import { eventually } from "../waiting.testing.ts";

interface Messages {
  ask(message: { word: string }): string;
  take(message: { bytes: Uint8Array }): string;
}

const open: Disposable[] = [];
afterEach(() => {
  for (const one of open.splice(0)) one[Symbol.dispose]();
});

/** A thread that answers with its name, or never. */
function thread(name: string, answers = true) {
  const { port1, port2 } = new MessageChannel();
  const dispatcher = new Dispatcher<Messages>(port1, { peer: name });
  const heard: string[] = [];
  const answer = (word: string) => {
    heard.push(word);
    return answers ? `${name} ${word}` : new Promise<never>(() => {});
  };
  const served = new Dispatcher<NoMessages, Messages>(port2, {
    peer: "door",
    handlers: {
      ask: ({ word }) => answer(word),
      take: ({ bytes }) => answer(String(bytes.length)),
    },
  });
  open.push(dispatcher, served);
  return { dispatcher, heard };
}

test("a call waits until somebody is behind the door", async () => {
  const door = new ThreadDoor<Messages>("guest");
  const answer = door.call("ask", { word: "early" });
  door.open(thread("first").dispatcher);
  expect(await answer).toBe("first early");
  door.shut();
  const next = door.call("ask", { word: "again" });
  door.open(thread("second").dispatcher);
  expect(await next).toBe("second again");
});

test("what a thread died over is asked of the next one, unless it carried something away", async () => {
  const door = new ThreadDoor<Messages>("guest");
  const { dispatcher, heard } = thread("first", false);
  door.open(dispatcher);
  const asked = door.call("ask", { word: "once" });
  const bytes = new Uint8Array(3);
  const taken = door.call("take", { bytes }, [bytes.buffer]);
  const lost = expect(taken).rejects.toThrow(PeerDied);
  await eventually(() => heard.length > 0);
  dispatcher.peerDied("terminated");
  await lost;
  expect(door.dispatcher).toBeUndefined();
  door.open(thread("second").dispatcher);
  expect(await asked).toBe("second once");
});

test("a failure of the thread itself is the caller's, and a closed door fails whoever waits or comes", async () => {
  const door = new ThreadDoor<Messages>("guest");
  const { port1, port2 } = new MessageChannel();
  const dispatcher = new Dispatcher<Messages>(port1, { peer: "first" });
  const fail = () => {
    throw new RangeError("no");
  };
  open.push(
    dispatcher,
    new Dispatcher<NoMessages, Messages>(port2, { peer: "door", handlers: { ask: fail, take: fail } }),
  );
  door.open(dispatcher);
  await expect(door.call("ask", { word: "x" })).rejects.toThrow("no");
  door.shut();
  const waiting = expect(door.call("ask", { word: "x" })).rejects.toThrow(PeerDied);
  door.close("the sessions end");
  await waiting;
  await expect(door.call("ask", { word: "x" })).rejects.toThrow("the sessions end");
});
