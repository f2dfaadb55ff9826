import { pageUrl } from "./config.ts";
import { SERVER_POLL_DEADLINE_MS, SERVER_POLL_MS } from "./limits.ts";

/** What the wait needs of a browser. */
export interface AwaitServerOptions {
  readonly fetch?: (url: string, init: RequestInit) => Promise<Pick<Response, "ok">>;
  readonly url?: string;
  readonly pause?: () => Promise<unknown>;
}

/** Resolves once the server says that it is well. Asks without an end: the page has nothing else to do. */
export async function awaitServer(options: AwaitServerOptions = {}): Promise<void> {
  const {
    fetch = globalThis.fetch.bind(globalThis),
    url = pageUrl("healthz"),
    pause = () => new Promise((resolve) => setTimeout(resolve, SERVER_POLL_MS)),
  } = options;
  for (;;) {
    await pause();
    const signal = AbortSignal.timeout(SERVER_POLL_DEADLINE_MS);
    const answer = await fetch(url, { cache: "no-store", signal }).catch(() => undefined);
    if (answer?.ok) return;
  }
}
