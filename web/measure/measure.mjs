// Measures the delay from in to out of two musicians in Chromium, through a real `vjam serve`:
//
// The third word of a run is the way up: auto, rtp, or disturbed (data channel, RTP, and back after
// 20 s).
//
//   npm run measure -- [--seconds 10] [--runs engine:node,engine:stream,engine:node:rtp,standard:stream]
//
// Prints a table and, as the last line, the same as JSON. Needs target/debug/vjam (or VJAM=PATH)
// and src/audio/engine.wasm.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import net from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";

import { chromium } from "playwright-core";

const here = import.meta.dirname;
const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "10" },
    settle: { type: "string", default: "3" },
    runs: { type: "string", default: "engine:node,engine:stream,engine:node:rtp,standard:stream" },
  },
});

const [http, media, page] = await freePorts(3);
process.env.VJAM_SERVER = `http://127.0.0.1:${http}`;

const vjam = process.env.VJAM ?? resolve(here, "../../target/debug/vjam");
const data = await mkdtemp(join(tmpdir(), "vjam-measure-"));
const where = ["--http", `127.0.0.1:${http}`, "--media", `127.0.0.1:${media}`, "--data", data];
const server = spawn(vjam, ["serve", ...where], { stdio: ["ignore", "ignore", "inherit"] });
await reachable(http);

const { build, preview } = await import("vite");
const configFile = resolve(here, "vite.config.ts");
await build({ configFile, logLevel: "warn" });
const pages = await preview({ configFile, logLevel: "warn", preview: { port: page } });

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: [
    "--no-sandbox",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
    "--disable-features=WebRtcHideLocalIpsWithMdns",
  ],
});
const results = [];
try {
  for (const run of values.runs.split(",")) results.push(await measure(run));
} finally {
  await browser.close();
  await pages.close();
  server.kill("SIGTERM");
  await once(server, "exit");
  await rm(data, { recursive: true });
}
console.log(JSON.stringify(results));

async function measure(run) {
  const [mode, input, uplink = "auto"] = run.split(":");
  const tab = await browser.newPage();
  tab.on("console", (message) => console.error(`page: ${message.text()}`));
  tab.on("pageerror", (error) => console.error(`page: ${error}`));
  await tab.goto(`http://127.0.0.1:${page}/`);
  await tab.waitForFunction(() => "measure" in globalThis);
  const plan = {
    room: `measure-${mode}-${input}-${uplink}`,
    mode,
    input,
    uplink,
    seconds: Number(values.seconds),
    settleSeconds: Number(values.settle),
  };
  const measured = await tab.evaluate((plan) => globalThis.measure(plan), plan);
  await tab.close();
  const sorted = measured.delaysMs.toSorted((a, b) => a - b);
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  const figures = { min: at(0), median: at(0.5), p90: at(0.9), max: at(1) };
  const words = Object.entries(figures).map(([name, ms]) => `${name} ${ms?.toFixed(1)} ms`);
  console.log(
    `${run.padEnd(16)} ${words.join(", ")}; heard ${sorted.length}, not heard ${measured.unheard}; ` +
      `quantum ${measured.quantumFrames}, up ${measured.sender.stats?.uplinkPath}`,
  );
  return { run, ...figures, ...measured };
}

async function freePorts(count) {
  const sockets = Array.from({ length: count }, () => net.createServer().listen(0, "127.0.0.1"));
  await Promise.all(sockets.map((socket) => once(socket, "listening")));
  const ports = sockets.map((socket) => socket.address().port);
  await Promise.all(sockets.map((socket) => new Promise((done) => socket.close(done))));
  return ports;
}

/** Resolves when something listens there; rejects when the server ends first. */
async function reachable(port) {
  for (;;) {
    if (server.exitCode !== null) throw new Error(`vjam serve ended with ${server.exitCode}`);
    const socket = net.connect(port, "127.0.0.1");
    const opened = await Promise.race([
      once(socket, "connect").then(() => true),
      once(socket, "error").then(() => false),
    ]).catch(() => false);
    socket.destroy();
    if (opened) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
