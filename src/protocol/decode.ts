import type { SchemaFault } from "./errors.ts";
import { SchemaError } from "./errors.ts";
import type { Fields, Length, PointerNode, SchemaNode, VariantNode, WhenNode } from "./schema-node.ts";
import { minSize } from "./schema-node.ts";
import { utf8Read } from "./utf8.ts";

type Value = Record<string, unknown>;

/** The structure being read: its value so far and the lengths it announced, by the names of its `lengthOf` fields. */
interface Scope {
  readonly value: Value;
  readonly lengths: Record<string, number>;
}

const NO_SCOPE: Scope = { value: {}, lengths: {} };

/** Reads one body by its schema. Never touches a byte outside of it; every failure is a {@link SchemaError}. */
export class Decoder {
  readonly #name: string;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  /** Where the field just being read is; only looked at when something fails. */
  readonly #path: (string | number)[] = [];
  #offset: number;
  #end = 0;

  constructor(name: string, bytes: Uint8Array, offset = 0) {
    this.#name = name;
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#offset = offset;
  }

  /** The value at the current offset. */
  read(node: SchemaNode): unknown {
    return this.#read(node, NO_SCOPE);
  }

  /** Behind the last byte that was read, wherever pointers led. */
  get end(): number {
    return this.#end;
  }

  /** Fails if there are bytes behind everything that was read. */
  expectEnd(): void {
    const extra = this.#bytes.length - this.#end;
    if (extra > 0) {
      this.#offset = this.#end;
      this.#fail("trailing-bytes", `${extra} bytes follow the message; it should have ${this.#end}`);
    }
  }

  #fail(fault: SchemaFault, problem: string): never {
    throw new SchemaError(fault, this.#name, pathText(this.#path), this.#offset, problem);
  }

  /** Takes `size` bytes and returns where they start. */
  #take(size: number): number {
    const start = this.#offset;
    if (size > this.#bytes.length - start) {
      this.#fail(
        "truncated",
        `needs ${size} bytes, the body has ${Math.max(this.#bytes.length - start, 0)} more`,
      );
    }
    this.#offset = start + size;
    if (this.#offset > this.#end) this.#end = this.#offset;
    return start;
  }

  #read(node: SchemaNode, scope: Scope): unknown {
    switch (node.kind) {
      case "int":
        return this.#int(node.type);
      case "bigint": {
        const at = this.#take(8);
        return node.type === "u64" ? this.#view.getBigUint64(at, true) : this.#view.getBigInt64(at, true);
      }
      case "struct": {
        const inner: Scope = { value: {}, lengths: {} };
        this.#fields(node.fields, inner);
        return inner.value;
      }
      case "variant":
        return this.#variant(node);
      case "array":
        return this.#array(node.element, node.length, scope);
      case "bytes": {
        const size = this.#length(node.length, scope, 1);
        const at = this.#take(size);
        return this.#bytes.subarray(at, at + size);
      }
      case "text": {
        const size = this.#length(node.length, scope, 1);
        const at = this.#take(size);
        const all = this.#bytes.subarray(at, at + size);
        // Upstream's own decoder does not look for this NUL, so its absence is no error.
        if (node.nul === "after" && this.#bytes[this.#offset] === 0) this.#take(1);
        const nul = node.nul === "none" ? -1 : all.indexOf(0);
        return utf8Read(nul < 0 ? all : all.subarray(0, nul));
      }
      case "pointer":
        return this.#pointer(node, scope);
      case "when":
        return this.#read(node.target, scope);
      case "lengthOf":
        return this.#int(node.int.type);
      case "padding":
        return this.#take(node.size);
    }
  }

  #int(type: string): number {
    switch (type) {
      case "u8":
        return this.#view.getUint8(this.#take(1));
      case "i8":
        return this.#view.getInt8(this.#take(1));
      case "u16":
        return this.#view.getUint16(this.#take(2), true);
      case "i16":
        return this.#view.getInt16(this.#take(2), true);
      case "u32":
        return this.#view.getUint32(this.#take(4), true);
      default:
        return this.#view.getInt32(this.#take(4), true);
    }
  }

  #fields(fields: Fields, scope: Scope): void {
    for (const name in fields) {
      const node = fields[name];
      if (node.kind === "when" && !isPresent(node, scope.value)) continue;
      this.#path.push(name);
      const value = this.#read(node, scope);
      if (node.kind === "lengthOf") scope.lengths[name] = value as number;
      else if (node.kind !== "padding") scope.value[name] = value;
      this.#path.pop();
    }
  }

  #variant(node: VariantNode): Value {
    const scope: Scope = { value: {}, lengths: {} };
    this.#fields(node.common, scope);
    const tag = tagOf(node, scope.value);
    const fields = node.cases[tag];
    if (fields === undefined) {
      this.#path.push(node.tag);
      this.#fail("unknown-variant", `${tag} is none of ${Object.keys(node.cases).join(", ")}`);
    }
    this.#fields(fields, scope);
    return scope.value;
  }

  #array(element: SchemaNode, length: Length, scope: Scope): unknown[] {
    const least = minSize(element);
    const count = this.#length(length, scope, least);
    if (count * least > this.#bytes.length - this.#offset) {
      this.#fail(
        "truncated",
        `${count} elements of at least ${least} bytes do not fit the ${this.#bytes.length - this.#offset} bytes left`,
      );
    }
    const values: unknown[] = [];
    const index = this.#path.push(0) - 1;
    for (let i = 0; i < count; i++) {
      this.#path[index] = i;
      values.push(this.#read(element, scope));
    }
    this.#path.pop();
    return values;
  }

  #length(length: Length, scope: Scope, unit: number): number {
    switch (length.from) {
      case "fixed":
        return length.count;
      case "prefix":
        return this.#int(length.int.type);
      case "field":
        return scope.lengths[length.field];
      case "rest": {
        const left = this.#bytes.length - this.#offset;
        if (left % unit !== 0)
          this.#fail("bad-length", `the remaining ${left} bytes are no multiple of ${unit}`);
        return left / unit;
      }
      case "image":
        return imageBytes(
          length.bits,
          scope.value[length.width] as number,
          scope.value[length.height] as number,
        );
    }
  }

  #pointer(node: PointerNode, scope: Scope): unknown {
    const at = this.#view.getUint32(this.#take(4), true);
    if (at === 0) {
      if (!node.nullable) this.#fail("bad-pointer", "is null, it must point to something");
      return null;
    }
    if (at > this.#bytes.length) this.#fail("bad-pointer", `points to byte ${at} of ${this.#bytes.length}`);
    const back = this.#offset;
    this.#offset = at;
    const value = this.#read(node.target, scope);
    this.#offset = back;
    return value;
  }
}

/** Whether the flags in `value` call for this field. */
export function isPresent(node: WhenNode, value: Value): boolean {
  return (((value[node.field] as number) & node.mask) !== 0) === node.set;
}

/** The number that selects the case of a variant. */
export function tagOf(node: VariantNode, value: Value): number {
  let tag: unknown = value;
  for (const step of node.tag.split(".")) tag = (tag as Value)[step];
  return node.mask === undefined ? (tag as number) : (tag as number) & node.mask;
}

/** image_size() of spice.proto: bytes of `height` rows, each rounded up to whole bytes. */
export function imageBytes(bits: number, width: number, height: number): number {
  return Math.ceil((bits * width) / 8) * height;
}

/** `a.b[3].c` */
export function pathText(path: readonly (string | number)[]): string {
  return path.reduce<string>(
    (text, step) => (typeof step === "number" ? `${text}[${step}]` : text === "" ? step : `${text}.${step}`),
    "",
  );
}
