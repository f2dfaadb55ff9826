import { CodedError } from "../errors/index.ts";
import { isSecret } from "../formats/index.ts";
import { CONFIG_DEADLINE_MS } from "./limits.ts";

/** What the server tells its own page at config.json. */
export interface PageConfig {
  readonly version: string;
  readonly guest: string;
  readonly guestBaseUrl: string;
  readonly password: string;
  /** Milliseconds since 1970, by this computer's clock, from which on the password lets nobody in; absent: for ever. */
  readonly passwordValidUntil?: number;
  /** Layout of `--keyboard`; absent: none was asked for. */
  readonly keyboard?: string;
  /** Number of `--displays`; absent: none was asked for. */
  readonly displays?: number;
  readonly spice: readonly { readonly host: string; readonly port: number }[];
  readonly webSocketUrl: string;
}

/** The same as it comes: the server says how long the password is still good, since our clocks may differ. */
type ConfigAnswer = Omit<PageConfig, "passwordValidUntil"> & { readonly passwordValidForMs?: number };

/** @param askedAt when the answer was asked for: what its way took is rather lost than added */
export function pageConfig({ passwordValidForMs, ...config }: ConfigAnswer, askedAt: number): PageConfig {
  return passwordValidForMs === undefined
    ? config
    : { ...config, passwordValidUntil: askedAt + passwordValidForMs };
}

/** The server gives its configuration to nobody who does not know the secret of its start. */
export class SecretRefused extends CodedError {
  override readonly name = "SecretRefused";
  readonly code = "SECRET_REFUSED";
}

/** The server (or what stands in front of it) does not answer, or says itself that it is not ready. */
export class ServerUnavailable extends CodedError {
  override readonly name = "ServerUnavailable";
  readonly code = "SERVER_UNAVAILABLE";
}

/** Answers of a server that is not ready, and of a proxy that does not reach it. */
const UNAVAILABLE: readonly number[] = [502, 503, 504];

/** Rejects with the server's own words when it refuses. @throws SecretRefused, ServerUnavailable */
export async function fetchConfig(secret: string): Promise<PageConfig> {
  // No header can hold anything else, and no server has made it.
  if (!isSecret(secret)) throw new SecretRefused("that is no secret of a spicetab server");
  const askedAt = Date.now();
  const response = await fetch(pageUrl("config.json"), {
    cache: "no-store",
    headers: { Authorization: `Bearer ${secret}`, "X-Spicetab-Page": pageUrl(".") },
    signal: AbortSignal.timeout(CONFIG_DEADLINE_MS),
  }).catch((cause: unknown) => {
    throw new ServerUnavailable("the server does not answer", { cause });
  });
  if (UNAVAILABLE.includes(response.status))
    throw new ServerUnavailable(`the server answers ${response.status}`);
  if (response.status === 401) throw new SecretRefused(await response.text());
  if (!response.ok) throw new Error((await response.text()) || `the server answers ${response.status}`);
  return pageConfig((await response.json()) as ConfigAnswer, askedAt);
}

/** How others join, as the server tells anybody who asks. */
export interface PageHealth {
  readonly hosting: boolean;
  readonly spice: readonly { readonly host: string; readonly port: number }[];
  readonly webSocketUrl: string;
}

/** Rejects when the server does not answer. */
export async function fetchHealth(): Promise<PageHealth> {
  const signal = AbortSignal.timeout(CONFIG_DEADLINE_MS);
  const response = await fetch(pageUrl("healthz"), { cache: "no-store", signal });
  if (!response.ok) throw new Error(`the server answers ${response.status}`);
  return (await response.json()) as PageHealth;
}

/** Where the server has it, whatever path the page is under: a reverse proxy may have put one in front. */
export function pageUrl(path: string): string {
  return new URL(path, document.baseURI).href;
}

/** The same for a WebSocket. */
export function webSocketUrl(path: string): string {
  const url = new URL(pageUrl(path));
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}
