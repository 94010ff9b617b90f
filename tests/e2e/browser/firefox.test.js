// Firefox with our engine: what a native musician plays comes out of it, and the tone of its fake
// microphone arrives, on the way that it is said to take.

import assert from "node:assert/strict";

import { openFirefox, openFirefoxPage } from "./browsers.js";
import { joinNative, seconds, startServer } from "./harness.js";
import { hear, joined, report, roomLink } from "./our_page.js";
import { inRealTime } from "./real_time.js";
import { playsFirefoxTone, playsInFirefox } from "./sound.js";
import { tail } from "./wav.js";

inRealTime("Firefox (engine) and a native musician hear each other", async (undo) => {
  const server = await startServer(undo, "--media", "0.0.0.0:0");
  const ann = await joinNative(undo, server, { room: "fox-engine", name: "Ann", plays: "late-bus-piano" });
  const link = roomLink(server, "fox-engine", "Fox", { engine: "engine" });
  const page = await openFirefoxPage(undo, await openFirefox(undo), link);
  await joined(page, "Firefox");
  const file = await hear(page, "fox-engine", () => seconds(2));
  await playsInFirefox("late-bus-piano", "harbor-oboe", file, 0.75);

  // A data channel that did not open would be given up after four seconds, and carry nothing.
  await seconds(3);
  const { mode, uplinkPath, why, counts } = await report(page);
  assert.deepEqual([mode, uplinkPath], ["engine", "data-channel"], why);
  assert.ok(1_000 < counts.sentPackets && 1_000 < counts.receivedFrames, JSON.stringify(counts));
  const [fox] = await ann.remotes();
  assert.ok(1_000 < fox.received_packets && fox.lost_packets < 100, JSON.stringify(fox));
  await playsFirefoxTone(await tail(await ann.stop(), 8), "late-bus-piano");
});
