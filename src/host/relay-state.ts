import type { HostState as CoreState } from "../server/host-control.ts";
import type { HostState, JoinState, Problem } from "./state.ts";

/** What core says of relay and clients, as the page shows it. */
export function fromCore(core: CoreState, before: HostState): Partial<HostState> {
  const join: JoinState = { ...before.join, relay: relayWords(core) };
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

/** Something is to be done about the relay only when core does not try again by itself. */
export function relayProblem({ relay }: CoreState): Problem | undefined {
  if (relay.state !== "offline" || !relay.final) return undefined;
  return {
    title: "Other programs now reach another tab",
    detail: relay.reason,
    remedy: "Let this tab host again to bring them back here.",
  };
}

function relayWords({ relay }: CoreState): JoinState["relay"] {
  if (relay.state === "online") return "connected";
  if (relay.state === "offline") return relay.final ? "refused" : "lost";
  return "connecting";
}
