// A take of a browser and of a native musician, each on a sound server that leads what is played back in: what they play
// is what they hear of the click, so that both stems must lie on it.

import assert from "node:assert/strict";
import path from "node:path";

import { openChromiumOnPulse, openPage } from "./browsers.js";
import { eventually, joinOnJack, OUT, seconds, startServer } from "./harness.js";
import { decode, knowsTheTime, report, roomLink, switched } from "./our_page.js";
import { inRealTime } from "./real_time.js";
import { JACK_LOOP_MS, startJack, startPulse } from "./sound_servers.js";
import { unzip } from "./zip.js";

const button = (page, name) => page.getByRole("button", { name });
const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];

/** Waits until the sound system has found out how long it holds sound: PulseAudio says up to 30 ms too much at first. */
const outputSettles = (page) => {
  const said = [];
  return eventually("the output's delay is known", async () => {
    await seconds(0.5);
    said.push(await page.evaluate(() => window.vjam.stats?.outputMs ?? 0));
    const latest = said.slice(-12);
    return latest.length === 12 && 0 < latest[0] && Math.max(...latest) - Math.min(...latest) < 2.5;
  }, 60_000);
};

/** Where bursts begin in samples of 16 bits: the milliseconds of each first loud sample after a tenth of a second without one. */
function begins(base64) {
  const bytes = Buffer.from(base64, "base64");
  const samples = new Int16Array(bytes.buffer, bytes.byteOffset, bytes.length >> 1);
  const loudest = samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
  const found = [];
  let loudAt = -Infinity;
  for (const [at, sample] of samples.entries()) {
    if (Math.abs(sample) < 0.1 * loudest || loudest === 0) continue;
    if (4_800 <= at - loudAt) found.push(at / 48);
    loudAt = at;
  }
  return found;
}

inRealTime("stems of a browser and of a native musician who play with the click lie on it, and on each other", async (undo, t) => {
  const [pulse, jack] = [await startPulse(undo), await startJack(undo)];
  const server = await startServer(undo);
  // What each hears of the click is what each plays: an instrument that is exactly in time with what is heard.
  await joinOnJack(undo, server, jack, { room: "lines", name: "Nat", args: ["--takes", path.join(OUT, "takes-nat"), "--channels", "1"] });
  await jack.connect("Nat:out_1", "Nat:in_1");
  const browser = await openChromiumOnPulse(undo, pulse);
  const ann = await openPage(undo, browser, roomLink(server, "lines", "Ann", { engine: "engine" }));
  await eventually("Ann is in", async () => (await report(ann)).link === "up");
  await knowsTheTime(ann, "Ann");
  // Or what Nat plays came out of Ann's loudspeaker, into her microphone, and around for ever.
  await button(ann, "Mute Nat for me").click();
  await outputSettles(ann);
  await switched(ann, "Click").click();
  await button(ann, "Start the click").click();
  await seconds(2);
  await switched(ann, "Record").click();
  await ann.getByLabel("Title").fill("Lines");
  await button(ann, "Record everybody").click();
  await seconds(10);
  await button(ann, "Stop recording").click();
  const link = ann.getByRole("link", { name: "Download Lines" });
  await link.waitFor({ timeout: 40_000 });
  const zip = await fetch(new URL(await link.getAttribute("href"), server.url));
  const files = unzip(Buffer.from(await zip.arrayBuffer()));
  const stem = async (pattern) => {
    const name = [...files.keys()].find((name) => pattern.test(name));
    assert.ok(name, [...files.keys()].join(" "));
    return begins((await decode(ann, files.get(name))).base64);
  };
  const beats = await stem(/Click\.flac$/);
  assert.ok(12 <= beats.length, `${beats}`);
  const late = {};
  for (const [name, loopMs] of [["Ann", 0], ["Nat", JACK_LOOP_MS]]) {
    const played = await stem(new RegExp(`${name}.*\\.flac$`));
    // The beat that a take begins or ends in may be cut.
    const near = beats.slice(1, -1).map((beat) => {
      const nearest = played.reduce((best, at) => (Math.abs(at - beat) < Math.abs(best - beat) ? at : best), Infinity);
      return nearest - beat - loopMs;
    });
    t.diagnostic(`${name}: late by ${near.map((ms) => ms.toFixed(1)).join(" ")} ms`);
    late[name] = median(near);
    const apart = median(near.map((ms) => Math.abs(ms - late[name])));
    assert.ok(apart < 2, `${name}: ${near}`);
  }
  assert.ok(Math.abs(late.Nat) < 2, JSON.stringify(late));
  // Chromium tells in whole milliseconds how long its output holds sound.
  assert.ok(Math.abs(late.Ann) < 2, JSON.stringify(late));
  assert.ok(Math.abs(late.Ann - late.Nat) < 2.5, JSON.stringify(late));
});
