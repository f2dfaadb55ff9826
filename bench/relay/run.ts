/** CPU that a byte costs the relay each way, against websockify between the same two ends, in one run. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { WebSocket } from "ws";
import { RELAY_CONTROL_PROTOCOL } from "../../src/relay-control/index.ts";
import { root } from "../../scripts/sources.ts";
import type { Way } from "./traffic.ts";
import { cpuSeconds, toTcp, toWebSocket } from "./traffic.ts";

const LOOPBACK = "127.0.0.1";
/** Bytes of a WebSocket message, and how many bytes of them go through: a command, a picture, a screen. */
const PIECES = [
  { bytes: 512, total: 8 << 20 },
  { bytes: 16 << 10, total: 128 << 20 },
  { bytes: 256 << 10, total: 512 << 20 },
];

interface Subject {
  readonly pid: number;
  readonly way: Way;
  end(): void;
}

/** A link to main without capabilities; REDQ, version 2.2, 18 bytes. */
const LINK = Buffer.concat([
  Buffer.from("REDQ"),
  Buffer.from(Uint32Array.of(2, 2, 18).buffer),
  Buffer.from([0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 18, 0, 0, 0]),
]);
const TICKET_BYTES = 128;
/** SpiceLinkReply: no error, a key of 162 bytes, no capabilities; then the link's result, 0. */
const REPLY = Buffer.concat([
  Buffer.from("REDQ"),
  Buffer.from(Uint32Array.of(2, 2, 178).buffer),
  Buffer.alloc(4 + 162),
  Buffer.from(Uint32Array.of(0, 0, 178).buffer),
  Buffer.alloc(4),
]);

async function line(child: ChildProcess): Promise<string> {
  let text = "";
  for await (const piece of child.stdout!) {
    text += String(piece);
    if (text.includes("\n")) return text.slice(0, text.indexOf("\n"));
  }
  throw new Error("the program ended");
}

/** A whole SPICE message of a channel with full headers, so many bytes long: what the relay follows. */
function message(bytes: number): Uint8Array {
  const whole = Buffer.alloc(bytes, 0x5a);
  whole.writeBigUInt64LE(1n, 0);
  whole.writeUInt16LE(103, 8);
  whole.writeUInt32LE(bytes - 18, 10);
  whole.writeUInt32LE(0, 14);
  return whole;
}

/** Our relay, with a connection whose link is done. */
async function startRelay(): Promise<Subject> {
  const script = join(root, "bench/relay/relay-process.ts");
  const child = spawn(process.execPath, ["--import", "tsx", script], {
    stdio: ["ignore", "pipe", "inherit"],
    cwd: root,
  });
  const { spicePort, httpPort, secret } = JSON.parse(await line(child)) as {
    spicePort: number;
    httpPort: number;
    secret: string;
  };
  const base = `ws://${LOOPBACK}:${httpPort}`;
  const host = new WebSocket(`${base}/host`, { perMessageDeflate: false });
  const opened = new Promise<{ id: number; token: string }>((resolve) =>
    host.on("message", (data) => {
      const said = JSON.parse(String(data)) as { type: string; id: number; token: string };
      if (said.type === "open") resolve(said);
    }),
  );
  await once(host, "open");
  const hello = {
    type: "hello",
    protocol: RELAY_CONTROL_PROTOCOL,
    name: "bench",
    version: "1",
    hostId: "bench",
    secret,
  };
  host.send(JSON.stringify({ ...hello, takeOver: false }));
  const tcp = connect({ port: spicePort, host: LOOPBACK });
  tcp.write(LINK);
  const { id, token } = await opened;
  const webSocket = new WebSocket(`${base}/streams/${id}?token=${token}`, { perMessageDeflate: false });
  await once(webSocket, "open");
  const reply = bytesOf(tcp, REPLY.length);
  tcp.write(Buffer.alloc(TICKET_BYTES));
  webSocket.send(REPLY);
  await reply;
  return { pid: child.pid!, way: { tcp, webSocket }, end: () => child.kill() };
}

/** websockify, between a WebSocket and a TCP server here. */
async function startWebsockify(): Promise<Subject> {
  const server = createServer();
  const accepted = once(server, "connection") as Promise<[Socket]>;
  server.listen(0, LOOPBACK);
  await once(server, "listening");
  const target = (server.address() as AddressInfo).port;
  const spare = createServer().listen(0, LOOPBACK);
  await once(spare, "listening");
  const { port } = spare.address() as AddressInfo;
  await new Promise((resolve) => spare.close(resolve));
  const child = spawn("websockify", [`${LOOPBACK}:${port}`, `${LOOPBACK}:${target}`], { stdio: "ignore" });
  await once(child, "spawn").catch(() => {
    throw new Error("websockify is not installed: Debian has it as websockify");
  });
  let webSocket: WebSocket | undefined;
  for (let tries = 0; webSocket === undefined; tries++) {
    const trial = new WebSocket(`ws://${LOOPBACK}:${port}/`, ["binary"], { perMessageDeflate: false });
    const isOpen = await Promise.race([
      once(trial, "open").then(() => true),
      once(trial, "error").then(() => false),
    ]).catch(() => false);
    if (isOpen) webSocket = trial;
    else if (tries > 100) throw new Error("websockify does not answer");
    else await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const [tcp] = await accepted;
  server.close();
  // It forks for each connection.
  const pid = await childOf(child.pid!);
  return { pid, way: { tcp, webSocket }, end: () => void (process.kill(pid), child.kill()) };
}

async function childOf(pid: number): Promise<number> {
  const { readFile } = await import("node:fs/promises");
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, "latin1");
  const [first] = children.trim().split(" ").filter(Boolean);
  return first === undefined ? pid : Number(first);
}

function bytesOf(socket: Socket, count: number): Promise<void> {
  return new Promise((resolve) => {
    let bytes = 0;
    const take = (piece: Buffer) => {
      bytes += piece.length;
      if (bytes < count) return;
      socket.off("data", take);
      resolve();
    };
    socket.on("data", take);
  });
}

export async function runRelay(args: string[]): Promise<void> {
  const { values } = parseArgs({ args, options: { json: { type: "boolean" } } });
  const rows: Record<string, Record<string, number>> = {};
  for (const [name, start] of Object.entries({ relay: startRelay, websockify: startWebsockify })) {
    const { pid, way, end } = await start();
    for (const { bytes, total } of PIECES) {
      const piece = name === "relay" ? message(bytes) : new Uint8Array(bytes).fill(0x5a);
      for (const [direction, send] of Object.entries({
        "host to client": toTcp,
        "client to host": toWebSocket,
      })) {
        await send(way, piece, total >> 4);
        const before = cpuSeconds(pid);
        await send(way, piece, total);
        const row = (rows[`${direction}, ${bytes} bytes`] ??= {});
        row[name] = ((cpuSeconds(pid) - before) * 1e9) / total;
      }
    }
    way.webSocket.terminate();
    way.tcp.destroy();
    end();
  }
  if (values.json) return void process.stdout.write(`${JSON.stringify(rows, undefined, 2)}\n`);
  process.stdout.write("CPU per byte in nanoseconds, and how much less it is than websockify's\n");
  for (const [row, { relay, websockify }] of Object.entries(rows)) {
    const words = [relay.toFixed(3), websockify.toFixed(3), `${(websockify / relay).toFixed(2)} times`];
    process.stdout.write(`  ${row.padEnd(32)} ${words.map((word) => word.padStart(11)).join("")}\n`);
  }
  process.exit(0);
}
