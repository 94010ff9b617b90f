// Our page with our engine, without it, and with one of its pieces missing: what goes into a
// microphone comes out of the loudspeakers of browsers and native musicians, on the way that it is
// said to take.

import assert from "node:assert/strict";

import { openChromium, openPage } from "./browsers.js";
import { eventually, joinNative, listen, startServer } from "./harness.js";
import { hears, joined, remote, report, roomLink } from "./our_page.js";
import { inRealTime } from "./real_time.js";
import { plays } from "./sound.js";
import { tail } from "./wav.js";

/** Ann plays the piano in a program of ours; Bob the oboe in Chromium. */
async function annAndBob(undo, room, { options, script } = {}) {
  const server = await startServer(undo);
  const ann = await joinNative(undo, server, { room, name: "Ann", plays: "late-bus-piano" });
  const browser = await openChromium(undo, "harbor-oboe");
  const bob = await openPage(undo, browser, roomLink(server, room, "Bob", options), { script });
  await joined(bob, "Bob");
  return { ann, bob };
}

/** Ann heard the oboe, and not herself. */
async function annHeard(ann) {
  const heard = await tail(await ann.stop(), 5);
  await plays("harbor-oboe", heard);
  const own = await listen("unmix", heard, "harbor-oboe", "late-bus-piano", "--looped");
  assert.ok(own.parts[1].gain_db < -20, `Ann hears herself: ${JSON.stringify(own)}`);
}

/** The delay of Ann's sound at the page while `meanwhile` runs: half of the time it was no more. */
async function delayMsMedian(page, meanwhile) {
  const delays = [];
  const look = async () => delays.push((await remote(page, "Ann"))?.delayMs);
  // A page that closes under the last look is no finding.
  const timer = setInterval(() => look().catch(() => undefined), 200);
  try {
    await meanwhile();
  } finally {
    clearInterval(timer);
  }
  return delays.sort((a, b) => a - b)[Math.floor(delays.length / 2)];
}

inRealTime("a browser and a native musician hear each other, sooner with our engine than without", async (undo, t) => {
  const delaysMs = {};
  for (const mode of ["engine", "standard"]) {
    const { ann, bob } = await annAndBob(undo, `native-${mode}`, { options: { engine: mode } });
    const before = await report(bob);
    assert.equal(before.mode, mode);
    delaysMs[mode] = await delayMsMedian(bob, () => hears(bob, `native-${mode}`, "late-bus-piano", 6));
    const after = await report(bob);
    const [bobAtAnn] = await ann.remotes();
    if (mode === "engine") {
      // The first seconds say nothing: a channel that never opens is given up after four.
      assert.deepEqual([after.uplinkPath, bobAtAnn.codec], ["data-channel", "opus-64"], after.why);
      // 750 packets a second; the other path would have sent a hundred.
      assert.ok(3_000 < after.counts.sentPackets - before.counts.sentPackets, JSON.stringify(after.counts));
    } else {
      assert.deepEqual([after.uplinkPath, bobAtAnn.codec], ["track", "opus"]);
    }
    await annHeard(ann);
    await bob.close();
  }
  t.diagnostic(`from packet to loudspeaker: ${JSON.stringify(delaysMs)} ms`);
  assert.ok(delaysMs.engine < delaysMs.standard, JSON.stringify(delaysMs));
});

inRealTime("everybody sees how late everybody hears everybody, from microphone to loudspeaker", async (undo) => {
  const { ann, bob } = await annAndBob(undo, "delays", { options: { engine: "engine" } });
  const delays = bob.locator("details.delays");
  await delays.locator("summary").click();
  // Two rows of two cells, one of which is nobody's.
  await eventually("both delays are known", async () => {
    const cells = await delays.locator("tbody td:not(.own)").allTextContents();
    if (cells.length !== 2 || !cells.every((cell) => /^\d+\.\d/.test(cell.trim()))) throw new Error(JSON.stringify(cells));
    return true;
  });
  const { delayMs, mouthToEarMs } = await remote(bob, "Ann");
  const clock = (await bob.evaluate(() => window.vjam.stats.roomClock)) ?? {};
  assert.ok(clock.settled && clock.precisionMs < clock.boundMs + 0.1, JSON.stringify(clock));
  // Server, browser and musician have one wall clock here.
  assert.ok(Math.abs(clock.aheadMs) < clock.boundMs + 1, JSON.stringify(clock));
  // What the engine adds is a part of the way; the rest is the devices' and the network's.
  assert.ok(delayMs - 3 < mouthToEarMs && mouthToEarMs < delayMs + 80, `${delayMs} ms of ${mouthToEarMs}`);
  // Her program writes down once a second what the room may have been told before.
  await eventually("Ann's program knows Bob's delay", async () => {
    const [bobAtAnn] = await ann.remotes();
    if (!(0 < bobAtAnn.mouth_to_ear_ms && bobAtAnn.mouth_to_ear_ms < 200)) throw new Error(JSON.stringify(bobAtAnn));
    return true;
  });
  await bob.locator("[data-room-clock]", { hasText: /known to ±\d+\.\d ms/ }).waitFor({ state: "attached" });
});

inRealTime("the page says how long somebody waits and why, and the engine takes one's word", async (undo) => {
  const { bob } = await annAndBob(undo, "playout", { options: { engine: "engine" } });
  const account = bob.locator("details.playout");
  await account.locator("summary", { hasText: /Waits \d+\.\d ms\s*automatic/ }).click();
  await account.locator(".shares", { hasText: /Network \d+\.\d ms.*computer \d+\.\d ms/s }).waitFor();
  await account.locator(".numbers", { hasText: /Wanted\d+\.\d ms.*Concealed\d+ ms\/min/s }).waitFor();
  const playsBy = (mode) =>
    eventually(`Ann is played by ${mode}`, async () => {
      const { playout } = await remote(bob, "Ann");
      if (playout.mode !== mode) throw new Error(JSON.stringify(playout));
      return true;
    });
  const own = account.locator("select");
  await own.selectOption("safer");
  await playsBy("safer");
  await own.selectOption("fixed");
  const ms = account.getByLabel("Fixed delay of Ann in milliseconds");
  await ms.fill("40");
  await ms.press("Enter");
  await playsBy(40);
  await account.locator("summary", { hasText: "fixed at 40 ms" }).waitFor();
  await bob.getByLabel("Delay of others").selectOption("lower");
  await own.selectOption("As everybody (lower delay)");
  await playsBy("lower");
  // What holds for everybody is remembered for the next visit.
  await bob.reload();
  await joined(bob, "Bob");
  await playsBy("lower");
});

inRealTime("without a data channel our engine's sound leaves over RTP, and the page says so", async (undo) => {
  // A channel of a connection that is never made does not open.
  const script = () => {
    const { createDataChannel } = RTCPeerConnection.prototype;
    RTCPeerConnection.prototype.createDataChannel = function (...args) {
      return createDataChannel.apply(new RTCPeerConnection(), args);
    };
  };
  const { ann, bob } = await annAndBob(undo, "native-rtp", { options: { engine: "engine" }, script });
  await eventually("the sound goes over RTP", async () => (await report(bob)).uplinkPath === "rtp");
  const words = /packets of 10 ms, because the data channel does not open/;
  await bob.locator("summary[data-engine=engine] + p", { hasText: words }).waitFor({ state: "attached" });
  await eventually("Ann gets opus", async () => (await ann.remotes())[0]?.codec === "opus");
  await hears(bob, "native-rtp", "late-bus-piano", 5);
  await annHeard(ann);
});

inRealTime("a browser without encoded transforms plays the ordinary way, and the page says why", async (undo) => {
  const script = () => delete globalThis.RTCRtpScriptTransform;
  const { bob } = await annAndBob(undo, "native-missing", { script });
  const { mode, uplinkPath } = await report(bob);
  assert.deepEqual([mode, uplinkPath], ["standard", "track"]);
  await bob.getByText(/engine needs what this browser lacks: .*RTCRtpScriptTransform/).waitFor();
});

for (const modes of [["engine", "engine"], ["engine", "standard"]]) {
  inRealTime(`two browsers (${modes.join(" and ")}) hear each other`, async (undo) => {
    const server = await startServer(undo);
    const room = `browsers-${modes[1]}`;
    const sources = ["seven-stairs-guitar", "harbor-strings"];
    const open = async (mode, i) => {
      const browser = await openChromium(undo, sources[i]);
      return openPage(undo, browser, roomLink(server, room, `Musician${i}`, { engine: mode }));
    };
    const pages = await Promise.all(modes.map(open));
    await Promise.all(pages.map((page, i) => joined(page, `musician ${i}`)));
    assert.deepEqual(await Promise.all(pages.map(async (page) => (await report(page)).mode)), modes);
    await Promise.all(pages.map((page, i) => hears(page, `${room}-${i}`, sources[1 - i], 5)));
  });
}
