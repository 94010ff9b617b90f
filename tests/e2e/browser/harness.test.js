// The ears of the browser tests, tested: a browser hears itself play, without any server.

import assert from "node:assert/strict";

import { FIREFOX_TONE_HZ, openChromium, openFirefox, openFirefoxPage, openPage, record } from "./browsers.js";
import { startFront } from "./front.js";
import { listen, seconds } from "./harness.js";
import { inRealTime } from "./real_time.js";
import { tone } from "./wav.js";

/** Plays the microphone back through the Web Audio API. */
async function monitor() {
  const context = new AudioContext({ sampleRate: 48000 });
  const audio = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
  const microphone = await navigator.mediaDevices.getUserMedia({ audio });
  context.createMediaStreamSource(microphone).connect(context.destination);
  await context.resume();
}

inRealTime("what Chromium's microphone plays is what is recorded, to the sample", async (undo) => {
  const front = await startFront(undo, 9);
  const browser = await openChromium(undo, "late-bus-piano");
  const page = await openPage(undo, browser, `http://127.0.0.1:${front.port}/__test/empty.html`);
  await page.evaluate(monitor);
  await page.waitForFunction(() => window.__recorder.names().length === 1);
  const files = await record(page, "self-test", () => seconds(5));
  const heard = await listen("compare", "late-bus-piano", files["output-0"], "--looped");
  assert.equal(heard.heard, true);
  assert.ok(heard.correlation > 0.99, JSON.stringify(heard));
  const other = await listen("compare", "harbor-oboe", files["output-0"], "--looped");
  assert.ok(!other.heard || other.correlation < 0.7, JSON.stringify(other));
});

inRealTime("what Firefox's microphone plays is recorded, too", async (undo) => {
  const front = await startFront(undo, 9);
  const browser = await openFirefox(undo);
  const page = await openFirefoxPage(undo, browser, `http://127.0.0.1:${front.port}/__test/empty.html`);
  await page.evaluate(monitor);
  await page.waitForFunction(() => window.__recorder.names().length === 1);
  const files = await record(page, "self-test-firefox", () => seconds(3));
  const { hz, share } = await tone(files["output-0"]);
  assert.ok(Math.abs(hz - FIREFOX_TONE_HZ) <= 20 && 0.9 < share, `${share} of it is at ${hz} Hz`);
});
