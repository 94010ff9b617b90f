// A UDP relay between browsers and the server's media port, for what tests do to it: nothing gets
// through for a while, or some of the media never does. Browsers reach it by `vjam serve --advertise`.

import dgram from "node:dgram";
import { once } from "node:events";

async function bound() {
  const socket = dgram.createSocket("udp4");
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return socket;
}

/** A UDP port of loopback that nobody has at the moment. */
export async function freeUdpPort() {
  const socket = await bound();
  const { port } = socket.address();
  socket.close();
  await once(socket, "close");
  return port;
}

/** Relays datagrams to `target`; everybody it hears from gets a socket of their own. */
export async function startRelay(undo, target) {
  const relay = await bound();
  const upstreams = new Map();
  let open = true;
  let loss = 0;
  let seed = 1;
  /** Whether a datagram is lost; only media is, so that connecting takes no longer. The same in every run. */
  const isLost = (datagram) => {
    if (datagram[0] < 128) return false;
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return seed < loss * 2 ** 32;
  };
  relay.on("message", (datagram, { address, port }) => {
    const from = `${address}:${port}`;
    let upstream = upstreams.get(from);
    if (upstream === undefined) {
      upstream = dgram.createSocket("udp4");
      upstream.on("message", (back) => open && !isLost(back) && relay.send(back, port, address));
      upstreams.set(from, upstream);
    }
    if (open && !isLost(datagram)) upstream.send(datagram, target, "127.0.0.1");
  });
  undo.add(() => {
    for (const socket of [relay, ...upstreams.values()]) socket.close();
  });
  return {
    port: relay.address().port,
    cut: () => (open = false),
    restore: () => (open = true),
    /** Loses this part of the media from here on, in both directions. */
    lose: (part) => (loss = part),
  };
}
