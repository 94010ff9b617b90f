// Minutes in Chromium with stalls between: does the delay come back down each time?
//
// Ann's microphone plays a burst of sound twice a second, and it goes through our engine and server to Bob;
// each is a page in a renderer of its own. Every twenty seconds something stalls: a page, its worker, or both
// renderers. Told of each minute: from where Ann's page is given a burst to where Bob's page puts it out; what
// Bob's page says of Ann's sound (packet, codec, playout, output), and of its way from microphone to loudspeaker
// by the room's clock; and by how much later than in the first minute bursts came out of the whole, the
// browser's own way from the microphone with it: the microphone plays them by the clock.
// `cargo xtask bench browser [MINUTES] [--json]`.

import { execFileSync } from "node:child_process";
import { mkdir, readFile } from "node:fs/promises";
import path from "node:path";

import { openChromium, openPage } from "./browsers.js";
import { OUT, seconds, startServer } from "./harness.js";
import { joined, remote, roomLink } from "./our_page.js";
import { Undo } from "./undo.js";
import { RATE_HZ, writeWav } from "./wav.js";

/** How often it is looked, and how often something stalls; how long each stall lasts. */
const LOOK_S = 0.2;
const STALL_EVERY_S = 20;
const BUSY_MS = 300;
const STOPPED_MS = 150;
/** What is allowed on top of the first minute. */
const GOAL_MS = 3;
/** From burst to burst, and how long each is. */
const PERIOD_MS = 500;
const BURST_MS = 20;

const minutes = Number(process.argv.slice(2).find((argument) => /^[0-9]+$/.test(argument)) ?? 10);
if (minutes < 2) throw new Error("two minutes at least: the first one is what the others are compared with");
const undo = new Undo();

async function run() {
  const server = await startServer(undo);
  const browser = await openChromium(undo, await bursts());
  const script = await readFile(path.join(import.meta.dirname, "onsets.js"), "utf8");
  const [ann, bob] = [
    await openPage(undo, browser, roomLink(server, "long", "Ann"), { script }),
    await openPage(undo, browser, roomLink(server, "long", "Bob"), { script }),
  ];
  await Promise.all([joined(ann, "Ann"), joined(bob, "Bob")]);
  await seconds(5);
  const stalls = [
    ["Bob's page", () => busy(bob)],
    ["Ann's page", () => busy(ann)],
    ["Bob's worker", () => Promise.all(bob.workers().map(busy))],
    ["Ann's worker", () => Promise.all(ann.workers().map(busy))],
    ["both renderers", () => stopRenderers(browser)],
  ];
  const rows = [];
  let stallNumber = 0;
  let wholeFirst;
  let { concealedMs } = await remote(bob, "Ann");
  for (let minute = 1; minute <= minutes; minute++) {
    const concealedBeforeMs = concealedMs;
    await takeOnsets(ann, bob);
    const [saidMs, earMs, stalled] = [[], [], []];
    const begin = Date.now();
    while (Date.now() < begin + 60_000) {
      // The first minute is what the others are compared with.
      if (1 < minute && stalled.length * STALL_EVERY_S * 1000 <= Date.now() - begin) {
        const [name, stall] = stalls[stallNumber++ % stalls.length];
        stalled.push(name);
        await stall();
      }
      await seconds(LOOK_S);
      const said = await remote(bob, "Ann");
      // A page that was kept busy has nothing new to say.
      if (said === undefined) continue;
      saidMs.push(said.delayMs);
      concealedMs = said.concealedMs;
      if (said.mouthToEarMs !== null) earMs.push(said.mouthToEarMs);
    }
    const { delaysMs, phasesMs } = await takeOnsets(ann, bob);
    wholeFirst ??= circularMedian(phasesMs, phasesMs[0]);
    const row = {
      minute,
      heard: delaysMs.length,
      delay_ms: quantile(delaysMs, 0.5),
      p95_ms: quantile(delaysMs, 0.95),
      said_ms: quantile(saidMs, 0.5),
      ear_ms: quantile(earMs, 0.5),
      whole_above_ms: circularMedian(phasesMs, wholeFirst) - wholeFirst,
      concealed_ms: concealedMs - concealedBeforeMs,
      stalled,
    };
    rows.push(row);
    if (!asJson) tell(row);
  }
  const first_ms = rows[0].delay_ms;
  const rest_ms = quantile(rows.slice(1).map((row) => row.delay_ms), 0.5);
  const above_ms = rest_ms - first_ms;
  const whole_above_ms = quantile(rows.slice(1).map((row) => row.whole_above_ms), 0.5);
  const output_ms = await bob.evaluate(() => window.__onsets.outputMs());
  if (asJson) return console.log(JSON.stringify({ minutes: rows, first_ms, rest_ms, above_ms, whole_above_ms, output_ms }));
  console.log(`page to page: first minute ${ms(first_ms)}, the others ${ms(rest_ms)}: ${ms(above_ms)} above (goal: at most ${GOAL_MS} ms)`);
  console.log(`microphone to page to page: ${ms(whole_above_ms)} above; from Bob's page to the loudspeaker, says the browser: ${ms(output_ms)}`);
}

/**
 * A file with bursts of noise, and a soft tone between them so that nobody takes it for silence. It outlasts the
 * run: a browser that begins a file anew loses some 5 ms on the way.
 */
async function bursts() {
  const [periods, periodFrames] = [((minutes + 2) * 60_000) / PERIOD_MS, (PERIOD_MS * RATE_HZ) / 1000];
  const samples = new Int16Array(periods * periodFrames);
  let random = 1;
  for (let i = 0; i < samples.length; i++) {
    random = (random * 48_271) % 2_147_483_647;
    const isBurst = i % periodFrames < (BURST_MS * RATE_HZ) / 1000;
    samples[i] = isBurst ? (random % 32_768) - 16_384 : 800 * Math.sin((2 * Math.PI * 440 * i) / RATE_HZ);
  }
  await mkdir(OUT, { recursive: true });
  return writeWav(path.join(OUT, "bursts.wav"), Buffer.from(samples.buffer).toString("base64"));
}

/**
 * What came since it was last asked: the delay of each burst from Ann's page to Bob's, and where in the
 * period each came out.
 */
async function takeOnsets(ann, bob) {
  const [ins, outs] = [
    await ann.evaluate(() => window.__onsets.take("in")),
    await bob.evaluate(() => window.__onsets.take("out")),
  ];
  // Less than a period lies between.
  const since = outs.map((out) => out - Math.max(...ins.filter((at) => at <= out)));
  return { delaysMs: since.filter((delay) => delay < PERIOD_MS), phasesMs: outs.map((out) => out % PERIOD_MS) };
}

/** The median of times that are known but for whole periods, as those that are nearest to `about`. */
function circularMedian(phasesMs, about) {
  const near = (phase) => about + ((((phase - about) % PERIOD_MS) + 1.5 * PERIOD_MS) % PERIOD_MS) - PERIOD_MS / 2;
  return quantile(phasesMs.map(near), 0.5);
}

/** Keeps a page's or a worker's only thread from everything else. */
function busy(thread) {
  return thread.evaluate((ms) => {
    const end = performance.now() + ms;
    while (performance.now() < end);
  }, BUSY_MS);
}

/** Stops the processes that hold the pages, audio threads and all. */
async function stopRenderers(browser) {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send("SystemInfo.getProcessInfo");
  await session.detach();
  const renderers = processInfo.filter(({ type }) => type === "renderer").map(({ id }) => String(id));
  execFileSync("kill", ["-STOP", ...renderers]);
  try {
    await seconds(STOPPED_MS / 1000);
  } finally {
    execFileSync("kill", ["-CONT", ...renderers]);
  }
}

function tell({ minute, heard, delay_ms, p95_ms, said_ms, ear_ms, whole_above_ms, concealed_ms, stalled }) {
  const why = stalled.length === 0 ? "no stalls" : `stalled: ${stalled.join(", ")}`;
  const delay = `median ${ms(delay_ms)} of ${heard} bursts, p95 ${ms(p95_ms)}, said ${ms(said_ms)}, to the ear ${ms(ear_ms)}`;
  console.log(`minute ${minute}: ${delay}, whole ${ms(whole_above_ms)} above, concealed ${ms(concealed_ms)}, ${why}`);
}

const asJson = process.argv.includes("--json");
const ms = (value) => (Number.isFinite(value) ? `${value.toFixed(1)} ms` : "?");
const quantile = (values, q) => [...values].sort((a, b) => a - b)[Math.floor(values.length * q)];

await undo.after(run);
