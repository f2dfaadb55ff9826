import type {
  BigIntName,
  BigIntNode,
  Fields,
  IntName,
  IntNode,
  Length,
  LengthOfNode,
  PaddingNode,
  SchemaNode,
  WhenNode,
} from "./schema-node.ts";

declare const TYPE: unique symbol;

/** Carries the TypeScript type of a node's value; nothing at run time. */
export interface Typed<T> {
  readonly [TYPE]?: () => T;
}

/** A wire schema whose decoded value is a `T`. */
export type Schema<T> = SchemaNode & Typed<T>;

/** The value that a schema decodes to and encodes from. */
export type Infer<S> = S extends Typed<infer T> ? T : never;

type Simplify<T> = { [K in keyof T]: T[K] } & {};

/** The value of a list of fields: lengths are left out, conditional fields are optional. */
export type InferFields<F extends Fields> = Simplify<
  { [K in keyof F as F[K] extends LengthOfNode | PaddingNode | WhenNode ? never : K]: Infer<F[K]> } & {
    [K in keyof F as F[K] extends WhenNode ? K : never]?: Infer<F[K]>;
  }
>;

type Narrow<V, Path, Tag> = Path extends `${infer Head}.${infer Tail}`
  ? { [K in keyof V]: K extends Head ? Narrow<V[K], Tail, Tag> : V[K] }
  : { [K in keyof V]: K extends Path ? Tag : V[K] };

/** The union of the cases of a variant, each with the tag narrowed to its own number. */
export type InferVariant<Common extends Fields, Path extends string, Cases extends Record<number, Fields>> = {
  [K in keyof Cases & number]: Simplify<Narrow<InferFields<Common>, Path, K> & InferFields<Cases[K]>>;
}[keyof Cases & number];

function int(type: IntName, size: 1 | 2 | 4, min: number, max: number): IntNode & Typed<number> {
  return { kind: "int", type, size, min, max };
}

function bigInt(type: BigIntName, min: bigint, max: bigint): BigIntNode & Typed<bigint> {
  return { kind: "bigint", type, size: 8, min, max };
}

/** 0 to 255. */
export const u8 = int("u8", 1, 0, 0xff);
/** -128 to 127. */
export const i8 = int("i8", 1, -0x80, 0x7f);
/** 0 to 65535, little-endian. */
export const u16 = int("u16", 2, 0, 0xffff);
/** Signed 16 bits, little-endian. */
export const i16 = int("i16", 2, -0x8000, 0x7fff);
/** 0 to 4294967295, little-endian. */
export const u32 = int("u32", 4, 0, 0xffff_ffff);
/** Signed 32 bits, little-endian. */
export const i32 = int("i32", 4, -0x8000_0000, 0x7fff_ffff);
/** Unsigned 64 bits as a bigint, little-endian. */
export const u64 = bigInt("u64", 0n, 0xffff_ffff_ffff_ffffn);
/** Signed 64 bits as a bigint, little-endian. */
export const i64 = bigInt("i64", -0x8000_0000_0000_0000n, 0x7fff_ffff_ffff_ffffn);

/** An integer whose values have names; other values pass, as in spice-server. */
export function enumeration(
  type: IntNode & Typed<number>,
  name: string,
  values: Readonly<Record<string, number>>,
): IntNode & Typed<number> {
  return { ...type, meaning: { name, values, flags: false } };
}

/** An integer whose bits have names; other bits pass. */
export function flags(
  type: IntNode & Typed<number>,
  name: string,
  values: Readonly<Record<string, number>>,
): IntNode & Typed<number> {
  return { ...type, meaning: { name, values, flags: true } };
}

/** Fields one after the other. A `name` gives the structure its own entry in the documentation. */
export function struct<const F extends Fields>(fields: F, name?: string): Schema<InferFields<F>> {
  return { kind: "struct", fields, name };
}

/**
 * A union: `common` fields, then those of the case that the `tag` field selects.
 * @param tag path of an earlier integer among `common`, such as `type` or `descriptor.type`.
 */
export function variant<
  const Common extends Fields,
  const Path extends string,
  const Cases extends Readonly<Record<number, Fields>>,
>(common: Common, tag: Path, cases: Cases, name?: string): Schema<InferVariant<Common, Path, Cases>> {
  return { kind: "variant", common, tag, cases, name };
}

/** A union selected by some bits of a flags field; the tag stays a plain number. */
export function maskedVariant<
  const Common extends Fields,
  const Cases extends Readonly<Record<number, Fields>>,
>(
  common: Common,
  tag: keyof Common & string,
  mask: number,
  cases: Cases,
  name?: string,
): Schema<
  { [K in keyof Cases & number]: Simplify<InferFields<Common> & InferFields<Cases[K]>> }[keyof Cases & number]
> {
  return { kind: "variant", common, tag, mask, cases, name };
}

/** A length: an integer type in front of the data, a fixed number, the name of a `lengthOf` field, or `rest` of the body. */
export type LengthSpec = IntNode | number | string | Length;

function toLength(spec: LengthSpec): Length {
  if (typeof spec === "number") return { from: "fixed", count: spec };
  if (typeof spec === "string") return { from: "field", field: spec };
  return "from" in spec ? spec : { from: "prefix", int: spec };
}

/** Everything up to the end of the body. */
export const rest: Length = { from: "rest" };

/** Rows of pixels, `bits` each; `width` and `height` name earlier fields. With 8 bits `width` may as well be a stride. */
export function imageSize(bits: number, width: string, height: string): Length {
  return { from: "image", bits, width, height };
}

/** Equal elements one after the other. */
export function array<T>(element: Schema<T>, length: LengthSpec): Schema<readonly T[]> {
  return { kind: "array", element, length: toLength(length) };
}

/** Raw bytes. Decoding gives a view on the body; encoding copies once, see `encodeMessageParts` for none. */
export function bytes(length: LengthSpec): Schema<Uint8Array> {
  return { kind: "bytes", length: toLength(length) };
}

/** UTF-8 text, by default with a NUL that the length counts. Decoding stops at the first NUL. */
export function text(length: LengthSpec, nul: "counted" | "after" | "none" = "counted"): Schema<string> {
  return { kind: "text", length: toLength(length), nul };
}

/** A u32 offset from the start of the body to the target, 0 for null. Encoding puts targets behind the fixed part, in order. */
export function pointer<T>(target: Schema<T>): Schema<T | null> {
  return { kind: "pointer", target, nullable: true };
}

/** A pointer which must not be null (`@nonnull` in spice.proto). */
export function pointerTo<T>(target: Schema<T>): Schema<T> {
  return { kind: "pointer", target, nullable: false };
}

/** A field present only if one of the `mask` bits of the earlier field is set. */
export function when<T>(field: string, mask: number, target: Schema<T>): WhenNode & Typed<T> {
  return { kind: "when", field, mask, set: true, target };
}

/** A field present only if none of the `mask` bits of the earlier field is set. */
export function unless<T>(field: string, mask: number, target: Schema<T>): WhenNode & Typed<T> {
  return { kind: "when", field, mask, set: false, target };
}

/** The length of a later `field` which refers back to this one by name; computed when encoding, absent from the value. */
export function lengthOf(field: string, type: IntNode): LengthOfNode & Typed<never> {
  return { kind: "lengthOf", int: type, field };
}

/** So many bytes without meaning. */
export function padding(size: number): PaddingNode & Typed<never> {
  return { kind: "padding", size };
}
