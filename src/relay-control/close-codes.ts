/** WebSocket close codes of the relay (4000–4999 are for applications, RFC 6455 §7.4.2). */
export const RelayClose = {
  /** The work is done. */
  normal: 1000,
  /** The relay is shutting down. */
  goingAway: 1001,
  /** A message broke the control contract. */
  protocolError: 1002,
  /** The hosting tab refused that client. */
  policy: 1008,
  /** No tab is hosting, or a limit is reached: try again later. */
  tryAgainLater: 1013,
  /** The same host opened a newer control connection. */
  replaced: 4002,
  /** Nothing was heard for too long. */
  silent: 4003,
  /** The secret is not the one of this start: dialling again is of no use before a person gives another. */
  secretRefused: 4004,
  /** The tab speaks another version of the control protocol: its page is of another build than the relay. */
  otherProtocol: 4005,
  /** As protocolError, from a tab: a browser gives a page no codes below 3000. */
  badMessage: 4006,
} as const;
