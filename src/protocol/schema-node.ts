/**
 * A wire schema is plain data: the nodes below say how bytes lie, and everything else (decode, encode, documentation,
 * arbitrary values for tests) is a function over them. All integers are little-endian, nothing is aligned.
 */

export type IntName = "u8" | "i8" | "u16" | "i16" | "u32" | "i32";
export type BigIntName = "u64" | "i64";

/** Symbolic names of an integer's values (or of its bits, if `flags`). For documentation and tests; unknown values pass. */
export interface Meaning {
  readonly name: string;
  readonly values: Readonly<Record<string, number>>;
  readonly flags: boolean;
}

export interface IntNode {
  readonly kind: "int";
  readonly type: IntName;
  readonly size: 1 | 2 | 4;
  readonly min: number;
  readonly max: number;
  readonly meaning?: Meaning;
}

export interface BigIntNode {
  readonly kind: "bigint";
  readonly type: BigIntName;
  readonly size: 8;
  readonly min: bigint;
  readonly max: bigint;
}

/** How many elements or bytes a field has. */
export type Length =
  | { readonly from: "fixed"; readonly count: number }
  /** An integer directly before the data. */
  | { readonly from: "prefix"; readonly int: IntNode }
  /** A `lengthOf` field earlier in the same structure. */
  | { readonly from: "field"; readonly field: string }
  /** Everything up to the end of the body. */
  | { readonly from: "rest" }
  /** Rows of pixels: ceil(width * bits / 8) * height, from two earlier fields of the same structure (image_size() of spice.proto). */
  | { readonly from: "image"; readonly bits: number; readonly width: string; readonly height: string };

/** Fields in wire order. */
export type Fields = Readonly<Record<string, SchemaNode>>;

export interface StructNode {
  readonly kind: "struct";
  readonly fields: Fields;
  readonly name?: string;
  /** Bytes of a structure in guest memory, see layout.ts; a union at its end may make it larger than its fields. */
  readonly size?: number;
}

/** Common fields, one of which (`tag`, a dotted path) selects the fields that follow. With `mask` only those bits of the tag count. */
export interface VariantNode {
  readonly kind: "variant";
  readonly common: Fields;
  readonly tag: string;
  readonly mask?: number;
  readonly cases: Readonly<Record<number, Fields>>;
  readonly name?: string;
}

export interface ArrayNode {
  readonly kind: "array";
  readonly element: SchemaNode;
  readonly length: Length;
}

/** Raw bytes. Decoded as a view on the body, not a copy. */
export interface BytesNode {
  readonly kind: "bytes";
  readonly length: Length;
}

/** UTF-8. `nul`: the terminator is counted in the length, follows the counted bytes, or does not exist. */
export interface TextNode {
  readonly kind: "text";
  readonly length: Length;
  readonly nul: "counted" | "after" | "none";
}

/** A u32 offset from the start of the body to `target`; 0 is null. */
export interface PointerNode {
  readonly kind: "pointer";
  readonly target: SchemaNode;
  readonly nullable: boolean;
}

/** A field that exists only if `(field & mask) !== 0` is `set`. */
export interface WhenNode {
  readonly kind: "when";
  readonly field: string;
  readonly mask: number;
  readonly set: boolean;
  readonly target: SchemaNode;
}

/** An integer that holds the length of a later field; it is no part of the value. */
export interface LengthOfNode {
  readonly kind: "lengthOf";
  readonly int: IntNode;
  readonly field: string;
}

/** Bytes without meaning: written as zeros, skipped when read, no part of the value. */
export interface PaddingNode {
  readonly kind: "padding";
  readonly size: number;
}

export type SchemaNode =
  | IntNode
  | BigIntNode
  | StructNode
  | VariantNode
  | ArrayNode
  | BytesNode
  | TextNode
  | PointerNode
  | WhenNode
  | LengthOfNode
  | PaddingNode;

/** Fewest bytes that a node can take in place: what bounds a hostile count before anything is allocated. */
export function minSize(node: SchemaNode): number {
  switch (node.kind) {
    case "int":
    case "bigint":
    case "padding":
      return node.size;
    case "struct":
      return fieldsMinSize(node.fields);
    case "variant":
      return fieldsMinSize(node.common) + Math.min(...Object.values(node.cases).map(fieldsMinSize));
    case "array":
      return lengthMinSize(node.length, minSize(node.element));
    case "bytes":
    case "text":
      return lengthMinSize(node.length, 1);
    case "pointer":
      return 4;
    case "when":
      return 0;
    case "lengthOf":
      return node.int.size;
  }
}

function fieldsMinSize(fields: Fields): number {
  return Object.values(fields).reduce((sum, field) => sum + minSize(field), 0);
}

function lengthMinSize(length: Length, element: number): number {
  if (length.from === "fixed") return length.count * element;
  return length.from === "prefix" ? length.int.size : 0;
}

/** Bytes of a node that takes the same room whatever its value and points to nothing; undefined for others. */
export function fixedSize(node: SchemaNode): number | undefined {
  switch (node.kind) {
    case "int":
    case "bigint":
    case "padding":
      return node.size;
    case "struct":
      return node.size ?? Object.values(node.fields).reduce<number | undefined>(addFixed, 0);
    case "array":
    case "bytes": {
      const element = node.kind === "array" ? fixedSize(node.element) : 1;
      return node.length.from === "fixed" && element !== undefined ? node.length.count * element : undefined;
    }
    default:
      return undefined;
  }
}

function addFixed(sum: number | undefined, node: SchemaNode): number | undefined {
  const size = fixedSize(node);
  return sum === undefined || size === undefined ? undefined : sum + size;
}
