// A browser whose network goes away and comes back: it sits on its old seat again, by itself, and
// the music goes on.

import assert from "node:assert/strict";

import { openChromium, openPage } from "./browsers.js";
import { eventually, joinNative, seconds, startServer } from "./harness.js";
import { hear, hears, joined, report, roomLink } from "./our_page.js";
import { inRealTime } from "./real_time.js";
import { freeUdpPort, startRelay } from "./relay.js";
import { plays } from "./sound.js";
import { tail } from "./wav.js";

/** What a browser says of every attempt to reach a server that is away. */
const UNREACHABLE = [/^WebSocket connection to .* failed/];

/** Opens Bob's page, who plays the oboe. */
async function openBob(undo, server, room) {
  const browser = await openChromium(undo, "harbor-oboe");
  const bob = await openPage(undo, browser, roomLink(server, room, "Bob", { engine: "engine" }), { expected: UNREACHABLE });
  await eventually("Bob is in", async () => (await report(bob)).link === "up");
  return bob;
}

/** Both hear each other at this moment. */
async function hearEachOther(ann, bob, label) {
  await hears(bob, label, "late-bus-piano");
  await plays("harbor-oboe", await tail(await ann.stop(), 2.5));
}

/**
 * Waits until hardly anything had to be invented in a second of Bob's sound at Ann, and nothing has piled up that
 * will be left out.
 */
async function settled(ann) {
  let before;
  await eventually("Bob's sound has settled at Ann", async () => {
    const [line] = await ann.remotes();
    if (line.played_ms === before?.played_ms) return false;
    const piledUp = Math.max(line.buffer_ms, before?.buffer_ms) - line.playout_delay_target_ms;
    const calm = line.concealed_ms - before?.concealed_ms < 20 && piledUp < 20;
    before = line;
    return calm;
  });
}

inRealTime("a browser whose WebSocket is cut comes back to its seat, and the music never stops", async (undo) => {
  const server = await startServer(undo);
  const ann = await joinNative(undo, server, { room: "cut", name: "Ann", plays: "late-bus-piano" });
  const bob = await openBob(undo, server, "cut");
  const { me } = await joined(bob, "Bob");

  const through = await hear(bob, "cut", async () => {
    await seconds(1);
    server.front.cut();
    await bob.getByText("Connection lost.").waitFor();
    await eventually("the others are told", async () => (await ann.remotes())[0]?.presence === "away");
    server.front.restore();
    await bob.getByText("Connection lost.").waitFor({ state: "detached" });
    await joined(bob, "Bob, back,");
    await seconds(1);
  });
  await plays("late-bus-piano", through);

  const back = await report(bob);
  assert.deepEqual([back.phase, back.me, back.uplinkPath], ["in", me, "data-channel"], back.why);
  await eventually("the others are told again", async () => (await ann.remotes())[0]?.presence === "online");
  await hearEachOther(ann, bob, "cut-back");
});

inRealTime("a browser comes back to a server that was restarted", async (undo) => {
  const server = await startServer(undo);
  const bob = await openBob(undo, server, "restart");
  await server.stop();
  await bob.getByText("The server stopped.").waitFor();
  await server.again();
  await bob.getByText("The server stopped.").waitFor({ state: "detached" });
  const ann = await joinNative(undo, server, { room: "restart", name: "Ann", plays: "late-bus-piano" });
  await joined(bob, "Bob, back,");
  await hearEachOther(ann, bob, "restart");
});

inRealTime("a browser whose media is cut restarts ICE and plays on with our engine", async (undo) => {
  const media = await freeUdpPort();
  const relay = await startRelay(undo, media);
  const server = await startServer(undo, "--media", `127.0.0.1:${media}`, "--advertise", `127.0.0.1:${relay.port}`);
  const args = ["--media-via", `127.0.0.1:${media}`];
  const ann = await joinNative(undo, server, { room: "ice", name: "Ann", plays: "late-bus-piano", args });
  const bob = await openBob(undo, server, "ice");
  const { me } = await joined(bob, "Bob");
  relay.cut();
  await bob.getByText("The sound is interrupted.").waitFor();
  relay.restore();
  await bob.getByText("The sound is interrupted.").waitFor({ state: "detached" });
  const back = await joined(bob, "Bob, back,");
  assert.deepEqual([back.mode, back.me], ["engine", me]);
  // Which way they go up is open: what waited in the data channel meanwhile counts as congestion,
  // and has to be through before the sound is whole again.
  await eventually("packets go up", async () => (await report(bob)).counts.sentPackets > back.counts.sentPackets);
  await settled(ann);
  await hearEachOther(ann, bob, "ice-back");
});
