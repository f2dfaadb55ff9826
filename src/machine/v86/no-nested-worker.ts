/**
 * Imported before v86, which decides at its start how it waits: with a Worker at hand it makes one out of a blob, which the page's
 * Content-Security-Policy forbids, and which ends unused as soon as its yield is replaced (yield.ts). This thread makes no workers.
 */
Object.defineProperty(globalThis, "Worker", { value: undefined, configurable: true });
