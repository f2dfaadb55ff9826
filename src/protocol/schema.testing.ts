import * as fc from "fast-check";
import type { MessageDef } from "./message.ts";
import type { Fields, Length, SchemaNode, VariantNode } from "./schema-node.ts";

type Value = Record<string, unknown>;
type Gen = fc.GeneratorValue;

interface Scope {
  readonly value: Value;
  readonly lengths: Record<string, number>;
  /** Numbers that are not free: tags of variants. */
  readonly forced: Readonly<Record<string, number>>;
}

/** Values of a schema, derived from the schema itself: every case, every presence, lengths that agree. */
export function arbitraryOf<T>(def: Pick<MessageDef<T>, "schema" | "maxSize">): fc.Arbitrary<T> {
  const longest = Math.min(5000, Math.floor(def.maxSize / 4));
  return fc.gen().map((gen) => build(def.schema, gen, { value: {}, lengths: {}, forced: {} }, longest) as T);
}

function build(node: SchemaNode, gen: Gen, scope: Scope, longest: number): unknown {
  switch (node.kind) {
    case "int": {
      const known = Object.values(node.meaning?.values ?? {});
      if (known.length === 0 || gen(fc.nat, 7) === 0)
        return gen(fc.integer, { min: node.min, max: node.max });
      if (!node.meaning!.flags) return gen(fc.constantFrom<number[]>, ...known);
      return gen(fc.subarray<number>, known).reduce((bits, bit) => bits + bit, 0) % (node.max + 1);
    }
    case "bigint":
      return gen(fc.bigInt, { min: node.min, max: node.max });
    case "struct":
      return buildFields(node.fields, gen, { value: {}, lengths: {}, forced: scope.forced }, longest);
    case "variant":
      return buildVariant(node, gen, longest);
    case "array": {
      const count = lengthOf(node.length, scope, gen(fc.nat, 3));
      return Array.from({ length: count }, () => build(node.element, gen, scope, longest));
    }
    case "bytes": {
      const free = Math.min(gen(fc.constantFrom<number[]>, 0, 1, 5, 32, 5000), longest);
      const count = lengthOf(node.length, scope, free);
      const seed = gen(fc.nat, 255);
      return Uint8Array.from({ length: count }, (_, index) => (seed + index * 7) & 0xff);
    }
    case "text":
      return gen(fc.string, { unit: "grapheme", maxLength: 8 }).replaceAll("\0", "");
    case "pointer":
      return node.nullable && gen(fc.boolean) ? null : build(node.target, gen, scope, longest);
    case "when":
      return build(node.target, gen, scope, longest);
    case "lengthOf":
    case "padding":
      return undefined;
  }
}

function buildVariant(node: VariantNode, gen: Gen, longest: number): Value {
  const key = gen(fc.constantFrom<number[]>, ...Object.keys(node.cases).map(Number));
  const tag = node.mask === undefined ? key : (gen(fc.nat, 255) & ~node.mask) | key;
  const scope: Scope = { value: {}, lengths: {}, forced: { [node.tag.split(".").at(-1)!]: tag } };
  buildFields(node.common, gen, scope, longest);
  return buildFields(node.cases[key], gen, { ...scope, forced: {} }, longest);
}

function buildFields(fields: Fields, gen: Gen, scope: Scope, longest: number): Value {
  const small = new Set(Object.values(fields).flatMap(imageSides));
  for (const name in fields) {
    const node = fields[name];
    if (node.kind === "lengthOf" || node.kind === "padding") continue;
    if (node.kind === "when" && (((scope.value[node.field] as number) & node.mask) !== 0) !== node.set)
      continue;
    if (name in scope.forced) scope.value[name] = scope.forced[name];
    else if (small.has(name)) scope.value[name] = gen(fc.nat, 9);
    else scope.value[name] = build(node, gen, scope, longest);
  }
  return scope.value;
}

/** Fields whose product is the size of a picture: kept small. */
function imageSides(node: SchemaNode): string[] {
  return node.kind === "bytes" && node.length.from === "image" ? [node.length.width, node.length.height] : [];
}

function lengthOf(length: Length, scope: Scope, free: number): number {
  switch (length.from) {
    case "fixed":
      return length.count;
    case "field":
      // Two fields may share one length.
      return (scope.lengths[length.field] ??= free);
    case "image":
      return (
        Math.ceil((length.bits * (scope.value[length.width] as number)) / 8) *
        (scope.value[length.height] as number)
      );
    default:
      return free;
  }
}
