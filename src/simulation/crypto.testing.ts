import { generateKeyPairSync } from "node:crypto";
import { TICKET_SIZE } from "../protocol/index.ts";
import { SeededRandom } from "./random.testing.ts";

let publicKey: Uint8Array<ArrayBuffer> | undefined;

/** A real key of a ticket's kind; made once, since making one takes as long as a whole simulation. */
function ticketKey(): ArrayBuffer {
  publicKey ??= new Uint8Array(
    generateKeyPairSync("rsa", { modulusLength: 1024 }).publicKey.export({ format: "der", type: "spki" }),
  );
  return publicKey.slice().buffer;
}

/** `crypto` whose chances the seed decides, and whose answers come in the same turn. Tickets sealed for it are never opened. */
export function simulatedCrypto(seed: number): unknown {
  const random = new SeededRandom(seed ^ 0x5eed);
  return {
    getRandomValues<T extends Uint8Array | Uint32Array>(array: T): T {
      for (let i = 0; i < array.length; i++) array[i] = random.below(0x1_0000_0000);
      return array;
    },
    randomUUID: () => `00000000-0000-4000-8000-${random.below(0x1_0000_0000).toString(16).padStart(12, "0")}`,
    subtle: {
      generateKey: async () => ({ publicKey: "public", privateKey: "private" }),
      exportKey: async () => ticketKey(),
      importKey: async () => "public",
      encrypt: async () => new ArrayBuffer(TICKET_SIZE),
      decrypt: async () => {
        throw new Error("there are no passwords in the simulation");
      },
    },
  };
}
