import { WebSocketServer } from "ws";

/** Takes upgrades to WebSockets of one kind; what they send is read by turns. `most`: bytes and frames of one message. */
export function acceptor(most: { readonly bytes: number; readonly frames: number }): WebSocketServer {
  return new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: most.bytes,
    maxFragments: most.frames,
    // One message of a connection in each turn of the event loop: a piece of 64 KiB holds ten thousand empty ones.
    allowSynchronousEvents: false,
    // A client that offers subprotocols fails when none is chosen: spice-html5 offers "binary".
    handleProtocols: (offered) => (offered.has("binary") ? "binary" : false),
  });
}
