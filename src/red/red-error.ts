import { CodedError } from "../errors/index.ts";

/** A command of the guest that cannot be carried out; only that command is lost. */
export class RedCommandError extends CodedError {
  override readonly name = "RedCommandError";
  readonly code = "RED_COMMAND";
}

/** A message of a client that its channel does not allow; that channel client is disconnected. */
export class RedClientError extends CodedError {
  override readonly name = "RedClientError";
  readonly code = "RED_CLIENT";
}

/** A surface id that no living surface has. */
export class NoSuchSurface extends CodedError {
  override readonly name = "NoSuchSurface";
  readonly code = "NO_SUCH_SURFACE";
  readonly surfaceId: number;

  constructor(surfaceId: number) {
    super(`there is no surface ${surfaceId}: it was never created or is destroyed`);
    this.surfaceId = surfaceId;
  }
}
