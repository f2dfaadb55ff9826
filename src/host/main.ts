/** Entry of the host page. */
import "./ui/elements.ts";
import type { HostPageElement } from "./ui/host-page.ts";
import { Reporter } from "./report.ts";
import { watchSecret } from "./secret.ts";
import { HostSession } from "./session.ts";

const session = new HostSession();
const reporter = new Reporter();
session.subscribe((state) => {
  reporter.observe(state);
  document.title = state.clients.length > 0 ? `spicetab (${state.clients.length})` : "spicetab";
});

const page = document.createElement("host-page") as HostPageElement;
page.host = session;
document.body.append(page);

let leaving = false;
window.addEventListener("pagehide", () => (leaving = true));
window.addEventListener("pageshow", () => (leaving = false));
document.addEventListener("visibilitychange", () => {
  // On the way out it is too late: what is begun then only keeps the next page waiting.
  if (document.visibilityState === "hidden" && !leaving) session.saveBeforeHidden();
});

watchSecret((secret) => void session.unlock(secret));
window.addEventListener("beforeunload", () => session.saveBeforeUnload());

/** For tests, the headless host and curious people: the same host API as the page uses. */
export const spicetab = {
  session,
  /** Resolves when the machine is running; rejects when it failed. */
  ready: new Promise<void>((resolve, reject) => {
    const subscription = session.subscribe((state) => {
      if (state.phase === "running") resolve();
      else if (state.phase === "failed") reject(new Error(state.problem?.detail ?? "the machine failed"));
      else return;
      subscription[Symbol.dispose]();
    });
  }),
  inspect: () => session.inspect(),
  readSurface: (surfaceId?: number, display?: number) => session.readSurface(surfaceId, display),
  leave: () => session.leave(),
};
spicetab.ready.catch(() => {});

declare global {
  interface Window {
    spicetab: typeof spicetab;
  }
}
window.spicetab = spicetab;

await session.start();
