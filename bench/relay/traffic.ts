/** Bytes through a program between a TCP port and a WebSocket, and what they cost it. */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { Socket } from "node:net";
import type { WebSocket } from "ws";

/** Jiffies a second, in which Linux counts a process's time. */
const HZ = 100;
/** Bytes that may be under way at once. */
const UNDER_WAY_BYTES = 1 << 20;

/** Seconds of CPU that a process has had. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / HZ;
}

export interface Way {
  /** One connection's both ends. */
  readonly tcp: Socket;
  readonly webSocket: WebSocket;
}

/** Sends `bytes` in pieces of `piece` from the WebSocket to the TCP end. */
export async function toTcp({ tcp, webSocket }: Way, piece: Uint8Array, bytes: number): Promise<void> {
  let read = 0;
  const whole = new Promise<void>((resolve) => {
    const take = (data: Buffer) => {
      read += data.length;
      if (read < bytes) return;
      tcp.off("data", take);
      resolve();
    };
    tcp.on("data", take);
  });
  for (let sent = 0; sent < bytes; sent += piece.length) {
    webSocket.send(piece, { binary: true });
    while (webSocket.bufferedAmount > UNDER_WAY_BYTES) await new Promise(setImmediate);
  }
  await whole;
}

/** Sends `bytes` in pieces of `piece` from the TCP end to the WebSocket. */
export async function toWebSocket({ tcp, webSocket }: Way, piece: Uint8Array, bytes: number): Promise<void> {
  let read = 0;
  const whole = new Promise<void>((resolve) => {
    const take = (data: Buffer) => {
      read += data.length;
      if (read < bytes) return;
      webSocket.off("message", take);
      resolve();
    };
    webSocket.on("message", take);
  });
  for (let sent = 0; sent < bytes; sent += piece.length) {
    if (!tcp.write(piece)) await once(tcp, "drain");
  }
  await whole;
}
