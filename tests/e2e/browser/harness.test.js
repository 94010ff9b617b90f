// The ears of the browser tests, tested: a browser hears itself play, without any server.

import assert from "node:assert/strict";
import { test } from "node:test";

import { openChromium, openFirefox, openFirefoxPage, openPage, record } from "./browsers.js";
import { listen, startFront } from "./harness.js";

/** Plays the microphone back through the Web Audio API. */
async function monitor() {
  const context = new AudioContext({ sampleRate: 48000 });
  const audio = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
  const microphone = await navigator.mediaDevices.getUserMedia({ audio });
  context.createMediaStreamSource(microphone).connect(context.destination);
  await context.resume();
}

test("what Chromium's microphone plays is what is recorded, to the sample", async (t) => {
  const front = await startFront(t, 9);
  const browser = await openChromium(t, "late-bus-piano");
  const page = await openPage(t, browser, `http://127.0.0.1:${front}/__test/empty.html`);
  await page.evaluate(monitor);
  await page.waitForFunction(() => window.__recorder.names().length === 1);
  const files = await record(page, "self-test", 5_000);
  const heard = await listen("compare", "late-bus-piano", files["output-0"], "--looped");
  assert.equal(heard.heard, true);
  assert.ok(heard.correlation > 0.99, JSON.stringify(heard));
  const other = await listen("compare", "harbor-oboe", files["output-0"], "--looped");
  assert.ok(!other.heard || other.correlation < 0.7, JSON.stringify(other));
});

test("what Firefox's microphone plays is recorded, too", async (t) => {
  const front = await startFront(t, 9);
  const browser = await openFirefox(t);
  const page = await openFirefoxPage(browser, `http://127.0.0.1:${front}/__test/empty.html`);
  await page.evaluate(monitor);
  await page.waitForFunction(() => window.__recorder.names().length === 1);
  const files = await record(page, "self-test-firefox", 3_000);
  const { level_db } = await listen("level", files["output-0"]);
  assert.ok(level_db > -40, `the fake microphone's tone has ${level_db} dB`);
});
