import type { HostConfig } from "../server/host-control.ts";
import type { PageConfig } from "./config.ts";
import { momentWords } from "./moment-words.ts";

/** What core asks of clients. */
export function ticketConfig(
  config: PageConfig | undefined,
): Pick<HostConfig, "password" | "passwordValidUntil"> {
  return { password: config?.password ?? "", passwordValidUntil: config?.passwordValidUntil };
}

/** What stands beside the password about its end. */
export function passwordEndWords(validUntil: number, now: number = Date.now()): string {
  return now < validUntil
    ? `until ${momentWords(validUntil)}`
    : `ended ${momentWords(validUntil)}: lets nobody in any more`;
}
