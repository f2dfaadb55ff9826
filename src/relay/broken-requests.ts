import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { refuseUpgrade } from "./refused-upgrade.ts";

/** Status and words for what Node's parser gives up on; all else is 400. */
const ANSWERS: Readonly<Record<string, readonly [status: number, words: string]>> = {
  HPE_HEADER_OVERFLOW: [431, "the headers are too large"],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: [413, "the chunk extensions are too large"],
  ERR_HTTP_REQUEST_TIMEOUT: [408, "the request did not come in time"],
};

/**
 * Answers what never becomes a request, or what Node would answer by itself, with a word and the headers of every other
 * answer, and lets go of the connection.
 */
export function answerBrokenRequests(
  server: Server,
  headers: (request?: IncomingMessage) => Readonly<Record<string, string>>,
  closeDeadlineMs: number,
): void {
  const answering = new WeakMap<Socket, ServerResponse>();
  const done = new WeakSet<Socket>();
  server.on("request", ({ socket }: IncomingMessage, response: ServerResponse) => {
    answering.set(socket, response);
    response.once("close", () => answering.delete(socket));
  });
  server.on("clientError", (error: NodeJS.ErrnoException, socket: Socket) => {
    // What still comes behind the fault is another fault to the parser.
    if (done.has(socket)) return;
    done.add(socket);
    // In the middle of an answer there is no place for another one, and whoever went away hears none.
    if (!socket.writable || answering.get(socket)?.headersSent) {
      socket.destroy();
      return;
    }
    const [status, words] = ANSWERS[error.code ?? ""] ?? [400, "this is not HTTP as a browser speaks it"];
    refuseUpgrade(socket, status, words, headers(), closeDeadlineMs);
  });
  server.on("checkExpectation", (request: IncomingMessage, response: ServerResponse) => {
    const text = { "Content-Type": "text/plain; charset=utf-8", Connection: "close" };
    response.writeHead(417, { ...headers(request), ...text }).end("nothing is expected here\n");
  });
}
