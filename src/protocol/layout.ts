import { SchemaError } from "./errors.ts";
import { encodeStruct } from "./message.ts";
import type { InferFields, Typed } from "./schema.ts";
import type { Fields, SchemaNode, StructNode } from "./schema-node.ts";
import { fixedSize } from "./schema-node.ts";

/**
 * A packed C structure in guest memory: a schema of fixed size whose field offsets are known. `offset.x` is where field `x` starts;
 * `offset.u` is where the union starts, if the structure ends with one. The union is no part of the value: read its member with the
 * member's own layout.
 */
export type Layout<T, Offsets extends string = string> = StructNode &
  Typed<T> & {
    readonly name: string;
    /** Bytes of the structure, the union's largest member included: C's sizeof. */
    readonly size: number;
    readonly offset: Readonly<Record<Offsets, number>>;
  };

/** Declares a structure. `union`: the layouts that may stand at its end. */
export function layout<const F extends Fields>(
  name: string,
  fields: F,
): Layout<InferFields<F>, keyof F & string>;
export function layout<const F extends Fields>(
  name: string,
  fields: F,
  union: readonly { readonly size: number }[],
): Layout<InferFields<F>, (keyof F & string) | "u">;
export function layout(
  name: string,
  fields: Fields,
  union: readonly { readonly size: number }[] = [],
): Layout<unknown> {
  const offset: Record<string, number> = {};
  let size = 0;
  for (const field in fields) {
    const node = fields[field];
    if (
      node.kind === "struct" &&
      node.size !== undefined &&
      node.size !== sizeOf({ ...node, size: undefined })
    ) {
      throw new TypeError(`${name}.${field} ends with a union: declare it as padding of ${node.size} bytes`);
    }
    offset[field] = size;
    size += sizeOf(fields[field]);
  }
  if (union.length > 0) offset.u = size;
  size += union.reduce((largest, member) => Math.max(largest, member.size), 0);
  return { kind: "struct", fields, name, size, offset };
}

/** Bytes of a schema that has the same size whatever its value. */
export function sizeOf(node: SchemaNode): number {
  const size = fixedSize(node);
  if (size === undefined) throw new TypeError(`a ${node.kind} has no fixed size, use it in messages only`);
  return size;
}

/**
 * A copy of the structure at `offset`; nothing in it points into the memory, so what was checked cannot change afterwards.
 * @throws SchemaError `truncated` if it does not lie within `view`.
 */
export function readStruct<T>(layout: Layout<T>, view: DataView, offset = 0): T {
  checkBounds(layout, view, offset);
  return readNode(layout, view, offset) as T;
}

/**
 * Writes the fields of the structure at `offset`, not its union.
 * @throws SchemaError if it does not lie within `view`, or a value does not fit its field.
 */
export function writeStruct<T>(layout: Layout<T>, view: DataView, offset: number, value: T): void {
  checkBounds(layout, view, offset);
  const bytes = encodeStruct(layout.name, layout, value);
  new Uint8Array(view.buffer, view.byteOffset + offset, bytes.length).set(bytes);
}

function checkBounds(layout: Layout<unknown>, view: DataView, offset: number): void {
  if (offset >= 0 && offset + layout.size <= view.byteLength) return;
  const problem = `needs ${layout.size} bytes, the memory has ${view.byteLength}; check the address first`;
  throw new SchemaError("truncated", layout.name, "", offset, problem);
}

function readNode(node: SchemaNode, view: DataView, offset: number): unknown {
  switch (node.kind) {
    case "int":
      if (node.type === "u32") return view.getUint32(offset, true);
      if (node.type === "i32") return view.getInt32(offset, true);
      if (node.type === "u16") return view.getUint16(offset, true);
      if (node.type === "i16") return view.getInt16(offset, true);
      return node.type === "u8" ? view.getUint8(offset) : view.getInt8(offset);
    case "bigint":
      return node.type === "u64" ? view.getBigUint64(offset, true) : view.getBigInt64(offset, true);
    case "struct": {
      const value: Record<string, unknown> = {};
      for (const name in node.fields) {
        const field = node.fields[name];
        if (field.kind !== "padding") value[name] = readNode(field, view, offset);
        offset += sizeOf(field);
      }
      return value;
    }
    case "array": {
      const step = sizeOf(node.element);
      const count = sizeOf(node) / step;
      return Array.from({ length: count }, (_, index) => readNode(node.element, view, offset + index * step));
    }
    default:
      return new Uint8Array(view.buffer, view.byteOffset + offset, sizeOf(node)).slice();
  }
}
