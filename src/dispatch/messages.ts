/**
 * What the threads say to each other over dispatchers: one interface per direction, named after spice-server's
 * RedWorker messages and MainDispatcher. `send` entries are fire-and-forget, entries with a result are acknowledged.
 * Bulk never goes here: QXL commands travel as RedCommandBatch on their own port, stream bytes on RedStream ports.
 */

import type { LogEntry } from "../log/index.ts";
import type { RedInspection } from "./inspection.ts";

/** Capabilities of one linked channel: bit sets as u32 words, as in the link message. */
export interface ChannelCapabilities {
  readonly common: readonly number[];
  readonly channel: readonly number[];
}

/** A channel client handed to a red worker: the link stage is over, the next byte on `port` is the first message. */
export interface ChannelConnect {
  readonly clientId: number;
  /** SpiceChannelType: 2 display, 4 cursor. */
  readonly channelType: number;
  readonly channelId: number;
  readonly capabilities: ChannelCapabilities;
  readonly miniHeader: boolean;
  /** Set by the main channel's net test; false until it is known. */
  readonly lowBandwidth: boolean;
  /** RedStream port (see transport); transferred. */
  readonly port: MessagePort;
  /** The client had this channel before, on a red worker that is gone; absent: it has just linked. */
  readonly resume?: ChannelResume;
}

/** What a client has had of a channel that goes on with another red worker. Its caches count as empty. */
export interface ChannelResume {
  /** Messages sent so far. */
  readonly serial: bigint;
  /** Of the last SET_ACK. */
  readonly generation: number;
  /** Display: body of its INIT, if that came. */
  readonly init?: Uint8Array;
  /** Display: SpiceImageCompression that it asked for. */
  readonly compression?: number;
  /** Display: the surfaces it was sent and not told to destroy. */
  readonly surfaces: readonly SurfaceAtClient[];
  /** Display: whether its primary surface was sent MARK, and so is shown. */
  readonly marked: boolean;
  /** Inputs: motions and positions of the client that no MOTION_ACK has counted. */
  readonly motions?: number;
}

/** A surface as SURFACE_CREATE announced it. */
export interface SurfaceAtClient {
  readonly surfaceId: number;
  readonly width: number;
  readonly height: number;
  /** SpiceSurfaceFmt. */
  readonly format: number;
}

/** Pixels of a surface: top-down, 32 bit little-endian xRGB (bytes B, G, R, X), stride = 4 * width. */
export interface SurfacePixels {
  readonly surfaceId: number;
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
}

/** core (or page, or a test) -> red worker: the QxlDispatcher. */
export interface RedWorkerMessages {
  /** The guest's command port (RedCommandBatch in, RedCommandReply out); replaces an earlier producer. */
  attachCommands(message: { port: MessagePort }): void;
  connect(message: ChannelConnect): void;
  /** Synchronous: when it resolves that channel client holds no queue, no timer, no stream. */
  disconnectClient(message: { clientId: number; channelType: number }): void;
  /** Asynchronous: the channel client stops behind MIGRATE. One that is not there, or not any more, is no error. */
  migrateClient(message: { clientId: number; channelType: number }): void;
  /**
   * Synchronous: the machine stands still. When it resolves, all that came before is carried out and has gone out to the clients, who
   * stay; whoever did not take it in time is gone. What comes later is carried out all the same: it is the device that reads the ring.
   */
  stop(message: Record<string, never>): Promise<void>;
  /** Synchronous: the clients forget the images and palettes that they were told to keep. */
  resetImageCache(message: Record<string, never>): void;
  /** Synchronous: no pointer has been set yet. */
  resetCursor(message: Record<string, never>): void;
  /** Nothing is left of it when this was handled: no client, no surface, no timer, no port but the one it came on. */
  closeWorker(message: Record<string, never>): void;
  setMouseMode(message: { mode: number }): void;
  /** SpiceImageCompression: 1 off, 2 auto_glz, 3 auto_lz, 4 quic, 5 glz, 6 lz, 7 lz4. */
  setCompression(message: { compression: number }): void;
  /** The tab's own screen: a display client that takes pixels. The worker paints into it and tells `events` the rest. */
  attachCanvas(message: { canvas: OffscreenCanvas; events?: MessagePort }): void;
  /** After all commands received so far. Rejects with NoSuchSurface. */
  readSurface(message: { surfaceId: number }): SurfacePixels;
  /** Its part of the ownership graph, for the page and tests. */
  inspect(message: Record<string, never>): RedInspection;
}

/** red worker -> the page's screen, as plain messages on the port given with its canvas. The present state comes first. */
export type ScreenEvent =
  /** The primary surface's size in pixels; 0 x 0 while there is none. */
  | { readonly type: "size"; readonly width: number; readonly height: number }
  /** Straight RGBA, width * height * 4 bytes, top-down; undefined: the guest shows no pointer. */
  | { readonly type: "cursor"; readonly shape: ScreenCursor | undefined }
  /** The guest moved its pointer itself (server mouse mode), in pixels of the primary surface. */
  | { readonly type: "cursor-moved"; readonly x: number; readonly y: number };

export interface ScreenCursor {
  readonly width: number;
  readonly height: number;
  readonly hotX: number;
  readonly hotY: number;
  readonly pixels: Uint8Array<ArrayBuffer>;
}

/** red worker -> page. */
export interface RedPageMessages {
  /** What is new in the thread's log. */
  log(message: { entries: readonly LogEntry[] }): void;
}

/** red worker -> core: the MainDispatcher. None of these is acknowledged: a red worker never waits for core. */
export interface MainMessages {
  /** That channel client is gone (stream ended or it misbehaved); core drops its handle. */
  channelClientDisconnected(message: {
    clientId: number;
    channelType: number;
    channelId: number;
    reason: string;
  }): void;
  /** The primary surface came or went; steers the mouse mode. */
  primaryChanged(message: {
    channelId: number;
    active: boolean;
    width: number;
    height: number;
    mouseMode: number;
  }): void;
}

/** One head wanted by a client (VDAgentMonitorsConfig). */
export interface ClientHead {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly depth: number;
}

/** core -> guest worker: input, agent, monitors. */
export interface GuestMessages {
  // Input answers when the guest has room for more, with the number of key presses, or of button changes, that it had to drop.
  /** PS/2 set-1 scancode bytes in order, prefixes included. */
  keyScancodes(message: { bytes: readonly number[] }): number;
  /** Relative PS/2 motion; buttons is a SpiceMouseButtonMask (1 left, 2 middle, 4 right). dz: wheel, -1 up, +1 down. */
  mouseMotion(message: { dx: number; dy: number; dz: number; buttons: number }): number;
  /** Absolute position in pixels of a display, as clients number them; absent: of the first one's whole primary surface. */
  mousePosition(message: { x: number; y: number; dz: number; buttons: number; displayId?: number }): number;
  /** Bytes for the agent's virtio-serial port (VDIChunkHeader framing included). Resolves when the guest took them. */
  agentWrite(message: { bytes: Uint8Array }): Promise<void>;
  /** True if the QXL devices took it (ROM + INTERRUPT_CLIENT_MONITORS_CONFIG); false: send it to the agent instead. */
  clientMonitorsConfig(message: { heads: readonly ClientHead[] }): boolean;
}

/** guest worker -> core. */
export interface GuestEvents {
  /** A program in the guest opened or closed com.redhat.spice.0. */
  agentState(message: { open: boolean }): void;
  /** Raw bytes from the agent's port. Core acknowledges to give back-pressure. */
  agentData(message: { bytes: Uint8Array }): Promise<void>;
  /** The guest enabled (or left) its absolute pointer device, whose positions reach so many displays; absent: one. */
  tabletState(message: { enabled: boolean; reach?: number }): void;
  /** Keyboard LEDs: 1 scroll, 2 num, 4 caps (SpiceKeyboardModifierFlags). */
  leds(message: { modifiers: number }): void;
  /** Words for the people at the clients about the machine's run; while it `stands`, also for those who join. */
  power(message: { words: string; stands: boolean }): void;
}
