import { WebSocket } from "ws";

/** What DevTools' protocol says of a page or worker. */
interface Target {
  readonly targetId: string;
  readonly type: string;
  readonly title: string;
  readonly url: string;
}

interface Answer {
  readonly id?: number;
  readonly method?: string;
  readonly params?: { readonly sessionId: string; readonly targetInfo: Target };
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

/** Milliseconds that a page may take to tell of its workers. */
const WORKERS_MS = 500;

/**
 * The page of a `--headless --devtools-port` host and all its threads, core's SharedWorker among them, which Playwright does not show.
 * No domain is enabled: DevTools that watch something keep some of what they see.
 */
export class DevTools implements Disposable {
  /** The session of each thread by its name: page, guest, red, core. */
  readonly threads = new Map<string, string>();
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #last = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on("message", (text) => {
      const answer = JSON.parse(String(text)) as Answer;
      if (answer.id !== undefined) this.#answer(answer.id, answer);
      else if (answer.method === "Target.attachedToTarget" && answer.params) {
        const { sessionId, targetInfo } = answer.params;
        this.threads.set(targetInfo.type === "page" ? "page" : targetInfo.title, sessionId);
      }
    });
    socket.on("close", () => {
      for (const id of this.#waiting.keys()) this.#answer(id, { error: { message: "its connection ended" } });
    });
  }

  static async attach(port: number): Promise<DevTools> {
    const version = await fetch(`http://127.0.0.1:${port}/json/version`);
    const { webSocketDebuggerUrl } = (await version.json()) as { webSocketDebuggerUrl: string };
    const socket = new WebSocket(webSocketDebuggerUrl);
    await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
    const devtools = new DevTools(socket);
    const { targetInfos } = await devtools.#send<{ targetInfos: Target[] }>("Target.getTargets", {});
    for (const { targetId, type, url } of targetInfos) {
      if (type !== "shared_worker" && !(type === "page" && url.startsWith("http"))) continue;
      const attached = { targetId, flatten: true };
      const { sessionId } = await devtools.#send<{ sessionId: string }>("Target.attachToTarget", attached);
      const workers = { autoAttach: true, waitForDebuggerOnStart: false, flatten: true };
      if (type === "page") await devtools.#send("Target.setAutoAttach", workers, sessionId);
    }
    await new Promise((resolve) => setTimeout(resolve, WORKERS_MS));
    return devtools;
  }

  /** Sends a command to a thread. */
  async send<T>(thread: string, method: string, params: object = {}): Promise<T> {
    const session = this.threads.get(thread);
    if (session === undefined) throw new Error(`the page has no thread ${thread}`);
    return this.#send<T>(method, params, session);
  }

  /** Runs an expression in a thread, and waits for its promise. */
  async evaluate<T>(thread: string, expression: string): Promise<T> {
    const params = { expression, awaitPromise: true, returnByValue: true };
    const { result, exceptionDetails } = await this.send<{
      result: { value: T };
      exceptionDetails?: { exception?: { description?: string } };
    }>(thread, "Runtime.evaluate", params);
    if (exceptionDetails) throw new Error(`in ${thread}: ${exceptionDetails.exception?.description}`);
    return result.value;
  }

  async #send<T>(method: string, params: object, sessionId?: string): Promise<T> {
    const id = ++this.#last;
    const { result, error } = await new Promise<Answer>((resolve) => {
      this.#waiting.set(id, resolve);
      this.#socket.send(JSON.stringify({ id, method, params, sessionId }));
    });
    if (error) throw new Error(`DevTools did not do ${method}: ${error.message}`);
    return result as T;
  }

  #answer(id: number, answer: Answer): void {
    this.#waiting.get(id)?.(answer);
    this.#waiting.delete(id);
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }
}
