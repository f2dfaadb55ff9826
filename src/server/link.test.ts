import * as fc from "fast-check";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { link, sealTicket } from "../client/index.ts";
import type { LinkRequest } from "../client/index.ts";
import { linkError } from "../client/client.testing.ts";
import {
  ChannelType,
  LinkErr,
  MAX_PASSWORD_LENGTH,
  encodeLinkMess,
  inputsChannel,
} from "../protocol/index.ts";
import { CLIENT_OVERSHOOT } from "../transport/index.ts";
import type { RedStream } from "../transport/index.ts";
import { LinkPlaces, LinkStage } from "./link-places.ts";
import {
  LINK_DEADLINE_MS,
  LINK_STEP_GRACE_MS,
  MAX_LINKS,
  PASSWORD_DELAY_FIRST_MS,
  PASSWORD_FAILURES_FREE,
} from "./limits.ts";
import { PEER, TestServer, linkHeaderBytes } from "./server.testing.ts";
import { PasswordTooLong, Ticketing } from "./ticket.ts";
import { eventually, turns } from "../waiting.testing.ts";

const word = (bytes: readonly number[], at: number) =>
  new DataView(new Uint8Array(bytes).buffer).getUint32(at, true);

/** The test moves the time of what the server waits for. */
function stopClock(): void {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
}

/** All that arrives, as it arrives. */
function collect(stream: RedStream): { readonly bytes: number[]; closed: boolean } {
  const seen = { bytes: [] as number[], closed: false };
  stream.onData = (bytes) => {
    for (const byte of bytes) seen.bytes.push(byte);
  };
  stream.onClose = () => (seen.closed = true);
  return seen;
}

/** Sends bytes on a new connection and gives all that came back before the server ended it. */
async function talk(server: TestServer, ...pieces: Uint8Array[]): Promise<number[]> {
  const stream = server.dial();
  const seen = collect(stream);
  for (const piece of pieces) stream.write(piece.slice());
  await eventually(() => seen.closed);
  return seen.bytes;
}

test("with a password, only its ticket is let in; others get PERMISSION_DENIED", async () => {
  using server = new TestServer({ password: "päss" });
  await server.linkMain({ password: "päss" });
  for (const password of ["", "päs", "pässs", "x".repeat(60)]) {
    const error = await linkError(server.dial(), { channelType: ChannelType.Main, password });
    expect(error).toBe(LinkErr.PermissionDenied);
  }
  expect(server.reds.clients()).toHaveLength(1);
});

test("without a password any ticket is good, also one that is no ticket at all", async () => {
  using server = new TestServer();
  await server.linkMain({ password: "whatever" });
  const stream = server.dial();
  const seen = collect(stream);
  // No AUTH_SELECTION: the ticket follows the reply at once.
  stream.write(
    encodeLinkMess({ connectionId: 0, channelType: 1, channelId: 0, commonCaps: [], channelCaps: [] }),
  );
  await eventually(() => seen.bytes.length >= 16 + 178);
  const before = seen.bytes.length;
  stream.write(new Uint8Array(128));
  await eventually(() => seen.bytes.length >= before + 4);
  expect(word(seen.bytes, before)).toBe(LinkErr.Ok);
});

test("an authentication that was not offered is refused", async () => {
  using server = new TestServer();
  const stream = server.dial();
  const seen = collect(stream);
  stream.write(
    encodeLinkMess({ connectionId: 0, channelType: 1, channelId: 0, commonCaps: [1], channelCaps: [] }),
  );
  await eventually(() => seen.bytes.length > 16 + 178);
  stream.write(new Uint8Array([2, 0, 0, 0]));
  await eventually(() => seen.closed);
  expect(word(seen.bytes, seen.bytes.length - 4)).toBe(LinkErr.InvalidData);
});

test("every link has its own key, so a ticket overheard is worth nothing", async () => {
  using server = new TestServer({ password: "secret" });
  const keys = new Set<string>();
  for (let i = 0; i < 3; i++) {
    const stream = server.dial();
    const seen = collect(stream);
    stream.write(
      encodeLinkMess({ connectionId: 0, channelType: 1, channelId: 0, commonCaps: [], channelCaps: [] }),
    );
    await eventually(() => seen.bytes.length >= 16 + 178);
    const key = new Uint8Array(seen.bytes.slice(20, 182));
    keys.add(key.join());
    expect(await sealTicket(key, "secret")).toHaveLength(128);
    stream.close();
  }
  expect(keys.size).toBe(3);
});

test("bad links are answered with the protocol's own errors and end only themselves", async () => {
  using server = new TestServer();
  const { main, session } = await server.linkMain();
  const body = (set: (view: DataView) => void) => {
    const bytes = linkHeaderBytes(2, 26);
    const view = new DataView(bytes.buffer, 16);
    view.setUint8(4, ChannelType.Main);
    view.setUint32(14, 18, true);
    set(view);
    return bytes;
  };
  const cases: [string, Uint8Array, number][] = [
    ["garbage", new TextEncoder().encode("HELO there, nobody"), LinkErr.InvalidMagic],
    ["less than a header of garbage", new TextEncoder().encode("GET "), LinkErr.InvalidMagic],
    ["another major version", linkHeaderBytes(3, 26), LinkErr.VersionMismatch],
    ["an oversized message", linkHeaderBytes(2, 4097), LinkErr.InvalidData],
    ["an absurd size", linkHeaderBytes(2, 0xffffffff), LinkErr.InvalidData],
    ["an undersized message", linkHeaderBytes(2, 17), LinkErr.InvalidData],
    ["too many capabilities", body((view) => view.setUint32(6, 5000, true)), LinkErr.InvalidData],
    ["counts that wrap around", body((view) => view.setUint32(6, 0x40000000, true)), LinkErr.InvalidData],
    [
      "capabilities beyond the message",
      body((view) => {
        view.setUint32(6, 1, true);
        view.setUint32(14, 4000, true);
      }),
      LinkErr.InvalidData,
    ],
  ];
  for (const [what, bytes, expected] of cases) {
    const seen = await talk(server, bytes);
    expect([what, word(seen, 16)]).toEqual([what, expected]);
  }
  const wishes: [Partial<LinkRequest>, number][] = [
    [{ channelType: ChannelType.Display, connectionId: (session ^ 1) >>> 0 }, LinkErr.BadConnectionId],
    [{ channelType: ChannelType.Display, connectionId: 0 }, LinkErr.BadConnectionId],
    [{ channelType: ChannelType.Main, connectionId: session }, LinkErr.BadConnectionId],
    [{ channelType: ChannelType.Main, channelId: 1 }, LinkErr.ChannelNotAvailable],
    [{ channelType: ChannelType.Display, channelId: 7, connectionId: session }, LinkErr.ChannelNotAvailable],
    [{ channelType: 99, connectionId: session }, LinkErr.ChannelNotAvailable],
  ];
  for (const [wish, expected] of wishes) {
    const error = await linkError(server.dial(), { channelType: 1, ...wish });
    expect([wish, error]).toEqual([wish, expected]);
  }
  await eventually(() => server.reds.links === 0);
  expect(main.closed).toBeUndefined();
  expect(server.reds.clients()).toHaveLength(1);
});

test("whatever bytes a link is made of, in whatever pieces, only that connection ends", async () => {
  stopClock();
  using server = new TestServer();
  const start = fc.constantFrom(new Uint8Array(0), linkHeaderBytes(2, 26), linkHeaderBytes(2, 4096));
  const pieces = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(start, pieces, async (first, rest) => {
      const stream = server.dial();
      const seen = collect(stream);
      for (const piece of [first, ...rest]) stream.write(piece.slice());
      await turns();
      // Whoever was not refused by now has said too little, and hears so in its time.
      await eventually(() => {
        vi.advanceTimersByTime(LINK_DEADLINE_MS);
        return seen.closed;
      });
    }),
    { numRuns: 60 },
  );
  await eventually(() => server.reds.links === 0);
  expect(server.reds.clients()).toEqual([]);
});

test("a client that stays silent, or stops in the middle, is dropped at the deadline", async () => {
  stopClock();
  using server = new TestServer();
  for (const bytes of [new Uint8Array(0), linkHeaderBytes(2, 60).subarray(0, 30)]) {
    const stream = server.dial();
    let reason = "";
    stream.onData = () => {};
    stream.onClose = (words) => (reason = words);
    stream.write(bytes.slice());
    await eventually(() => server.reds.links === 1);
    vi.advanceTimersByTime(LINK_DEADLINE_MS - 1);
    await turns();
    expect(reason).toBe("");
    vi.advanceTimersByTime(1);
    await eventually(() => reason !== "");
    expect(reason).toContain(`no whole link within ${LINK_DEADLINE_MS} ms`);
  }
  await eventually(() => server.reds.links === 0);
});

test("a flood during the link is not collected", async () => {
  using server = new TestServer();
  const stream = server.dial();
  let reason = "";
  stream.onClose = (words) => (reason = words);
  stream.write(linkHeaderBytes(2, 26).subarray(0, 20));
  stream.write(new Uint8Array(26));
  for (let i = 0; i < 40; i++) stream.write(new Uint8Array(CLIENT_OVERSHOOT / 4));
  await eventually(() => reason !== "");
  expect(reason).toContain("more was sent than is read");
  await eventually(() => server.reds.links === 0);
  expect(server.log.at(-1)).toContain("more than its credit");
  // Less than the whole was ever taken: what is over never left the client.
  expect(stream.closed).toBe(true);
});

test("a wrong password is answered late, by an event at once; meanwhile it takes no place and others get in", async () => {
  stopClock();
  using server = new TestServer({ password: "right" });
  const failed: unknown[] = [];
  server.reds.onLinkFailed = (event) => failed.push(event);
  const wrong = (password = "wrong") => linkError(server.dial(), { channelType: ChannelType.Main, password });
  /** A wrong one that waits for nothing. */
  const free = async () => {
    const known = failed.length;
    const link = wrong();
    await eventually(() => failed.length > known);
    vi.advanceTimersByTime(0);
    expect(await link).toBe(LinkErr.PermissionDenied);
  };
  for (let i = 0; i < PASSWORD_FAILURES_FREE; i++) await free();
  let answered = 0;
  const late = wrong().then((error) => {
    answered++;
    return error;
  });
  await eventually(() => failed.length === PASSWORD_FAILURES_FREE + 1);
  expect(failed.at(-1)).toEqual({
    peer: PEER,
    code: "PASSWORD_WRONG",
    failures: PASSWORD_FAILURES_FREE + 1,
    delayMs: PASSWORD_DELAY_FIRST_MS,
  });
  expect([answered, server.reds.links]).toEqual([0, 0]);
  const { session } = await server.linkMain({ password: "right" });
  vi.advanceTimersByTime(PASSWORD_DELAY_FIRST_MS - 1);
  await turns();
  expect(answered).toBe(0);
  vi.advanceTimersByTime(1);
  expect(await late).toBe(LinkErr.PermissionDenied);
  // The right one has cleared the address, and its session's other channels wait for nobody.
  await free();
  expect(failed.at(-1)).toMatchObject({ failures: 1, delayMs: 0 });
  const inputs = await server.linkInputs(session, "right");
  await eventually(() => inputs.names.includes("init"));
});

test("other channels of a living session do not wait behind guesses from the same address", async () => {
  using server = new TestServer({ password: "right" });
  const { session } = await server.linkMain({ password: "right" });
  const never = new AbortController().signal;
  // Somebody guesses with all the places that the address has, and more.
  for (let i = 0; i < 20; i++) void server.gate.admit("127.0.0.1", never);
  expect(server.gate.waiting).toBeGreaterThan(0);
  const inputs = await server.linkInputs(session, "right");
  await eventually(() => inputs.names.includes("init"));
  // The number of the session alone opens nothing.
  const guess = server.dial();
  void link(guess, { channelType: ChannelType.Cursor, connectionId: session, password: "no" }).catch(
    () => {},
  );
  const waiting = server.gate.waiting;
  await eventually(() => server.gate.waiting === waiting + 1);
  guess.close();
  await eventually(() => server.gate.waiting === waiting);
});

test("a password that has expired lets nobody in, says so, and leaves sessions alone", async () => {
  let now = 1_000_000;
  const clock = vi.spyOn(Date, "now").mockImplementation(() => now);
  try {
    using server = new TestServer({ password: "pw", passwordValidUntil: now + 60_000 });
    const failed: unknown[] = [];
    server.reds.onLinkFailed = (event) => failed.push(event);
    now += 59_999;
    const { main } = await server.linkMain({ password: "pw" });
    now += 1;
    const late = await linkError(server.dial(), { channelType: ChannelType.Main, password: "pw" });
    expect(late).toBe(LinkErr.PermissionDenied);
    expect(failed).toEqual([{ peer: PEER, code: "PASSWORD_EXPIRED" }]);
    expect(main.closed).toBeUndefined();
    server.reds.configure({ name: "test", password: "pw", passwordValidUntil: now + 1 });
    await server.linkMain({ password: "pw" });
  } finally {
    clock.mockRestore();
  }
});

describe("an honest client gets in", () => {
  const header = () => linkHeaderBytes(2, 26).subarray(0, 20).slice();
  const whole = () =>
    encodeLinkMess({ connectionId: 0, channelType: 1, channelId: 0, commonCaps: [], channelCaps: [] });

  test.each([
    ["silent", undefined],
    ["begun", header],
    ["half-open", whole],
  ])("however many %s links there are; the oldest of them hears why it must go", async (_how, say) => {
    // Who goes, goes for lack of places and not of time.
    using server = new TestServer({ password: "pw", linkDeadlineMs: 600_000 });
    const others = Array.from({ length: 2 * MAX_LINKS }, () => {
      const stream = server.dial();
      const seen = collect(stream);
      if (say) stream.write(say());
      return { stream, seen };
    });
    await eventually(() => others.slice(0, MAX_LINKS).every(({ seen }) => seen.closed));
    expect(server.reds.links).toBe(MAX_LINKS);
    expect(others.slice(MAX_LINKS).some(({ seen }) => seen.closed)).toBe(false);
    const { main, session } = await server.linkMain({ password: "pw" });
    const inputs = await server.linkInputs(session, "pw");
    inputs.send(inputsChannel.client.keyDown, { code: 0x1e });
    await eventually(() => server.guestLog.length === 1);
    expect(main.closed).toBeUndefined();
    // Three links of the honest client, no more, took somebody's place; all of them had said less or were older.
    expect(others.slice(MAX_LINKS).filter(({ seen }) => seen.closed).length).toBeLessThanOrEqual(2);
    for (const { stream } of others) stream.close();
    await eventually(() => server.reds.links === 0);
  });

  test("who has said more keeps his place before who has said less, however old", () => {
    let nowMs = 0;
    const places = new LinkPlaces(3, () => nowMs);
    const gone: string[] = [];
    const take = (name: string, stage: LinkStage) => {
      const place = places.take(() => gone.push(name));
      place.advance(stage);
      nowMs += LINK_STEP_GRACE_MS;
      return place;
    };
    take("ticket", LinkStage.Ticket);
    take("silent", LinkStage.Silent);
    const linking = take("linking", LinkStage.Linking);
    take("begun", LinkStage.Begun);
    take("begun too", LinkStage.Begun);
    take("silent too", LinkStage.Silent);
    take("last", LinkStage.Linking);
    expect(gone).toEqual(["silent", "begun", "begun too", "silent too"]);
    linking.leave();
    expect(places.size).toBe(2);
  });

  test("a newcomer is not thrown out before it could be heard: of many who wait, the one who waits longest goes", () => {
    let nowMs = 0;
    const places = new LinkPlaces(3, () => nowMs);
    const gone: string[] = [];
    for (const name of ["one", "two", "three"]) places.take(() => gone.push(name)).advance(LinkStage.Linking);
    nowMs = LINK_STEP_GRACE_MS;
    const honest = places.take(() => gone.push("honest"));
    places.take(() => gone.push("a newcomer"));
    nowMs = 2 * LINK_STEP_GRACE_MS - 1;
    places.take(() => gone.push("another newcomer"));
    expect(gone).toEqual(["one", "two", "three"]);
    honest.advance(LinkStage.Linking);
    // None has had its time: who has said least, and of those who came first.
    places.take(() => gone.push("the last"));
    expect(gone.at(-1)).toBe("a newcomer");
  });
});

test("what a client sends right behind its ticket is its channel's first message", async () => {
  using server = new TestServer();
  const { session } = await server.linkMain();
  const stream = server.dial();
  const seen = collect(stream);
  stream.write(
    encodeLinkMess({
      connectionId: session,
      channelType: 3,
      channelId: 0,
      commonCaps: [0b1000],
      channelCaps: [],
    }),
  );
  await eventually(() => seen.bytes.length >= 16 + 178);
  const keyDown = [101, 0, 4, 0, 0, 0, 0x1e, 0, 0, 0];
  stream.write(new Uint8Array([...new Uint8Array(128), ...keyDown]));
  await eventually(() => server.guestLog.length === 1);
  expect(server.guestLog[0]).toEqual(["keys", { bytes: [0x1e] }]);
});

test("a ticketing compares whole passwords of any length and refuses those no ticket can hold", () => {
  const bytes = (text: string) => new TextEncoder().encode(text);
  fc.assert(
    fc.property(
      fc.string({ minLength: 1, maxLength: 20 }),
      fc.string({ maxLength: 25 }),
      (password, given) => {
        fc.pre(!password.includes("\0") && bytes(password).length <= MAX_PASSWORD_LENGTH);
        const ticketing = new Ticketing(password);
        expect(ticketing.accepts(bytes(password))).toBe(true);
        expect(ticketing.accepts(bytes(given))).toBe(given === password);
        expect(ticketing.accepts(undefined)).toBe(false);
      },
    ),
  );
  expect(() => new Ticketing("x".repeat(MAX_PASSWORD_LENGTH + 1))).toThrow(PasswordTooLong);
});
