// Real processes for tests in browsers: the server, native musicians, and a front that adds the
// tests' own pages to the server's origin (it refuses WebSockets of pages that it did not serve).
//
// Everything that a test starts is stopped by its own handle when the test ends.

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, mkdir, writeFile } from "node:fs/promises";
import http from "node:http";
import net from "node:net";
import path from "node:path";
import { promisify } from "node:util";

const HERE = import.meta.dirname;
const ROOT = path.resolve(HERE, "../../..");
const VJAM = process.env.VJAM ?? path.join(ROOT, "target/debug/vjam");
const LISTEN = path.join(path.dirname(VJAM), "listen");
export const OUT = path.join(ROOT, "target/browser-tests");
export const MUSIC = path.join(OUT, "music");

const run = promisify(execFile);

/** Runs the analysis of tests/src/listen and gives its JSON. */
export async function listen(...args) {
  const { stdout } = await run(LISTEN, args);
  return args[0] === "unpack" ? null : JSON.parse(stdout);
}

/** Unpacks the music once per run; gives the path of one track. */
let unpacked;
export async function music(track) {
  unpacked ??= mkdir(MUSIC, { recursive: true }).then(() => listen("unpack", MUSIC));
  await unpacked;
  return path.join(MUSIC, `${track}.wav`);
}

/** A process whose output is kept for when a test fails. */
class Process {
  output = "";
  #child;
  #name;

  constructor(name, command, args) {
    this.#name = name;
    this.#child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, NO_COLOR: "1" } });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => (this.output += text));
    }
    this.ended = once(this.#child, "exit");
  }

  /** Waits for output that matches. */
  async says(pattern, ms = 20_000) {
    const end = Date.now() + ms;
    for (;;) {
      const match = pattern.exec(this.output);
      if (match) return match;
      if (this.#child.exitCode !== null) throw new Error(`${this.#name} ended:\n${this.output}`);
      if (end < Date.now()) throw new Error(`${this.#name} never said ${pattern}:\n${this.output}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async stop() {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const hard = setTimeout(() => this.#child.kill("SIGKILL"), 5_000);
    this.#child.kill("SIGTERM");
    await this.ended;
    clearTimeout(hard);
  }
}

/** Starts a server; stops with the test `t`. */
export async function startServer(t, ...args) {
  await mkdir(OUT, { recursive: true });
  const data = path.join(OUT, `data-${process.pid}-${Math.random().toString(36).slice(2)}`);
  const media = args.includes("--media") ? [] : ["--media", "127.0.0.1:0"];
  const all = ["serve", "--dev", "--http", "127.0.0.1:0", "--data", data, ...media, ...args];
  const server = new Process("vjam serve", VJAM, all);
  t.after(() => server.stop());
  const [, host, port] = await server.says(/http:\/\/(127\.0\.0\.1|localhost):(\d+)/);
  const front = await startFront(t, Number(port));
  return { server, host, port: Number(port), direct: `http://127.0.0.1:${port}`, url: `http://127.0.0.1:${front}` };
}

/** A proxy that serves the files of this folder under /__test/ and everything else from vjam. */
export async function startFront(t, port) {
  const types = { ".html": "text/html; charset=utf-8", ".js": "text/javascript" };
  const server = http.createServer(async (request, response) => {
    const url = new URL(request.url, "http://front");
    if (url.pathname.startsWith("/__test/")) {
      const name = path.basename(url.pathname);
      const headers = {
        "content-type": types[path.extname(name)] ?? "application/octet-stream",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-embedder-policy": "require-corp",
      };
      try {
        response.writeHead(200, headers).end(await readFile(path.join(HERE, name)));
      } catch {
        response.writeHead(404).end();
      }
      return;
    }
    const onward = http.request({ port, host: "127.0.0.1", method: request.method, path: request.url, headers: request.headers });
    onward.on("response", (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    });
    onward.on("error", () => response.writeHead(502).end());
    request.pipe(onward);
  });
  const sockets = new Set();
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  server.on("upgrade", (request, socket, head) => {
    const onward = net.connect(port, "127.0.0.1", () => {
      const lines = [`${request.method} ${request.url} HTTP/1.1`];
      for (let i = 0; i < request.rawHeaders.length; i += 2) lines.push(`${request.rawHeaders[i]}: ${request.rawHeaders[i + 1]}`);
      onward.write(`${lines.join("\r\n")}\r\n\r\n`);
      onward.write(head);
      onward.pipe(socket).pipe(onward);
    });
    sockets.add(onward);
    onward.on("error", () => socket.destroy());
    socket.on("error", () => onward.destroy());
    onward.on("close", () => socket.destroy());
    socket.on("close", () => onward.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return server.address().port;
}

/** A native musician who plays a file, and writes down what is heard. */
export async function joinNative(t, server, { room, name, plays, loops = 1, args = [] }) {
  const heard = path.join(OUT, `${room}-${name}.wav`);
  const stats = path.join(OUT, `${room}-${name}.jsonl`);
  const input = await looped(plays, loops);
  const child = new Process(`vjam join (${name})`, VJAM, [
    "join", `${server.direct}/r/${room}`, "--name", name, "--headless", "--audio", "file",
    "--input", input, "--output", heard, "--stats", stats, ...args,
  ]);
  t.after(() => child.stop());
  return { child, heard };
}

/** A track over and over: a WAV file of so many rounds. */
async function looped(track, loops) {
  const once = await readFile(await music(track));
  const samples = once.subarray(44);
  const file = path.join(OUT, `${track}-${loops}.wav`);
  return writeWav(file, Buffer.concat(Array(loops).fill(samples)).toString("base64"));
}

/** Writes 16-bit mono samples, as the recorder gives them, into a WAV file. */
export async function writeWav(file, base64) {
  const samples = Buffer.from(base64, "base64");
  const header = Buffer.alloc(44);
  header.write("RIFF", 0);
  header.writeUInt32LE(36 + samples.length, 4);
  header.write("WAVEfmt ", 8);
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(48000, 24);
  header.writeUInt32LE(96000, 28);
  header.writeUInt16LE(2, 32);
  header.writeUInt16LE(16, 34);
  header.write("data", 36);
  header.writeUInt32LE(samples.length, 40);
  await writeFile(file, Buffer.concat([header, samples]));
  return file;
}

/** Polls until the check gives something true; the check may throw until then. */
export async function eventually(what, check, ms = 15_000) {
  const end = Date.now() + ms;
  let last;
  for (;;) {
    try {
      last = await check();
      if (last) return last;
    } catch (error) {
      last = error;
    }
    if (end < Date.now()) throw new Error(`${what}: still not after ${ms} ms (${last})`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export const seconds = (s) => new Promise((resolve) => setTimeout(resolve, s * 1000));
