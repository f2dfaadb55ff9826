import { ChannelType, displayChannel, encodeBody, inputsChannel } from "../../src/protocol/index.ts";
import { rawMessage } from "./raw-channel.ts";
import { RawSession, displayInit } from "./raw-session.ts";

/** Motions that the server acknowledges together, SPICE_INPUT_MOTION_ACK_BUNCH. */
const MOTION_ACK_BUNCH = 4;
const BEAT_MS = 100;

/** How long the answers took since the last look, in milliseconds. */
export interface Latency {
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** A client that does all it should, and measures how long the server lets it wait: a bunch of motions until their acknowledgement. */
export class HonestClient implements Disposable {
  readonly session: RawSession;
  readonly #timer: NodeJS.Timeout;
  #askedAt: number | undefined;
  #waits: number[] = [];

  private constructor(session: RawSession) {
    this.session = session;
    const inputs = session.channel(ChannelType.Inputs);
    const still = encodeBody(inputsChannel.client.mouseMotion, { dx: 0, dy: 0, buttonsState: 0 });
    const bunch = Buffer.concat(
      Array.from({ length: MOTION_ACK_BUNCH }, () => rawMessage(inputsChannel.client.mouseMotion.id, still)),
    );
    inputs.onMessage = (type) => {
      if (type !== inputsChannel.server.mouseMotionAck.id || this.#askedAt === undefined) return;
      this.#waits.push(performance.now() - this.#askedAt);
      this.#askedAt = undefined;
    };
    this.#timer = setInterval(() => {
      if (this.#askedAt !== undefined || inputs.closed) return;
      this.#askedAt = performance.now();
      inputs.socket.write(bunch);
    }, BEAT_MS);
  }

  /** Joins with every channel and waits until its picture is complete. */
  static async join(port: number, password?: string): Promise<HonestClient> {
    const { Display, Inputs, Cursor } = ChannelType;
    const session = await RawSession.join(port, [Display, Inputs, Cursor], { password, init: false });
    const display = session.channel(Display);
    const complete = new Promise<void>((resolve, reject) => {
      display.onMessage = (type) => {
        if (type === displayChannel.server.mark.id) resolve();
      };
      display.socket.once("close", () =>
        reject(new Error("the honest client was cut before its first picture")),
      );
    });
    display.send(displayChannel.client.init.id, displayInit());
    await complete;
    return new HonestClient(session);
  }

  get alive(): boolean {
    return this.session.alive;
  }

  /** Waits for so many more answers, or fails once the server has left one out for `patienceMs`. */
  async answers(count: number, patienceMs = 60_000): Promise<void> {
    const wanted = this.#waits.length + count;
    const isStuck = () => this.#askedAt !== undefined && performance.now() - this.#askedAt > patienceMs;
    while (this.#waits.length < wanted) {
      if (!this.alive) throw new Error("the honest client was cut");
      if (isStuck()) throw new Error(`the honest client has waited for ${patienceMs} ms`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** What was measured since the last call, an answer that is still out included. */
  take(): Latency {
    const open = this.#askedAt === undefined ? [] : [performance.now() - this.#askedAt];
    const sorted = [...this.#waits, ...open].toSorted((a, b) => a - b);
    this.#waits = [];
    const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
    return { count: sorted.length, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: sorted.at(-1) ?? 0 };
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.session[Symbol.dispose]();
  }
}
