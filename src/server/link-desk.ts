import { errorText } from "../errors/index.ts";
import { ChannelTracker } from "../channel/index.ts";
import type { Log } from "../log/index.ts";
import { LinkError, encodeLinkError } from "../protocol/index.ts";
import type { RedStream, StreamPeer, StreamPort, Wire } from "../transport/index.ts";
import { CLIENT_OVERSHOOT, openRedStream } from "../transport/index.ts";
import type { LinkFailed } from "./host-control.ts";
import { LinkPlaces } from "./link-places.ts";
import type { AuthenticatedLink, LinkAttempt } from "./link.ts";
import { LinkRefused, authenticateLink, refuseLink } from "./link.ts";
import { MAX_LINKS } from "./limits.ts";
import type { PasswordGate } from "./password-gate.ts";
import type { ServerConfig } from "./reds-config.ts";
import type { TicketKeyPool } from "./ticket.ts";

/** What the link stage needs of the server around it. */
export interface LinkDeskServer {
  readonly log: Log;
  readonly config: ServerConfig;
  /** Whether a session of that id goes on. */
  isSession(connectionId: number): boolean;
  /** A client that may come in. @throws LinkRefused if there is no such channel for it */
  admitted(link: AuthenticatedLink, peer: StreamPeer): Promise<void>;
  /** A password was wrong or has expired. */
  linkFailed(event: LinkFailed): void;
}

export interface LinkDeskOptions {
  readonly keys: TicketKeyPool;
  readonly gate: PasswordGate;
  /** Milliseconds for each step of a link; see LINK_DEADLINE_MS. */
  readonly deadlineMs: number | undefined;
}

/** The link stage of all connections (reds_handle_new_link and what follows): they have places here until they are in, or refused. */
export class LinkDesk {
  readonly #server: LinkDeskServer;
  readonly #options: LinkDeskOptions;
  readonly #places = new LinkPlaces(MAX_LINKS);
  readonly #attempts = new Set<LinkAttempt>();
  /** Links with a wrong password that are still to be answered. */
  readonly #unanswered = new Set<RedStream>();
  #closed = false;

  constructor(server: LinkDeskServer, options: LinkDeskOptions) {
    this.#server = server;
    this.#options = options;
  }

  /** Connections in their link stage. */
  get size(): number {
    return this.#places.size;
  }

  /** As {@link Reds.accept}. */
  async accept(port: StreamPort, peer: StreamPeer, wire?: Wire): Promise<void> {
    if (wire) wire.watcher = new ChannelTracker();
    const stream = openRedStream(port, { overshoot: CLIENT_OVERSHOOT });
    if (this.#closed) {
      stream.write(encodeLinkError(LinkError.Error));
      stream.close("the server is closing");
      return;
    }
    const place = this.#places.take(() => attempt.abort(`more than ${MAX_LINKS} links at once`));
    const attempt: LinkAttempt = authenticateLink(stream, {
      ...this.#options,
      ticketing: this.#server.config.ticketing,
      address: hostOf(peer.address),
      isSession: (id) => this.#server.isSession(id),
      onStage: (stage) => place.advance(stage),
      onWrongPassword: (failure) => {
        this.#unanswered.add(stream);
        this.#server.linkFailed({ peer, code: "PASSWORD_WRONG", ...failure });
      },
      onAnswered: () => this.#unanswered.delete(stream),
    });
    this.#attempts.add(attempt);
    try {
      const link = { ...(await attempt.done), wire };
      if (this.#closed) throw refuseLink(link, LinkError.Error, "the server is closing");
      await this.#server.admitted(link, peer);
    } catch (error) {
      this.#server.log.log("info", "links", `link from ${peer.address} refused: ${errorText(error)}`);
      if (error instanceof LinkRefused && error.code === "PASSWORD_EXPIRED")
        this.#server.linkFailed({ peer, code: error.code });
      if (!stream.closed && !this.#unanswered.has(stream)) stream.close("the link failed");
    } finally {
      this.#attempts.delete(attempt);
      place.leave();
    }
  }

  /** Nobody comes in any more, and who is half in hears so. */
  close(reason: string): void {
    this.#closed = true;
    for (const attempt of this.#attempts) attempt.abort(reason);
    for (const stream of this.#unanswered) stream.close(reason);
    this.#unanswered.clear();
  }
}

/** An address without its port: who it is, as far as passwords are concerned. */
function hostOf(address: string): string {
  return address.replace(/:\d+$/, "");
}
