/**
 * What MIGRATE_DATA carries, for the client's next server: spice-server's migration protocol, version 1 (server/migration-protocol.h). To
 * clients it is opaque.
 */
import { array, bytes, pointer, struct, u16, u32, u64, i64, u8 } from "./schema.ts";

/** Four characters as a u32, the first one lowest. */
const magic = (name: string): number =>
  [...name].reduce((word, letter, index) => word + letter.charCodeAt(0) * 0x100 ** index, 0);

/** SPICE_MIGRATE_DATA_*_MAGIC. */
export const MigrateMagic = { Main: magic("MNMD"), Display: magic("DCMD"), Inputs: magic("ICMD") } as const;

/** SPICE_MIGRATE_DATA_*_VERSION, of all channels. */
export const MIGRATE_DATA_VERSION = 1;

const header = { magic: u32, version: u32 };

/** SpiceMigrateDataMain. */
export const mainMigrateData = struct(
  {
    ...header,
    agentVersion: u32,
    /** Whether the client takes part in the agent's talk. */
    agentConnected: u8,
    /** AGENT_DATA messages that the client may still send. */
    clientTokens: u32,
    /** AGENT_DATA messages that the server may still send. */
    sendTokens: u32,
    /** Bytes for the agent that it has not taken, which follow at the pointer. */
    writeSize: u32,
    writeClientTokens: u32,
    writeDataPointer: u32,
    clientAgentStarted: u8,
    /** Of the agent's message under way: nothing is kept of a header that has come only in part. */
    chunkHeaderSize: u32,
    chunkHeader: bytes(8),
    messageHeaderDone: u8,
    messageHeaderPartialSize: u32,
    messageHeaderPointer: u32,
    toClientRemaining: u32,
    toClientFilterResult: u8,
    toAgentRemaining: u32,
    toAgentFilterResult: u8,
  },
  "MainMigrateData",
);

/** SpiceMigrateDataInputs. */
export const inputsMigrateData = struct(
  {
    ...header,
    /** Motions behind the last MOTION_ACK. */
    motionCount: u16,
  },
  "InputsMigrateData",
);

/** SpiceMigrateDataDisplay. */
export const displayMigrateData = struct(
  {
    ...header,
    /** Of the message that carries this. */
    messageSerial: u64,
    lowBandwidth: u8,
    /** Whether this channel's server is the one that thaws the client's pixmap cache. */
    pixmapCacheFreezer: u8,
    pixmapCacheId: u8,
    /** In pixels. */
    pixmapCacheSize: i64,
    /** The last serial of each display channel that changed the cache. */
    pixmapCacheClients: array(u64, 4),
    glzDictionaryId: u8,
    /** In pixels. */
    glzDictionarySize: u32,
    glzMaxEncoders: u32,
    glzLastImageId: u64,
    /** Surfaces that the client has. */
    surfaces: pointer(array(u32, u32)),
  },
  "DisplayMigrateData",
);
