import type { ParsedMessage } from "../../protocol/index.ts";
import {
  MainCap,
  MouseMode,
  VD_AGENT_MAX_DATA_SIZE,
  capsToWords,
  mainChannel,
} from "../../protocol/index.ts";
import type { MessageDef } from "../../protocol/index.ts";
import type { AgentMessage } from "../agent-stream.ts";
import { AgentStream, encodeAgentMessage } from "../agent-stream.ts";
import { ClientChannel, valueOf } from "../channel.ts";
import type { ChannelOptions } from "../channel.ts";
import { ClientError } from "../errors.ts";
import { AGENT_RECEIVE_WINDOW, AGENT_SEND_QUEUE_BYTES, AGENT_TOKENS_TO_SEND } from "../limits.ts";

/** What this client keeps of a main channel's features; it does not migrate by itself. */
export const MAIN_CAPS: readonly number[] = capsToWords([MainCap.NameAndUuid, MainCap.AgentConnectedTokens]);

/** A channel that the server has. */
export interface OfferedChannel {
  readonly type: number;
  readonly id: number;
}

/** Where a migrating machine goes. */
export interface MigrationTarget {
  readonly host: string;
  /** 0 where the target has none. */
  readonly port: number;
  readonly securePort: number;
  readonly certSubject: string | undefined;
}

/** What the server says of its migration. */
export type MigrationEvent =
  /** The client shall connect to the target, and wait there. `seamless` when channels take their state along. */
  | { readonly type: "begin"; readonly target: MigrationTarget; readonly seamless: boolean }
  | { readonly type: "cancel" }
  /** The machine has moved. */
  | { readonly type: "end" }
  /** The client shall start anew at the target. */
  | { readonly type: "switchHost"; readonly target: MigrationTarget }
  /** The target's answer, whether it goes on seamlessly. */
  | { readonly type: "seamless"; readonly accepted: boolean }
  /** A channel was told to stop, with MigrateFlags. */
  | {
      readonly type: "channel";
      readonly channelType: number;
      readonly channelId: number;
      readonly flags: number;
    };

const { server, client } = mainChannel;

/** The main channel: the session, what else there is, who owns the pointer, the agent, migration. */
export class MainChannel extends ClientChannel<typeof mainChannel> {
  onName: ((name: string) => void) | undefined;
  onMouseMode: ((mode: number, supported: number) => void) | undefined;
  onAgent: ((connected: boolean) => void) | undefined;
  onAgentMessage: ((message: AgentMessage) => void) | undefined;
  onMigration: ((event: MigrationEvent) => void) | undefined;
  /** Everything for the agent that was waiting has gone. */
  onAgentDrain: (() => void) | undefined;
  #sessionId: number | undefined;
  #offered: readonly OfferedChannel[] | undefined;
  #name: string | undefined;
  #uuid: Uint8Array | undefined;
  #mouseMode: number = MouseMode.Server;
  #mouseModes: number = MouseMode.Server;
  #multiMediaTime = 0;
  #agentConnected = false;
  #agentStarted = false;
  #tokens = 0;
  #owedTokens = 0;
  readonly #fromAgent = new AgentStream();
  readonly #toAgent: Uint8Array[] = [];
  #toAgentBytes = 0;

  constructor(options: ChannelOptions) {
    super(mainChannel, options);
  }

  /** Undefined until INIT. */
  get sessionId(): number | undefined {
    return this.#sessionId;
  }

  /** The server's channels; undefined until it has told, which it does after {@link attachChannels}. */
  get offered(): readonly OfferedChannel[] | undefined {
    return this.#offered;
  }

  /** The machine's, if the server told. */
  get name(): string | undefined {
    return this.#name;
  }

  get uuid(): Uint8Array | undefined {
    return this.#uuid;
  }

  /** A MouseMode. */
  get mouseMode(): number {
    return this.#mouseMode;
  }

  /** MouseMode bits. */
  get supportedMouseModes(): number {
    return this.#mouseModes;
  }

  /** Milliseconds, as the server last told them. */
  get multiMediaTime(): number {
    return this.#multiMediaTime;
  }

  get agentConnected(): boolean {
    return this.#agentConnected;
  }

  /** Bytes for the agent that wait for the server's tokens. */
  get agentQueueBytes(): number {
    return this.#toAgentBytes;
  }

  /** Asks for the list of channels. */
  attachChannels(): void {
    this.send(client.attachChannels, {});
  }

  /** Asks for a MouseMode; {@link onMouseMode} tells what came of it. */
  requestMouseMode(mode: number): void {
    this.send(client.mouseModeRequest, { mode });
  }

  /** Sends a message to the guest's agent. @throws ClientError `SERVER_LIMIT` while too much waits for it; see {@link onAgentDrain} */
  sendToAgent<T>(definition: MessageDef<T>, value: T): void {
    const bytes = encodeAgentMessage(definition, value);
    // One message of any size may be sent; then those before it must have gone.
    if (this.#toAgentBytes > 0 && this.#toAgentBytes + bytes.length > AGENT_SEND_QUEUE_BYTES)
      throw new ClientError("SERVER_LIMIT", `${this.#toAgentBytes} bytes wait for the agent already`);
    for (let at = 0; at < bytes.length; at += VD_AGENT_MAX_DATA_SIZE)
      this.#toAgent.push(bytes.slice(at, at + VD_AGENT_MAX_DATA_SIZE));
    this.#toAgentBytes += bytes.length;
    this.#pump();
  }

  /** Whoever migrates tells the server how that went at the target. */
  migrationConnected(outcome: "connected" | "seamless" | "failed"): void {
    const definitions = {
      connected: client.migrateConnected,
      seamless: client.migrateConnectedSeamless,
      failed: client.migrateConnectError,
    };
    this.send(definitions[outcome], {});
  }

  protected override handle(message: ParsedMessage): void {
    switch (message.def) {
      case server.init:
        return this.#init(message);
      case server.channelsList:
        this.#offered = valueOf(message, server.channelsList).channels;
        return;
      case server.mouseMode: {
        const { currentMode, supportedModes } = valueOf(message, server.mouseMode);
        return this.#setMouseMode(currentMode, supportedModes);
      }
      case server.multiMediaTime:
        this.#multiMediaTime = valueOf(message, server.multiMediaTime).time;
        return;
      case server.name:
        this.#name = valueOf(message, server.name).name;
        return this.onName?.(this.#name);
      case server.uuid:
        this.#uuid = valueOf(message, server.uuid).uuid.slice();
        return;
      case server.agentConnected:
        return this.#setAgent(true, this.#tokens);
      case server.agentConnectedTokens:
        return this.#setAgent(true, valueOf(message, server.agentConnectedTokens).numTokens);
      case server.agentDisconnected:
        return this.#setAgent(false, 0);
      case server.agentToken:
        this.#tokens += valueOf(message, server.agentToken).numTokens;
        return this.#pump();
      case server.agentData:
        return this.#agentData(valueOf(message, server.agentData).data);
      default:
        this.#migration(message);
    }
  }

  #init(message: ParsedMessage): void {
    const init = valueOf(message, server.init);
    this.#sessionId = init.sessionId;
    this.#multiMediaTime = init.multiMediaTime;
    this.#setMouseMode(init.currentMouseMode, init.supportedMouseModes);
    this.#setAgent(init.agentConnected !== 0, init.agentTokens);
  }

  #setMouseMode(mode: number, supported: number): void {
    this.#mouseMode = mode;
    this.#mouseModes = supported;
    this.onMouseMode?.(mode, supported);
  }

  #setAgent(connected: boolean, tokens: number): void {
    const before = this.#agentConnected;
    this.#agentConnected = connected;
    this.#tokens = tokens;
    if (!connected) {
      this.#fromAgent.reset();
      this.#toAgent.length = 0;
      this.#toAgentBytes = this.#owedTokens = 0;
      this.#agentStarted = false;
    }
    if (connected !== before) this.onAgent?.(connected);
    this.#pump();
  }

  /** The server may send of the agent from now on. Whoever listens for nothing of it need not. */
  startAgent(): void {
    if (this.#agentStarted || !this.#agentConnected) return;
    this.#agentStarted = true;
    this.send(client.agentStart, { numTokens: AGENT_RECEIVE_WINDOW });
  }

  #agentData(piece: Uint8Array): void {
    for (const message of this.#fromAgent.push(piece)) this.onAgentMessage?.(message);
    if (++this.#owedTokens < AGENT_TOKENS_TO_SEND) return;
    this.#owedTokens = 0;
    this.send(client.agentToken, { numTokens: AGENT_TOKENS_TO_SEND });
  }

  #pump(): void {
    if (!this.#agentConnected || this.#toAgent.length === 0) return;
    this.startAgent();
    for (; this.#tokens > 0 && this.#toAgent.length > 0; this.#tokens--) {
      const data = this.#toAgent.shift()!;
      this.#toAgentBytes -= data.length;
      this.send(client.agentData, { data });
    }
    if (this.#toAgent.length === 0) this.onAgentDrain?.();
  }

  #migration(message: ParsedMessage): void {
    const event = migrationEvent(message);
    if (event !== undefined) this.onMigration?.(event);
  }
}

function migrationEvent(message: ParsedMessage): MigrationEvent | undefined {
  switch (message.def) {
    case server.migrateBegin:
      return {
        type: "begin",
        target: targetOf(valueOf(message, server.migrateBegin).dstInfo),
        seamless: false,
      };
    case server.migrateBeginSeamless: {
      const { dstInfo } = valueOf(message, server.migrateBeginSeamless);
      return { type: "begin", target: targetOf(dstInfo), seamless: true };
    }
    case server.migrateCancel:
      return { type: "cancel" };
    case server.migrateEnd:
      return { type: "end" };
    case server.migrateSwitchHost:
      return { type: "switchHost", target: targetOf(valueOf(message, server.migrateSwitchHost)) };
    case server.migrateDstSeamlessAck:
      return { type: "seamless", accepted: true };
    case server.migrateDstSeamlessNack:
      return { type: "seamless", accepted: false };
    default:
      return undefined;
  }
}

/** Hosts travel with a NUL at their end. */
function targetOf(target: {
  readonly port: number;
  readonly sport: number;
  readonly hostData: string | null;
  readonly certSubjectData: string | null;
}): MigrationTarget {
  const plain = (text: string | null) => text?.replace(/\0$/, "");
  return {
    host: plain(target.hostData) ?? "",
    port: target.port,
    securePort: target.sport,
    certSubject: plain(target.certSubjectData),
  };
}
