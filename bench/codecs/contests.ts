import type { ImageCodecs, ImageEncoder } from "../../src/image/index.ts";
import { GlzDictionary } from "../../src/image/index.ts";
import type { ReferenceCodecs } from "../reference/build.ts";
import type { Contest } from "./measure.ts";
import { cut, type BenchPicture } from "./tiles.ts";

const BGRX = 8;
/** The reference's own type codes for 32 bit pixels. */
const LZ_RGB32 = 8;
const QUIC_RGB32 = 4;
const JPEG_BGRX32 = 3;
/** Pixels of the GLZ window that spice-gtk asks for. */
const GLZ_WINDOW = 6_290_432;
const LZ4_LINES = 50;
const JPEG_QUALITY = 85;

export const CUTS = [
  { name: "whole", width: 0, height: 0 },
  { name: "64x64", width: 64, height: 64 },
  { name: "200x20", width: 200, height: 20 },
] as const;

interface Placed {
  readonly tile: BenchPicture;
  readonly pointer: number;
}

/** Every contest on one picture. The tiles lie in the codecs' own memory, as surfaces do; their originals stay for the reference. */
export function contestsOn(
  picture: BenchPicture,
  codecs: ImageCodecs,
  reference: ReferenceCodecs | undefined,
): Contest[] {
  const out = new Uint8Array(picture.pixels.length * 2 + (1 << 20));
  return CUTS.flatMap(({ name, width, height }) => {
    const tiles = width === 0 ? [picture] : cut(picture, width, height);
    const placed: Placed[] = tiles.map((tile) => {
      const pointer = codecs.heap.allocate(tile.pixels.length);
      codecs.heap.u8.set(tile.pixels, pointer);
      return { tile, pointer };
    });
    const common = {
      picture: picture.name,
      cut: name,
      tiles: tiles.length,
      bytes: tiles.reduce((sum, tile) => sum + tile.pixels.length, 0),
    };
    const encodeWith = (encoder: ImageEncoder) => (index: number) => {
      const { tile, pointer } = placed[index];
      const stream = encoder.encode({
        format: BGRX,
        width: tile.width,
        height: tile.height,
        stride: tile.width * 4,
        offset: pointer,
        bytes: codecs.heap.u8,
        topDown: true,
      });
      return stream?.length ?? tile.pixels.length;
    };
    const referenceOf = (encode: (tile: BenchPicture) => number) =>
      reference ? (index: number) => encode(tiles[index]) : undefined;
    return [
      {
        ...common,
        codec: "quic",
        ours: encodeWith(codecs.encoders.quic),
        reference: referenceOf((t) =>
          reference!.quicEncode(QUIC_RGB32, t.width, t.height, t.width * 4, t.pixels, out),
        ),
      },
      {
        ...common,
        codec: "lz",
        ours: encodeWith(codecs.encoders.lz),
        reference: referenceOf((t) =>
          reference!.lzEncode(LZ_RGB32, t.width, t.height, 1, t.width * 4, t.pixels, out),
        ),
      },
      {
        ...common,
        codec: "lz4",
        ours: encodeWith(codecs.encoders.lz4),
        reference: referenceOf((t) =>
          reference!.lz4Encode(t.height, t.width * 4, 1, BGRX, LZ4_LINES, t.pixels, out),
        ),
      },
      {
        ...common,
        codec: "jpeg",
        ours: encodeWith(codecs.encoders.jpeg!),
        reference: referenceOf((t) =>
          reference!.jpegEncode(JPEG_QUALITY, JPEG_BGRX32, t.width, t.height, t.width * 4, t.pixels, out),
        ),
      },
      ...glzContests(common, codecs, reference, tiles, encodeWith, out),
    ];
  });
}

/** Cold: every pass begins with an empty dictionary. Warm: the same pictures have been sent before. */
function glzContests(
  common: Pick<Contest, "picture" | "cut" | "tiles" | "bytes">,
  codecs: ImageCodecs,
  reference: ReferenceCodecs | undefined,
  tiles: readonly BenchPicture[],
  encodeWith: (encoder: ImageEncoder) => (index: number) => number,
  out: Uint8Array,
): Contest[] {
  let dictionary: GlzDictionary | undefined;
  let encode: (index: number) => number = () => 0;
  const fresh = () => {
    dictionary?.[Symbol.dispose]();
    dictionary = new GlzDictionary(codecs.heap, 1, GLZ_WINDOW);
    encode = encodeWith(codecs.glz(dictionary));
    reference?.glzReset(GLZ_WINDOW);
  };
  const theirs = reference
    ? (index: number) => {
        const t = tiles[index];
        return reference.glzEncode(LZ_RGB32, t.width, t.height, 1, t.width * 4, t.pixels, out);
      }
    : undefined;
  let warmed = false;
  return [
    { ...common, codec: "glz-cold", prepare: fresh, ours: (index) => encode(index), reference: theirs },
    {
      ...common,
      codec: "glz-warm",
      prepare: () => {
        if (warmed) return;
        warmed = true;
        fresh();
        for (let index = 0; index < tiles.length; index++) {
          encode(index);
          theirs?.(index);
        }
      },
      ours: (index) => encode(index),
      reference: theirs,
    },
  ];
}
