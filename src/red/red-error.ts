/** A command of the guest that cannot be carried out; only that command is lost. */
export class RedCommandError extends Error {
  override readonly name = "RedCommandError";
}

/** A message of a client that its channel does not allow; that channel client is disconnected. */
export class RedClientError extends Error {
  override readonly name = "RedClientError";
}

/** A surface id that no living surface has. */
export class NoSuchSurface extends Error {
  override readonly name = "NoSuchSurface";
  readonly surfaceId: number;

  constructor(surfaceId: number) {
    super(`there is no surface ${surfaceId}: it was never created or is destroyed`);
    this.surfaceId = surfaceId;
  }
}
