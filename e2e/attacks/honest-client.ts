import {
  ChannelType,
  MOTION_ACK_BUNCH,
  displayChannel,
  encodeBody,
  inputsChannel,
} from "../../src/protocol/index.ts";
import { Beat } from "./beat.ts";
import { rawMessage } from "./raw-channel.ts";
import { RawSession, displayInit } from "./raw-session.ts";

/** A client that does all it should, and measures how long the server lets it wait: a bunch of motions until their acknowledgement. */
export class HonestClient implements Disposable {
  readonly session: RawSession;
  readonly beat: Beat;

  private constructor(session: RawSession) {
    this.session = session;
    const inputs = session.channel(ChannelType.Inputs);
    const still = encodeBody(inputsChannel.client.mouseMotion, { dx: 0, dy: 0, buttonsState: 0 });
    const bunch = Buffer.concat(
      Array.from({ length: MOTION_ACK_BUNCH }, () => rawMessage(inputsChannel.client.mouseMotion.id, still)),
    );
    this.beat = new Beat(
      () => inputs.socket.write(bunch),
      () => !session.alive,
    );
    inputs.onMessage = ({ def }) => {
      if (def === inputsChannel.server.mouseMotionAck) this.beat.answered();
    };
  }

  /** Joins with every channel and waits until its picture is complete. */
  static async join(port: number, password?: string): Promise<HonestClient> {
    const { Display, Inputs, Cursor } = ChannelType;
    const session = await RawSession.join(port, [Display, Inputs, Cursor], { password, init: false });
    const display = session.channel(Display);
    const complete = new Promise<void>((resolve, reject) => {
      display.onMessage = ({ def }) => {
        if (def === displayChannel.server.mark) resolve();
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

  [Symbol.dispose](): void {
    this.beat[Symbol.dispose]();
    this.session[Symbol.dispose]();
  }
}
