/** The bystander's processes: the last sends back what it is sent, the others hand on to the next and back. They have nothing else to do. */
import { connect, createServer, type AddressInfo } from "node:net";

const [next] = process.argv.slice(2);
const server = createServer({ noDelay: true }, (socket) => {
  socket.on("error", () => {});
  if (next === undefined) {
    socket.pipe(socket);
    return;
  }
  const onward = connect({ port: Number(next), host: "127.0.0.1", noDelay: true }).on("error", () => {});
  socket.pipe(onward).pipe(socket);
});
server.listen(0, "127.0.0.1", () => process.send?.((server.address() as AddressInfo).port));
process.once("disconnect", () => process.exit());
