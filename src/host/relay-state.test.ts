import { expect, test } from "vitest";
import type { HostState as CoreState } from "../server/host-control.ts";
import { fromCore, relayProblem } from "./relay-state.ts";
import { INITIAL_STATE } from "./state.ts";

const core = (relay: CoreState["relay"], change: Partial<CoreState> = {}): CoreState => ({
  relay,
  clients: [],
  mouseMode: 1,
  absolutePointer: false,
  agentConnected: false,
  leds: 0,
  passwordSet: false,
  ...change,
});

const ONLINE = {
  state: "online",
  spice: [{ host: "127.0.0.1", port: 5900 }],
  webSocketUrl: "ws://127.0.0.1:8080/spice",
} as const;

/** What the page shows of the relay after each of these. */
function shown(...states: readonly CoreState["relay"][]) {
  let state = INITIAL_STATE;
  return states.map((relay) => {
    state = { ...state, ...fromCore(core(relay), state) };
    const { relay: words, relayReason } = state.join;
    return relayReason === undefined ? words : `${words}: ${relayReason}`;
  });
}

test("a relay that was lost stays lost while it is dialled, with the reason, and is connected when it answers", () => {
  const reason = "the relay does not answer";
  expect(
    shown(
      { state: "connecting", attempt: 1 },
      ONLINE,
      { state: "offline", reason },
      { state: "connecting", attempt: 1, reason },
      { state: "offline", reason: "the relay cannot be reached" },
      ONLINE,
    ),
  ).toEqual([
    "connecting",
    "connected",
    `lost: ${reason}`,
    `lost: ${reason}`,
    "lost: the relay cannot be reached",
    "connected",
  ]);
});

test("a place that another browser has, and a secret that is not taken, are no loss of the relay", () => {
  const lost = { state: "offline", reason: "gone" } as const;
  expect(shown(lost, { state: "waiting", host: "another", lost: false }, lost)).toEqual([
    "lost: gone",
    "occupied",
    "lost: gone",
  ]);
  expect(shown(lost, { state: "refused", reason: "the secret" })).toEqual(["lost: gone", "refused"]);
});

test("the addresses of a relay that is away stay: it comes back to them", () => {
  let state = { ...INITIAL_STATE, ...fromCore(core(ONLINE), INITIAL_STATE) };
  state = { ...state, ...fromCore(core({ state: "offline", reason: "gone" }), state) };
  expect(state.join).toMatchObject({ spice: ONLINE.spice, webSocketUrl: ONLINE.webSocketUrl });
});

test("what the guest wants of keyboard and pointer is passed on", () => {
  const next = fromCore(
    core(ONLINE, { absolutePointer: true, agentConnected: true, leds: 5 }),
    INITIAL_STATE,
  );
  expect(next).toMatchObject({ pointer: "absolute", agent: true, keyboard: { leds: 5, layout: "us" } });
});

test("who waits for the place hears whether it was theirs", () => {
  expect(relayProblem(core(ONLINE))).toBeUndefined();
  const waiting = (lost: boolean) => relayProblem(core({ state: "waiting", host: "another", lost }))?.title;
  expect([waiting(false), waiting(true)]).toEqual([
    "Another browser hosts already",
    "Another browser took over hosting",
  ]);
});
