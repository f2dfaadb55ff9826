import type { HostState as CoreState, LinkFailed } from "../server/host-control.ts";
import { REFUSALS_SHOWN } from "./limits.ts";
import type { HostState, JoinState, Problem, RefusedClient } from "./state.ts";

/** What core says of relay and clients, as the page shows it. */
export function fromCore(core: CoreState, before: HostState): Partial<HostState> {
  const join: JoinState = { ...before.join, relayReason: undefined, ...relayWords(core) };
  return {
    join:
      core.relay.state === "online"
        ? { ...join, spice: core.relay.spice, webSocketUrl: core.relay.webSocketUrl }
        : join,
    clients: core.clients,
    pointer: core.absolutePointer ? "absolute" : "relative",
    agent: core.agentConnected,
    keyboard: { ...before.keyboard, leds: core.leds },
  };
}

/** What a person may want to do about the relay: take the place that another tab has. A refused secret has its own form. */
export function relayProblem({ relay }: CoreState): Problem | undefined {
  if (relay.state !== "waiting") return undefined;
  return {
    title: relay.lost ? "Another browser took over hosting" : "Another browser hosts already",
    detail: "Other programs reach the machine over there. This one goes on here, for you alone.",
    remedy: "It will host by itself when the other one ends, or at once if you say so.",
  };
}

/** The list with one more who was not let in. */
export function withRefusal(
  before: readonly RefusedClient[],
  { peer, code, failures = 1, delayMs = 0 }: LinkFailed,
  at: number,
): readonly RefusedClient[] {
  const host = peer.address.replace(/:\d+$/, "");
  const words =
    code === "PASSWORD_EXPIRED"
      ? "the password's time is over"
      : `wrong password${failures > 1 ? `, ${failures} in a row` : ""}${
          delayMs > 0 ? `, each answered ${(delayMs / 1_000).toFixed(1)} s late` : ""
        }`;
  const others = before.filter((refusal) => refusal.host !== host);
  return [{ host, words, at }, ...others].slice(0, REFUSALS_SHOWN);
}

/** While a relay that was lost is dialled again, it is still lost. */
function relayWords({ relay }: CoreState): Pick<JoinState, "relay" | "relayReason"> {
  switch (relay.state) {
    case "online":
      return { relay: "connected" };
    case "waiting":
      return { relay: "occupied" };
    case "refused":
      return { relay: "refused" };
    case "offline":
      return { relay: "lost", relayReason: relay.reason };
    case "connecting":
      return relay.reason === undefined
        ? { relay: "connecting" }
        : { relay: "lost", relayReason: relay.reason };
    case "off":
      return { relay: "connecting" };
  }
}
