// The web page as musicians use it, through its buttons and keys only: joining, the link to share,
// chat, mute, the mix, listening only, leaving. Pictures of each step go to target/browser-tests.

import assert from "node:assert/strict";
import path from "node:path";

import { openChromium, openPage } from "./browsers.js";
import { eventually, joinNative, listen, OUT, seconds, startServer } from "./harness.js";
import { hear, hears, joined, joinLink, report, roomLink } from "./our_page.js";
import { inRealTime } from "./real_time.js";
import { tail } from "./wav.js";

const picture = (page, name) => page.screenshot({ path: path.join(OUT, `${name}.png`) });
const button = (page, name) => page.getByRole("button", { name, exact: true });

/** Presses Tab until the focus is on something whose name matches. */
async function tabTo(page, pattern) {
  for (let i = 0; i < 60; i++) {
    await page.keyboard.press("Tab");
    const name = await page.evaluate(() => {
      const element = document.activeElement;
      return [element?.getAttribute("aria-label"), element?.labels?.[0]?.textContent, element?.textContent].filter(Boolean).join(" ");
    });
    if (pattern.test(name)) return;
  }
  throw new Error(`nothing that matches ${pattern} can be reached by keyboard`);
}

/** Waits until Ann measures the one with that name above or below a level. */
const levelAt = (ann, name, within) =>
  eventually(`${name}'s level at Ann`, async () => {
    const line = (await ann.remotes()).find((remote) => remote.name === name);
    if (line === undefined || !within(line.level_peak_dbfs)) throw new Error(JSON.stringify(line));
    return true;
  });

inRealTime("musicians join, share the link, talk, mute and leave", async (undo) => {
  const server = await startServer(undo);
  const browser = await openChromium(undo, "harbor-oboe");
  const permissions = ["clipboard-read", "clipboard-write"];
  const bob = await openPage(undo, browser, joinLink(server, "kitchen"), { permissions });
  await bob.getByLabel("Your input").waitFor();
  await picture(bob, "1-join");
  await tabTo(bob, /your name/i);
  await bob.keyboard.type("Bob");
  await bob.keyboard.press("Enter");

  // An empty room shows the link; the button puts the same one where it can be pasted from.
  const invitation = bob.getByRole("region", { name: "You are the first one here." });
  assert.equal(await invitation.locator(".share code").textContent(), joinLink(server, "kitchen"));
  await invitation.getByRole("button", { name: "Copy link" }).click();
  await invitation.getByRole("button", { name: "Link copied" }).waitFor();
  const link = await bob.evaluate(() => navigator.clipboard.readText());
  assert.equal(link, joinLink(server, "kitchen"));

  // Who gets the link opens it on a phone, and takes another input than the first one.
  const zoe = await openPage(undo, browser, link, { viewport: { width: 390, height: 844 } });
  const input = zoe.getByLabel("Your input");
  await input.waitFor();
  const devices = await input.locator("option").evaluateAll((options) => options.map(({ value }) => value));
  const other = devices.find((device) => device !== "default" && device !== devices[0]);
  await input.selectOption(other);
  await eventually("the other input is open", async () => (await input.inputValue()) === other);
  await zoe.getByLabel("Your name").fill("Zoe");
  await button(zoe, "Join").click();
  const ann = await joinNative(undo, server, { room: "kitchen", name: "Ann", plays: "late-bus-piano" });
  await Promise.all([joined(bob, "Bob", 2), joined(zoe, "Zoe", 2)]);
  assert.equal(await zoe.evaluate(() => window.vjam.audio.microphone.getAudioTracks()[0].getSettings().deviceId), other);
  await levelAt(ann, "Zoe", (level) => -50 < level);
  await picture(bob, "2-room");

  await bob.getByLabel("Message to the room").fill("can you hear me?");
  await button(bob, "Send").click();
  await button(zoe, "Chat (1 new)").click();
  await zoe.locator("#chat").getByText("can you hear me?").waitFor();
  await picture(zoe, "3-phone-chat");
  await button(zoe, "Close chat").click();

  await levelAt(ann, "Bob", (level) => -50 < level);
  await button(bob, "Mute me").click();
  await bob.getByText("muted: nobody hears you").waitFor();
  await zoe.getByText("Bob muted this.").waitFor();
  await levelAt(ann, "Bob", (level) => level < -80);
  await button(zoe, "Mute me").click();
  await levelAt(ann, "Zoe", (level) => level < -80);
  await seconds(1.5);
  await picture(bob, "4-muted");

  await button(bob, "Leave").click();
  await bob.getByText("You left kitchen.").waitFor();
  await zoe.getByRole("heading", { name: "Bob" }).waitFor({ state: "detached" });
  await eventually("Ann is told, too", async () => (await ann.remotes()).every(({ name }) => name !== "Bob"));
  await picture(bob, "5-left");
  const { level_db } = await listen("level", await tail(await ann.stop(), 1.5));
  assert.ok(level_db < -80, `Ann hears ${level_db} dB of two who are muted`);
});

inRealTime("gain, mute and solo do to the sound what they say", async (undo) => {
  const server = await startServer(undo);
  await joinNative(undo, server, { room: "mix", name: "Ann", plays: "late-bus-piano" });
  await joinNative(undo, server, { room: "mix", name: "Cal", plays: "seven-stairs-guitar" });
  const bob = await openPage(undo, await openChromium(undo, "harbor-oboe"), roomLink(server, "mix", "Bob"));
  await joined(bob, "Bob", 2);
  /** Records for a while: `sounding` sounds, by how much louder than it was played, `silent` does not. */
  const only = async (label, sounding, silent) => {
    // What was pressed a moment ago has reached the loudspeaker.
    await seconds(0.5);
    const file = await hear(bob, `mix-${label}`, () => seconds(3));
    const { parts } = await listen("unmix", file, sounding, silent, "--looped");
    assert.ok(parts[1].gain_db < -15, `${silent} in ${file}: ${JSON.stringify(parts)}`);
    const heard = await listen("compare", sounding, file, "--looped");
    assert.ok(heard.heard && 0.75 < heard.correlation, `${sounding} in ${file}: ${JSON.stringify(heard)}`);
    return heard.level_db;
  };

  await button(bob, "Solo Cal").click();
  const before = await only("solo", "seven-stairs-guitar", "late-bus-piano");
  await tabTo(bob, /^Gain of Cal/);
  for (let db = 0; db > -12; db--) await bob.keyboard.press("ArrowLeft");
  await bob.getByText("−12 dB").waitFor();
  const after = await only("gain", "seven-stairs-guitar", "late-bus-piano");
  assert.ok(Math.abs(before) < 1.5 && Math.abs(after + 12) < 1.5, `${before} dB, then ${after} dB`);

  await button(bob, "Solo Cal").click();
  await button(bob, "Mute Cal for me").click();
  assert.ok(Math.abs(await only("muted", "late-bus-piano", "seven-stairs-guitar")) < 1.5);

  await button(bob, "Mute Ann for me").click();
  await seconds(0.2);
  const { level_db } = await listen("level", await hear(bob, "mix-silent", () => seconds(1)));
  assert.ok(level_db < -80, `${level_db} dB of two who are muted`);
});

inRealTime("who has no microphone listens only", async (undo) => {
  const server = await startServer(undo);
  const ann = await joinNative(undo, server, { room: "listen", name: "Ann", plays: "late-bus-piano" });
  // The browser's fake permission dialog always says yes; a musician does not.
  const script = () => {
    navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("Permission denied", "NotAllowedError"));
  };
  const bob = await openPage(undo, await openChromium(undo, "harbor-oboe"), joinLink(server, "listen"), { script });
  await bob.getByLabel("Your name").fill("Bob");
  await button(bob, "Join to listen only").click();
  await joined(bob, "Bob");
  await bob.getByText("You listen only: nobody hears you.").waitFor();
  await hears(bob, "listen", "late-bus-piano", 2);
  assert.deepEqual((await report(bob)).participants.map(({ tracks }) => tracks.length), [1, 0]);
  assert.deepEqual(await ann.remotes(), []);
});
