/** First message to the red worker, with all ports transferred. */
export interface RedWorkerStart {
  readonly type: "start";
  /** The worker holds the lock `red:<id>` for as long as it lives. */
  readonly id: string;
  /** RedWorkerMessages in, MainMessages out. */
  readonly core: MessagePort;
  /** RedWorkerMessages in, from the page. */
  readonly page: MessagePort;
}
