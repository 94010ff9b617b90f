// Ordinary WebRTC clients: a page that a stranger wrote from docs/protocol.md, in Chromium and in
// Firefox, with a native musician on the other side.

import assert from "node:assert/strict";
import { test } from "node:test";

import { openChromium, openFirefox, openFirefoxPage, openPage, record } from "./browsers.js";
import { eventually, joinNative, listen, seconds, startServer } from "./harness.js";

const plainPage = (server, room, name) => `${server.url}/__test/plain.html?room=${room}&name=${name}`;

/** Waits until a plain page is in, linked, and receives something. */
async function joined(page, label) {
  await eventually(`${label} is connected and hears somebody`, () =>
    page.evaluate(async () => {
      if (window.plain.errors.length > 0) throw new Error(JSON.stringify(window.plain.errors));
      await window.plain.joined;
      return window.plain.state === "connected" && window.plain.streams.length > 0;
    }),
  );
}

/** Records the element that plays the first stream. */
async function recordFirst(page, label, ms) {
  const selector = await page.evaluate(() => `audio[data-mid="${window.plain.streams[0].mid}"]`);
  await page.evaluate((selector) => window.__recorder.recordElement(selector, "heard"), selector);
  await seconds(1);
  const files = await record(page, label, ms);
  return files.heard;
}

test("a plain page in Chromium hears a native musician, and is heard", async (t) => {
  const server = await startServer(t);
  const native = await joinNative(t, server, { room: "plain", name: "Ann", plays: "late-bus-piano", loops: 3, args: ["--duration", "20"] });
  const browser = await openChromium(t, "harbor-oboe");
  const page = await openPage(t, browser, plainPage(server, "plain", "Plain"));
  await joined(page, "the plain page");
  const heard = await listen("compare", "late-bus-piano", await recordFirst(page, "plain-chromium", 6_000), "--looped");
  assert.ok(heard.heard && heard.correlation > 0.85, JSON.stringify(heard));
  await native.child.ended;
  const back = await listen("compare", "harbor-oboe", native.heard, "--looped");
  assert.ok(back.heard && back.correlation > 0.85, JSON.stringify(back));
  const own = await listen("unmix", native.heard, "harbor-oboe", "late-bus-piano", "--looped");
  assert.ok(own.parts[1].gain_db < -20, `Ann hears herself: ${JSON.stringify(own)}`);
});

test("two plain pages in Chromium hear each other", async (t) => {
  const server = await startServer(t);
  const [ann, bob] = await Promise.all(
    [["Ann", "seven-stairs-guitar"], ["Bob", "harbor-strings"]].map(async ([name, plays]) => {
      const browser = await openChromium(t, plays);
      return { plays, page: await openPage(t, browser, plainPage(server, "two-plain", name)) };
    }),
  );
  await Promise.all([joined(ann.page, "Ann"), joined(bob.page, "Bob")]);
  const recordings = await Promise.all([recordFirst(ann.page, "plain-ann", 5_000), recordFirst(bob.page, "plain-bob", 5_000)]);
  for (const [recording, source] of [[recordings[0], bob.plays], [recordings[1], ann.plays]]) {
    const heard = await listen("compare", source, recording, "--looped");
    assert.ok(heard.heard && heard.correlation > 0.8, JSON.stringify(heard));
  }
});

test("a plain page in Firefox hears a native musician, and is heard", async (t) => {
  const server = await startServer(t, "--media", "0.0.0.0:0");
  const native = await joinNative(t, server, { room: "fox", name: "Ann", plays: "late-bus-piano", loops: 3, args: ["--duration", "25"] });
  const browser = await openFirefox(t);
  const page = await openFirefoxPage(browser, plainPage(server, "fox", "Fox"));
  await joined(page, "Firefox");
  const heard = await listen("compare", "late-bus-piano", await recordFirst(page, "plain-firefox", 6_000), "--looped");
  // Firefox's own jitter buffer stretches and squeezes for seconds on a busy machine.
  assert.ok(heard.heard && heard.correlation > 0.5, JSON.stringify(heard));
  assert.ok(Math.abs(heard.level_db) < 3, JSON.stringify(heard));
  await native.child.ended;
  // Firefox's fake microphone is a steady tone; that nothing else sounded is what there is to know.
  const { level_db } = await listen("level", native.heard);
  assert.ok(level_db > -45, `Firefox's tone has ${level_db} dB`);
});
