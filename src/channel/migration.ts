import type { MessageDef } from "../protocol/index.ts";
import { MigrateFlags, baseServer } from "../protocol/index.ts";
import { MIGRATE_DEADLINE_MS } from "./limits.ts";

/** What a migration needs of its channel client. */
export interface MigratingChannel {
  /** Writes it, whatever else is silent. */
  send<T>(definition: MessageDef<T>, value: T): void;
  /** What the client's next server is to know, as of now. */
  data(): Uint8Array;
  /** The client does not answer. */
  failed(reason: string): void;
}

/**
 * How a channel client stops for its client to go to another server (ClientCbs.migrate): what waits in the pipe still goes out, MIGRATE is
 * the last of it, and nothing comes behind but MIGRATE_DATA. That is sent when the client's FLUSH_MARK tells that it, too, says no more;
 * the client takes it along, and shows by giving it back, unchanged, that it has it.
 */
export class Migration implements Disposable {
  readonly #flags: number;
  readonly #channel: MigratingChannel;
  #state: "queued" | "flushing" | "flushed" | "over" = "queued";
  #data: Uint8Array | undefined;
  #deadline: ReturnType<typeof setTimeout> | undefined;

  /** @param flags MigrateFlags of the channel's type */
  constructor(flags: number, channel: MigratingChannel) {
    this.#flags = flags;
    this.#channel = channel;
  }

  /** MIGRATE has gone out: nothing else does any more. */
  get isSilent(): boolean {
    return this.#state !== "queued";
  }

  /** The client has all that it takes along, and has said so. */
  get isOver(): boolean {
    return this.#state === "over";
  }

  /** What waited before it has gone out. */
  begin(): void {
    this.#channel.send(baseServer.migrate, { flags: this.#flags });
    if ((this.#flags & MigrateFlags.NeedFlush) === 0) {
      this.#state = "over";
      return;
    }
    this.#state = "flushing";
    this.#deadline = setTimeout(
      () => this.#channel.failed(`no MIGRATE_FLUSH_MARK came within ${MIGRATE_DEADLINE_MS} ms`),
      MIGRATE_DEADLINE_MS,
    );
  }

  /** @throws if none is awaited */
  flushMark(): void {
    if (this.#state !== "flushing") throw new Error("migrateFlushMark, which nobody waits for");
    clearTimeout(this.#deadline);
    this.#state = "over";
    if ((this.#flags & MigrateFlags.NeedDataTransfer) === 0) return;
    this.#state = "flushed";
    this.#data = this.#channel.data();
    this.#channel.send(baseServer.migrateData, { data: this.#data });
  }

  /** Bytes that the client may give back; undefined while there is nothing to. */
  get awaitedBytes(): number | undefined {
    return this.#state === "flushed" ? this.#data?.length : undefined;
  }

  /** The client gives back what it was sent. @throws if that is something else, or was not asked for */
  takeData(data: Uint8Array): void {
    const given = this.#state === "flushed" ? this.#data : undefined;
    if (given === undefined) throw new Error("migrateData, which nobody waits for");
    if (given.length !== data.length || given.some((byte, index) => byte !== data[index]))
      throw new Error("migrateData is not what the client was given");
    this.#state = "over";
    this.#data = undefined;
  }

  /** A message of the channel itself. @throws if the client had promised to say no more */
  heard(name: string): void {
    if (this.#state === "flushed" || (this.#state === "over" && this.#flags !== 0))
      throw new Error(`${name} behind MIGRATE_FLUSH_MARK`);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#deadline);
  }
}
