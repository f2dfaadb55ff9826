import { connect, type Socket } from "node:net";
import { ChannelType } from "../../src/protocol/index.ts";
import { pause, scaled } from "./attack.ts";
import type { Attack, Target } from "./attack.ts";
import { RawChannel, rawLinkMessage } from "./raw-channel.ts";

/** Sockets open at once; below what a process may open by default. */
const CROWD = 800;

const TICKET_BYTES = 128;

/** Half-open links a second of a crowd that renews itself. */
const RENEWED_PER_SECOND = 50;

/** Opens a crowd, lets an honest client in meanwhile, and leaves. `speak` is what each of the crowd does first. */
async function crowd(target: Target, speak: (socket: Socket, turn: number) => void): Promise<string> {
  const sockets: Socket[] = [];
  const count = scaled(CROWD, target);
  try {
    for (let i = 0; i < count; i++) {
      const socket = connect({ port: target.port, host: "127.0.0.1" });
      socket.on("error", () => {});
      socket.once("connect", () => speak(socket, i));
      sockets.push(socket);
      if (i % 50 === 49) await pause(20);
    }
    await pause(500);
    return await letIn(target, `${count} others`);
  } finally {
    for (const socket of sockets) socket.destroy();
  }
}

/** @throws Error when one of five honest clients does not get in */
async function letIn(target: Target, others: string): Promise<string> {
  let refused = 0;
  for (let i = 0; i < 5; i++) {
    using honest = await RawChannel.open(target.port);
    const wish = { channelType: ChannelType.Main, password: target.password };
    if ((await honest.link(wish).catch(() => -1)) !== 0) refused++;
  }
  if (refused > 0) throw new Error(`${refused} of 5 honest clients were kept out by ${others}`);
  return `5 of 5 honest clients got in beside ${others}`;
}

/** New ones all the time, each with a whole link and a ticket less one byte; none leaves before it is cut. */
async function renewingCrowd(target: Target): Promise<string> {
  const sockets = new Set<Socket>();
  const timer = setInterval(() => {
    const socket = connect({ port: target.port, host: "127.0.0.1" });
    sockets.add(socket);
    socket.on("error", () => {});
    socket.once("close", () => sockets.delete(socket));
    socket.once("connect", () => socket.write(rawLinkMessage({ channelType: 1 })));
    socket.once("data", () => socket.write(Buffer.alloc(TICKET_BYTES - 1)));
  }, 1000 / RENEWED_PER_SECOND);
  try {
    await pause(8_000 * target.scale);
    return await letIn(target, `${RENEWED_PER_SECOND} new half-open links a second`);
  } finally {
    clearInterval(timer);
    for (const socket of sockets) socket.destroy();
  }
}

/** Each: many connections that hold places and say little. */
export const CROWDS: readonly Attack[] = [
  { name: "a crowd that says nothing", run: (target) => crowd(target, () => {}) },
  {
    name: "a crowd that says the first half of a link",
    run: (target) =>
      crowd(target, (socket) => void socket.write(rawLinkMessage({ channelType: 1 }).subarray(0, 20))),
  },
  {
    name: "a crowd that waits for its ticket",
    run: (target) => crowd(target, (socket) => void socket.write(rawLinkMessage({ channelType: 1 }))),
  },
  { name: "a crowd of half tickets that renews itself", run: renewingCrowd },
  {
    name: "a crowd that says a byte each second",
    run: (target) =>
      crowd(target, (socket) => {
        const link = rawLinkMessage({ channelType: 1 });
        let at = 0;
        const timer = setInterval(() => {
          if (socket.destroyed || at >= link.length) clearInterval(timer);
          else socket.write(link.subarray(at, ++at));
        }, 1000);
        socket.once("close", () => clearInterval(timer));
      }),
  },
  {
    name: "a crowd that ends its half at once",
    run: (target) => crowd(target, (socket) => void socket.end()),
  },
];
