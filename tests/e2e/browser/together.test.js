// What a room does together beside playing, through the page alone: a click that everybody hears when the room's
// clock shows its beats, and a take that is recorded, brought to the server and downloaded.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import path from "node:path";

import { openChromium, openPage } from "./browsers.js";
import { eventually, OUT, seconds, startServer } from "./harness.js";
import { decode, hears, joined, knowsTheTime, report, roomLink, switched } from "./our_page.js";
import { inRealTime } from "./real_time.js";
import { plays } from "./sound.js";
import { tail, writeWav } from "./wav.js";
import { unzip } from "./zip.js";

const button = (page, name) => page.getByRole("button", { name });
const shared = (page) => page.evaluate(() => window.vjam.state.shared);

const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];

/** By how many milliseconds each burst that a page played since it was last asked is late for its beat, and which beat. */
async function lateness(page, segment) {
  const heard = await page.evaluate(() => ({
    onsets: window.__onsets.take("out"),
    outputMs: window.__onsets.outputMs(),
    aheadMs: window.vjam.stats.roomClock.aheadMs,
  }));
  const beatMs = 60_000_000 / segment.tempo_millibpm;
  return heard.onsets.map((onset) => {
    const roomMs = onset + heard.outputMs + heard.aheadMs;
    const passed = roomMs - segment.start_us / 1000;
    const beat = Math.round(passed / beatMs);
    return { beat: beat || 0, lateMs: passed - beat * beatMs };
  });
}

inRealTime("a click that one begins is heard by all when the room's clock shows its beats", async (undo, t) => {
  const server = await startServer(undo);
  const silence = await writeWav(path.join(OUT, "silence.wav"), Buffer.alloc(2 * 48_000).toString("base64"));
  const script = await readFile(path.join(import.meta.dirname, "onsets.js"), "utf8");
  const browser = await openChromium(undo, silence);
  const open = async (name) => {
    const page = await openPage(undo, browser, roomLink(server, "click", name, { engine: "engine" }), { script });
    await eventually(`${name} is in`, async () => (await report(page)).link === "up");
    await knowsTheTime(page, name);
    return page;
  };
  const [ann, bob] = [await open("Ann"), await open("Bob")];
  await switched(ann, "Click").click();
  await ann.getByLabel("Tempo").fill("150");
  await ann.getByLabel("Tempo").press("Enter");
  await button(ann, /^Beat 3: plain/).click();
  await button(ann, "Start the click").click();
  await switched(bob, "Click").filter({ hasText: /\d\.\d/ }).waitFor();
  const { click } = await shared(bob);
  assert.deepEqual([click[0].tempo_millibpm, click[0].bar], [150_000, 0]);
  assert.deepEqual(click[0].beats, ["accent", "normal", "silent", "normal"]);
  await seconds(5);
  for (const [label, page] of [["Ann", ann], ["Bob", bob]]) {
    const heard = await lateness(page, click[0]);
    const late = heard.map(({ lateMs }) => lateMs);
    t.diagnostic(`${label}: late by ${late.map((ms) => ms.toFixed(1)).join(" ")} ms`);
    // From the very first beat on, without the silent one of each bar.
    assert.deepEqual(heard.slice(0, 8).map(({ beat }) => beat), [0, 1, 3, 4, 5, 7, 8, 9], label);
    assert.ok(Math.abs(median(late)) < 6, `${label}: ${late}`);
    assert.ok(late.every((ms) => Math.abs(ms - median(late)) < 4), `${label}: ${late}`);
  }

  // Bob takes the lead: Ann's page does not let her, and follows.
  await switched(bob, "Click").click();
  await button(bob, "Take the lead").click();
  await ann.getByText("Bob leads, and sets click and mode.").waitFor();
  assert.ok(await button(ann, "Stop the click").isDisabled());
  await bob.getByLabel("Tempo").fill("180");
  await bob.getByLabel("Tempo").press("Enter");
  await eventually("Ann's page shows the other tempo", async () => (await ann.getByLabel("Tempo").inputValue()) === "180");
  await seconds(3);
  await ann.evaluate(() => window.__onsets.take("out"));
  const faster = (await shared(ann)).click.at(-1);
  assert.equal(faster.tempo_millibpm, 180_000);
  await seconds(3);
  const late = (await lateness(ann, faster)).map(({ lateMs }) => lateMs);
  assert.ok(6 <= late.length && Math.abs(median(late)) < 6, `after the change: ${late}`);
  await button(bob, "Stop the click").click();
  await switched(ann, "Click").filter({ hasText: "off" }).waitFor();
  await seconds(0.5);
  await ann.evaluate(() => window.__onsets.take("out"));
  await seconds(1.5);
  assert.deepEqual(await ann.evaluate(() => window.__onsets.take("out")), []);
});

inRealTime("a take of a browser is recorded, arrives, and is downloaded", async (undo) => {
  const server = await startServer(undo);
  const browser = await openChromium(undo, "harbor-oboe");
  const open = (name) => openPage(undo, browser, roomLink(server, "take", name, { engine: "engine" }));
  const [ann, bob] = [await open("Ann"), await open("Bob")];
  await Promise.all([joined(ann, "Ann"), joined(bob, "Bob")]);
  await knowsTheTime(ann, "Ann");
  await switched(bob, "Record").click();
  await bob.getByLabel("Record me, too").uncheck();
  await switched(ann, "Record").click();
  await ann.getByLabel("Title").fill("Blue take");
  await button(ann, "Record everybody").click();
  await bob.getByText("started by Ann").waitFor();
  await seconds(3);
  // Whoever reloads goes on.
  await ann.reload();
  await joined(ann, "Ann again");
  await knowsTheTime(ann, "Ann again");
  await seconds(3);
  await button(ann, "Mark this moment").click();
  await ann.locator(".recording [role=status]", { hasText: "Marked at" }).waitFor({ state: "attached" });
  await button(ann, "Stop recording").click();
  await switched(ann, "Record").click();
  // One stem: what was recorded before and after.
  await ann.getByText(/^Stems: Ann complete/).waitFor({ timeout: 30_000 });
  const link = ann.getByRole("link", { name: "Download Blue take" });
  // Bob brings nothing, for which the server would wait.
  await button(ann, "Prepare the download of Blue take").click();
  await link.waitFor({ timeout: 30_000 });
  const zip = await fetch(new URL(await link.getAttribute("href"), server.url));
  assert.equal(zip.status, 200);
  const files = unzip(Buffer.from(await zip.arrayBuffer()));
  const name = [...files.keys()].find((name) => /Ann.*\.flac$/.test(name));
  assert.ok(name, [...files.keys()].join(" "));
  const { takes } = await shared(ann);
  const sound = await decode(ann, files.get(name));
  // As long as the take, with a hole where the page was loaded anew.
  const takeS = (takes[0].stop_us - takes[0].start_us) / 1e6;
  assert.ok(Math.abs(sound.seconds - takeS) < 0.1, `${sound.seconds} s of ${takeS}`);
  await plays("harbor-oboe", await tail(await writeWav(path.join(OUT, "take-ann.wav"), sound.base64), 2.5));
  await eventually("nothing is left in the browser", async () => {
    const left = await ann.evaluate(async () => {
      const root = await navigator.storage.getDirectory();
      const names = [];
      for await (const name of (await root.getDirectoryHandle("stems")).keys()) names.push(name);
      return names;
    });
    if (0 < left.length) throw new Error(left.join(" "));
    return true;
  });
  await hears(bob, "take", "harbor-oboe", 2);
});
