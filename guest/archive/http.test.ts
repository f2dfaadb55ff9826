import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { connect, type AddressInfo, type Socket } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { TestMirror } from "./archive.testing.ts";
import { HttpClient, type Names } from "./http.ts";
import type { Nearness } from "./nearness.ts";
import { RedirectError } from "./redirect.ts";

const mirror = new TestMirror();
/** A real proxy: passes whole addresses on, and joins the two ends of a CONNECT. */
let seen: { method: string; url: string; authorization: string | undefined }[] = [];
const note = (request: IncomingMessage) =>
  seen.push({
    method: request.method ?? "",
    url: request.url ?? "",
    authorization: request.headers["proxy-authorization"],
  });
const proxy = createServer((request, response) => {
  note(request);
  response.end(`through the proxy: ${request.url}`);
});
proxy.on("connect", (request: IncomingMessage, socket: Socket) => {
  note(request);
  const target = connect(Number(new URL(mirror.origin).port), "127.0.0.1", () => {
    socket.write("HTTP/1.1 200 OK\r\n\r\n");
    socket.pipe(target).pipe(socket);
  });
  target.on("error", () => socket.destroy());
  socket.on("error", () => target.destroy());
});
const proxyHost = () => `127.0.0.1:${(proxy.address() as AddressInfo).port}`;

beforeEach(async () => {
  seen = [];
  await mirror.open();
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
});

/** More servers of a test. */
const opened: Server[] = [];

afterEach(async () => {
  for (const server of opened.splice(0)) server.close().closeAllConnections();
  await mirror.close();
  proxy.closeAllConnections();
  proxy.close();
});

async function body(client: HttpClient, url: string): Promise<string> {
  const answer = await client.get(url);
  const chunks: Buffer[] = [];
  for await (const chunk of answer.body as AsyncIterable<Buffer>) chunks.push(chunk);
  await client.close();
  return Buffer.concat(chunks).toString();
}

test("plain HTTP goes to the proxy as a whole address, with its name and password", async () => {
  const client = new HttpClient({ http: `http://me:pass%20word@${proxyHost()}` });
  expect(await body(client, "http://mirror.example/debian/x")).toBe(
    "through the proxy: http://mirror.example/debian/x",
  );
  expect(seen).toEqual([
    {
      method: "GET",
      url: "http://mirror.example/debian/x",
      authorization: `Basic ${Buffer.from("me:pass word").toString("base64")}`,
    },
  ]);
});

test("a proxy without a scheme is an HTTP proxy", async () => {
  expect(await body(new HttpClient({ http: proxyHost() }), "http://mirror.example/x")).toContain(
    "through the proxy",
  );
});

test("HTTPS asks its own proxy for a tunnel, and no other", async () => {
  const client = new HttpClient({ https: `http://${proxyHost()}` });
  // The mirror speaks no TLS: the tunnel is made, the handshake in it fails.
  await expect(client.get("https://mirror.example/x")).rejects.toThrow();
  expect(seen).toMatchObject([{ method: "CONNECT", url: "mirror.example:443" }]);
  await client.close();
});

test("without a proxy for its scheme, or for a host that is asked directly, no proxy is asked", async () => {
  mirror.files.set("/x", Buffer.from("direct"));
  const { host, hostname } = new URL(mirror.origin);
  expect(await body(new HttpClient({ https: `http://${proxyHost()}` }), `${mirror.origin}/x`)).toBe("direct");
  for (const none of [host, hostname])
    expect(await body(new HttpClient({ http: `http://${proxyHost()}`, none }), `${mirror.origin}/x`)).toBe(
      "direct",
    );
  expect(seen).toEqual([]);
});

test("a packed body stays packed: what is counted and hashed is what came", async () => {
  mirror.files.set("/x", (request, response) => {
    expect(request.headers["accept-encoding"]).toBe("identity");
    response.writeHead(200, { "content-encoding": "gzip" }).end("these bytes");
  });
  expect(await body(new HttpClient(), `${mirror.origin}/x`)).toBe("these bytes");
});

/** Loopback addresses that stand for others, and names that mean them. */
const FAR = "127.0.0.1";
const NEAR = "127.0.0.2";
const HERE = "127.0.0.3";
const names = (hosts: Record<string, readonly string[]>): Names => ({
  lookup: (host, _, answer) =>
    answer(
      null,
      (hosts[host] ?? []).map((address) => ({ address, family: 4 })),
    ),
  nearness: (address) => [FAR, NEAR, HERE].indexOf(address) as Nearness,
});

test("a redirect from afar to a name that means this machine or its network reaches nobody", async () => {
  const port = Number(new URL(mirror.origin).port);
  const hosts = {
    far: [FAR],
    "also-far": [FAR],
    near: [NEAR],
    "also-near": [NEAR],
    here: [HERE],
    both: [FAR, HERE],
  };
  const asked: string[] = [];
  const secret = createServer((request, response) => {
    asked.push(request.url ?? "");
    if (request.url === "/x") response.writeHead(302, { location: `http://also-near:${port}/y` }).end();
    else response.end("local");
  });
  // On the same port, so that only the address differs.
  for (const host of [NEAR, HERE]) {
    const local =
      host === NEAR ? secret : createServer((request, response) => secret.emit("request", request, response));
    local.listen(port, host);
    await once(local, "listening");
    opened.push(local);
  }
  const redirect = (from: string, to: string) => {
    mirror.files.set("/x", (_, response) =>
      response.writeHead(302, { location: `http://${to}:${port}/y` }).end(),
    );
    mirror.files.set("/y", Buffer.from("far"));
    return body(new HttpClient({}, names(hosts)), `http://${from}:${port}/x`);
  };
  expect(await redirect("far", "also-far")).toBe("far");
  for (const name of ["near", "here", "both"]) {
    await expect(redirect("far", name), name).rejects.toThrow(RedirectError);
    // A name with a public address among its own is far, whatever else it claims to be.
    await expect(redirect("both", name), name).rejects.toThrow(RedirectError);
  }
  expect(asked).toEqual([]);
  // A mirror of this network may lead to another one there.
  expect(await body(new HttpClient({}, names(hosts)), `http://near:${port}/x`)).toBe("local");
});
