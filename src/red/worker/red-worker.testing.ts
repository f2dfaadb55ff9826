import type { MainMessages, RedInspection } from "../../dispatch/index.ts";
import { ChannelType } from "../../protocol/index.ts";
import type { RedCommand, RedCommandReply } from "../../protocol/red-command.ts";
import { RED_COMMAND_COST } from "../../protocol/red-command.ts";
import { TestDisplayClient } from "../display/display-client.testing.ts";
import type { TestClientOptions } from "../display/display-client.testing.ts";
import type { RedWorkerOptions } from "./red-worker.ts";
import { RedWorker } from "./red-worker.ts";

export { bitmap } from "../../raster/bitmap.testing.ts";
import { eventually, turns } from "../../waiting.testing.ts";

/** A red worker with a command port, as the guest worker has it, and what it told core. */
export class TestRedWorker implements Disposable {
  readonly worker: RedWorker;
  readonly replies: RedCommandReply[] = [];
  readonly told: { type: keyof MainMessages; message: unknown }[] = [];
  readonly #port: MessagePort;
  readonly #clients: TestDisplayClient[] = [];
  #nextClient = 1;

  constructor(options: Partial<RedWorkerOptions> = {}) {
    this.worker = new RedWorker({
      channelId: 0,
      main: { send: (type, message) => void this.told.push({ type, message }) },
      ...options,
    });
    const { port1, port2 } = new MessageChannel();
    this.#port = port2;
    port2.onmessage = (event: MessageEvent<RedCommandReply>) => this.replies.push(event.data);
    this.worker.attachCommands(port1);
  }

  /** Posts one batch. @returns its cost. */
  post(commands: readonly RedCommand[], data: Uint8Array = new Uint8Array(0)): number {
    const buffer = data.slice().buffer;
    const bytes = buffer.byteLength + commands.length * RED_COMMAND_COST;
    this.#port.postMessage({ type: "commands", commands, data: buffer, bytes }, [buffer]);
    return bytes;
  }

  /** Posts one batch and waits until it was carried out. */
  async run(commands: readonly RedCommand[], data?: Uint8Array): Promise<void> {
    const credit = this.credit + this.post(commands, data);
    await eventually(() => this.credit >= credit);
  }

  /** Bytes given back so far. */
  get credit(): number {
    return this.replies.reduce((sum, reply) => sum + (reply.type === "credit" ? reply.bytes : 0), 0);
  }

  join(
    options: TestClientOptions & { readonly channelId?: number } = {},
  ): TestDisplayClient & { readonly clientId: number } {
    const client = Object.assign(new TestDisplayClient(options), { clientId: this.#nextClient++ });
    this.#clients.push(client);
    this.worker.connect({
      clientId: client.clientId,
      channelType: ChannelType.Display,
      channelId: options.channelId ?? 0,
      capabilities: client.capabilities,
      miniHeader: client.miniHeader,
      lowBandwidth: options.lowBandwidth ?? false,
      port: client.port,
    });
    return client;
  }

  /** Waits until the client has received all that there is for it, and fails with what went wrong in it. */
  async settle(client: TestDisplayClient & { readonly clientId: number }): Promise<void> {
    const hasAll = () => {
      if (client.failure !== undefined) throw client.failure;
      const entry = this.inspection(client.clientId);
      if (entry === undefined) throw new Error(`the server dropped the client: ${client.closed}`);
      return entry.pipe === 0 && entry.sentBytes === client.bytes && client.messages > 1;
    };
    await turns(1);
    await eventually(hasAll, `client ${client.clientId} has all that there is for it`);
  }

  inspection(clientId: number): RedInspection["clients"][number] | undefined {
    return this.worker.inspect().clients.find((entry) => entry.clientId === clientId);
  }

  /** The server's surface as 0x00RRGGBB words. */
  async rgb(surfaceId = 0): Promise<Uint32Array> {
    const { pixels } = await this.worker.readSurface(surfaceId);
    return new Uint32Array(pixels.buffer).map((word) => word & 0xffffff);
  }

  [Symbol.dispose](): void {
    for (const client of this.#clients) client[Symbol.dispose]();
    this.worker[Symbol.dispose]();
    this.#port.close();
  }
}

/** Creation of a blank surface; 0 is the primary. */
export function createSurface(surfaceId: number, width: number, height: number, format = 32): RedCommand {
  return { type: "surfaceCreate", surfaceId, format, width, height, stride: width * 4, mouseMode: 1 };
}
