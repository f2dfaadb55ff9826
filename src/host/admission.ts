import { errorText } from "../errors/index.ts";
import { awaitServer } from "./await-server.ts";
import { SecretRefused, ServerUnavailable, fetchConfig, fetchHealth } from "./config.ts";
import type { PageConfig, PageHealth } from "./config.ts";
import type { HostStore } from "./host-store.ts";
import { absentServerProblem, configProblem } from "./problems.ts";
import { keepSecret, secretsToTry } from "./secret.ts";

/** The server and the browser, as far as they decide on who may host. */
export interface AdmissionSources {
  fetchConfig(secret: string): Promise<PageConfig>;
  fetchHealth(): Promise<PageHealth>;
  secretsToTry(): readonly string[];
  keepSecret(secret: string): void;
  /** The server is there again: the page begins anew. */
  comeBack(): void;
}

const BROWSER: AdmissionSources = {
  fetchConfig,
  fetchHealth,
  secretsToTry,
  keepSecret,
  comeBack: () => void awaitServer().then(() => location.reload()),
};

/** Whether this page may host: the server gives its configuration to whoever knows the secret of its start. */
export class Admission {
  readonly #store: HostStore;
  readonly #sources: AdmissionSources;
  #config: PageConfig | undefined;
  #secret = "";

  constructor(store: HostStore, sources: AdmissionSources = BROWSER) {
    this.#store = store;
    this.#sources = sources;
  }

  /** Undefined until the server has taken a secret. */
  get config(): PageConfig | undefined {
    return this.#config;
  }

  get secret(): string {
    return this.#secret;
  }

  /** Secrets that this browser may have; to be asked for early, since the one of the address is taken out of it. */
  secretsToTry(): readonly string[] {
    return this.#sources.secretsToTry();
  }

  /** Tries them in turn. @returns whether the server took one; the state says what is wrong else */
  async enter(secrets: readonly string[]): Promise<boolean> {
    for (const secret of secrets) {
      if (await this.unlock(secret)) return true;
      // What is wrong with the server is no better with another secret.
      if (this.#store.state.phase === "failed") return false;
    }
    this.#store.update({ phase: "locked" });
    await this.tellHowToJoin();
    return false;
  }

  /** True when the server takes the secret and gave its configuration. @param isRunning there is a machine, whatever the server says */
  async unlock(secret: string, isRunning = () => false): Promise<boolean> {
    try {
      this.#config = await this.#sources.fetchConfig(secret);
    } catch (error) {
      if (error instanceof SecretRefused) this.#store.update({ secretRefused: true });
      else if (!isRunning() && error instanceof ServerUnavailable) {
        this.#store.update({ phase: "failed", problem: absentServerProblem(error.message) });
        this.#sources.comeBack();
      } else if (!isRunning())
        this.#store.update({ phase: "failed", problem: configProblem(errorText(error)) });
      return false;
    }
    this.#secret = secret;
    this.#sources.keepSecret(secret);
    const { guest, version, password, passwordValidUntil, spice, webSocketUrl } = this.#config;
    const join = { ...this.#store.state.join, password, passwordValidUntil, spice, webSocketUrl };
    this.#store.update({ level: guest, version, join, secretRefused: false });
    return true;
  }

  /** For whoever may not host: how to join is no secret. */
  async tellHowToJoin(): Promise<void> {
    const health = await this.#sources.fetchHealth().catch(() => undefined);
    if (health === undefined || this.#config !== undefined) return;
    const { hosting, spice, webSocketUrl } = health;
    const relay = hosting ? ("connected" as const) : ("vacant" as const);
    this.#store.update({ join: { ...this.#store.state.join, relay, spice, webSocketUrl } });
  }
}
