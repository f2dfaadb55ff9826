import { expect, test } from "vitest";
import { MAIN_QUEUE_MESSAGES } from "./limits.ts";
import { MainDispatcher } from "./main-dispatcher.ts";
import type { RedClient } from "./red-client.ts";

const gone = (clientId: number) => ({ clientId, channelType: 2, channelId: 0, reason: "it left" });
const primary = { channelId: 0, active: true, width: 64, height: 48, mouseMode: 1 };

/** The dispatcher holds clients by their identity alone. */
const client = (id: number) => ({ id }) as RedClient;

/** A dispatcher on a thread whose turns the test gives. */
function start() {
  const turns: (() => void)[] = [];
  const done: string[] = [];
  const errors: string[] = [];
  /** What a client's end waits for. */
  const ends: (() => void)[] = [];
  const dispatcher = new MainDispatcher(
    {
      channelClientDisconnected: ({ clientId }) => {
        if (clientId < 0) throw new Error("no such client");
        done.push(`channel of ${clientId}`);
      },
      primaryChanged: ({ channelId }) => void done.push(`primary ${channelId}`),
      clientDisconnect: ({ id }) => {
        done.push(`end of ${id} begins`);
        return new Promise((resolve) => ends.push(resolve));
      },
    },
    (type, error) => errors.push(`${type}: ${String(error)}`),
    (task) => turns.push(task),
  );
  const turn = () => turns.shift()!();
  return { dispatcher, turns, turn, done, errors, ends };
}

test("red's messages and core's own are begun in the order in which they came, and never where they are told", async () => {
  const { dispatcher, turns, turn, done, ends } = start();
  const [red, other] = [dispatcher.sender(), dispatcher.sender()];
  void red.handlers.channelClientDisconnected(gone(1));
  const ended = dispatcher.clientDisconnect(client(2), "main has ended");
  void other.handlers.primaryChanged(primary);
  void red.handlers.channelClientDisconnected(gone(3));
  expect([done, turns.length, dispatcher.length]).toEqual([[], 1, 4]);
  turn();
  // What a client's end waits for holds up nothing behind it.
  expect(done).toEqual(["channel of 1", "end of 2 begins", "primary 0", "channel of 3"]);
  expect(turns.length).toBe(0);
  let over = false;
  void ended.then(() => (over = true));
  await Promise.resolve();
  expect(over).toBe(false);
  ends[0]();
  await ended;
});

test("a client's end comes once, and whoever asks again waits for the same one", async () => {
  const { dispatcher, turn, done, ends } = start();
  const one = client(1);
  const first = dispatcher.clientDisconnect(one, "main has ended");
  const second = dispatcher.clientDisconnect(one, "kicked");
  turn();
  const third = dispatcher.clientDisconnect(one, "the server ends");
  expect([second, third]).toEqual([first, first]);
  expect(done).toEqual(["end of 1 begins"]);
  ends[0]();
  await Promise.all([first, second, third]);
});

test("what is told inside a handler has a turn of its own", () => {
  const turns: (() => void)[] = [];
  const done: string[] = [];
  const dispatcher: MainDispatcher = new MainDispatcher(
    {
      channelClientDisconnected: ({ clientId }) => {
        done.push(`channel of ${clientId} begins`);
        void dispatcher.clientDisconnect(client(clientId), "so does its session");
        done.push(`channel of ${clientId} ends`);
      },
      primaryChanged: () => {},
      clientDisconnect: async ({ id }) => void done.push(`end of ${id}`),
    },
    () => {},
    (task) => turns.push(task),
  );
  void dispatcher.sender().handlers.channelClientDisconnected(gone(1));
  turns.shift()!();
  expect(done).toEqual(["channel of 1 begins", "channel of 1 ends"]);
  turns.shift()!();
  expect(done).toEqual(["channel of 1 begins", "channel of 1 ends", "end of 1"]);
});

test("a red worker that is gone is heard no more, whatever it has said", () => {
  const { dispatcher, turn, done } = start();
  const [old, next] = [dispatcher.sender(), dispatcher.sender()];
  void old.handlers.channelClientDisconnected(gone(1));
  void next.handlers.primaryChanged(primary);
  old[Symbol.dispose]();
  turn();
  expect(done).toEqual(["primary 0"]);
});

test("when the queue is full a red worker's messages wait at its port; a client's end does not", async () => {
  const { dispatcher, turn, turns, done } = start();
  const { handlers } = dispatcher.sender();
  for (let i = 0; i < MAIN_QUEUE_MESSAGES; i++)
    expect(handlers.channelClientDisconnected(gone(i))).toBeUndefined();
  const waits = handlers.channelClientDisconnected(gone(9999));
  expect(waits).toBeInstanceOf(Promise);
  void dispatcher.clientDisconnect(client(1), "main has ended");
  expect(dispatcher.length).toBe(MAIN_QUEUE_MESSAGES + 1);
  turn();
  expect(done.at(-1)).toBe("end of 1 begins");
  await waits;
  expect([turns.length, dispatcher.length]).toEqual([1, 1]);
  turn();
  expect(done.at(-1)).toBe("channel of 9999");
});

test("a handler that fails is told of, and holds up nothing", () => {
  const { dispatcher, turn, done, errors } = start();
  const { handlers } = dispatcher.sender();
  void handlers.channelClientDisconnected(gone(-1));
  void handlers.channelClientDisconnected(gone(2));
  turn();
  expect(errors).toEqual(["channelClientDisconnected: Error: no such client"]);
  expect(done).toEqual(["channel of 2"]);
});

test("when it ends, what was told is still done", () => {
  const { dispatcher, done } = start();
  void dispatcher.sender().handlers.primaryChanged(primary);
  void dispatcher.clientDisconnect(client(1), "the server ends");
  dispatcher[Symbol.dispose]();
  expect(done).toEqual(["primary 0", "end of 1 begins"]);
});
