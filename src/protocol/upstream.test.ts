import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import * as agent from "./agent.ts";
import { channels } from "./channels.ts";
import * as enums from "./enums.ts";
import type { MessageTable } from "./message.ts";
import * as qxlEnums from "./qxl-enums.ts";

/** Debian's libspice-protocol-dev. */
const HEADERS = "/usr/include/spice-1/spice";
const here = existsSync(HEADERS);

/** Every enumerator of the C headers with its value. */
function cEnumerators(): Map<string, number> {
  const values = new Map<string, number>();
  if (!here) return values;
  for (const file of ["enums.h", "protocol.h", "qxl_dev.h", "vd_agent.h"]) {
    const text = readFileSync(`${HEADERS}/${file}`, "utf8").replace(/\/\*[\s\S]*?\*\//g, "");
    for (const [, body] of text.matchAll(/enum\s*\w*\s*\{([^}]*)\}/g)) {
      let next = 0;
      for (const entry of body.split(",")) {
        const [, name, expression] = /^\s*(\w+)[^=]*(?:=\s*(.+?))?\s*$/.exec(entry) ?? [];
        if (name === undefined) continue;
        const shift = /\(?\s*1\s*<<\s*(\d+)\s*\)?/.exec(expression ?? "");
        const value = shift ? 1 << Number(shift[1]) : expression === undefined ? next : Number(expression);
        values.set(name, value);
        next = value + 1;
      }
    }
    for (const [, name, shift] of text.matchAll(/#define\s+(\w+)\s+\(1\s*<<\s*(\d+)\)/g))
      values.set(name, 1 << Number(shift));
  }
  return values;
}

const upstream = cEnumerators();

/** Names without case and underscores, so that AuthSpice meets AUTH_SPICE and Vp8 meets VP8. */
const squash = (name: string) => name.replaceAll("_", "").toLowerCase();

function expectSame(
  prefix: string,
  ours: Readonly<Record<string, number>>,
  renamed: Readonly<Record<string, string>> = {},
) {
  const theirs = new Map(
    [...upstream]
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, value]) => [squash(name.slice(prefix.length)), value]),
  );
  for (const [name, value] of Object.entries(ours)) {
    expect([prefix, name, theirs.get(squash(renamed[name] ?? name))]).toEqual([prefix, name, value]);
  }
}

describe.skipIf(!here)("numbers of the C headers (skipped: no libspice-protocol-dev)", () => {
  const prefixes: Record<string, string> = {
    main: "MAIN",
    display: "DISPLAY",
    inputs: "INPUTS",
    cursor: "CURSOR",
    playback: "PLAYBACK",
    record: "RECORD",
    smartcard: "SMARTCARD",
    usbredir: "SPICEVMC",
    port: "PORT",
    webdav: "PORT",
  };

  test.each(channels.map((channel) => [channel.name, channel] as const))(
    "messages of %s",
    (name, channel) => {
      const find = (prefix: string, key: string) =>
        [...upstream].find(
          ([full]) => full.startsWith(prefix) && squash(full.slice(prefix.length)) === key,
        )?.[1];
      const check = (prefix: string, table: MessageTable) => {
        for (const [key, def] of Object.entries(table)) {
          const wanted = squash(key);
          const number =
            find(`${prefix}${prefixes[name]}_`, wanted) ??
            find(`${prefix}SPICEVMC_`, wanted) ??
            find(prefix, wanted);
          expect([key, number]).toEqual([key, def.id]);
        }
      };
      // A channel's own MIGRATE_… are found before those of every channel, which have other names.
      const own = (table: MessageTable) =>
        Object.fromEntries(Object.entries(table).filter(([, def]) => def.id > 100));
      const base = (table: MessageTable) =>
        Object.fromEntries(Object.entries(table).filter(([, def]) => def.id <= 100));
      check("SPICE_MSG_", own(channel.server));
      check("SPICE_MSGC_", own(channel.client));
      for (const [prefix, table] of [
        ["SPICE_MSG_", base(channel.server)],
        ["SPICE_MSGC_", base(channel.client)],
      ] as const) {
        for (const [key, def] of Object.entries(table))
          expect([key, find(prefix, squash(key))]).toEqual([key, def.id]);
      }
    },
  );

  test("enumerations and flags", () => {
    expectSame("SPICE_CHANNEL_", enums.ChannelType);
    expectSame("SPICE_LINK_ERR_", enums.LinkErr);
    expectSame("SPICE_COMMON_CAP_", enums.CommonCap);
    expectSame("SPICE_MAIN_CAP_", enums.MainCap);
    expectSame("SPICE_DISPLAY_CAP_", enums.DisplayCap);
    expectSame("SPICE_INPUTS_CAP_", enums.InputsCap);
    expectSame("SPICE_PLAYBACK_CAP_", enums.PlaybackCap);
    expectSame("SPICE_RECORD_CAP_", enums.RecordCap);
    expectSame("SPICE_SPICEVMC_CAP_", enums.SpicevmcCap);
    expectSame("SPICE_MIGRATE_", enums.MigrateFlags);
    expectSame("SPICE_NOTIFY_SEVERITY_", enums.NotifySeverity);
    expectSame("SPICE_NOTIFY_VISIBILITY_", enums.NotifyVisibility);
    expectSame("SPICE_MOUSE_MODE_", enums.MouseMode);
    expectSame("SPICE_DATA_COMPRESSION_TYPE_", enums.DataCompressionType);
    expectSame("SPICE_CLIP_TYPE_", enums.ClipType);
    expectSame("SPICE_PATH_", enums.PathFlags);
    expectSame("SPICE_VIDEO_CODEC_TYPE_", enums.VideoCodec);
    expectSame("SPICE_STREAM_FLAGS_", enums.StreamFlags);
    expectSame("SPICE_BRUSH_TYPE_", enums.BrushType);
    expectSame("SPICE_MASK_FLAGS_", enums.MaskFlags);
    expectSame("SPICE_IMAGE_TYPE_", enums.ImageType);
    expectSame("SPICE_IMAGE_COMPRESSION_", enums.ImageCompression);
    expectSame("SPICE_IMAGE_FLAGS_", enums.ImageFlags);
    const bitmapFmt = Object.fromEntries(
      [1, 4, 8, 16, 24, 32].flatMap((bits) =>
        ["", "Le", "Be", "A"].map((end) => [`Bit${bits}${end}`, `${bits}BIT${end && `_${end}`}`]),
      ),
    );
    expectSame("SPICE_BITMAP_FMT_", enums.BitmapFmt, bitmapFmt);
    expectSame("SPICE_BITMAP_FLAGS_", enums.BitmapFlags);
    expectSame("SPICE_JPEG_ALPHA_FLAGS_", enums.JpegAlphaFlags);
    expectSame("SPICE_IMAGE_SCALE_MODE_", enums.ImageScaleMode);
    expectSame("SPICE_ROPD_", enums.Ropd);
    expectSame("SPICE_LINE_FLAGS_", enums.LineFlags);
    expectSame("SPICE_STRING_FLAGS_", enums.StringFlags);
    expectSame("SPICE_SURFACE_FLAGS_", enums.SurfaceFlags);
    const surfaceFmt = {
      A1: "1_A",
      A8: "8_A",
      Rgb555: "16_555",
      Rgb565: "16_565",
      Xrgb32: "32_xRGB",
      Argb32: "32_ARGB",
    };
    expectSame("SPICE_SURFACE_FMT_", enums.SurfaceFmt, surfaceFmt);
    expectSame("SPICE_ALPHA_FLAGS_", enums.AlphaFlags);
    expectSame("SPICE_RES_TYPE_", enums.ResourceType);
    const {
      OpMask: _o,
      SrcFilterMask: _s,
      MaskFilterMask: _m,
      SrcRepeatMask: _r,
      MaskRepeatMask: _p,
      ...bits
    } = enums.CompositeFlags;
    expectSame("SPICE_COMPOSITE_", bits);
    expectSame("SPICE_GL_SCANOUT_FLAGS_", enums.GlScanoutFlags);
    expectSame("SPICE_KEYBOARD_MODIFIER_FLAGS_", enums.KeyboardModifier);
    expectSame("SPICE_MOUSE_BUTTON_", enums.MouseButton);
    expectSame("SPICE_MOUSE_BUTTON_MASK_", enums.MouseButtonMask);
    expectSame("SPICE_CURSOR_TYPE_", enums.CursorType);
    expectSame("SPICE_CURSOR_FLAGS_", enums.CursorFlags);
    expectSame("SPICE_AUDIO_DATA_MODE_", enums.AudioDataMode);
    expectSame("SPICE_AUDIO_FMT_", enums.AudioFmt);
    expectSame("SPICE_PORT_EVENT_", enums.PortEvent);
    expectSame("SPICE_VSC_MESSAGE_TYPE_", enums.VscMessageType);
    const { CommonCap } = enums;
    expect(upstream.get("SPICE_COMMON_CAP_PROTOCOL_AUTH_SELECTION")).toBe(CommonCap.ProtocolAuthSelection);
  });

  test("agent", () => {
    expectSame("VD_AGENT_", agent.AgentMessageType);
    expectSame("VD_AGENT_CAP_", agent.AgentCap);
    expectSame("VD_AGENT_CLIPBOARD_", agent.AgentClipboardType);
    expectSame("VD_AGENT_CLIPBOARD_SELECTION_", agent.AgentSelection);
    expectSame("VD_AGENT_FILE_XFER_STATUS_", agent.AgentFileXferStatus);
    expectSame("VD_AGENT_CONFIG_MONITORS_FLAG_", agent.AgentMonitorsFlag);
    expectSame("VD_AGENT_", agent.AgentReplyError);
    const buttons = {
      Left: "LBUTTON_MASK",
      Middle: "MBUTTON_MASK",
      Right: "RBUTTON_MASK",
      Up: "UBUTTON_MASK",
      Down: "DBUTTON_MASK",
      Side: "SBUTTON_MASK",
      Extra: "EBUTTON_MASK",
    };
    expectSame("VD_AGENT_", agent.AgentButtonMask, buttons);
  });

  test("QXL", () => {
    expectSame("QXL_IO_", { ...qxlEnums.QxlIo, RangeSize: qxlEnums.QXL_IO_RANGE_SIZE });
    expectSame("QXL_INTERRUPT_", qxlEnums.QxlInterrupt);
    expectSame("QXL_CMD_", qxlEnums.QxlCmd);
    const { CopyBits, ...drawn } = qxlEnums.QxlDraw;
    expectSame("QXL_DRAW_", drawn);
    expect(upstream.get("QXL_COPY_BITS")).toBe(CopyBits);
    expectSame("QXL_EFFECT_", qxlEnums.QxlEffect);
    expectSame("QXL_CURSOR_", qxlEnums.QxlCursor);
    expectSame("QXL_SURFACE_CMD_", qxlEnums.QxlSurfaceCmdType);
    expectSame("QXL_SURF_FLAG_", qxlEnums.QxlSurfFlag);
    expectSame("QXL_IMAGE_", qxlEnums.QxlImageFlags);
    expectSame("QXL_BITMAP_", qxlEnums.QxlBitmapFlags);
    expectSame("QXL_REVISION_", { StableV12: qxlEnums.QXL_REVISION_STABLE_V12 });
  });
});
