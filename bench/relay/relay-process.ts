/** A relay of its own, for whoever measures it from outside: says on its first line where it is. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createRelay } from "../../src/relay/relay.ts";

const relay = createRelay({ spicePort: 0 });
const http = createServer((_, response) => response.end());
http.on("upgrade", (request, socket, head) => {
  if (!relay.handleUpgrade(request, socket, head)) socket.destroy();
});
const { port } = await relay.listen();
http.listen(0, "127.0.0.1");
await once(http, "listening");
const place = { spicePort: port, httpPort: (http.address() as AddressInfo).port, secret: relay.secret };
process.stdout.write(`${JSON.stringify(place)}\n`);
