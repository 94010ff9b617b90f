// What is reported, decided and counted, as people meet it: somebody reports a message, a moderator removes
// it, and who reported is told; friends see who plays; an admin sees what was used and what crashed. Pictures
// go to target/browser-tests.

import assert from "node:assert/strict";
import path from "node:path";
import test from "node:test";

import { everyControlIsReached, isAccessible } from "./access.js";
import { openChromium, openPage } from "./browsers.js";
import { eventually, OUT, Process, startServer } from "./harness.js";
import { Undo } from "./undo.js";
import { RATE_HZ, writeWav } from "./wav.js";

const PHONE = { width: 390, height: 844 };
const PASSWORD = "between the bars";
// The servers of this file take reports of crashes.
process.env.VJAM_SOCIAL_CRASH_KEY = "0123456789abcdef0123456789abcdef";
const VJAM = process.env.VJAM ?? path.join(import.meta.dirname, "../../../target/debug/vjam");
/** A second of silence. */
const SECOND = Buffer.alloc(2 * RATE_HZ).toString("base64");
/** A browser notes each answer that is a refusal, which some steps are about. */
const refusals = (...statuses) => statuses.map((status) => new RegExp(`the server responded with a status of ${status}`));

const button = (page, name) => page.getByRole("button", { name, exact: true });
const link = (page, name) => page.getByRole("link", { name });
const heading = (page, name) => page.getByRole("heading", { name, exact: true }).waitFor();

/** What axe and the keyboard say of a page; and how it looks on a desk and a phone, by day and by night. */
async function isGood(page, what) {
  await isAccessible(page, what);
  await everyControlIsReached(page, what);
  const before = page.viewportSize();
  for (const [size, viewport] of Object.entries({ desk: { width: 1280, height: 800 }, phone: PHONE })) {
    await page.setViewportSize(viewport);
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme });
      await isAccessible(page, `${what} on a ${size}, ${colorScheme}`);
      const name = `moderation-${what.replaceAll(" ", "-")}-${size}-${colorScheme}.png`;
      await page.screenshot({ path: path.join(OUT, name), fullPage: true });
    }
  }
  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize(before);
}

/** Somebody who made an account, and is looking at it. */
async function account(undo, server, browser, username, more = {}) {
  const page = await openPage(undo, browser, `${server.url}/account/sign-up`, { expected: refusals(401, 403, 404), ...more });
  await page.getByLabel("Day").fill("17");
  await page.getByLabel("Month").selectOption("May");
  await page.getByLabel("Year").fill("1990");
  await button(page, "Continue").click();
  await page.getByLabel("E-mail address").fill(`${username}@example.org`);
  await page.getByLabel("Username").fill(username);
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByLabel("European Union").check();
  const before = server.log().length;
  await button(page, "Send me a code").click();
  const code = await eventually("a code is mailed", () => /\b\d{4} \d{4}\b/.exec(server.log().slice(before))?.[0]);
  await page.getByLabel("Code").fill(code);
  await button(page, "Finish signing up").click();
  await page.getByText(`Signed in as ${username}`).waitFor();
  return page;
}

/** Gives somebody a role, as whoever runs the server does. */
async function grant(undo, server, username, role) {
  const address = `${username}@example.org`;
  const command = new Process("vjam admin", VJAM, ["admin", "grant", address, "--role", role, "--data", server.data]);
  undo.add(() => command.stop());
  await command.ended;
  assert.match(command.output, new RegExp(address), command.output);
}

async function say(page, text) {
  await page.getByLabel("Message", { exact: true }).fill(text);
  await button(page, "Send").click();
  await page.getByLabel("Messages").getByText(text).waitFor();
}

const scenario = (name, steps) =>
  test(name, () => {
    const undo = new Undo();
    return undo.after(async () => steps(undo, await startServer(undo), await openChromium(undo, "harbor-oboe")));
  });

scenario("a message is reported and removed by a moderator, and who reported it is told", async (undo, server, browser) => {
  const ada = await account(undo, server, browser, "ada");
  const bob = await account(undo, server, browser, "bob");
  const molly = await account(undo, server, browser, "molly");
  await grant(undo, server, "molly", "moderator");
  // Whoever has no role sees no way there, and is told so who goes all the same.
  assert.equal(await link(bob, "Moderation").count(), 0);
  await bob.goto(`${server.url}/account/moderation`);
  await heading(bob, "Not for you");
  await isGood(bob, "not for you");

  await ada.goto(`${server.url}/account/chats`);
  await button(ada, "New chat").click();
  await ada.getByLabel("One person").check();
  await ada.getByLabel("Their username").fill("bob");
  await button(ada, "Begin the chat").click();
  await button(ada, "Attach").click();
  await ada.getByLabel("Recordings and pictures of this device").setInputFiles(await writeWav(path.join(OUT, "riff.wav"), SECOND));
  await ada.getByText("Attached, WAV").waitFor();
  await say(ada, "Friday at eight?");
  await say(ada, "You cannot play at all!");
  await bob.goto(`${server.url}/account/chats`);
  await link(bob, /ada/).first().click();
  await bob.getByLabel("Messages").getByText("You cannot play at all!").waitFor();
  await button(bob, "More about the message of ada").last().click();
  await button(bob, "Report").click();
  await bob.getByLabel("What is wrong").selectOption("harassment");
  await bob.getByLabel("What happened").fill("She is rude.");
  await isGood(bob, "reporting a message");
  await button(bob, "Send the report").click();
  await bob.getByText("Your report waits for the moderators.").waitFor();

  await molly.reload();
  await link(molly, "Moderation").click();
  await heading(molly, "Moderation");
  await link(molly, "A message of ada").waitFor();
  await isGood(molly, "queue");
  await link(molly, "A message of ada").click();
  await heading(molly, "A message of ada");
  await molly.locator(".reported", { hasText: "You cannot play at all!" }).waitFor();
  await molly.locator(".excerpt", { hasText: "Friday at eight?" }).waitFor();
  // What a message beside it carries is heard on demand, and removed for a reason.
  await button(molly, "Listen to it: riff.wav").click();
  await eventually("the recording is loaded", () => molly.locator("audio").evaluate((audio) => Math.round(audio.duration) === 1));
  await isGood(molly, "report");
  await button(molly, "Remove riff.wav").click();
  await molly.getByLabel("Why the file is removed").fill("It is not yours.");
  await isGood(molly, "removing a file");
  await button(molly, "Remove the file").click();
  await molly.getByText("The file is removed, and whoever it was of is told why.").waitFor();
  await molly.getByText("Removed a file").waitFor();
  await bob.getByText("A file that was deleted.").waitFor();
  await molly.getByLabel("What is done").selectOption("content_removed");
  await molly.getByLabel("Why, for whoever it is about").fill("Be kind to each other.");
  await molly.getByLabel("Note for other moderators").fill("The first time.");
  await isGood(molly, "deciding");
  await button(molly, "Decide").click();
  await molly.getByText("It is decided, and done.").waitFor();
  await molly.getByText("Removed what was reported").waitFor();
  await isGood(molly, "decided");

  // Without anything that they do: it comes over the live connection.
  await bob.getByText("This message was deleted.").waitFor();
  await bob.goto(`${server.url}/account/people`);
  await bob.getByText("The moderators decided on a report of yours.").waitFor();
  await ada.goto(`${server.url}/account/people`);
  await ada.getByText("The moderators removed something of yours. Be kind to each other.").waitFor();
  await ada.getByText("The moderators removed a file of yours. It is not yours.").waitFor();
});

scenario("friends see who plays and where, and an admin what was used and what crashed", async (undo, server, browser) => {
  const ada = await account(undo, server, browser, "ada", { expected: [/RangeError: cello of/, ...refusals(401, 404)] });
  const bob = await account(undo, server, browser, "bob");
  await ada.goto(`${server.url}/account/people/bob`);
  await button(ada, "Ask to be friends").click();
  await ada.getByText("You asked bob to be friends.").waitFor();
  await bob.goto(`${server.url}/account/people`);
  await button(bob, "Accept ada").click();
  await bob.getByText("You and ada are friends.").waitFor();
  await ada.goto(`${server.url}/account/people`);
  await ada.getByLabel("In which room you jam").check();
  await ada.getByText("That holds from now on.").waitFor();

  await ada.goto(`${server.url}/r/attic`);
  await button(ada, "Join").click();
  await ada.locator(".state.good").waitFor();
  const jamming = bob.locator("[data-presence=jamming]");
  await jamming.waitFor();
  assert.equal(await jamming.textContent(), "jamming in attic");
  assert.equal(await link(bob, "attic").getAttribute("href"), "/r/attic");
  await isGood(bob, "friend who plays");

  // Something in the page fails.
  const reported = ada.waitForResponse(/\/envelope\/$/);
  await ada.evaluate(() =>
    setTimeout(() => {
      const error = new RangeError(`cello of ${location.href} of ada`);
      error.stack = `RangeError\n    at pluck (${location.origin}/assets/index-x.js:7:42)`;
      throw error;
    }),
  );
  assert.equal((await reported).status(), 200);
  const counted = ada.waitForResponse(/\/api\/v1\/social\/usage$/);
  await button(ada, "Leave").click();
  assert.equal((await counted).status(), 204);
  await jamming.waitFor({ state: "detached" });

  await grant(undo, server, "bob", "admin");
  await bob.goto(`${server.url}/account`);
  await link(bob, "Administration").click();
  await heading(bob, "Administration");
  await bob.getByText("One session, of").waitFor();
  const crash = bob.locator(".cause", { hasText: "RangeError: cello of [removed] of [removed]" });
  await crash.waitFor();
  await crash.getByRole("button", { name: /^Details/ }).click();
  await crash.locator(".frames", { hasText: "pluck" }).waitFor();
  await bob.locator(".chart summary").first().click();
  await isGood(bob, "administration");
  await bob.getByLabel("How a username begins").fill("ad");
  await button(bob, "Find accounts").click();
  await button(bob, "Make moderator: ada").click();
  await button(bob, "Make moderator").click();
  await bob.getByText("ada is a moderator from now on.").waitFor();
  await isGood(bob, "roles");
  await crash.getByRole("button", { name: /^Delete/ }).click();
  await button(bob, "Delete").click();
  await bob.getByText("Nothing crashed.").waitFor();
});
