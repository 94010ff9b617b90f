// Real processes for tests in browsers: the server, native musicians, and the ears.
//
// Everything that a test starts is stopped by its own handle when the test ends.

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";

import { startFront } from "./front.js";
import { writeWav } from "./wav.js";

export const ROOT = path.resolve(import.meta.dirname, "../../..");
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
export class Process {
  output = "";
  #child;
  #name;

  constructor(name, command, args, env = {}) {
    this.#name = name;
    const all = { ...process.env, NO_COLOR: "1", ...env };
    this.#child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], env: all });
    // A program that is not there: what waits for it says so.
    this.#child.on("error", (error) => (this.output += String(error)));
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => (this.output += text));
    }
    this.ended = once(this.#child, "exit");
  }

  get pid() {
    return this.#child.pid;
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

/** Starts a server behind a front; stopped by `undo`. */
export async function startServer(undo, ...args) {
  await mkdir(OUT, { recursive: true });
  const data = path.join(OUT, `data-${process.pid}-${Math.random().toString(36).slice(2)}`);
  let server;
  /** Starts the program and waits until it says where it listens. */
  const start = async (http, media) => {
    const listening = ["--http", http, "--media", media];
    server = new Process("vjam serve", VJAM, ["serve", "--dev", "--data", data, ...listening, ...args]);
    return (await server.says(/http=(\S+:(\d+)) media=(\S+)/)).slice(1);
  };
  undo.add(() => server.stop());
  const at = args.indexOf("--media");
  const wanted = at < 0 ? "127.0.0.1:0" : args.splice(at, 2)[1];
  const [http, port, media] = await start("127.0.0.1:0", wanted);
  const front = await startFront(undo, Number(port));
  return {
    front,
    direct: `http://${http}`,
    url: `http://127.0.0.1:${front.port}`,
    /** Where it keeps what it keeps. */
    data,
    /** What it logged so far. */
    log: () => server.output,
    /** Ends the program; everybody is told. */
    stop: () => server.stop(),
    /** Starts it again where it was. */
    again: () => start(http, media),
  };
}

/** A native musician who plays a file, and writes down what is heard and what is measured. */
export async function joinNative(undo, server, { room, name, plays, args = [] }) {
  const heard = path.join(OUT, `${room}-${name}.wav`);
  const stats = path.join(OUT, `${room}-${name}.jsonl`);
  const child = new Process(`vjam join (${name})`, VJAM, [
    "join", `${server.direct}/r/${room}`, "--name", name, "--headless", "--audio", "file",
    "--input", await looped(plays), "--output", heard, "--stats", stats, ...args,
  ]);
  undo.add(() => child.stop());
  return {
    /** Ends the program; gives the file with everything that was heard. */
    async stop() {
      await child.stop();
      return heard;
    },
    /** What the latest line of statistics says of each remote track. */
    async remotes() {
      const lines = (await readFile(stats, "utf8")).split("\n");
      // The last line may be half written, or empty.
      return JSON.parse(lines.at(-2) ?? "{}").remotes ?? [];
    },
  };
}

/** A native musician on a JACK server (see sound_servers.js), whose ports nobody has connected yet. */
export async function joinOnJack(undo, server, jack, { room, name, args = [] }) {
  const child = new Process(`vjam join (${name})`, ...jack.command(VJAM, [
    "join", `${server.direct}/r/${room}`, "--name", name, "--headless", "--audio", "jack", "--jack-name", name,
    "--no-autoconnect", ...args,
  ]));
  undo.add(() => child.stop());
  await child.says(/media link up/);
}

/** A track over and over: a WAV file that outlasts every test. */
async function looped(track) {
  const samples = (await readFile(await music(track))).subarray(WAV_HEADER_BYTES);
  return writeWav(path.join(OUT, `${track}-looped.wav`), Buffer.concat(Array(ROUNDS).fill(samples)).toString("base64"));
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

const WAV_HEADER_BYTES = 44;
/** A native musician leaves when the file has ended; a track has about eight seconds. */
const ROUNDS = 10;
