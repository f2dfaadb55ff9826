/**
 * The SPICE wire as data: one schema per channel, from which bytes are written and read, limits are taken and documentation is made.
 * @packageDocumentation
 */
export * from "./agent.ts";
export * from "./audio.ts";
export * from "./base.ts";
export * from "./caps.ts";
export * from "./channels.ts";
export * from "./cursor.ts";
export * from "./display.ts";
export * from "./docs.ts";
export * from "./drawing.ts";
export * from "./enums.ts";
export * from "./errors.ts";
export * from "./geometry.ts";
export * from "./headers.ts";
export * from "./image.ts";
export * from "./inputs.ts";
export * from "./layout.ts";
export * from "./limits.ts";
export * from "./link.ts";
export * from "./main.ts";
export * from "./message.ts";
export * from "./migration.ts";
export * from "./qxl.ts";
export * from "./qxl-draw.ts";
export * from "./qxl-enums.ts";
export * from "./red-command.ts";
export * from "./schema.ts";
export * from "./vmc.ts";
export type { Fields, SchemaNode } from "./schema-node.ts";
