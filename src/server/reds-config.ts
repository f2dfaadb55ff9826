import type { Turns } from "../transport/index.ts";
import { Ticketing } from "./ticket.ts";

export interface RedsOptions {
  readonly name: string;
  /** QXL devices of the machine, each with a display and a cursor channel. @default 1 */
  readonly displays?: number;
  /** Empty or absent: every ticket is good. At most 60 bytes of UTF-8. */
  readonly password?: string;
  /** Milliseconds since 1970 from which on the password lets nobody in; sessions stay. @default never */
  readonly passwordValidUntil?: number;
  /** False: a new session ends the earlier ones, as in spice-server. @default true */
  readonly allowMultipleClients?: boolean;
  /** Whether clipboards go through the agent. @default true */
  readonly agentCopyPaste?: boolean;
  /** Whether files go through the agent. @default true */
  readonly agentFileXfer?: boolean;
  /** Milliseconds for a link; see LINK_DEADLINE_MS. */
  readonly linkDeadlineMs?: number;
  /** Milliseconds between looks at whether a client is alive; see CONNECTIVITY_INTERVAL_MS. */
  readonly connectivityIntervalMs?: number;
  /** Milliseconds in which dropped presses are summed up; see DROPPED_NOTICE_MS. */
  readonly droppedNoticeMs?: number;
  /** Milliseconds between latency pings, 0 for none; see PING_INTERVAL_MS of the channels. */
  readonly pingIntervalMs?: number;
  /** Who has which turn on this thread; by default all share one order. */
  readonly turns?: Turns;
}

/** What may change while the server runs. */
export type RedsConfig = Pick<
  RedsOptions,
  | "name"
  | "displays"
  | "password"
  | "passwordValidUntil"
  | "allowMultipleClients"
  | "agentCopyPaste"
  | "agentFileXfer"
>;

/** What a server is told to be, for everything that asks when it needs to know. */
export class ServerConfig {
  /** Of the agent's messages from now on. */
  readonly agentPolicy = { copyPaste: true, fileXfer: true };
  #ticketing: Ticketing;
  #config: RedsConfig;

  /** @throws PasswordTooLong */
  constructor(config: RedsConfig) {
    this.#config = config;
    this.#ticketing = new Ticketing(config.password, config.passwordValidUntil);
    this.apply(config);
  }

  /** Changes nothing if it throws. @throws PasswordTooLong */
  apply(config: RedsConfig): void {
    this.#ticketing = new Ticketing(config.password, config.passwordValidUntil);
    this.#config = config;
    const { agentCopyPaste = true, agentFileXfer = true } = config;
    Object.assign(this.agentPolicy, { copyPaste: agentCopyPaste, fileXfer: agentFileXfer });
  }

  get name(): string {
    return this.#config.name;
  }
  get allowMultipleClients(): boolean {
    return this.#config.allowMultipleClients !== false;
  }
  get ticketing(): Ticketing {
    return this.#ticketing;
  }
}
