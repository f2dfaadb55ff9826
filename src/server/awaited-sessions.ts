import { RESUME_WAIT_MS } from "./limits.ts";
import type { RedClient } from "./red-client.ts";
import { NotResumed } from "./resumed-link.ts";

interface Waiting {
  readonly resolve: (client: RedClient) => void;
  readonly reject: (error: Error) => void;
  readonly deadline: ReturnType<typeof setTimeout>;
}

/** Channels of sessions that go on, and whose main channel, without which there is no session, is still on its way. */
export class AwaitedSessions {
  readonly #waiting = new Map<number, Waiting[]>();

  /** The session of that connection id, once it is there. @throws if it does not come in time */
  of(connectionId: number): Promise<RedClient> {
    return new Promise((resolve, reject) => {
      const deadline = setTimeout(() => {
        this.#end(connectionId, new NotResumed(`the main channel of session ${connectionId} did not come`));
      }, RESUME_WAIT_MS);
      const others = this.#waiting.get(connectionId) ?? [];
      this.#waiting.set(connectionId, [...others, { resolve, reject, deadline }]);
    });
  }

  /** It is there. */
  come(client: RedClient): void {
    for (const { resolve, deadline } of this.#take(client.connectionId)) {
      clearTimeout(deadline);
      resolve(client);
    }
  }

  /** Nothing comes any more. */
  close(reason: string): void {
    for (const connectionId of this.#waiting.keys()) this.#end(connectionId, new NotResumed(reason));
  }

  #end(connectionId: number, error: Error): void {
    for (const { reject, deadline } of this.#take(connectionId)) {
      clearTimeout(deadline);
      reject(error);
    }
  }

  #take(connectionId: number): readonly Waiting[] {
    const waiting = this.#waiting.get(connectionId) ?? [];
    this.#waiting.delete(connectionId);
    return waiting;
  }
}
