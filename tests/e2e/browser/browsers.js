// Chromium (playwright-core) and Firefox (puppeteer-core over WebDriver BiDi) with a microphone
// that plays one of our music files, and with the recorder in every page.

import { readFile } from "node:fs/promises";
import path from "node:path";

import { chromium } from "playwright-core";
import puppeteer from "puppeteer-core";

import { music, OUT, writeWav } from "./harness.js";

const HERE = import.meta.dirname;
const recorder = await readFile(path.join(HERE, "recorder.js"), "utf8");

/** A Chromium whose microphone plays `plays` over and over. */
export async function openChromium(t, plays) {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    headless: true,
    args: [
      "--no-sandbox",
      "--use-fake-device-for-media-stream",
      "--use-fake-ui-for-media-stream",
      `--use-file-for-fake-audio-capture=${await music(plays)}`,
      "--autoplay-policy=no-user-gesture-required",
      // Two pages of one test share two cores with a server and a compiler.
      "--disable-background-timer-throttling",
      "--disable-renderer-backgrounding",
      "--disable-backgrounding-occluded-windows",
      "--disable-features=WebRtcHideLocalIpsWithMdns",
    ],
  });
  t.after(() => browser.close());
  return browser;
}

/** Opens a page with the recorder in it; console errors fail the test at its end. */
export async function openPage(t, browser, url, { viewport = { width: 1280, height: 800 } } = {}) {
  const context = await browser.newContext({ viewport, permissions: ["microphone"] });
  await context.addInitScript(recorder);
  const page = await context.newPage();
  page.problems = [];
  page.on("pageerror", (error) => page.problems.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error") page.problems.push(message.text());
  });
  await page.goto(url);
  return page;
}

/** A headless Firefox whose microphone is its own fake one: a steady tone. */
export async function openFirefox(t) {
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
      // Without a sound card an AudioContext would never start; a mock one keeps time.
      "media.cubeb.force_mock_context": true,
      "media.peerconnection.ice.loopback": true,
      "media.peerconnection.ice.obfuscate_host_addresses": false,
    },
  });
  t.after(() => browser.close());
  return browser;
}

export async function openFirefoxPage(browser, url) {
  const page = await browser.newPage();
  await page.evaluateOnNewDocument(recorder);
  await page.goto(url);
  return page;
}

/** Records everything that a page plays for a while; gives WAV files by recording name. */
export async function record(page, label, ms) {
  await page.evaluate(() => window.__recorder.start());
  await new Promise((resolve) => setTimeout(resolve, ms));
  const recordings = await page.evaluate(() => window.__recorder.stop());
  const files = {};
  for (const [name, samples] of Object.entries(recordings)) {
    files[name] = await writeWav(path.join(OUT, `${label}-${name}.wav`), samples);
  }
  return files;
}
