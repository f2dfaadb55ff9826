/**
 * A SPICE client: link stage, channels, session. It knows no DOM and no Node; `transports/` joins it to a WebSocket or a socket.
 * @packageDocumentation
 */
export type { AgentMessage } from "./agent-stream.ts";
export { ClientChannel } from "./channel.ts";
export type { AwaitedMessage, ChannelEnd, ChannelOptions } from "./channel.ts";
export { CursorChannel } from "./channels/cursor.ts";
export type { CursorPosition, CursorShape } from "./channels/cursor.ts";
export { DISPLAY_CAPS, DisplayChannel } from "./channels/display.ts";
export type { DisplayEvents, DisplayOptions } from "./channels/display.ts";
export { INPUTS_CAPS, InputsChannel } from "./channels/inputs.ts";
export { MAIN_CAPS, MainChannel } from "./channels/main.ts";
export type { MigrationEvent, MigrationTarget, OfferedChannel } from "./channels/main.ts";
export type { ClientImage } from "./display/client-image.ts";
export { ImageReader, createImageMemory } from "./display/image-reader.ts";
export type { ImageMemory } from "./display/image-reader.ts";
export { PaletteCache } from "./display/palette-cache.ts";
export { PixmapCache } from "./display/pixmap-cache.ts";
export { ClientError, LinkRefusedError } from "./errors.ts";
export type { ClientErrorCode } from "./errors.ts";
export * from "./limits.ts";
export { COMMON_CAPS, encodeLinkRequest, link } from "./link.ts";
export type { LinkOptions, LinkRequest, LinkTerms } from "./link.ts";
export { SpiceSession } from "./session.ts";
export type {
  ChannelRequest,
  ChannelSettings,
  SessionChannels,
  SessionDeadlines,
  SessionOptions,
} from "./session.ts";
export { sealTicket } from "./ticket.ts";
export type { ByteTransport } from "./transport.ts";
export { WebSocketTransport, dialWebSocket } from "./transports/websocket.ts";
export type { WebSocketLike } from "./transports/websocket.ts";
