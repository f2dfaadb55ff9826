import type { RedChannelClientOptions } from "../channel/index.ts";
import type { ParsedMessage } from "../protocol/index.ts";
import {
  MIGRATE_DATA_VERSION,
  MainCap,
  MigrateMagic,
  NotifySeverity,
  NotifyVisibility,
  encodeStruct,
  mainChannel,
  mainMigrateData,
} from "../protocol/index.ts";
import type { AgentShare } from "./agent-device.ts";
import { ConnectivityMonitor } from "./connectivity.ts";
import { CoreChannelClient } from "./core-channel-client.ts";
import {
  AGENT_WINDOW,
  CONNECTIVITY_GRACE_MS,
  CONNECTIVITY_INTERVAL_MS,
  LOW_BANDWIDTH,
  MAIN_RECEIVE_BUFFER,
  NET_TEST_BYTES,
} from "./limits.ts";

/** What one main channel asks of the server around it. */
export interface MainChannelOwner {
  /** Type and id of every channel a client may link now. */
  channels(): readonly { readonly type: number; readonly id: number }[];
  /** Whether a line may be measured now; without that it counts as fast. */
  mayTestLine(): boolean;
  mouseModeRequested(mode: number): void;
  agentStart(client: MainChannelClient, tokens: number): void;
  agentData(client: MainChannelClient, data: Uint8Array): void;
  agentTokens(client: MainChannelClient, tokens: number): void;
  /** What the client has of the agent's talk; undefined if it takes no part. */
  agentShare(client: MainChannelClient): AgentShare | undefined;
  /** The client takes agent data again. */
  agentResume(client: MainChannelClient): void;
}

/** Session facts that go out with INIT. */
export interface MainInit {
  readonly sessionId: number;
  readonly name: string;
  readonly uuid: Uint8Array;
  readonly supportedMouseModes: number;
  readonly currentMouseMode: number;
  readonly agentConnected: boolean;
  /** Display channels there are. */
  readonly displays: number;
  /** Milliseconds of the server's clock, as a u32. */
  readonly multiMediaTime: number;
}

/**
 * One client's main channel: session, list of channels, pointer mode, the agent's tunnel, and the measurement of its bandwidth with
 * the three PINGs of spice-server (warm-up, latency, 250 KiB). Losing it loses the client.
 */
export class MainChannelClient extends CoreChannelClient {
  readonly #owner: MainChannelOwner;
  #netTest: { warmUp?: number; empty?: number; bulk?: number; roundTripMs: number } | undefined;
  #mouseMode: { supportedModes: number; currentMode: number } | undefined;
  /** Bits per second, once measured. */
  bitrate: number | undefined;

  readonly #connectivity = new ConnectivityMonitor();
  readonly #connectivityTimer: ReturnType<typeof setInterval>;
  #suspicion: ReturnType<typeof setTimeout> | undefined;

  constructor(
    options: Pick<
      RedChannelClientOptions,
      "stream" | "miniHeader" | "capabilities" | "pingIntervalMs" | "turns" | "resume"
    > & {
      readonly connectivityIntervalMs?: number;
    },
    owner: MainChannelOwner,
  ) {
    super({ ...options, schema: mainChannel, handleAcks: false, receiveBuffer: MAIN_RECEIVE_BUFFER });
    this.#owner = owner;
    this.onProgress = () => owner.agentResume(this);
    this.#connectivityTimer = setInterval(
      () => this.#look(),
      options.connectivityIntervalMs ?? CONNECTIVITY_INTERVAL_MS,
    );
  }

  /** Whether agent data would leave at once. */
  get ready(): boolean {
    return this.connected && !this.migrating && this.pipe.length === 0 && this.canSend();
  }

  get lowBandwidth(): boolean {
    return this.bitrate !== undefined && this.bitrate < LOW_BANDWIDTH;
  }

  /** First messages of a session, in spice-server's order. */
  start(init: MainInit): void {
    this.together(() => this.#begin(init));
  }

  #begin(init: MainInit): void {
    this.send(mainChannel.server.init, {
      sessionId: init.sessionId,
      displayChannelsHint: init.displays,
      supportedMouseModes: init.supportedMouseModes,
      currentMouseMode: init.currentMouseMode,
      agentConnected: init.agentConnected ? 1 : 0,
      agentTokens: AGENT_WINDOW,
      multiMediaTime: init.multiMediaTime,
      ramHint: 0,
    });
    if (this.hasCapability(MainCap.NameAndUuid)) {
      this.send(mainChannel.server.name, { name: init.name });
      this.send(mainChannel.server.uuid, { uuid: init.uuid });
    }
    if (!this.#owner.mayTestLine()) return;
    this.#netTest = {
      warmUp: this.ping(),
      empty: this.ping(),
      bulk: this.ping(new Uint8Array(NET_TEST_BYTES)),
      roundTripMs: 0,
    };
  }

  /** Instead of {@link start}, for a session that another server began: what may be otherwise here than there. */
  goOn(now: Omit<MainInit, "sessionId" | "name" | "uuid">): void {
    this.together(() => {
      this.send(mainChannel.server.multiMediaTime, { time: now.multiMediaTime });
      this.sendMouseMode(now.supportedMouseModes, now.currentMouseMode);
      // What the agent and the client had begun is not known here: both begin again.
      this.sendAgentState(false);
      if (now.agentConnected) this.sendAgentState(true);
    });
  }

  /** All channels, or those that came since. */
  sendChannelsList(channels = this.#owner.channels()): void {
    this.enqueue(mainChannel.server.channelsList, { channels });
  }

  /** Only the newest waits, however often the mode changes while the client takes nothing. */
  sendMouseMode(supportedModes: number, currentMode: number): void {
    const waits = this.#mouseMode !== undefined;
    this.#mouseMode = { supportedModes, currentMode };
    if (waits) return;
    this.pipeAdd({
      bytes: 0,
      send: () => {
        const mode = this.#mouseMode;
        this.#mouseMode = undefined;
        if (mode) this.send(mainChannel.server.mouseMode, mode);
      },
    });
  }

  /** The agent came or went; a client that counts tokens is told how many it has. */
  sendAgentState(connected: boolean): void {
    if (!connected) this.enqueue(mainChannel.server.agentDisconnected, { errorCode: 0 });
    else if (this.hasCapability(MainCap.AgentConnectedTokens)) {
      this.enqueue(mainChannel.server.agentConnectedTokens, { numTokens: AGENT_WINDOW });
    } else this.enqueue(mainChannel.server.agentConnected, {});
  }

  sendAgentData(data: Uint8Array): void {
    this.enqueue(mainChannel.server.agentData, { data }, data.length);
  }

  sendAgentTokens(numTokens: number): void {
    this.enqueue(mainChannel.server.agentToken, { numTokens });
  }

  /** Words for the person at the client. */
  notify(message: string, severity: number = NotifySeverity.Warn): void {
    this.enqueue(mainChannel.server.notify, {
      timeStamp: BigInt(Date.now()) * 1_000_000n,
      severity,
      visibility: NotifyVisibility.High,
      what: 0,
      message,
    });
  }

  #look(): void {
    const alive = this.#connectivity.look({
      received: this.receivedBytes,
      waiting: this.waitingBytes,
      taken: this.sentBytes + this.credit,
      blocked: !this.canSend(),
      pinging: this.pingsInFlight > 0,
    });
    if (alive) return;
    // What it sent may have reached this thread, but not yet had its turn there: once more, behind all that waits.
    this.#suspicion ??= setTimeout(() => {
      this.#suspicion = undefined;
      if (this.receivedBytes + this.waitingBytes > this.#connectivity.received) return;
      this.disconnect("the client is dead: it neither reads nor answers");
    }, CONNECTIVITY_GRACE_MS);
  }

  protected override migrateData(): Uint8Array {
    const share = this.#owner.agentShare(this);
    return encodeStruct("MainMigrateData", mainMigrateData, {
      magic: MigrateMagic.Main,
      version: MIGRATE_DATA_VERSION,
      agentVersion: 1,
      agentConnected: share ? 1 : 0,
      clientTokens: share?.clientTokens ?? 0,
      sendTokens: share?.sendTokens ?? 0,
      // What the guest's agent has not taken goes with the guest.
      writeSize: 0,
      writeClientTokens: 0,
      writeDataPointer: 0,
      clientAgentStarted: share ? 1 : 0,
      chunkHeaderSize: 0,
      chunkHeader: new Uint8Array(8),
      messageHeaderDone: share && share.toClientBytes > 0 ? 1 : 0,
      messageHeaderPartialSize: 0,
      messageHeaderPointer: 0,
      toClientRemaining: share?.toClientBytes ?? 0,
      toClientFilterResult: 0,
      toAgentRemaining: share?.toAgentBytes ?? 0,
      toAgentFilterResult: 0,
    });
  }

  protected override released(): void {
    clearInterval(this.#connectivityTimer);
    clearTimeout(this.#suspicion);
  }

  protected override handlePong(id: number, roundTripMs: number): void {
    const test = this.#netTest;
    if (!test) return;
    if (id === test.empty) test.roundTripMs = roundTripMs;
    if (id !== test.bulk) return;
    const transferMs = roundTripMs - test.roundTripMs;
    // A filler that took no longer than an empty ping says nothing about the line, except that it is not slow.
    this.bitrate = transferMs > 0 ? (NET_TEST_BYTES * 8 * 1000) / transferMs : undefined;
    this.#netTest = undefined;
  }

  protected override handleMessage(message: ParsedMessage): void {
    const { client } = mainChannel;
    switch (message.def) {
      case client.attachChannels:
        this.sendChannelsList();
        break;
      case client.mouseModeRequest:
        this.#owner.mouseModeRequested(message.as(client.mouseModeRequest)?.mode ?? 0);
        break;
      case client.agentStart:
        this.#owner.agentStart(this, message.as(client.agentStart)?.numTokens ?? 0);
        break;
      case client.agentData:
        this.#owner.agentData(this, message.as(client.agentData)?.data ?? new Uint8Array(0));
        break;
      case client.agentToken:
        this.#owner.agentTokens(this, message.as(client.agentToken)?.numTokens ?? 0);
        break;
      case client.migrateConnected:
      case client.migrateConnectedSeamless:
        // No migration is under way; spice-server calls off what the client believes in.
        this.enqueue(mainChannel.server.migrateCancel, {});
        break;
      case client.migrateDstDoSeamless:
        this.enqueue(mainChannel.server.migrateDstSeamlessNack, {});
        break;
      default:
        // CLIENT_INFO, QUALITY_INDICATOR, the end or the failure of a migration that there was not: nothing to do.
        break;
    }
  }
}
