import { LogRing } from "../../log/index.ts";
import { afterEach, describe, expect, it } from "vitest";
import { QuicEncoder } from "../../image/index.ts";
import { ImageCompression, ImageType } from "../../protocol/index.ts";
import type { RedCommand, RedDrawable } from "../../protocol/red-command.ts";
import { spiceHtml5Caps } from "./display-client.testing.ts";
import { TestRedWorker, bitmap, createSurface } from "../worker/red-worker.testing.ts";

const open: Disposable[] = [];
afterEach(() => {
  for (const item of open.splice(0)) item[Symbol.dispose]();
});

function start(options = {}): TestRedWorker {
  const red = new TestRedWorker(options);
  open.push(red);
  return red;
}

function fill(color: number, left: number, top: number, right: number, bottom: number): RedDrawable {
  return {
    type: "draw",
    surfaceId: 0,
    effect: 1,
    mmTime: 0,
    bbox: { top, left, bottom, right },
    operation: { type: "fill", brush: { type: "solid", color }, rop: 8 },
  };
}

describe("DisplayChannel", () => {
  it("opens as spice-server does: SET_ACK, palettes, surface, one picture, monitors, MARK", async () => {
    const red = start();
    await red.run([createSurface(0, 64, 48), fill(0x123456, 5, 5, 20, 20)]);
    const client = red.join();
    await red.settle(client);
    expect(client.names).toEqual([
      "setAck",
      "invalAllPalettes",
      "surfaceCreate",
      "drawCopy",
      "monitorsConfig",
      "mark",
    ]);
    expect(client.rgb(0)).toEqual(await red.rgb());
    expect(client.heads).toEqual([{ id: 0, surfaceId: 0, width: 64, height: 48, x: 0, y: 0, flags: 0 }]);
  });

  it("sends nothing but palettes while there is no primary surface, then everything", async () => {
    const red = start();
    const client = red.join();
    await red.settle(client);
    expect(client.names).toEqual(["setAck", "invalAllPalettes"]);
    await red.run([createSurface(0, 32, 32)]);
    await red.settle(client);
    expect(client.names.slice(2)).toEqual(["surfaceCreate", "drawCopy", "monitorsConfig", "mark"]);
  });

  it("changes the resolution: destroy, create, picture, monitors, MARK", async () => {
    const red = start();
    await red.run([createSurface(0, 64, 48)]);
    const client = red.join();
    await red.settle(client);
    client.names.length = 0;
    await red.run([
      { type: "surfaceDestroy", surfaceId: 0 },
      createSurface(0, 80, 60),
      fill(0xffffff, 0, 0, 80, 60),
    ]);
    await red.settle(client);
    expect(client.names.slice(0, 5)).toEqual([
      "surfaceDestroy",
      "surfaceCreate",
      "drawCopy",
      "monitorsConfig",
      "mark",
    ]);
    expect(client.rgb(0)).toEqual(await red.rgb());
    expect(
      red.told.filter(({ type }) => type === "primaryChanged").map(({ message }) => message),
    ).toMatchObject([
      { active: true, width: 64 },
      { active: false },
      { active: true, width: 80, height: 60, mouseMode: 1 },
    ]);
  });

  it.each([
    ["off", ImageCompression.Off, ImageType.Bitmap],
    ["quic", ImageCompression.Quic, ImageType.Quic],
    ["lz", ImageCompression.Lz, ImageType.LzRgb],
  ])("honours the preferred compression %s", async (_name, compression, type) => {
    const red = start();
    const client = red.join({ compression });
    await red.settle(client);
    await red.run([createSurface(0, 64, 48), fill(0x00ff00, 1, 1, 60, 40)]);
    await red.settle(client);
    expect(client.imageTypes).toEqual([type]);
    expect(client.rgb(0)).toEqual(await red.rgb());
  });

  it("chooses QUIC for gradients and LZ for flat colours by itself", async () => {
    const red = start();
    const client = red.join();
    await red.run([createSurface(0, 64, 64)]);
    await red.settle(client);
    client.imageTypes.length = 0;
    const gradient = new Uint8Array(64 * 64 * 4).map((_, i) => ((i >> 2) & 63) * 2 + (i >> 9) + (i & 3));
    const flat = new Uint8Array(64 * 64 * 4).map((_, i) => ((i >> 6) & 8 ? 0xff : 0x20));
    for (const data of [gradient, flat]) {
      await red.run([copy(64, 64)], data);
      await red.settle(client);
      expect(client.rgb(0)).toEqual(await red.rgb());
    }
    expect(client.imageTypes).toEqual([ImageType.Quic, ImageType.LzRgb]);
  });

  it("puts zlib around the GLZ of a client on a slow line, where it gains", async () => {
    const red = start();
    const compression = ImageCompression.Glz;
    const [slow, fast] = [red.join({ compression, lowBandwidth: true }), red.join({ compression })];
    await red.run([createSurface(0, 64, 64)]);
    for (const client of [slow, fast]) {
      await red.settle(client);
      client.imageTypes.length = 0;
    }
    const gradient = new Uint8Array(64 * 64 * 4).map((_, i) => ((i >> 2) & 63) * 2 + (i >> 9) + (i & 3));
    const flat = new Uint8Array(64 * 64 * 4).fill(0x20);
    for (const data of [gradient, flat]) {
      await red.run([copy(64, 64)], data);
      for (const client of [slow, fast]) {
        await red.settle(client);
        expect(client.rgb(0)).toEqual(await red.rgb());
      }
    }
    expect(slow.imageTypes).toEqual([ImageType.ZlibGlzRgb, ImageType.GlzRgb]);
    expect(fast.imageTypes).toEqual([ImageType.GlzRgb, ImageType.GlzRgb]);
  });

  it("encodes an image once for equal clients", async () => {
    const red = start();
    await red.run([createSurface(0, 64, 64)]);
    const clients = [red.join(), red.join(), red.join({ compression: ImageCompression.Off })];
    for (const client of clients) await red.settle(client);
    let encodings = 0;
    const { encoders } = red.worker.display;
    const encode = encoders.encode.bind(encoders);
    encoders.encode = (...args) => (encodings++, encode(...args));
    await red.run([copy(64, 64)], new Uint8Array(64 * 64 * 4).fill(7));
    for (const client of clients) await red.settle(client);
    expect(encodings).toBe(2);
    for (const client of clients) expect(client.rgb(0)).toEqual(await red.rgb());
  });

  it("creates an off-screen surface at a client when a drawing reads it, and destroys it there", async () => {
    const red = start();
    const client = red.join();
    await red.run([
      createSurface(0, 64, 48),
      createSurface(7, 16, 16),
      { ...fill(0x0000ff, 2, 2, 9, 9), surfaceId: 7 },
    ]);
    await red.settle(client);
    expect(client.surfaces.has(7)).toBe(false);
    const src = { kind: "surface", surfaceId: 7, width: 16, height: 16 } as const;
    const area = { top: 0, left: 0, bottom: 16, right: 16 };
    const draw: RedCommand = {
      type: "draw",
      surfaceId: 0,
      effect: 1,
      mmTime: 0,
      bbox: { top: 10, left: 10, bottom: 26, right: 26 },
      operation: { type: "copy", src, srcArea: area, rop: 8, scaleMode: 0 },
    };
    await red.run([draw, { ...fill(0xff0000, 0, 0, 4, 4), surfaceId: 7 }, draw]);
    await red.settle(client);
    expect(client.rgb(0)).toEqual(await red.rgb(0));
    expect(client.rgb(7)).toEqual(await red.rgb(7));
    await red.run([{ type: "surfaceDestroy", surfaceId: 7 }]);
    await red.settle(client);
    expect([...client.surfaces.keys()]).toEqual([0]);
  });

  it("tells clients of a new monitors config, and only those that can", async () => {
    const red = start();
    await red.run([createSurface(0, 64, 48)]);
    const able = red.join();
    const unable = red.join({ caps: spiceHtml5Caps });
    const head = { id: 0, surfaceId: 0, width: 40, height: 30, x: 0, y: 0, flags: 0 };
    const empty = { ...head, id: 1, width: 0 };
    await red.run([{ type: "monitorsConfig", maxAllowed: 4, heads: [head, empty] }]);
    await red.settle(able);
    await red.settle(unable);
    expect(able.heads).toEqual([head]);
    expect(unable.names).not.toContain("monitorsConfig");
  });

  it("loses only the commands that make no sense", async () => {
    const log = new LogRing({ now: () => 0 });
    const red = start({ log });
    const client = red.join();
    const nonsense: RedCommand[] = [
      { ...fill(0, 0, 0, 1, 1), surfaceId: 5 },
      createSurface(2000, 10, 10),
      createSurface(3, 0, 10),
      createSurface(3, 1_000_000, 1_000_000),
      createSurface(3, 10, 10, 77),
      { type: "monitorsConfig", maxAllowed: 1, heads: [] },
      { ...fill(0, 50, 50, 10, 10) },
    ];
    await red.run([createSurface(0, 64, 48), ...nonsense, fill(0xabcdef, -5, -5, 1000, 20)]);
    await red.settle(client);
    expect(red.worker.droppedCommands).toBe(6);
    const said = log.entries.map(({ level, domain, message }) => `${level} ${domain} ${message}`);
    expect(said).toHaveLength(6);
    expect(said[0]).toMatch(/^warning red draw is dropped: .*surface 5/);
    expect(client.rgb(0)).toEqual(await red.rgb());
    expect((await red.rgb())[0]).toBe(0xabcdef);
  });

  it("draws QUIC images of the guest, and leaves out broken ones", async () => {
    const red = start();
    await red.run([createSurface(0, 64, 48)]);
    const client = red.join();
    const pixels = new Uint8Array(16 * 16 * 4).map((_, i) => (i >> 2) * 3 + (i & 3));
    const source = { format: 8, width: 16, height: 16, stride: 64, offset: 0, bytes: pixels, topDown: true };
    const stream = new QuicEncoder().encode(source)?.slice();
    if (stream === undefined) throw new Error("QUIC gained nothing");
    const draw = (left: number, length: number): RedCommand => ({
      type: "draw",
      surfaceId: 0,
      effect: 1,
      mmTime: 0,
      bbox: { top: 4, left, bottom: 20, right: left + 16 },
      operation: {
        type: "copy",
        src: { kind: "quic", id: 0n, cacheMe: false, width: 16, height: 16, data: { offset: 0, length } },
        srcArea: { top: 0, left: 0, bottom: 16, right: 16 },
        rop: 8,
        scaleMode: 0,
      },
    });
    await red.run([draw(8, stream.length), draw(40, 30)], stream);
    await red.settle(client);
    const drawn = await red.rgb();
    expect(client.rgb(0)).toEqual(drawn);
    expect(drawn[5 * 64 + 8 + 3]).toBe(new DataView(pixels.buffer).getUint32(64 + 12, true) & 0xffffff);
    expect(drawn[5 * 64 + 43]).toBe(0);
  });

  it("forgets everything at a device reset", async () => {
    const red = start();
    const client = red.join();
    await red.run([createSurface(0, 64, 48), createSurface(1, 8, 8)]);
    await red.settle(client);
    await red.run([{ type: "reset" }]);
    await red.settle(client);
    expect(client.surfaces.size).toBe(0);
    expect(red.worker.inspect().surfaces).toEqual([]);
    await expect(red.worker.readSurface(0)).rejects.toThrow(/no surface 0/);
  });

  it("announces to the guest what all clients can", async () => {
    const red = start();
    const first = red.join();
    const second = red.join({ caps: spiceHtml5Caps });
    red.worker.disconnectClient(first.clientId, 2);
    red.worker.disconnectClient(second.clientId, 2);
    await red.run([{ type: "cursorHide" }]);
    const seen = red.replies.flatMap((reply) =>
      reply.type === "clientCapabilities" ? [[reply.present, reply.capabilities[0]]] : [],
    );
    expect(seen).toEqual([
      [false, 0],
      [true, 0b11],
      [true, 0b01],
      [false, 0],
    ]);
  });
});

function copy(width: number, height: number): RedCommand {
  const srcArea = { top: 0, left: 0, bottom: height, right: width };
  return {
    type: "draw",
    surfaceId: 0,
    effect: 1,
    mmTime: 0,
    bbox: srcArea,
    operation: { type: "copy", src: bitmap(8, width, height, width * 4), srcArea, rop: 8, scaleMode: 0 },
  };
}
