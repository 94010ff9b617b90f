// The web page as musicians use it: joining by keyboard, chat, mute, the link to share, leaving.
// Pictures of each step go to target/browser-tests.

import assert from "node:assert/strict";
import path from "node:path";
import { test } from "node:test";

import { openChromium, openPage } from "./browsers.js";
import { eventually, joinNative, OUT, startServer } from "./harness.js";

const picture = (page, name) => page.screenshot({ path: path.join(OUT, `${name}.png`) });
const phase = (page) => page.evaluate(() => window.vjam?.state?.phase?.name);

/** Presses Tab until the focus is on something whose name matches. */
async function tabTo(page, pattern) {
  for (let i = 0; i < 60; i++) {
    await page.keyboard.press("Tab");
    const name = await page.evaluate(() => {
      const element = document.activeElement;
      return [element?.getAttribute("aria-label"), element?.labels?.[0]?.textContent, element?.textContent].filter(Boolean).join(" ");
    });
    if (pattern.test(name)) return name;
  }
  throw new Error(`nothing that matches ${pattern} can be reached by keyboard`);
}

test("a musician joins by keyboard, talks, mutes and leaves", async (t) => {
  const server = await startServer(t);
  await joinNative(t, server, { room: "kitchen", name: "Ann", plays: "late-bus-piano", loops: 6, args: ["--duration", "60"] });
  const browser = await openChromium(t, "harbor-oboe");
  const page = await openPage(t, browser, `${server.url}/r/kitchen`);
  await page.waitForLoadState("load");
  await picture(page, "1-join");
  await tabTo(page, /name/i);
  await page.keyboard.type("Bob");
  await page.keyboard.press("Enter");
  await eventually("Bob is in", async () => {
    // Joining may ask for the microphone first and then for another step.
    if ((await phase(page)) !== "in") await page.keyboard.press("Enter");
    return (await phase(page)) === "in";
  });
  await eventually("the media link is up", () => page.evaluate(() => window.vjam.state.link === "up"));
  await picture(page, "2-room");
  await page.locator("[data-participant]", { hasText: "Ann" }).first().waitFor();

  await page.evaluate(() => window.vjam.chat("can you hear me?"));
  await page.getByText("can you hear me?").first().waitFor();
  await page.evaluate(() => window.vjam.mute(true));
  await eventually("everybody is told that Bob is muted", () =>
    page.evaluate(() => window.vjam.state.participants.some((p) => p.tracks.some((track) => track.muted))),
  );
  await picture(page, "3-muted");

  const phone = await openPage(t, browser, `${server.url}/r/kitchen?name=Phone&autojoin=1`, { viewport: { width: 390, height: 844 } });
  await eventually("a phone is in, too", async () => (await phase(phone)) === "in");
  await picture(phone, "4-phone");
  await phone.locator("[data-participant]", { hasText: "Bob" }).first().waitFor();

  await page.evaluate(() => window.vjam.leave());
  await eventually("Bob has left", async () => (await phase(page)) !== "in");
  await picture(page, "5-left");
  assert.deepEqual(page.problems, [], "nothing went wrong in the console");
});
