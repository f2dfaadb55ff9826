import { describe, expect, test } from "vitest";
import { agentMessages, agentSelectionMessages } from "./agent.ts";
import { playbackChannel } from "./audio.ts";
import { baseClient, baseServer } from "./base.ts";
import { cursorChannel } from "./cursor.ts";
import { displayChannel } from "./display.ts";
import { BrushType, ClipType, ImageType, LineFlags, PathFlags, Ropd, StringFlags } from "./enums.ts";
import { inputsChannel } from "./inputs.ts";
import { mainChannel } from "./main.ts";
import type { MessageDef } from "./message.ts";
import { decodeBody, encodeBody } from "./message.ts";
import { portChannel } from "./vmc.ts";

/** Both ways between a value and bytes written out by hand from spice.proto; blanks in `hex` only help the reader. */
function expectBytes<T>(def: MessageDef<T>, value: T, hex: string): void {
  const bytes = hex.replace(/\s+/g, "");
  expect(Buffer.from(encodeBody(def, value)).toString("hex")).toBe(bytes);
  expect(decodeBody(def, Uint8Array.from(Buffer.from(bytes, "hex")))).toEqual(value);
}

const empty = new Uint8Array(0);
const base = { surfaceId: 0, box: { top: 1, left: 2, bottom: 3, right: 4 }, clip: { type: ClipType.None } };
const baseHex = "00000000  01000000 02000000 03000000 04000000  00";
const noMask = { flags: 0, pos: { x: 0, y: 0 }, bitmap: null };
const noMaskHex = "00 00000000 00000000 00000000";

describe("control messages", () => {
  test("MAIN_INIT", () => {
    expectBytes(
      mainChannel.server.init,
      {
        sessionId: 0x12345678,
        displayChannelsHint: 1,
        supportedMouseModes: 3,
        currentMouseMode: 1,
        agentConnected: 0,
        agentTokens: 10,
        multiMediaTime: 0xffffffff,
        ramHint: 0,
      },
      "78563412 01000000 03000000 01000000 00000000 0a000000 ffffffff 00000000",
    );
  });

  test("CHANNELS_LIST counts its channels", () => {
    const channels = [
      { type: 2, id: 0 },
      { type: 3, id: 1 },
    ];
    expectBytes(mainChannel.server.channelsList, { channels }, "02000000 0200 0301");
  });

  test("NAME counts its NUL, NOTIFY does not", () => {
    expectBytes(mainChannel.server.name, { name: "é" }, "03000000 c3a900");
    expectBytes(
      baseServer.notify,
      { timeStamp: 1n, severity: 1, visibility: 2, what: 3, message: "hi" },
      "0100000000000000 01000000 02000000 03000000 02000000 6869 00",
    );
  });

  test("MIGRATE_BEGIN points to its texts", () => {
    expectBytes(
      mainChannel.server.migrateBegin,
      { dstInfo: { port: 1, sport: 2, hostData: "h", certSubjectData: null } },
      "0100 0200 02000000 14000000 00000000 00000000  6800",
    );
  });

  test("PING and its answer, acks", () => {
    const data = Uint8Array.of(9);
    expectBytes(baseServer.ping, { id: 1, timestamp: 2n, data }, "01000000 0200000000000000 09");
    expectBytes(baseClient.pong, { id: 1, timestamp: 2n }, "01000000 0200000000000000");
    expectBytes(baseServer.setAck, { generation: 1, window: 20 }, "01000000 14000000");
    expectBytes(baseClient.ack, {}, "");
  });

  test("LIST points to messages", () => {
    expectBytes(
      baseServer.list,
      { subMessages: [{ type: 5, data: Uint8Array.of(7) }] },
      "0100 06000000  0500 01000000 07",
    );
  });
});

describe("inputs, cursor, sound, ports", () => {
  test("pointer and keys", () => {
    expectBytes(
      inputsChannel.client.mouseMotion,
      { dx: -1, dy: 2, buttonsState: 1 },
      "ffffffff 02000000 0100",
    );
    expectBytes(
      inputsChannel.client.mousePosition,
      { x: 1, y: 2, buttonsState: 0, displayId: 3 },
      "01000000 02000000 0000 03",
    );
    expectBytes(inputsChannel.client.keyScancode, { data: Uint8Array.of(0xe0, 0x48) }, "e048");
  });

  test("a cursor without a shape has no header", () => {
    const value = { position: { x: -1, y: 2 }, visible: 0, cursor: { flags: 1, data: empty } };
    expectBytes(cursorChannel.server.set, value, "ffff 0200 00 0100");
  });

  test("a cursor with a shape", () => {
    const header = { unique: 5n, type: 0, width: 1, height: 1, hotSpotX: 0, hotSpotY: 0 };
    expectBytes(
      cursorChannel.server.set,
      { position: { x: 0, y: 0 }, visible: 1, cursor: { flags: 2, header, data: Uint8Array.of(1, 2, 3, 4) } },
      "0000 0000 01 0200  0500000000000000 00 0100 0100 0000 0000  01020304",
    );
  });

  test("sound and ports", () => {
    expectBytes(playbackChannel.server.volume, { volume: [0xffff, 1] }, "02 ffff 0100");
    expectBytes(portChannel.server.init, { name: "ab", opened: 1 }, "03000000 09000000 01  616200");
    expectBytes(portChannel.client.compressedData, { type: 0, compressedData: Uint8Array.of(1) }, "00 01");
    expectBytes(
      portChannel.client.compressedData,
      { type: 1, uncompressedSize: 2, compressedData: Uint8Array.of(1) },
      "01 02000000 01",
    );
  });
});

describe("display", () => {
  test("INIT of the client", () => {
    expectBytes(
      displayChannel.client.init,
      { pixmapCacheId: 1, pixmapCacheSize: -1n, glzDictionaryId: 1, glzDictionaryWindowSize: 0x1000 },
      "01 ffffffffffffffff 01 00100000",
    );
  });

  test("DRAW_FILL with a clip and a solid brush", () => {
    expectBytes(
      displayChannel.server.drawFill,
      {
        base: { ...base, clip: { type: ClipType.Rects, rects: [{ top: 0, left: 0, bottom: 1, right: 1 }] } },
        data: { brush: { type: BrushType.Solid, color: 0xff }, ropDescriptor: Ropd.OpPut, mask: noMask },
      },
      `00000000  01000000 02000000 03000000 04000000  01 01000000 00000000 00000000 01000000 01000000
       01 ff000000  0800 ${noMaskHex}`,
    );
  });

  test("DRAW_COPY of a QUIC image behind a pointer", () => {
    expectBytes(
      displayChannel.server.drawCopy,
      {
        base,
        data: {
          srcBitmap: {
            descriptor: { id: 7n, type: ImageType.Quic, flags: 0, width: 2, height: 3 },
            quic: { data: Uint8Array.of(1, 2, 3) },
          },
          srcArea: { top: 0, left: 0, bottom: 3, right: 2 },
          ropDescriptor: Ropd.OpPut,
          scaleMode: 1,
          mask: noMask,
        },
      },
      // 21 + 4 + 16 + 2 + 1 + 13 = 57: where the image starts
      `${baseHex} 39000000 00000000 00000000 03000000 02000000 0800 01 ${noMaskHex}
       0700000000000000 01 00 02000000 03000000  03000000 010203`,
    );
  });

  test("a bitmap's palette comes behind its pixels, a cached one is an id", () => {
    const area = { top: 0, left: 0, bottom: 1, right: 1 };
    const areaHex = "00000000 00000000 01000000 01000000";
    const descriptor = { id: 0n, type: ImageType.Bitmap, flags: 0, width: 1, height: 1 };
    const descriptorHex = "0000000000000000 00 00 01000000 01000000";
    const bitmap = { format: 5, flags: 4, x: 1, y: 1, stride: 1, data: Uint8Array.of(9) };
    const rest = { srcArea: area, srcColor: 1, trueColor: 2 };
    expectBytes(
      displayChannel.server.drawTransparent,
      {
        base,
        data: {
          srcBitmap: { descriptor, bitmap: { ...bitmap, palette: { unique: 3n, ents: [0xffffff] } } },
          ...rest,
        },
      },
      // The image is at 49, its 37 bytes end at 86.
      `${baseHex} 31000000 ${areaHex} 01000000 02000000
       ${descriptorHex} 05 04 01000000 01000000 01000000 56000000 09
       0300000000000000 0100 ffffff00`,
    );
    expectBytes(
      displayChannel.server.drawTransparent,
      { base, data: { srcBitmap: { descriptor, bitmap: { ...bitmap, flags: 2, paletteId: 3n } }, ...rest } },
      `${baseHex} 31000000 ${areaHex} 01000000 02000000
       ${descriptorHex} 05 02 01000000 01000000 01000000 0300000000000000 09`,
    );
  });

  test("DRAW_STROKE: segments lie in line, the dashes behind a pointer", () => {
    expectBytes(
      displayChannel.server.drawStroke,
      {
        base,
        data: {
          path: { segments: [{ flags: PathFlags.Begin | PathFlags.End, points: [{ x: 16, y: -16 }] }] },
          attr: { flags: LineFlags.Styled, style: [32] },
          brush: { type: BrushType.None },
          foreMode: 8,
          backMode: 0,
        },
      },
      // 21 + 4 + 6 + 1 + 4 = 36: the path; 17 bytes later the dashes
      `${baseHex} 24000000  08 01 35000000  00 0800 0000
       01000000 03 01000000 10000000 f0ffffff  20000000`,
    );
  });

  test("DRAW_TEXT: glyphs lie in line, rows of whole bytes", () => {
    const none = { type: BrushType.None };
    const glyph = { renderPos: { x: 1, y: 2 }, glyphOrigin: { x: 3, y: 4 }, width: 9, height: 1 };
    expectBytes(
      displayChannel.server.drawText,
      {
        base,
        data: {
          str: { flags: StringFlags.RasterA1, glyphs: [{ ...glyph, data: Uint8Array.of(0xff, 0x80) }] },
          backArea: { top: 0, left: 0, bottom: 0, right: 0 },
          foreBrush: none,
          backBrush: none,
          foreMode: 8,
          backMode: 0,
        },
      },
      `${baseHex} 2f000000 00000000 00000000 00000000 00000000 00 00 0800 0000
       0100 01  01000000 02000000 03000000 04000000 0900 0100 ff80`,
    );
  });

  test("MONITORS_CONFIG has its count before max_allowed", () => {
    const head = { id: 0, surfaceId: 0, width: 640, height: 480, x: 0, y: 0, flags: 0 };
    expectBytes(
      displayChannel.server.monitorsConfig,
      { maxAllowed: 4, heads: [head] },
      "0100 0400 00000000 00000000 80020000 e0010000 00000000 00000000 00000000",
    );
  });

  test("DRAW_COMPOSITE carries what its flags say", () => {
    const value = {
      base,
      data: {
        flags: 0x80003,
        srcBitmap: null,
        maskBitmap: null,
        srcOrigin: { x: 1, y: -1 },
        maskOrigin: { x: 0, y: 0 },
      },
    };
    expectBytes(
      displayChannel.server.drawComposite,
      value,
      `${baseHex} 03000800 00000000 00000000 0100 ffff 0000 0000`,
    );
  });
});

describe("agent", () => {
  test("MONITORS_CONFIG with physical sizes", () => {
    expectBytes(
      agentMessages.monitorsConfig,
      {
        flags: 3,
        monitors: [{ height: 1, width: 2, depth: 32, x: -1, y: 0 }],
        physicalSizes: [{ height: 5, width: 6 }],
      },
      "01000000 03000000 01000000 02000000 20000000 ffffffff 00000000 0500 0600",
    );
  });

  test("clipboard with a selection pads it to four bytes", () => {
    const { clipboardRequest } = agentSelectionMessages;
    expectBytes(clipboardRequest, { selection: 1, type: 1 }, "01 000000 01000000");
  });
});
