// Chromium (playwright-core) and Firefox (puppeteer-core over WebDriver BiDi) with a microphone
// that plays one of our music files, and with the recorder in every page.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import path from "node:path";

import { chromium } from "playwright-core";
import puppeteer from "puppeteer-core";

import { music, OUT } from "./harness.js";
import { writeWav } from "./wav.js";

const HERE = import.meta.dirname;
const recorder = await readFile(path.join(HERE, "recorder.js"), "utf8");

/** A Chromium whose microphone plays `plays`, a track or a WAV file, over and over. */
export async function openChromium(undo, plays) {
  const file = plays.endsWith(".wav") ? plays : await music(plays);
  return await launchChromium(undo, {
    args: ["--use-fake-device-for-media-stream", `--use-file-for-fake-audio-capture=${file}`],
  });
}

/** A Chromium that captures from and plays to a PulseAudio server, found by `env`; see sound_servers.js. */
export function openChromiumOnPulse(undo, env) {
  return launchChromium(undo, { args: [], env: { ...process.env, ...env }, ignoreDefaultArgs: ["--mute-audio"] });
}

async function launchChromium(undo, { args, ...options }) {
  const browser = await chromium.launch({
    ...options,
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    headless: true,
    args: [
      ...args,
      "--no-sandbox",
      "--use-fake-ui-for-media-stream",
      "--autoplay-policy=no-user-gesture-required",
      // Two pages of one test share two cores with a server and a compiler.
      "--disable-background-timer-throttling",
      "--disable-renderer-backgrounding",
      "--disable-backgrounding-occluded-windows",
      "--disable-features=WebRtcHideLocalIpsWithMdns",
    ],
  });
  undo.add(() => browser.close());
  return browser;
}

/**
 * Opens a page with the recorder in it. Errors in its console fail the test at its end, except for
 * those that match one of `expected`; `script` runs before the page's own.
 */
export async function openPage(undo, browser, url, { viewport, permissions = [], script, expected } = {}) {
  const context = await browser.newContext({
    viewport: viewport ?? { width: 1280, height: 800 },
    permissions: ["microphone", ...permissions],
  });
  await context.addInitScript(recorder);
  if (script !== undefined) await context.addInitScript(script);
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  watchConsole(undo, page, expected);
  await page.goto(url);
  return page;
}

/** Both drivers name a page's errors alike. */
function watchConsole(undo, page, expected = []) {
  const problems = [];
  const note = (text) => {
    if (!expected.some((pattern) => pattern.test(text))) problems.push(text);
  };
  page.on("pageerror", (error) => note(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error") note(message.text());
  });
  undo.add(async () => {
    // A page that is left says good-bye first: the server is still there for it.
    await page.close();
    assert.deepEqual(problems, [], "errors in the console of a page");
  });
}

/** What Firefox's fake microphone plays. */
export const FIREFOX_TONE_HZ = 1000;

/**
 * A headless Firefox whose microphone is its own fake one: a steady tone.
 *
 * Its sound card is a mock one whose clock runs up to an eighth slow, as sleeps add up: whatever is
 * played or sent at the right speed waits longer and longer. A recording should be short, and begin
 * as soon as there is something to hear.
 */
export async function openFirefox(undo) {
  const browser = await puppeteer.launch({
    browser: "firefox",
    protocol: "webDriverBiDi",
    executablePath: process.env.FIREFOX ?? "/usr/bin/firefox-esr",
    headless: true,
    protocolTimeout: 60_000,
    extraPrefsFirefox: {
      "media.navigator.streams.fake": true,
      "media.navigator.permission.disabled": true,
      "media.autoplay.default": 0,
      "media.autoplay.blocking_policy": 0,
      // Without a sound card an AudioContext would never start.
      "media.cubeb.force_mock_context": true,
      "media.peerconnection.ice.loopback": true,
      "media.peerconnection.ice.obfuscate_host_addresses": false,
    },
  });
  undo.add(() => browser.close());
  return browser;
}

/** The same as `openPage`, in Firefox. */
export async function openFirefoxPage(undo, browser, url) {
  const page = await browser.newPage();
  watchConsole(undo, page);
  await page.evaluateOnNewDocument(recorder);
  await page.goto(url);
  return page;
}

/** Records everything that a page plays until `meanwhile` is done; gives WAV files by name. */
export async function record(page, label, meanwhile) {
  await page.evaluate(() => window.__recorder.start());
  await meanwhile();
  const recordings = await page.evaluate(() => window.__recorder.stop());
  const files = {};
  for (const [name, samples] of Object.entries(recordings)) {
    files[name] = await writeWav(path.join(OUT, `${label}-${name}.wav`), samples);
  }
  return files;
}
