import { CodedError } from "../errors/index.ts";
import { MAX_PASSWORD_LENGTH, TICKET_PUBKEY_SIZE } from "../protocol/index.ts";
import { KEY_POOL_SIZE, KEY_REST_TIMES, KEY_SHARES_MAX } from "./limits.ts";

/** One link's key pair: the public half goes out in the link reply, the private half opens the ticket once. */
export interface TicketKey {
  /** DER SubjectPublicKeyInfo, 162 bytes. */
  readonly publicKey: Uint8Array;
  /** The password inside, without its NUL; undefined if this is no ticket for this key, or one that it has opened before. */
  open(ticket: Uint8Array): Promise<Uint8Array | undefined>;
}

// RSA-1024 with OAEP and SHA-1 is what every SPICE client demands (SPICE_TICKET_KEY_PAIR_LENGTH); it protects the password on the
// way, nothing else.
const ALGORITHM = {
  name: "RSA-OAEP",
  modulusLength: 1024,
  publicExponent: new Uint8Array([1, 0, 1]),
  hash: "SHA-1",
} as const;

async function makeKey(): Promise<TicketKey> {
  const pair = await crypto.subtle.generateKey(ALGORITHM, true, ["encrypt", "decrypt"]);
  const publicKey = new Uint8Array(await crypto.subtle.exportKey("spki", pair.publicKey));
  if (publicKey.length !== TICKET_PUBKEY_SIZE) {
    throw new Error(
      `the platform exports RSA-1024 keys in ${publicKey.length} bytes, SPICE has ${TICKET_PUBKEY_SIZE}`,
    );
  }
  const opened = new Set<string>();
  return {
    publicKey,
    async open(ticket) {
      // Sealing is random, so nobody seals the same twice: this one was overheard.
      const seal = ticket.join();
      if (opened.has(seal)) return undefined;
      opened.add(seal);
      try {
        const clear = new Uint8Array(
          await crypto.subtle.decrypt(ALGORITHM.name, pair.privateKey, ticket.slice()),
        );
        const end = clear.indexOf(0);
        return end < 0 ? clear : clear.subarray(0, end);
      } catch {
        return undefined;
      }
    },
  };
}

/** Resolves when a pool that has worked for so many milliseconds may work again. */
export type KeyRest = (workedMs: number) => Promise<void>;

const restInProportion: KeyRest = (workedMs) =>
  new Promise((resolve) => setTimeout(resolve, KEY_REST_TIMES * workedMs));

/**
 * Fresh ticket keys without the wait: making one takes tens of milliseconds of a processor that is also needed for input. One is made at
 * a time, with a rest behind it, however many links ask. Links that come faster share the newest key, so that nobody waits behind
 * them; a key opens each ticket once, so one overheard is worth nothing still.
 */
export class TicketKeyPool {
  readonly #rest: KeyRest;
  readonly #ready: TicketKey[] = [];
  readonly #waiting: ((key: TicketKey | Error) => void)[] = [];
  #making = false;
  #endRest: (() => void) | undefined;
  #newest: TicketKey | undefined;
  #shares = 0;

  constructor(rest: KeyRest = restInProportion) {
    this.#rest = rest;
    void this.#fill();
  }

  get ready(): number {
    return this.#ready.length;
  }

  /** A key for one link; in a flood, one that a few others have as well. */
  async take(): Promise<TicketKey> {
    const key = this.#ready.shift();
    void this.#fill();
    if (key) {
      this.#newest = key;
      this.#shares = 0;
      return key;
    }
    if (this.#newest && ++this.#shares < KEY_SHARES_MAX) return this.#newest;
    return this.#wait();
  }

  /** A key for a link whose ticket nobody will look at: any that there is. */
  async takeAny(): Promise<TicketKey> {
    this.#newest ??= this.#ready.shift();
    void this.#fill();
    return (this.#newest ??= await this.#wait());
  }

  async #wait(): Promise<TicketKey> {
    const made = await new Promise<TicketKey | Error>((resolve) => {
      this.#waiting.push(resolve);
      this.#endRest?.();
    });
    if (made instanceof Error) throw made;
    return made;
  }

  async #fill(): Promise<void> {
    if (this.#making) return;
    this.#making = true;
    try {
      while (this.#waiting.length > 0 || this.#ready.length < KEY_POOL_SIZE) {
        const began = performance.now();
        const key = await makeKey();
        const waiting = this.#waiting.shift();
        if (waiting) waiting(key);
        else this.#ready.push(key);
        if (this.#waiting.length > 0) continue;
        await new Promise<void>((resolve) => {
          this.#endRest = resolve;
          void this.#rest(performance.now() - began).then(resolve);
        });
        this.#endRest = undefined;
      }
    } catch (error) {
      const failure = error instanceof Error ? error : new Error(String(error));
      for (const waiting of this.#waiting.splice(0)) waiting(failure);
    } finally {
      this.#making = false;
    }
  }
}

/** A password that no SPICE ticket can hold. */
export class PasswordTooLong extends CodedError {
  override readonly name = "PasswordTooLong";
  readonly code = "PASSWORD_TOO_LONG";
  constructor() {
    super(`a SPICE password has at most ${MAX_PASSWORD_LENGTH} bytes of UTF-8; choose a shorter one`);
  }
}

/** What a link must show. */
export class Ticketing {
  readonly #expected: Uint8Array | undefined;
  readonly #validUntil: number;

  /**
   * @param password empty or absent: every ticket is good.
   * @param validUntil milliseconds since 1970 from which on the password lets nobody in (spice_server_set_ticket's lifetime).
   * @throws PasswordTooLong
   */
  constructor(password: string | undefined, validUntil = Number.POSITIVE_INFINITY) {
    this.#validUntil = validUntil;
    if (!password) return;
    this.#expected = new TextEncoder().encode(password);
    if (this.#expected.length > MAX_PASSWORD_LENGTH) throw new PasswordTooLong();
  }

  get required(): boolean {
    return this.#expected !== undefined;
  }

  /** Whether the password lets nobody in any more. */
  expired(now = Date.now()): boolean {
    return this.required && now >= this.#validUntil;
  }

  /** Compares in time that depends on neither password, only on the longest there may be. */
  accepts(given: Uint8Array | undefined): boolean {
    const expected = this.#expected;
    if (expected === undefined) return true;
    const candidate = given ?? new Uint8Array(0);
    let difference = candidate.length ^ expected.length;
    for (let i = 0; i < MAX_PASSWORD_LENGTH; i++) difference |= (candidate[i] ?? 0) ^ (expected[i] ?? 0);
    return difference === 0;
  }
}
