// Accounts as people meet them, with a real server and its codes: signing up, signing in and out, the
// settings, a forgotten password, and whoever is too young. Pictures go to target/browser-tests.

import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import test from "node:test";

import { everyControlIsReached, isAccessible } from "./access.js";
import { PASSWORD, PHONE, born, button, codeOf, heading, link, refusals, signIn, signUp } from "./accounts.js";
import { openChromium, openPage } from "./browsers.js";
import { eventually, OUT, startServer } from "./harness.js";
import { Undo } from "./undo.js";
import { unzip } from "./zip.js";

const picture = (page, name) => page.screenshot({ path: path.join(OUT, `account-${name}.png`), fullPage: true });

async function isGood(page, what) {
  await isAccessible(page, what);
  await everyControlIsReached(page, what);
  await picture(page, what.replaceAll(" ", "-"));
}

/** `settings` are lines of the server's file. */
const scenario = (name, steps, settings = "") =>
  test(name, () => {
    const undo = new Undo();
    return undo.after(async () => {
      await mkdir(OUT, { recursive: true });
      const file = path.join(OUT, `account-${process.pid}-${Math.random().toString(36).slice(2)}.toml`);
      await writeFile(file, settings);
      await steps(undo, await startServer(undo, "--config", file), await openChromium(undo, "harbor-oboe"));
    });
  });

scenario("an account is made, used, and signed out of", async (undo, server, browser) => {
  // The last one: nobody owns the room that is joined.
  const ada = await openPage(undo, browser, server.url, { viewport: PHONE, expected: refusals(401, 404) });
  await link(ada, "Sign in").click();
  await heading(ada, "Sign in");
  await isGood(ada, "sign in");
  await link(ada, "Make an account").click();
  await heading(ada, "Make an account");
  await isGood(ada, "birth date");
  const code = await signUp(server, ada, "ada");
  await isGood(ada, "code");
  assert.ok(!server.log().includes(PASSWORD), "no password is logged");
  // The page is loaded anew while somebody looks into their mail.
  await ada.reload();
  await ada.getByLabel("Code").fill(code);
  await button(ada, "Finish signing up").click();
  await ada.getByText("Signed in as ada").waitFor();
  await ada.getByText("Chrome on Linux").waitFor();
  await isGood(ada, "settings");

  // The session is the browser's, not the page's; the page cannot read it.
  await ada.reload();
  await ada.getByText("Signed in as ada").waitFor();
  assert.equal(await ada.evaluate(() => document.cookie), "");

  await ada.getByLabel("Current password").fill(PASSWORD);
  await ada.getByLabel("New password").fill("over the rainbow");
  await button(ada, "Change the password").click();
  await ada.getByText("The new password holds.").waitFor();

  // Who is signed in has a name in rooms already, and says so in them.
  await ada.goto(`${server.url}/r/duo`);
  assert.equal(await ada.getByLabel("Your name").inputValue(), "ada");
  await button(ada, "Join").click();
  await ada.locator(".state.good").waitFor();
  await isAccessible(ada, "the room of somebody with an account");
  await picture(ada, "room");
  assert.equal(await link(ada, /^Signed in as ada .*in another tab/).getAttribute("target"), "_blank");
  await button(ada, "Leave").click();

  await ada.goto(`${server.url}/account`);
  await button(ada, "Sign out").click();
  await heading(ada, "Play together, wherever you are.");
  await link(ada, "Sign in").click();
  await signIn(ada, "ada", PASSWORD);
  await ada.getByText("There is no account of this name with this password here").waitFor();
  await isGood(ada, "sign in refused");
  await signIn(ada, "ada@example.org", "over the rainbow");
  await ada.getByText("Signed in as ada").waitFor();
});

scenario("a device is signed out from another one, and what an account is called changes", async (undo, server, browser) => {
  const ada = await openPage(undo, browser, `${server.url}/account/sign-up`);
  await signUp(server, ada, "ada");
  await button(ada, "Finish signing up").click();
  await ada.getByText("Signed in as ada").waitFor();
  const other = await openPage(undo, browser, `${server.url}/account/sign-in?next=/r/duo`, { expected: refusals(401) });
  await signIn(other, "ADA", PASSWORD);
  await other.getByText("You are about to join").waitFor();
  await link(other, "Signed in as ada").waitFor();

  await ada.reload();
  await ada.getByRole("button", { name: /^Sign out Chrome/ }).click();
  await ada.getByText("Chrome on Linux is signed out.").waitFor();
  await other.goto(`${server.url}/account`);
  await heading(other, "Sign in");

  await ada.getByRole("textbox", { name: "Username" }).fill("countess");
  await button(ada, "Change the username").click();
  await ada.getByText("You are countess from now on.").waitFor();
  await ada.getByRole("combobox", { name: "Language" }).selectOption("Deutsch");
  await button(ada, "Change the language").click();
  await ada.getByText("Mails come in German.").waitFor();
  const code = await codeOf(server, async () => {
    await ada.getByLabel("New address").fill("countess@example.org");
    await ada.getByLabel("Your password").fill(PASSWORD);
    await button(ada, "Send a code there").click();
  });
  await ada.getByLabel("Code").fill(code);
  await button(ada, "Change the address").click();
  await ada.getByText("Your mail goes to countess@example.org from now on.").waitFor();
  await ada.reload();
  await ada.getByText("Signed in as countess").waitFor();
  await ada.getByText("countess@example.org").waitFor();
  assert.equal(await ada.getByRole("combobox", { name: "Language" }).inputValue(), "de");
});

scenario("a forgotten password is changed by whoever has the mail", async (undo, server, browser) => {
  const ada = await openPage(undo, browser, `${server.url}/account/sign-up`);
  await signUp(server, ada, "ada");
  await button(ada, "Finish signing up").click();
  await ada.getByText("Signed in as ada").waitFor();
  const other = await openPage(undo, browser, `${server.url}/account/sign-in`, { viewport: PHONE, expected: refusals(401, 422) });
  await link(other, "Forgot your password?").click();
  await heading(other, "Forgot your password?");
  await isGood(other, "forgot");
  await other.getByLabel("E-mail address").fill("ada@example.org");
  const code = await codeOf(server, () => button(other, "Send me a code").click());
  await other.getByLabel("Code").fill("0000 0000");
  await other.getByLabel("New password").fill("over the rainbow");
  await button(other, "Change the password").click();
  await eventually("the wrong code is refused", async () => (await other.getByLabel("Code").getAttribute("aria-invalid")) === "true");
  await isGood(other, "another password");
  await other.getByLabel("Code").fill(code);
  await button(other, "Change the password").click();
  await heading(other, "Your password is changed");
  await link(other, "Sign in").click();
  await signIn(other, "ada", "over the rainbow");
  await other.getByText("Signed in as ada").waitFor();
});

scenario("who is too young is told no more than that, and another answer changes nothing", async (undo, server, browser) => {
  const page = await openPage(undo, browser, `${server.url}/account/sign-up`, { viewport: PHONE, expected: refusals(403) });
  await heading(page, "Make an account");
  await born(page, "17", "May", String(new Date().getFullYear() - 9));
  await heading(page, "No account here");
  await isGood(page, "refused");
  const told = await page.locator("main").textContent();
  assert.ok(!/13|age|old|young|year|born/i.test(told), told);
  await page.reload();
  await born(page, "17", "May", "1990");
  await heading(page, "No account here");
  // Rooms stay open to everybody.
  await link(page, "Start or find a room").click();
  await button(page, "Start a room").waitFor();
});

/** Has an archive made on the page of one's data; the files in it, and where it was. */
async function archiveOf(page) {
  await page.getByLabel("Your password, for the archive").fill(PASSWORD);
  await button(page, "Have an archive made").click();
  await page.getByText("Ready, until").waitFor();
  await page.getByLabel("Your password, for the archive").fill(PASSWORD);
  await page.getByRole("button", { name: /^Get the link/ }).click();
  const [download] = await Promise.all([page.waitForEvent("download"), link(page, "Download the archive").click()]);
  return { files: unzip(await readFile(await download.path())), url: download.url() };
}

scenario("what is kept of somebody is fetched, and their account erased and kept after all", async (undo, server, browser) => {
  const ada = await openPage(undo, browser, `${server.url}/account/sign-up`, { viewport: PHONE, expected: refusals(401, 403, 404) });
  await signUp(server, ada, "ada");
  await button(ada, "Finish signing up").click();
  await link(ada, "Your data: have it, object, or erase your account").click();
  await heading(ada, "Your data");
  await isGood(ada, "data");

  const { files, url } = await archiveOf(ada);
  assert.ok(files.has("account.json"), [...files.keys()].join(" "));
  const again = await ada.request.get(url, { failOnStatusCode: false });
  assert.equal(again.status(), 404, "the link works once");

  await ada.getByLabel("Count how I use vjam").uncheck();
  await ada.getByText("You are not counted any more").waitFor();

  await link(ada, "page about privacy").click();
  await heading(ada, "Privacy");
  await ada.locator("summary", { hasText: "Accounts" }).click();
  await ada.getByText("Your e-mail address: to sign in").waitFor();
  await isGood(ada, "privacy");

  await ada.goto(`${server.url}/account/data`);
  await button(ada, "Erase my account…").click();
  await ada.getByLabel("Your password, to erase the account").fill(PASSWORD);
  await picture(ada, "erase");
  await button(ada, "Erase my account").click();
  await heading(ada, "Your account will be erased");
  await isGood(ada, "erased");
  await link(ada, "sign in").click();
  await signIn(ada, "ada", PASSWORD);
  await heading(ada, "Keep your account?");
  await isGood(ada, "keep");
  await button(ada, "Keep my account").click();
  await ada.getByText("Signed in as ada").waitFor();
});

const friends = "two people become friends, write to each other, and one sends a recording that goes with its author";
scenario(friends, async (undo, server, browser) => {
  const people = [];
  for (const name of ["ada", "bob"]) {
    const page = await openPage(undo, browser, `${server.url}/account/sign-up`, { expected: refusals(401, 404) });
    await signUp(server, page, name);
    await button(page, "Finish signing up").click();
    await page.getByText(`Signed in as ${name}`).waitFor();
    people.push(page);
  }
  const [ada, bob] = people;
  await ada.goto(`${server.url}/account/people/bob`);
  await button(ada, "Ask to be friends").click();
  await ada.getByText("You asked bob to be friends.").waitFor();
  await bob.goto(`${server.url}/account/people`);
  await bob.getByText("asked you to be friends").waitFor();
  await isGood(bob, "people");
  await button(bob, "Accept ada").click();
  await ada.reload();
  await ada.getByText("You and bob are friends.").waitFor();
  await isGood(ada, "person");

  await ada.goto(`${server.url}/account/chats`);
  await button(ada, "New chat").click();
  await ada.getByLabel("One person").check();
  await ada.getByLabel("Their username").fill("bob");
  await button(ada, "Begin the chat").click();
  await ada.getByLabel("Message", { exact: true }).fill("Friday at eight?");
  await button(ada, "Send").click();
  await ada.getByText("Friday at eight?").first().waitFor();
  await bob.goto(`${server.url}/account/chats`);
  await bob.getByText("1 unread").waitFor();
  await isGood(bob, "chats");
  await bob.getByRole("link", { name: /ada/ }).first().click();
  await bob.getByText("Friday at eight?").first().waitFor();
  await bob.getByLabel("Message", { exact: true }).fill("I bring the cello.");
  await button(bob, "Send").click();
  // Without anything that ada does: it comes over the live connection.
  await ada.getByLabel("Messages").getByText("I bring the cello.").waitFor();
  await isGood(ada, "chat");

  await button(bob, "Attach").click();
  const device = bob.getByLabel("Recordings and pictures of this device");
  await device.setInputFiles({ name: "idea.wav", mimeType: "audio/wav", buffer: tone() });
  await bob.getByText(/^Attached, WAV/).waitFor();
  await button(bob, "Choose among your files").click();
  await bob.getByText("They stay among your files").waitFor();
  await isGood(bob, "attach");
  await bob.getByLabel("Message", { exact: true }).fill("@ada, what do you think?");
  await button(bob, "Send").click();
  // The other hears it in the chat.
  await button(ada, "Listen to idea.wav").click();
  await ada.locator("canvas").waitFor();
  const player = ada.locator("audio");
  await player.evaluate((audio) => audio.play());
  await eventually("it is played", () => player.evaluate((audio) => 0.1 < audio.currentTime));
  await ada.getByText("Nobody said anything so far.").waitFor();
  await isGood(ada, "chat with a recording");
  await ada.setViewportSize(PHONE);
  await isGood(ada, "chat with a recording on a phone");
  await ada.goto(`${server.url}/account/chats`);
  await ada.getByLabel("Recordings only").check();
  await button(ada, "Search").click();
  await ada.getByText("One message matches.").waitFor();
  await isGood(ada, "search for recordings");
  // A notice leads to the message.
  await ada.goto(`${server.url}/account/people`);
  await ada.getByText("names you in").waitFor();
  await link(ada, "a message").click();
  await eventually("the message is sought", () => ada.evaluate(() => document.activeElement?.textContent?.includes("what do you think?")));

  await bob.goto(`${server.url}/account/files`);
  await bob.getByRole("link", { name: "idea.wav", exact: true }).click();
  await heading(bob, "idea.wav");
  await bob.locator("canvas").waitFor();
  await isGood(bob, "recording");

  await bob.goto(`${server.url}/account/data`);
  const { files } = await archiveOf(bob);
  const [sent] = [...files].filter(([name]) => /^files\/[\w-]+-idea\.wav$/.test(name));
  assert.ok(sent?.[1].equals(tone()), [...files.keys()].join(" "));
  await button(bob, "Erase my account…").click();
  await bob.getByLabel("Your password, to erase the account").fill(PASSWORD);
  await button(bob, "Erase my account").click();
  await heading(bob, "Your account will be erased");
  await eventually("the recording is gone with him", async () => {
    await ada.reload();
    await ada.locator(".message-author", { hasText: "Somebody who is gone" }).first().waitFor();
    return (await ada.getByText("idea.wav").count()) === 0 && 0 < (await ada.getByText("This message was deleted.").count());
  });
  await isGood(ada, "chat with somebody who is gone");
}, "[social]\nerasure_days = 0\n");

/** Two seconds of a tone, as a WAV file. */
function tone() {
  const frames = 2 * 8000;
  const wav = Buffer.alloc(44 + 2 * frames);
  wav.write("RIFF", 0);
  wav.writeUInt32LE(36 + 2 * frames, 4);
  wav.write("WAVEfmt ", 8);
  wav.writeUInt32LE(16, 16);
  wav.writeUInt16LE(1, 20);
  wav.writeUInt16LE(1, 22);
  wav.writeUInt32LE(8000, 24);
  wav.writeUInt32LE(16000, 28);
  wav.writeUInt16LE(2, 32);
  wav.writeUInt16LE(16, 34);
  wav.write("data", 36);
  wav.writeUInt32LE(2 * frames, 40);
  for (let frame = 0; frame < frames; frame += 1) {
    wav.writeInt16LE(Math.round(20_000 * Math.sin((2 * Math.PI * 440 * frame) / 8000)), 44 + 2 * frame);
  }
  return wav;
}

scenario("who joins a room without an account loads nothing of accounts", async (undo, server, browser) => {
  const page = await openPage(undo, browser, `${server.url}/account/nothing`);
  await page.getByText("There is no such page").waitFor();
  const asked = [];
  page.on("request", (request) => asked.push(new URL(request.url()).pathname));
  await page.goto(`${server.url}/r/duo`);
  await page.getByLabel("Your name").fill("Bob");
  await button(page, "Join").click();
  await page.locator(".state.good").waitFor();
  assert.ok(asked.some((file) => /^\/assets\/index-.*\.js$/.test(file)), asked.join(" "));
  assert.deepEqual(asked.filter((file) => /^\/assets\/pages-|^\/api\/v1\/social/.test(file)), []);
});
