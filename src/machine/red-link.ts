/** The guest's end towards a red worker: batches of commands out, credit and client capabilities in. */
import type { RedCommandBatch, RedCommandReply } from "../protocol/red-command.ts";
import type { QxlDevice } from "../qxl/index.ts";
import { RedCommandBatcher } from "../qxl/index.ts";

/**
 * Owner disposes. The red worker may be replaced: attach its port, then resync the machine. It may also come only when it is wanted:
 * until then what the device sends goes nowhere, since a resync brings all of it, and costs no credit.
 */
export class RedLink implements Disposable {
  readonly sink: RedCommandBatcher;
  #port: MessagePort | undefined;
  #device: QxlDevice | undefined;
  #clients: { present: boolean; capabilities: Uint8Array } | undefined;
  readonly #wanted: () => void;

  /** `wanted` is called when the guest's driver shows something and there is no red worker, perhaps often. */
  constructor(wanted: () => void = () => {}) {
    this.#wanted = wanted;
    this.sink = new RedCommandBatcher({
      post: (batch) => this.#post(batch),
      onCredit: () => this.#device?.creditAvailable(),
    });
  }

  /** Whether a red worker takes what is sent. */
  get isServed(): boolean {
    return this.#port !== undefined;
  }

  /** Sends to the red worker behind `port` from now on. What an earlier one owes is forgotten. */
  attach(port: MessagePort): void {
    this.#port?.close();
    this.#port = port;
    this.sink.restart();
    port.onmessage = ({ data }: MessageEvent<RedCommandReply>) => this.#onReply(data);
  }

  /** The device whose commands the sink carries; it is told of credit and clients. */
  serve(device: QxlDevice): void {
    this.#device = device;
    if (this.#clients) device.setClientCapabilities(this.#clients.present, this.#clients.capabilities);
  }

  [Symbol.dispose](): void {
    this.#port?.close();
    this.#port = undefined;
    this.#device = undefined;
  }

  #post(batch: RedCommandBatch): void {
    if (this.#port !== undefined) return this.#port.postMessage(batch, [batch.data]);
    this.sink.credit(batch.bytes);
    if (batch.commands.some(({ type }) => type === "surfaceCreate")) this.#wanted();
  }

  #onReply(reply: RedCommandReply): void {
    if (reply.type === "credit") {
      this.sink.credit(reply.bytes);
    } else {
      const { present, capabilities } = reply;
      this.#clients = { present, capabilities };
      this.#device?.setClientCapabilities(present, capabilities);
    }
  }
}
