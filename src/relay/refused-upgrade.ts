import { STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";

/**
 * Answers an HTTP upgrade with an ordinary refusal, and lets go of the socket: a peer that never closes its half would
 * keep it otherwise.
 */
export function refuseUpgrade(
  socket: Duplex,
  status: number,
  words: string,
  headers: Readonly<Record<string, string>>,
  closeDeadlineMs: number,
): void {
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    "Connection: close",
    "Content-Type: text/plain; charset=utf-8",
    `Content-Length: ${Buffer.byteLength(words)}`,
  ];
  socket.end(`${lines.join("\r\n")}\r\n\r\n${words}`);
  // Read on, so that its end is seen.
  socket.resume();
  const deadline = setTimeout(() => socket.destroy(), closeDeadlineMs);
  socket.once("close", () => clearTimeout(deadline));
}
