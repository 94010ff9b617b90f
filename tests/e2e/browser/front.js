// A front before the server: it adds the tests' own pages to the server's origin (which refuses
// WebSockets of pages that it did not serve), and it can cut the WebSockets that go through it.

import { once } from "node:events";
import { readFile } from "node:fs/promises";
import http from "node:http";
import net from "node:net";
import path from "node:path";

const HERE = import.meta.dirname;
const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript" };

/** Serves the files of this folder under /__test/ and everything else from `port`. */
export async function startFront(undo, port) {
  const server = http.createServer((request, response) => {
    const { pathname } = new URL(request.url, "http://front");
    if (pathname.startsWith("/__test/")) void serveOurs(path.basename(pathname), response);
    else handOn(port, request, response);
  });
  const sockets = new Set();
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  const webSockets = new Set();
  let open = true;
  server.on("upgrade", (request, socket, head) => {
    if (!open) return socket.destroy();
    const onward = tunnel(port, request, socket, head);
    for (const end of [socket, onward]) {
      webSockets.add(end);
      end.on("close", () => webSockets.delete(end));
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const cut = () => {
    open = false;
    for (const socket of webSockets) socket.destroy();
  };
  undo.add(() => {
    cut();
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return {
    port: server.address().port,
    /** Cuts every WebSocket, without a word to either side, and lets no new one through. */
    cut,
    /** Lets WebSockets through again. */
    restore: () => (open = true),
  };
}

async function serveOurs(name, response) {
  const headers = {
    "content-type": TYPES[path.extname(name)] ?? "application/octet-stream",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-embedder-policy": "require-corp",
  };
  try {
    const body = await readFile(path.join(HERE, name));
    response.writeHead(200, headers).end(body);
  } catch {
    response.writeHead(404).end();
  }
}

function handOn(port, request, response) {
  const { method, headers, url } = request;
  const onward = http.request({ port, host: "127.0.0.1", method, path: url, headers });
  onward.on("response", (answer) => {
    response.writeHead(answer.statusCode, answer.headers);
    answer.pipe(response);
  });
  onward.on("error", () => response.writeHead(502).end());
  request.pipe(onward);
}

/** Joins a browser's WebSocket with the server; gives the server's end. */
function tunnel(port, request, socket, head) {
  const onward = net.connect(port, "127.0.0.1", () => {
    const lines = [`${request.method} ${request.url} HTTP/1.1`];
    for (let i = 0; i < request.rawHeaders.length; i += 2) lines.push(`${request.rawHeaders[i]}: ${request.rawHeaders[i + 1]}`);
    onward.write(`${lines.join("\r\n")}\r\n\r\n`);
    onward.write(head);
    onward.pipe(socket).pipe(onward);
  });
  onward.on("error", () => socket.destroy());
  socket.on("error", () => onward.destroy());
  onward.on("close", () => socket.destroy());
  socket.on("close", () => onward.destroy());
  return onward;
}
