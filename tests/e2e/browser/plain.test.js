// Ordinary WebRTC clients: a page that a stranger wrote from docs/protocol.md, in Chromium and in
// Firefox, with a native musician on the other side.

import assert from "node:assert/strict";
import { test } from "node:test";

import { openChromium, openFirefox, openFirefoxPage, openPage, record } from "./browsers.js";
import { Undo } from "./undo.js";
import { eventually, joinNative, listen, seconds, startServer } from "./harness.js";
import { inRealTime } from "./real_time.js";
import { freeUdpPort, startRelay } from "./relay.js";
import { plays, playsFirefoxTone, playsInFirefox } from "./sound.js";
import { tail } from "./wav.js";

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
async function recordFirst(page, label, s) {
  const selector = await page.evaluate(() => `audio[data-mid="${window.plain.streams[0].mid}"]`);
  await page.evaluate((selector) => window.__recorder.recordElement(selector, "heard"), selector);
  return (await record(page, label, () => seconds(s))).heard;
}

inRealTime("a plain page in Chromium hears a native musician, and is heard", async (undo) => {
  const server = await startServer(undo);
  const ann = await joinNative(undo, server, { room: "plain", name: "Ann", plays: "late-bus-piano" });
  const browser = await openChromium(undo, "harbor-oboe");
  const page = await openPage(undo, browser, plainPage(server, "plain", "Plain"));
  await joined(page, "the plain page");
  await plays("late-bus-piano", await recordFirst(page, "plain-chromium", 6));
  const back = await tail(await ann.stop(), 5);
  await plays("harbor-oboe", back);
  const own = await listen("unmix", back, "harbor-oboe", "late-bus-piano", "--looped");
  assert.ok(own.parts[1].gain_db < -20, `Ann hears herself: ${JSON.stringify(own)}`);
});

inRealTime("two plain pages in Chromium hear each other", async (undo) => {
  const server = await startServer(undo);
  const sources = ["seven-stairs-guitar", "harbor-strings"];
  const pages = await Promise.all(
    sources.map(async (source, i) => openPage(undo, await openChromium(undo, source), plainPage(server, "two-plain", `Plain${i}`))),
  );
  await Promise.all(pages.map((page, i) => joined(page, `page ${i}`)));
  const recordings = await Promise.all(pages.map((page, i) => recordFirst(page, `plain-${i}`, 5)));
  for (const [i, recording] of recordings.entries()) await plays(sources[1 - i], recording);
});

inRealTime("a plain page in Firefox hears a native musician, and is heard", async (undo) => {
  const server = await startServer(undo, "--media", "0.0.0.0:0");
  const ann = await joinNative(undo, server, { room: "fox", name: "Ann", plays: "late-bus-piano" });
  const page = await openFirefoxPage(undo, await openFirefox(undo), plainPage(server, "fox", "Fox"));
  await joined(page, "Firefox");
  const file = await recordFirst(page, "plain-firefox", 3);
  await playsInFirefox("late-bus-piano", "harbor-oboe", file, 0.25);
  await playsFirefoxTone(await tail(await ann.stop(), 8), "late-bus-piano");
});

/** What a page's statistics say of its audio, by type of report. */
async function statistics(page) {
  const all = await page.evaluate(async () => [...(await window.plain.pc.getStats()).values()]);
  const first = (type, wanted) => all.find((each) => each.type === type && each.kind === "audio" && wanted(each)) ?? {};
  const ours = first("outbound-rtp", (each) => each.packetsSent > 0);
  const heard = first("inbound-rtp", (each) => each.packetsReceived > 0);
  return {
    ours,
    heard,
    /** What the server says of how our sound reaches it. */
    told: first("remote-inbound-rtp", (each) => each.ssrc === ours.ssrc),
    /** What the server says of what it sends. */
    sends: first("remote-outbound-rtp", (each) => each.ssrc === heard.ssrc),
  };
}

/** Two plain pages in Chromium in one room whose media goes through a relay. */
async function throughRelay(undo, room) {
  const media = await freeUdpPort();
  const relay = await startRelay(undo, media);
  const server = await startServer(undo, "--media", `127.0.0.1:${media}`, "--advertise", `127.0.0.1:${relay.port}`);
  const sources = ["seven-stairs-guitar", "harbor-strings"];
  const pages = await Promise.all(
    sources.map(async (source, i) => openPage(undo, await openChromium(undo, source), plainPage(server, room, `P${i}`))),
  );
  await Promise.all(pages.map((page, i) => joined(page, `page ${i}`)));
  return { relay, server, page: pages[0] };
}

/** A test that hears nothing: it looks at what is counted, and a stall of the machine loses nothing. */
const counted = (name, scenario) =>
  test(name, () => {
    const undo = new Undo();
    return undo.after(() => scenario(undo));
  });

counted("a plain page is told by RTCP how its sound arrives and what it is sent", async (undo) => {
  const { page } = await throughRelay(undo, "told");
  // Chromium sends a sender report only every five seconds, and there is no round trip before.
  const { told, heard, sends } = await eventually(
    "both sides are reported",
    async () => {
      const now = await statistics(page);
      return now.told.roundTripTimeMeasurements > 0 && now.sends.packetsSent > 0 && now;
    },
    25_000,
  );
  assert.equal(told.packetsLost, 0);
  assert.equal(told.fractionLost, 0);
  assert.ok(told.roundTripTime < 0.5, `a round trip of ${told.roundTripTime} s on loopback`);
  assert.ok(told.jitter < 0.1, `jitter of ${told.jitter} s`);
  // Up to a second of packets lies between the report and the count; more is another stream's.
  assert.ok(Math.abs(sends.packetsSent - heard.packetsReceived) < 300, JSON.stringify({ sends, heard }));
  assert.ok(Math.abs(sends.remoteTimestamp - Date.now()) < 30_000, `the server's clock says ${sends.remoteTimestamp}`);
});

counted("RTCP tells both ends of a plain page of the loss on the way", async (undo) => {
  process.env.RUST_LOG = "info,signalling_server=debug";
  undo.add(() => delete process.env.RUST_LOG);
  const { relay, server, page } = await throughRelay(undo, "lossy");
  const before = (await statistics(page)).ours.packetsSent;
  relay.lose(LOSS);
  const { ours, told } = await eventually(
    "a thousand packets are told of",
    async () => {
      const now = await statistics(page);
      return now.ours.packetsSent - before > 1500 && now;
    },
    40_000,
  );
  const up = told.packetsLost / (ours.packetsSent - before);
  assert.ok(LOSS / 2 < up && up < LOSS * 2, `${LOSS} of the packets were lost upwards, ${up} reported`);
  assert.ok(told.fractionLost > 0 || told.packetsLost > 0);
  // Downwards the page reports, every few seconds, and the server logs.
  const { lost, expected } = await eventually(
    "the server is told",
    async () => {
      const lines = server.log().matchAll(/expected_packets=(\d+) lost_packets=(\d+)/g);
      const sum = { expected: 0, lost: 0 };
      for (const [, expected, lost] of lines) {
        sum.expected += Number(expected);
        sum.lost += Number(lost);
      }
      return sum.expected > 1500 && sum.lost > 0 && sum;
    },
    40_000,
  );
  // What was lost on the other page's way up is missing on the way down too.
  const down = lost / expected;
  const both = 1 - (1 - LOSS) ** 2;
  assert.ok(both / 2 < down && down < both * 2, `${both} of the packets were lost on both ways, ${down} reported`);
});

/** So much of the media is lost. */
const LOSS = 0.05;
