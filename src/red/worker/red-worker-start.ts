/** First message to the red worker, with all ports transferred. */
export interface RedWorkerStart {
  readonly type: "start";
  /** The worker holds the lock `red:<id>` for as long as it lives. */
  readonly id: string;
  /** Number of its display and cursor channels, that of the QXL device; 0 if absent. */
  readonly channelId?: number;
  /** RedWorkerMessages in, MainMessages out. */
  readonly core: MessagePort;
  /** RedWorkerMessages in, from the page. */
  readonly page: MessagePort;
}
