import type { ChannelSchema, MessageDef, ParsedMessage } from "../protocol/index.ts";
import { LinkErr } from "../protocol/index.ts";
import { ClientChannel } from "./channel.ts";
import { LinkRefusedError } from "./errors.ts";
import type { LinkOptions, LinkRequest } from "./link.ts";
import { link } from "./link.ts";
import type { ByteTransport } from "./transport.ts";

/** What came of a link: the LinkErr of a server that refused it, or Ok. */
export async function linkError(
  transport: ByteTransport,
  request: LinkRequest,
  options?: LinkOptions,
): Promise<number> {
  try {
    await link(transport, request, options);
    return LinkErr.Ok;
  } catch (error) {
    if (error instanceof LinkRefusedError) return error.linkError;
    throw error;
  }
}

/** A channel of a client that keeps what it hears, and says only what its test says. */
export class RecordingChannel extends ClientChannel {
  readonly messages: ParsedMessage[] = [];
  /** Whether it answers SET_ACK and PING, and acknowledges: a client that does not is taken for dead after a while. */
  answers: boolean;
  readonly #transport: ByteTransport;

  constructor(
    transport: ByteTransport,
    schema: ChannelSchema,
    { miniHeader = true, answers = false }: { miniHeader?: boolean; answers?: boolean } = {},
  ) {
    super(schema, { transport, miniHeader });
    this.#transport = transport;
    this.answers = answers;
    this.onMessage = (message) => {
      if (message.serial !== undefined && message.serial !== this.received)
        throw new Error(`${message.name} has serial ${message.serial}, expected ${this.received}`);
      this.messages.push(message);
    };
    this.start();
  }

  sendRaw(bytes: Uint8Array): void {
    this.#transport.write(bytes);
  }

  get names(): string[] {
    return this.messages.map((message) => message.name);
  }

  /** The first message of that kind, decoded. */
  find<T>(definition: MessageDef<T>): T | undefined {
    return this.messages.find((message) => message.def === definition)?.as(definition);
  }

  /** All of that kind, decoded. */
  all<T>(definition: MessageDef<T>): T[] {
    return this.messages.flatMap((message) => (message.def === definition ? [message.as(definition)!] : []));
  }

  /** Why it ended; undefined while it lives. */
  get closed(): string | undefined {
    return this.end?.reason;
  }

  /** What was wrong with what the server sent. */
  get failure(): unknown {
    return this.end?.error;
  }

  protected override answer<T>(definition: MessageDef<T>, value: T): void {
    if (this.answers) super.answer(definition, value);
  }
}
