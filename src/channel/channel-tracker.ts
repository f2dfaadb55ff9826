import type { ChannelResume, SurfaceAtClient } from "../dispatch/messages.ts";
import type { MessageDef } from "../protocol/index.ts";
import {
  ChannelType,
  MOTION_ACK_BUNCH,
  baseServer,
  decodeBody,
  displayChannel,
  inputsChannel,
  mainChannel,
} from "../protocol/index.ts";
import type { StreamPosition, WireWatcher } from "../transport/index.ts";
import { TRACKER_LINK_BYTES } from "./limits.ts";
import { MessageCutter } from "./message-cutter.ts";

/** What another thread needs to go on with a channel whose own thread is gone. */
export interface ChannelCheckpoint {
  readonly resume: ChannelResume;
  /** What had come of the client's next message: it is to be read again, from its beginning. */
  readonly rest: Uint8Array<ArrayBuffer>;
}

/**
 * Follows a channel on its wire, so that another thread can go on with it: how many messages went out, which surfaces the client has,
 * what it asked for. Lives beside the driver, on core's thread, and reads headers and a few small messages only.
 */
export class ChannelTracker implements WireWatcher {
  /** Of the link stage, until it is known where that ends; undefined when it is too much to be kept. */
  #early: Uint8Array[] | undefined = [];
  #earlyBytes = 0;
  /** Bytes to the client that still belong to the link stage; below zero before it has ended. */
  #linkBytesLeft = 0;
  #fromClient: MessageCutter | undefined;
  #toClient: MessageCutter | undefined;
  #serial = 0n;
  #generation = 0;
  #init: Uint8Array<ArrayBuffer> | undefined;
  #compression: number | undefined;
  #marked = false;
  #migrated = false;
  /** Motions of the client behind the last one that was acknowledged. */
  #motions = 0;
  #sessionId: number | undefined;
  readonly #surfaces = new Map<number, SurfaceAtClient>();

  /** The link stage is over, after so many bytes of both directions. */
  begin(type: number, miniHeader: boolean, linkStage: StreamPosition): void {
    const early = this.#early;
    this.#early = undefined;
    if (early === undefined) return;
    this.#linkBytesLeft += linkStage.written;
    this.#follow(type, miniHeader);
    let skip = linkStage.read;
    for (const bytes of early) {
      this.#fromClient?.push(bytes.subarray(skip));
      skip = Math.max(0, skip - bytes.length);
    }
  }

  /** Another one followed the channel so far; `rest` comes again from the client. */
  goOn(type: number, miniHeader: boolean, resume: ChannelResume): void {
    this.#early = undefined;
    this.#serial = resume.serial;
    this.#generation = resume.generation;
    this.#init = resume.init?.slice();
    this.#compression = resume.compression;
    this.#marked = resume.marked;
    this.#motions = resume.motions ?? 0;
    for (const surface of resume.surfaces) this.#surfaces.set(surface.surfaceId, surface);
    this.#follow(type, miniHeader);
  }

  #follow(type: number, miniHeader: boolean): void {
    this.#fromClient = new MessageCutter(miniHeader, (message, body) => {
      if (type === ChannelType.Display && body) this.#displayReceived(message, body);
      if (type === ChannelType.Inputs) this.#inputsReceived(message);
    });
    this.#toClient = new MessageCutter(miniHeader, (message, body) => {
      this.#serial++;
      if (message === baseServer.setAck.id && body)
        this.#generation = decodeBody(baseServer.setAck, body).generation;
      if (message === baseServer.migrate.id) this.#migrated = true;
      if (type === ChannelType.Display && body) this.#displaySent(message, body);
      if (type === ChannelType.Main && body) this.#mainSent(message, body);
      if (type === ChannelType.Inputs && message === inputsChannel.server.mouseMotionAck.id)
        this.#motions = Math.max(0, this.#motions - MOTION_ACK_BUNCH);
    });
  }

  received(bytes: Uint8Array): void {
    if (this.#fromClient) return this.#fromClient.push(bytes);
    this.#earlyBytes += bytes.length;
    if (this.#earlyBytes > TRACKER_LINK_BYTES) this.#early = undefined;
    this.#early?.push(bytes.slice());
  }

  sent(bytes: Uint8Array): void {
    if (this.#toClient === undefined || this.#linkBytesLeft > 0) {
      this.#linkBytesLeft -= bytes.length;
      return;
    }
    this.#toClient.push(bytes);
  }

  /** Of main: the session that its INIT named. */
  get sessionId(): number | undefined {
    return this.#sessionId;
  }

  /** MIGRATE went out: the client goes to another server, and nobody goes on here. */
  get migrated(): boolean {
    return this.#migrated;
  }

  /** What was begun towards the client never got there, and will not. */
  forgetUnfinished(): void {
    this.#toClient?.forget();
  }

  /** The channel as it is now; undefined if it cannot be followed: then only a new link helps. */
  checkpoint(): ChannelCheckpoint | undefined {
    if (this.#migrated) return undefined;
    const rest = this.#fromClient?.rest;
    // Whoever wrote to the client wrote whole messages.
    if (rest === undefined || this.#toClient?.rest?.length !== 0) return undefined;
    const resume: ChannelResume = {
      serial: this.#serial,
      generation: this.#generation,
      surfaces: [...this.#surfaces.values()],
      marked: this.#marked,
      ...(this.#motions > 0 && { motions: this.#motions }),
      ...(this.#init && { init: this.#init }),
      ...(this.#compression !== undefined && { compression: this.#compression }),
    };
    return { resume, rest };
  }

  #displayReceived(message: number, body: Uint8Array<ArrayBuffer>): void {
    const { init, preferredCompression } = displayChannel.client;
    if (message === init.id) this.#init ??= body;
    if (message === preferredCompression.id)
      this.#compression = attempt(preferredCompression, body)?.imageCompression ?? this.#compression;
  }

  #inputsReceived(message: number): void {
    const { mouseMotion, mousePosition } = inputsChannel.client;
    if (message === mouseMotion.id || message === mousePosition.id) this.#motions++;
  }

  #mainSent(message: number, body: Uint8Array): void {
    const { init } = mainChannel.server;
    if (message === init.id) this.#sessionId = decodeBody(init, body).sessionId;
  }

  #displaySent(message: number, body: Uint8Array): void {
    const { surfaceCreate, surfaceDestroy, mark } = displayChannel.server;
    if (message === surfaceCreate.id) {
      const { surfaceId, width, height, format } = decodeBody(surfaceCreate, body);
      this.#surfaces.set(surfaceId, { surfaceId, width, height, format });
    } else if (message === surfaceDestroy.id) {
      const { surfaceId } = decodeBody(surfaceDestroy, body);
      this.#surfaces.delete(surfaceId);
      if (surfaceId === 0) this.#marked = false;
    } else if (message === mark.id) this.#marked = true;
  }
}

/** A client's message may be anything; what is wrong with it, its channel says. */
function attempt<T>(definition: MessageDef<T>, body: Uint8Array): T | undefined {
  try {
    return decodeBody(definition, body);
  } catch {
    return undefined;
  }
}
