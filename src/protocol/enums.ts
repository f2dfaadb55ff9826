/** Numbers of `spice/enums.h` and `spice/protocol.h`, under their SPICE names in Pascal case. Peers may send others: never assume. */

/** SPICE_CHANNEL_*: what a channel carries. */
export const ChannelType = {
  Main: 1,
  Display: 2,
  Inputs: 3,
  Cursor: 4,
  Playback: 5,
  Record: 6,
  Tunnel: 7,
  Smartcard: 8,
  Usbredir: 9,
  Port: 10,
  Webdav: 11,
} as const;
export type ChannelType = (typeof ChannelType)[keyof typeof ChannelType];

/** SpiceLinkErr: result of a link, also the reason of DISCONNECTING. */
export const LinkErr = {
  Ok: 0,
  Error: 1,
  InvalidMagic: 2,
  InvalidData: 3,
  VersionMismatch: 4,
  NeedSecured: 5,
  NeedUnsecured: 6,
  PermissionDenied: 7,
  BadConnectionId: 8,
  ChannelNotAvailable: 9,
} as const;
export type LinkErr = (typeof LinkErr)[keyof typeof LinkErr];

/** SPICE_COMMON_CAP_*: bit numbers. */
export const CommonCap = { ProtocolAuthSelection: 0, AuthSpice: 1, AuthSasl: 2, MiniHeader: 3 } as const;

/** SPICE_MAIN_CAP_*: bit numbers. */
export const MainCap = {
  SemiSeamlessMigrate: 0,
  NameAndUuid: 1,
  AgentConnectedTokens: 2,
  SeamlessMigrate: 3,
} as const;

/** SPICE_DISPLAY_CAP_*: bit numbers. */
export const DisplayCap = {
  SizedStream: 0,
  MonitorsConfig: 1,
  Composite: 2,
  A8Surface: 3,
  StreamReport: 4,
  Lz4Compression: 5,
  PrefCompression: 6,
  GlScanout: 7,
  MultiCodec: 8,
  CodecMjpeg: 9,
  CodecVp8: 10,
  CodecH264: 11,
  PrefVideoCodecType: 12,
  CodecVp9: 13,
  CodecH265: 14,
} as const;

/** SPICE_INPUTS_CAP_*: bit numbers. */
export const InputsCap = { KeyScancode: 0 } as const;

/** SPICE_PLAYBACK_CAP_*: bit numbers. */
export const PlaybackCap = { Celt051: 0, Volume: 1, Latency: 2, Opus: 3 } as const;

/** SPICE_RECORD_CAP_*: bit numbers. */
export const RecordCap = { Celt051: 0, Volume: 1, Opus: 2 } as const;

/** SPICE_SPICEVMC_CAP_*: bit numbers; also of usbredir, port and webdav. */
export const SpicevmcCap = { DataCompressLz4: 0 } as const;

/** SpiceMigrateFlags of MIGRATE. */
export const MigrateFlags = { NeedFlush: 1, NeedDataTransfer: 2 } as const;

/** SpiceNotifySeverity. */
export const NotifySeverity = { Info: 0, Warn: 1, Error: 2 } as const;

/** SpiceNotifyVisibility. */
export const NotifyVisibility = { Low: 0, Medium: 1, High: 2 } as const;

/** SpiceMouseMode: who owns the pointer. Bits, because `supportedModes` is a set. */
export const MouseMode = { Server: 1, Client: 2 } as const;
export type MouseMode = (typeof MouseMode)[keyof typeof MouseMode];

/** SpiceDataCompressionType of COMPRESSED_DATA. */
export const DataCompressionType = { None: 0, Lz4: 1 } as const;

/** SpiceClipType. */
export const ClipType = { None: 0, Rects: 1 } as const;

/** SpicePathFlags of a path segment. */
export const PathFlags = { Begin: 1, End: 2, Close: 8, Bezier: 16 } as const;

/** SpiceVideoCodecType. */
export const VideoCodec = { Mjpeg: 1, Vp8: 2, H264: 3, Vp9: 4, H265: 5 } as const;
export type VideoCodec = (typeof VideoCodec)[keyof typeof VideoCodec];

/** SpiceStreamFlags of STREAM_CREATE. */
export const StreamFlags = { TopDown: 1 } as const;

/** SpiceBrushType. */
export const BrushType = { None: 0, Solid: 1, Pattern: 2 } as const;

/** SpiceMaskFlags. */
export const MaskFlags = { Invers: 1 } as const;

/** SpiceImageType: how the data of an Image is coded. */
export const ImageType = {
  Bitmap: 0,
  Quic: 1,
  LzPlt: 100,
  LzRgb: 101,
  GlzRgb: 102,
  FromCache: 103,
  Surface: 104,
  Jpeg: 105,
  FromCacheLossless: 106,
  ZlibGlzRgb: 107,
  JpegAlpha: 108,
  Lz4: 109,
} as const;
export type ImageType = (typeof ImageType)[keyof typeof ImageType];

/** SpiceImageCompression: what a display client may prefer. */
export const ImageCompression = {
  Invalid: 0,
  Off: 1,
  AutoGlz: 2,
  AutoLz: 3,
  Quic: 4,
  Glz: 5,
  Lz: 6,
  Lz4: 7,
} as const;
export type ImageCompression = (typeof ImageCompression)[keyof typeof ImageCompression];

/** SpiceImageFlags of an image descriptor. */
export const ImageFlags = { CacheMe: 1, HighBitsSet: 2, CacheReplaceMe: 4 } as const;

/** SpiceBitmapFmt: how pixels lie in memory. 16 bit is x555; 24, 32 bit and RGBA are B, G, R(, A) in memory order. */
export const BitmapFmt = {
  Invalid: 0,
  Bit1Le: 1,
  Bit1Be: 2,
  Bit4Le: 3,
  Bit4Be: 4,
  Bit8: 5,
  Bit16: 6,
  Bit24: 7,
  Bit32: 8,
  Rgba: 9,
  Bit8A: 10,
} as const;
export type BitmapFmt = (typeof BitmapFmt)[keyof typeof BitmapFmt];

/** SpiceBitmapFlags. */
export const BitmapFlags = { PalCacheMe: 1, PalFromCache: 2, TopDown: 4 } as const;

/** SpiceJpegAlphaFlags. */
export const JpegAlphaFlags = { TopDown: 1 } as const;

/** SpiceImageScaleMode. */
export const ImageScaleMode = { Interpolate: 0, Nearest: 1 } as const;

/** SpiceRopd: raster operation bits. */
export const Ropd = {
  InversSrc: 1,
  InversBrush: 2,
  InversDest: 4,
  OpPut: 8,
  OpOr: 16,
  OpAnd: 32,
  OpXor: 64,
  OpBlackness: 128,
  OpWhiteness: 256,
  OpInvers: 512,
  InversRes: 1024,
} as const;

/** SpiceLineFlags. */
export const LineFlags = { StartWithGap: 4, Styled: 8 } as const;

/** SpiceStringFlags: exactly one of the raster bits is set. */
export const StringFlags = { RasterA1: 1, RasterA4: 2, RasterA8: 4, RasterTopDown: 8 } as const;

/** SpiceSurfaceFlags of SURFACE_CREATE. */
export const SurfaceFlags = { Primary: 1, StreamingMode: 2 } as const;

/** SpiceSurfaceFmt: pixels of a surface. */
export const SurfaceFmt = {
  Invalid: 0,
  A1: 1,
  A8: 8,
  Rgb555: 16,
  Xrgb32: 32,
  Rgb565: 80,
  Argb32: 96,
} as const;
export type SurfaceFmt = (typeof SurfaceFmt)[keyof typeof SurfaceFmt];

/** SpiceAlphaFlags of DRAW_ALPHA_BLEND. */
export const AlphaFlags = { DestHasAlpha: 1, SrcSurfaceHasAlpha: 2 } as const;

/** SpiceResourceType of INVAL_LIST. */
export const ResourceType = { Invalid: 0, Pixmap: 1 } as const;

/** Bits of SpiceCompositeFlags which say what else the message carries. Operator, filters and repeats are fields below them. */
export const CompositeFlags = {
  OpMask: 0xff,
  SrcFilterMask: 0x700,
  MaskFilterMask: 0x3800,
  SrcRepeatMask: 0xc000,
  MaskRepeatMask: 0x30000,
  ComponentAlpha: 1 << 18,
  HasMask: 1 << 19,
  HasSrcTransform: 1 << 20,
  HasMaskTransform: 1 << 21,
  SourceOpaque: 1 << 22,
  MaskOpaque: 1 << 23,
  DestOpaque: 1 << 24,
} as const;

/** SpiceGlScanoutFlags. */
export const GlScanoutFlags = { Y0Top: 1 } as const;

/** SpiceKeyboardModifierFlags: lock keys. */
export const KeyboardModifier = { ScrollLock: 1, NumLock: 2, CapsLock: 4 } as const;

/** SpiceMouseButton: which button was pressed or released; the wheel is two buttons. */
export const MouseButton = {
  Invalid: 0,
  Left: 1,
  Middle: 2,
  Right: 3,
  Up: 4,
  Down: 5,
  Side: 6,
  Extra: 7,
} as const;
export type MouseButton = (typeof MouseButton)[keyof typeof MouseButton];

/** SpiceMouseButtonMask: buttons held down. */
export const MouseButtonMask = {
  Left: 1,
  Middle: 2,
  Right: 4,
  Up: 8,
  Down: 16,
  Side: 32,
  Extra: 64,
} as const;

/** SpiceCursorType. */
export const CursorType = {
  Alpha: 0,
  Mono: 1,
  Color4: 2,
  Color8: 3,
  Color16: 4,
  Color24: 5,
  Color32: 6,
} as const;
export type CursorType = (typeof CursorType)[keyof typeof CursorType];

/** SpiceCursorFlags. */
export const CursorFlags = { None: 1, CacheMe: 2, FromCache: 4 } as const;

/** SpiceAudioDataMode. */
export const AudioDataMode = { Invalid: 0, Raw: 1, Celt051: 2, Opus: 3 } as const;

/** SpiceAudioFmt. */
export const AudioFmt = { Invalid: 0, S16: 1 } as const;

/** SPICE_PORT_EVENT_*. */
export const PortEvent = { Opened: 0, Closed: 1, Break: 2 } as const;

/** SpiceVscMessageType of the smartcard channel. */
export const VscMessageType = {
  Init: 1,
  Error: 2,
  ReaderAdd: 3,
  ReaderRemove: 4,
  Atr: 5,
  CardRemove: 6,
  Apdu: 7,
  Flush: 8,
  FlushComplete: 9,
} as const;
