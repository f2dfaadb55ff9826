import { imageBytes, isPresent, pathText, tagOf } from "./decode.ts";
import type { SchemaFault } from "./errors.ts";
import { SchemaError } from "./errors.ts";
import { PART_THRESHOLD } from "./limits.ts";
import type { BigIntNode, Fields, IntNode, Length, SchemaNode, TextNode } from "./schema-node.ts";
import { utf8Length, utf8Write } from "./utf8.ts";

type Value = Record<string, unknown>;

/** The structure being written: its value and the lengths it announced, by the names of its `lengthOf` fields. */
interface Scope {
  readonly value: Value;
  readonly lengths: Record<string, number>;
}

/** A pointer whose target is still to be written. */
interface Pending {
  /** Where the offset goes, in scratch bytes. */
  readonly at: number;
  readonly target: SchemaNode;
  readonly value: unknown;
  readonly scope: Scope;
  readonly path: readonly (string | number)[];
}

/**
 * Builds one message by its schema. Small fields go to a scratch buffer, long byte fields are only remembered, so that the result
 * is made with one copy of them (`finish`) or none (`parts`). Pointer targets follow the fixed part, breadth first, as spice-server's
 * marshaller puts them.
 */
export class Encoder {
  readonly #name: string;
  /** Bytes in front of the body (the message header); pointers do not count them. */
  readonly #reserved: number;
  #scratch = new Uint8Array(512);
  #view = new DataView(this.#scratch.buffer);
  #used: number;
  /** Bytes of remembered fields so far. */
  #foreign = 0;
  /** Remembered fields, each behind that many scratch bytes. */
  readonly #splices: { readonly behind: number; readonly bytes: Uint8Array }[] = [];
  readonly #pending: Pending[] = [];
  #path: (string | number)[] = [];

  constructor(name: string, reserved = 0) {
    this.#name = name;
    this.#reserved = reserved;
    this.#used = reserved;
  }

  /** Body bytes so far. */
  get length(): number {
    return this.#used + this.#foreign - this.#reserved;
  }

  /** Writes a whole value, with all that it points to. */
  write(node: SchemaNode, value: unknown): void {
    this.#write(node, value, { value: {}, lengths: {} });
    for (let index = 0; index < this.#pending.length; index++) {
      const { at, target, value: pointed, scope, path } = this.#pending[index];
      this.#path = [...path];
      this.#view.setUint32(at, this.length, true);
      this.#write(target, pointed, scope);
    }
  }

  /** The reserved bytes followed by the body, in one piece. `header` fills in the reserved ones. */
  finish(header?: (view: DataView) => void): Uint8Array {
    header?.(this.#view);
    const result = new Uint8Array(this.#used + this.#foreign);
    let from = 0;
    let to = 0;
    for (const { behind, bytes } of this.#splices) {
      result.set(this.#scratch.subarray(from, behind), to);
      to += behind - from;
      result.set(bytes, to);
      to += bytes.length;
      from = behind;
    }
    result.set(this.#scratch.subarray(from, this.#used), to);
    return result;
  }

  /** As {@link finish}, in several pieces; the long byte fields among them are the caller's own arrays. */
  parts(header?: (view: DataView) => void): Uint8Array[] {
    header?.(this.#view);
    const result: Uint8Array[] = [];
    let from = 0;
    for (const { behind, bytes } of this.#splices) {
      if (behind > from) result.push(this.#scratch.subarray(from, behind));
      result.push(bytes);
      from = behind;
    }
    if (this.#used > from) result.push(this.#scratch.subarray(from, this.#used));
    return result;
  }

  #fail(fault: SchemaFault, problem: string): never {
    throw new SchemaError(fault, this.#name, pathText(this.#path), this.length, problem);
  }

  /** Makes room for `size` scratch bytes and returns where they start. */
  #reserve(size: number): number {
    const start = this.#used;
    if (start + size > this.#scratch.length) {
      const grown = new Uint8Array(Math.max(this.#scratch.length * 2, start + size));
      grown.set(this.#scratch.subarray(0, start));
      this.#scratch = grown;
      this.#view = new DataView(grown.buffer);
    }
    this.#used = start + size;
    return start;
  }

  #write(node: SchemaNode, value: unknown, scope: Scope): void {
    switch (node.kind) {
      case "int":
        return this.#int(node, value);
      case "bigint":
        return this.#bigint(node, value);
      case "struct":
        return this.#fields(node.fields, { value: this.#object(value), lengths: {} });
      case "variant": {
        const object = this.#object(value);
        const inner: Scope = { value: object, lengths: {} };
        this.#fields(node.common, inner);
        const fields = node.cases[tagOf(node, object)];
        if (fields === undefined) {
          this.#fail(
            "unknown-variant",
            `${node.tag} ${tagOf(node, object)} is none of ${Object.keys(node.cases).join(", ")}`,
          );
        }
        return this.#fields(fields, inner);
      }
      case "array": {
        if (!Array.isArray(value)) this.#fail("bad-presence", "must be an array");
        this.#length(node.length, value.length, scope);
        const index = this.#path.push(0) - 1;
        for (let i = 0; i < value.length; i++) {
          this.#path[index] = i;
          this.#write(node.element, value[i], scope);
        }
        this.#path.pop();
        return;
      }
      case "bytes": {
        if (!(value instanceof Uint8Array)) this.#fail("bad-presence", "must be a Uint8Array");
        this.#length(node.length, value.length, scope);
        return this.#append(value);
      }
      case "text":
        return this.#text(node, value, scope);
      case "pointer": {
        const at = this.#reserve(4);
        if (value === null || value === undefined) {
          if (!node.nullable) this.#fail("bad-pointer", "is null, it must point to something");
          this.#view.setUint32(at, 0, true);
          return;
        }
        this.#pending.push({ at, target: node.target, value, scope, path: [...this.#path] });
        return;
      }
      case "when":
        return this.#write(node.target, value, scope);
      case "lengthOf":
        return this.#int(node.int, value);
      case "padding":
        this.#scratch.fill(0, this.#reserve(node.size), this.#used);
    }
  }

  #object(value: unknown): Value {
    if (typeof value !== "object" || value === null) this.#fail("bad-presence", "must be an object");
    return value as Value;
  }

  #fields(fields: Fields, scope: Scope): void {
    const { value, lengths } = scope;
    for (const name in fields) {
      const node = fields[name];
      this.#path.push(name);
      if (node.kind === "lengthOf") {
        lengths[name] = measure(value[node.field]);
        this.#write(node, lengths[name], scope);
      } else if (node.kind !== "when") {
        this.#write(node, value[name], scope);
      } else if (isPresent(node, value)) {
        if (value[name] === undefined) this.#fail("bad-presence", `is missing, ${node.field} asks for it`);
        this.#write(node, value[name], scope);
      } else if (value[name] !== undefined) {
        this.#fail("bad-presence", `is given, but ${node.field} excludes it`);
      }
      this.#path.pop();
    }
  }

  #int(node: IntNode, value: unknown): void {
    if (typeof value !== "number" || !Number.isInteger(value) || value < node.min || value > node.max) {
      this.#fail("out-of-range", `${String(value)} is no ${node.type} (${node.min} to ${node.max})`);
    }
    const at = this.#reserve(node.size);
    // Two's complement makes the signed and the unsigned setters write the same bytes.
    if (node.size === 1) this.#view.setUint8(at, value);
    else if (node.size === 2) this.#view.setUint16(at, value, true);
    else this.#view.setUint32(at, value, true);
  }

  #bigint(node: BigIntNode, value: unknown): void {
    if (typeof value !== "bigint" || value < node.min || value > node.max) {
      this.#fail("out-of-range", `${String(value)} is no ${node.type} bigint`);
    }
    // Making room may replace the view.
    const at = this.#reserve(8);
    this.#view.setBigUint64(at, BigInt.asUintN(64, value), true);
  }

  #length(length: Length, count: number, scope: Scope): void {
    if (length.from === "prefix") return this.#int(length.int, count);
    if (length.from === "rest") return;
    const expected =
      length.from === "fixed"
        ? length.count
        : length.from === "field"
          ? scope.lengths[length.field]
          : imageBytes(
              length.bits,
              scope.value[length.width] as number,
              scope.value[length.height] as number,
            );
    if (count !== expected) this.#fail("bad-length", `has ${count}, must have ${expected}`);
  }

  #text(node: TextNode, value: unknown, scope: Scope): void {
    if (typeof value !== "string") this.#fail("bad-presence", "must be a string");
    const size = utf8Length(value);
    this.#length(node.length, node.nul === "counted" ? size + 1 : size, scope);
    const at = this.#reserve(node.nul === "none" ? size : size + 1);
    utf8Write(value, this.#scratch, at);
    if (node.nul !== "none") this.#scratch[at + size] = 0;
  }

  #append(value: Uint8Array): void {
    if (value.length < PART_THRESHOLD) {
      const at = this.#reserve(value.length);
      this.#scratch.set(value, at);
      return;
    }
    this.#splices.push({ behind: this.#used, bytes: value });
    this.#foreign += value.length;
  }
}

/** What a `lengthOf` field says about the field it measures; text counts its NUL. */
function measure(value: unknown): number {
  if (typeof value === "string") return utf8Length(value) + 1;
  if (value instanceof Uint8Array || Array.isArray(value)) return value.length;
  return 0;
}
