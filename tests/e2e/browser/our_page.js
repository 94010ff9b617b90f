// Our own page as the tests see it, in either browser: how to get in, and what it sounds like.

import { record } from "./browsers.js";
import { eventually, listen, seconds } from "./harness.js";
import { plays } from "./sound.js";

/** The link that takes a browser into a room without a click; `options` are the link's. */
export function roomLink(server, room, name, options = {}) {
  return `${server.url}/r/${room}?${new URLSearchParams({ name, autojoin: "1", ...options })}`;
}

/** The link that only leads to the room. */
export const joinLink = (server, room) => `${server.url}/r/${room}`;

/** What the page says of itself, as plain data. */
export function report(page) {
  return page.evaluate(() => {
    const { state, stats, engine } = window.vjam;
    return {
      phase: state?.phase.name,
      me: state?.me,
      link: state?.link,
      participants: state?.participants ?? [],
      streams: state?.streams ?? [],
      mode: engine?.mode,
      uplinkPath: stats?.uplinkPath,
      why: stats?.why,
      remotes: stats?.remotes ?? {},
      counts: window.vjam.counts ?? window.vjam.audio?.linkCounts?.() ?? null,
    };
  });
}

/** Waits until the page is in the room, its media link up, and `others` sound in it. */
export async function joined(page, label, others = 1) {
  return eventually(`${label} is in, linked, and hears ${others}`, async () => {
    const now = await report(page);
    const sounding = Object.values(now.remotes).filter(({ levelDb }) => -50 < levelDb).length;
    if (now.phase !== "in" || now.link !== "up" || sounding < others) throw new Error(JSON.stringify(now));
    return now;
  });
}

/** The numbers that a page has on the first track of somebody. */
export async function remote(page, name) {
  const { participants, remotes } = await report(page);
  return remotes[participants.find((participant) => participant.name === name)?.tracks[0]?.id];
}

/** Records what the page plays meanwhile: everything goes through one output, beside silent ones. */
export async function hear(page, label, meanwhile) {
  const files = Object.values(await record(page, label, meanwhile));
  const levels = await Promise.all(files.map((file) => listen("level", file)));
  return files.sort((a, b) => levels[files.indexOf(b)].level_db - levels[files.indexOf(a)].level_db)[0];
}

/** Records for some seconds, and asks that `source` is what is heard, without being torn apart. */
export async function hears(page, label, source, s = 3) {
  return plays(source, await hear(page, label, () => seconds(s)));
}

/** The switch of something that a room does together: its click, its mode, its takes. */
export const switched = (page, name) => page.locator(".together-switch", { hasText: name });

/** Waits until a page knows what the room's clock shows. */
export const knowsTheTime = (page, label) =>
  eventually(`${label} knows the room's clock`, () => page.evaluate(() => window.vjam.stats?.roomClock?.settled === true));

/** A FLAC file as 16-bit samples in base64: a browser can read it. */
export const decode = (page, flac) =>
  page.evaluate(async (base64) => {
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    const context = new OfflineAudioContext(1, 1, 48_000);
    const samples = (await context.decodeAudioData(bytes.buffer)).getChannelData(0);
    const out = new Uint8Array(Int16Array.from(samples, (sample) => Math.round(32_767 * sample)).buffer);
    let text = "";
    for (let at = 0; at < out.length; at += 8_192) text += String.fromCharCode(...out.subarray(at, at + 8_192));
    return { base64: btoa(text), seconds: samples.length / 48_000 };
  }, flac.toString("base64"));
