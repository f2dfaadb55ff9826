import { constants, createPublicKey, publicEncrypt } from "node:crypto";
import { expect, test } from "vitest";
import { TICKET_PUBKEY_SIZE } from "../protocol/index.ts";
import { KEY_POOL_SIZE, KEY_SHARES_MAX } from "./limits.ts";
import { TicketKeyPool } from "./ticket.ts";
import { eventually } from "../waiting.testing.ts";

function seal(publicKey: Uint8Array, text: Uint8Array): Uint8Array {
  const key = createPublicKey({ key: Buffer.from(publicKey), format: "der", type: "spki" });
  return publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING }, text);
}

test("keys are made ahead and each is given away once; a flood shares the last, and nobody waits for more", async () => {
  const pool = new TicketKeyPool(() => Promise.resolve());
  await eventually(() => pool.ready === KEY_POOL_SIZE);
  let answered = 0;
  const takes = Array.from({ length: KEY_POOL_SIZE + KEY_SHARES_MAX }, async () => {
    const { publicKey } = await pool.take();
    answered++;
    return publicKey.join();
  });
  // In the same turn, so that no key can have been made meanwhile: only one is waited for.
  await Promise.resolve();
  await Promise.resolve();
  expect(answered).toBe(takes.length - 1);
  const keys = await Promise.all(takes);
  expect(new Set(keys.slice(0, KEY_POOL_SIZE)).size).toBe(KEY_POOL_SIZE);
  expect(new Set(keys.slice(KEY_POOL_SIZE - 1, -1)).size).toBe(1);
  expect(keys.at(-1)).not.toBe(keys.at(-2));
  await eventually(() => pool.ready === KEY_POOL_SIZE);
});

test("one key is made at a time, with a rest in proportion behind it, unless somebody has none", async () => {
  const rests: { workedMs: number; end: () => void }[] = [];
  const pool = new TicketKeyPool((workedMs) => new Promise((end) => rests.push({ workedMs, end })));
  await eventually(() => rests.length === 1);
  expect(rests[0].workedMs).toBeGreaterThan(0);
  expect(pool.ready).toBe(1);
  const first = await pool.take();
  // A flood in the rest gets that one.
  const flood = await Promise.all(Array.from({ length: KEY_SHARES_MAX - 1 }, () => pool.take()));
  expect(new Set([first, ...flood]).size).toBe(1);
  expect(rests).toHaveLength(1);
  // No more may have it: the rest is over.
  expect(await pool.take()).not.toBe(first);
  await eventually(() => rests.length === 2);
  expect(pool.ready).toBe(0);
  rests[1].end();
  await eventually(() => rests.length === 3);
  expect(pool.ready).toBe(1);
});

test("links whose tickets nobody looks at cost no keys", async () => {
  const pool = new TicketKeyPool(() => Promise.resolve());
  const first = await pool.takeAny();
  await eventually(() => pool.ready === KEY_POOL_SIZE);
  const keys = await Promise.all(Array.from({ length: 1000 }, () => pool.takeAny()));
  expect(new Set([first, ...keys]).size).toBe(1);
  expect(pool.ready).toBe(KEY_POOL_SIZE);
});

test("a key opens a ticket once, so that one overheard is worth nothing to a link that shares the key", async () => {
  const key = await new TicketKeyPool().take();
  const ticket = seal(key.publicKey, Buffer.from("geheim\0"));
  expect(new TextDecoder().decode(await key.open(ticket))).toBe("geheim");
  expect(await key.open(ticket)).toBeUndefined();
  expect(await key.open(seal(key.publicKey, Buffer.from("geheim\0")))).toBeDefined();
});

test("a ticket is opened by its own key only; its password ends at the first NUL", async () => {
  const pool = new TicketKeyPool();
  const [key, other] = [await pool.take(), await pool.take()];
  expect(key.publicKey).toHaveLength(TICKET_PUBKEY_SIZE);
  const ticket = seal(key.publicKey, Buffer.from("geheim\0rest"));
  expect(new TextDecoder().decode(await key.open(ticket))).toBe("geheim");
  expect(await other.open(ticket)).toBeUndefined();
  expect(await key.open(new Uint8Array(128))).toBeUndefined();
  expect(await key.open(seal(key.publicKey, Buffer.from("no nul")))).toEqual(
    new TextEncoder().encode("no nul"),
  );
});
