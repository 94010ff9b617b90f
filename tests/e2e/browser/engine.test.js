// Our page with our engine, and the same page without the pieces it needs: what goes into a
// microphone comes out of the loudspeakers of browsers and native musicians.

import assert from "node:assert/strict";
import { test } from "node:test";

import { openChromium, openPage, record } from "./browsers.js";
import { eventually, joinNative, listen, seconds, startServer } from "./harness.js";

const roomPage = (server, room, name, engine) => `${server.url}/r/${room}?name=${name}&autojoin=1${engine ? `&engine=${engine}` : ""}`;

/** Waits until our page is in the room with its media link up and somebody to hear. */
async function joined(page, label) {
  await eventually(`${label} is in, linked, and hears somebody`, async () => {
    const state = await page.evaluate(() => ({
      phase: window.vjam?.state?.phase?.name, link: window.vjam?.state?.link, streams: window.vjam?.state?.streams?.length ?? 0,
    }));
    if (state.phase !== "in" || state.link !== "up" || state.streams === 0) throw new Error(JSON.stringify(state));
    return true;
  });
}

/** The recording with the most sound in it: everything that a page plays goes through one output. */
async function loudest(files) {
  const levels = await Promise.all(Object.values(files).map(async (file) => ({ file, ...(await listen("level", file)) })));
  return levels.sort((a, b) => b.level_db - a.level_db)[0]?.file;
}

/** In the standard mode the browser plays elements; our engine plays through an AudioContext. */
async function hear(page, label, ms) {
  if (await page.evaluate(() => window.vjam.engine.mode === "standard")) {
    await page.evaluate(async () => {
      let i = 0;
      for (const element of document.querySelectorAll("audio")) {
        if (!element.srcObject) continue;
        element.id ||= `heard-${i++}`;
        await window.__recorder.recordElement(`#${element.id}`, element.id);
      }
    });
  }
  await seconds(1.5);
  return loudest(await record(page, label, ms));
}

for (const mode of ["engine", "standard"]) {
  test(`a browser (${mode}) and a native musician hear each other`, async (t) => {
    const server = await startServer(t);
    const room = `native-${mode}`;
    const native = await joinNative(t, server, { room, name: "Ann", plays: "late-bus-piano", loops: 3, args: ["--duration", "20"] });
    const browser = await openChromium(t, "harbor-oboe");
    const page = await openPage(t, browser, roomPage(server, room, "Bob", mode));
    await joined(page, "Bob");
    assert.equal(await page.evaluate(() => window.vjam.engine.mode), mode);
    const file = await hear(page, room, 6_000);
    const heard = await listen("compare", "late-bus-piano", file, "--looped");
    assert.ok(heard.heard && heard.correlation > 0.8, JSON.stringify(heard));
    await native.child.ended;
    const back = await listen("compare", "harbor-oboe", native.heard, "--looped");
    assert.ok(back.heard && back.correlation > 0.8, JSON.stringify(back));
    const own = await listen("unmix", native.heard, "harbor-oboe", "late-bus-piano", "--looped");
    assert.ok(own.parts[1].gain_db < -20, `Ann hears herself: ${JSON.stringify(own)}`);
  });
}

for (const modes of [["engine", "engine"], ["engine", "standard"]]) {
  test(`two browsers (${modes.join(" and ")}) hear each other`, async (t) => {
    const server = await startServer(t);
    const room = `browsers-${modes[1]}`;
    const sources = ["seven-stairs-guitar", "harbor-strings"];
    const pages = await Promise.all(
      modes.map(async (mode, i) => openPage(t, await openChromium(t, sources[i]), roomPage(server, room, `Musician${i}`, mode))),
    );
    await Promise.all(pages.map((page, i) => joined(page, `musician ${i}`)));
    for (const [i, page] of pages.entries()) {
      const file = await hear(page, `${room}-${i}`, 5_000);
      const heard = await listen("compare", sources[1 - i], file, "--looped");
      assert.ok(heard.heard && heard.correlation > 0.75, `musician ${i}: ${JSON.stringify(heard)}`);
    }
  });
}
