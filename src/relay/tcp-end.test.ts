import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { expect, onTestFinished, test, vi } from "vitest";
import { DEFAULT_RELAY_LIMITS } from "./limits.ts";
import { TcpEnd } from "./tcp-end.ts";

test("what is written in one go is handed to the system in one go, and arrives as it was", async () => {
  const server = createServer({ allowHalfOpen: true }).listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await once(server, "listening");
  const client = connect({ port: (server.address() as AddressInfo).port, host: "127.0.0.1" });
  const [socket] = (await once(server, "connection")) as [Socket];
  const single = vi.spyOn(socket, "_write");
  const together = vi.spyOn(socket, "_writev");
  const end = new TcpEnd(socket, DEFAULT_RELAY_LIMITS);
  for (const word of ["one ", "two ", "three"]) expect(end.write(Buffer.from(word))).toBe(true);
  end.end();
  const arrived: Buffer[] = [];
  for await (const piece of client) arrived.push(piece as Buffer);
  expect(Buffer.concat(arrived).toString()).toBe("one two three");
  expect(single).not.toHaveBeenCalled();
  expect(together).toHaveBeenCalledTimes(1);
  end.destroy();
});
