import { constants, createPublicKey, publicEncrypt } from "node:crypto";
import { expect, test } from "vitest";
import { TICKET_PUBKEY_SIZE } from "../protocol/index.ts";
import { eventually } from "../transport/compliance.testing.ts";
import { KEY_POOL_SIZE } from "./limits.ts";
import { TicketKeyPool } from "./ticket.ts";

function seal(publicKey: Uint8Array, text: Uint8Array): Uint8Array {
  const key = createPublicKey({ key: Buffer.from(publicKey), format: "der", type: "spki" });
  return publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING }, text);
}

test("keys are made ahead, each is given away once, and a flood waits its turn", async () => {
  const pool = new TicketKeyPool();
  await eventually(() => pool.ready === KEY_POOL_SIZE);
  const keys = await Promise.all(Array.from({ length: KEY_POOL_SIZE + 4 }, () => pool.take()));
  expect(new Set(keys.map(({ publicKey }) => publicKey.join())).size).toBe(keys.length);
  await eventually(() => pool.ready === KEY_POOL_SIZE);
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
