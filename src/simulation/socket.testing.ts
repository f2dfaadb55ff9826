import type { WebSocketLike } from "../transport/index.ts";
import { SimulatedPort } from "./port.testing.ts";

type SocketMessage =
  | { readonly data: Uint8Array<ArrayBuffer> }
  | { readonly code: number; readonly reason: string };
type Listener = (event: never) => void;

/** A WebSocket that is open, over a MessagePort: the other end has another one. */
export class PortSocket implements WebSocketLike {
  binaryType = "arraybuffer";
  readyState = 1;
  readonly #port: MessagePort;
  readonly #listeners = new Map<string, Listener[]>();
  #held: Uint8Array[] | undefined;

  constructor(port: MessagePort) {
    this.#port = port;
    port.onmessage = ({ data }: MessageEvent<SocketMessage>) => this.#receive(data);
  }

  /** What the other end has not read: a socket's buffers are as large as the reader is slow. */
  get bufferedAmount(): number {
    const port: unknown = this.#port;
    if (!(port instanceof SimulatedPort)) return 0;
    let bytes = 0;
    for (const message of port.peer.queue) {
      if ("data" in (message as SocketMessage)) bytes += (message as { data: Uint8Array }).data.length;
    }
    return bytes;
  }

  send(data: Uint8Array): void {
    if (this.readyState === 1) this.#port.postMessage({ data: data.slice() } satisfies SocketMessage);
  }

  close(code = 1000, reason = ""): void {
    if (this.readyState !== 1) return;
    this.readyState = 3;
    this.#port.postMessage({ code, reason } satisfies SocketMessage);
    this.#port.close();
  }

  pause(): void {
    this.#held ??= [];
  }

  resume(): void {
    const held = this.#held;
    this.#held = undefined;
    for (const data of held ?? []) this.#tell("message", { data });
  }

  addEventListener(type: string, listener: Listener): void {
    this.#listeners.set(type, [...(this.#listeners.get(type) ?? []), listener]);
  }

  #receive(message: SocketMessage): void {
    if ("data" in message) {
      if (this.#held) this.#held.push(message.data);
      else this.#tell("message", message);
      return;
    }
    this.readyState = 3;
    this.#port.close();
    this.#tell("close", message);
  }

  #tell(type: string, event: unknown): void {
    for (const listener of this.#listeners.get(type) ?? []) (listener as (event: unknown) => void)(event);
  }
}
