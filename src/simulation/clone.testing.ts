import { SimulatedPort } from "./port.testing.ts";

/**
 * The structured clone of a message, as far as our threads use it: plain objects, arrays, buffers and ports. What is in `transfer` moves, and is
 * gone for the sender; a port that is not in it cannot travel, as in browsers.
 */
export function cloneMessage(message: unknown, transfer: readonly unknown[]): unknown {
  const known = new Map<object, unknown>();
  // Measured while they have their buffers.
  const views = new Map(viewsOf(message));
  for (const one of transfer) {
    if (one instanceof SimulatedPort) known.set(one, one);
    else if (one instanceof ArrayBuffer) known.set(one, structuredClone(one, { transfer: [one] }));
  }
  return copy(message, known, views);
}

type Shape = readonly [offset: number, length: number];

function* viewsOf(value: unknown): Iterable<[object, Shape]> {
  if (typeof value !== "object" || value === null || value instanceof SimulatedPort) return;
  if (ArrayBuffer.isView(value)) return yield [value, [value.byteOffset, value.byteLength]];
  if (value instanceof ArrayBuffer) return;
  for (const one of Object.values(value)) yield* viewsOf(one);
}

function copy(value: unknown, known: Map<object, unknown>, views: ReadonlyMap<object, Shape>): unknown {
  if (typeof value === "function" || typeof value === "symbol")
    throw new DOMException(`a ${typeof value} cannot be sent`, "DataCloneError");
  if (typeof value !== "object" || value === null) return value;
  const before = known.get(value);
  if (before !== undefined) return before;
  const made = make(value, known, views);
  known.set(value, made);
  return made;
}

function make(value: object, known: Map<object, unknown>, views: ReadonlyMap<object, Shape>): unknown {
  if (value instanceof SimulatedPort)
    throw new DOMException("a port that is not transferred cannot be sent", "DataCloneError");
  if (value instanceof ArrayBuffer) return value.slice(0);
  if (value instanceof Uint8Array) {
    const moved = known.get(value.buffer) as ArrayBuffer | undefined;
    const [offset, length] = views.get(value)!;
    return moved ? new Uint8Array(moved, offset, length) : value.slice();
  }
  if (Array.isArray(value)) return value.map((one) => copy(one, known, views));
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null)
    throw new DOMException(`a ${value.constructor.name} is not sent by any of our threads`, "DataCloneError");
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, copy(one, known, views)]));
}
