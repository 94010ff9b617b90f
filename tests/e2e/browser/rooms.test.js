// Rooms that an account owns, as people meet them: one is made, others are let in or not, silenced, heard again,
// taken out and banned. Pictures go to target/browser-tests.

import assert from "node:assert/strict";
import path from "node:path";
import test from "node:test";

import { everyControlIsReached, isAccessible } from "./access.js";
import { PHONE, button, heading, link, refusals, signUp } from "./accounts.js";
import { openChromium, openPage } from "./browsers.js";
import { eventually, OUT, startServer } from "./harness.js";
import { joined, remote } from "./our_page.js";
import { inRealTime } from "./real_time.js";
import { Undo } from "./undo.js";

const textbox = (page, name) => page.getByRole("textbox", { name });
const menuOf = (page, name) => button(page, `What you can do about ${name}`);
const isIn = (page) => page.locator(".state.good").waitFor();

async function isGood(page, what) {
  await isAccessible(page, what);
  await everyControlIsReached(page, what);
  await page.screenshot({ path: path.join(OUT, `rooms-${what.replaceAll(" ", "-")}.png`), fullPage: true });
}

/** A page of somebody with an account, at the settings. */
async function withAccount(undo, server, browser, name, options = {}) {
  const page = await openPage(undo, browser, `${server.url}/account/sign-up`, options);
  await signUp(server, page, name);
  await button(page, "Finish signing up").click();
  await page.getByText(`Signed in as ${name}`).waitFor();
  return page;
}

/** Makes a room, and stays at its page. */
async function make(server, page, { name, title, visibility, password }) {
  await page.goto(`${server.url}/account/rooms`);
  await textbox(page, "Name in the link").fill(name);
  await textbox(page, "Title").fill(title);
  await page.getByRole("combobox", { name: "Who may come in" }).selectOption(visibility);
  if (password !== undefined) await textbox(page, "Password of the room").fill(password);
  await button(page, "Make the room").click();
  await heading(page, title);
}

async function join(page, name) {
  await page.getByLabel("Your name").fill(name);
  await button(page, "Join").click();
}

/** How loud somebody is in a page, -90 where nothing of them comes. */
const levelDb = async (page, name) => (await remote(page, name))?.levelDb ?? -90;

inRealTime("a private room lets in who knows its password; its owner silences and removes", async (undo) => {
  const server = await startServer(undo);
  const browser = await openChromium(undo, "harbor-oboe");
  const ada = await withAccount(undo, server, browser, "ada", { expected: refusals(401) });
  await link(ada, "Rooms: your own").click();
  await heading(ada, "Your rooms");
  await isGood(ada, "none yet");
  await make(server, ada, { name: "rehearsal", title: "Rehearsal", visibility: "private", password: "tune up" });
  await ada.getByText("Nobody is banned.").waitFor();
  await isGood(ada, "room page");
  await link(ada, "Go there").click();
  await join(ada, "Ada");
  await isIn(ada);
  await ada.locator(".own .role", { hasText: "owner" }).waitFor();

  const bob = await openPage(undo, browser, `${server.url}/r/rehearsal`, { viewport: PHONE, expected: refusals(403) });
  const asked = [];
  bob.on("request", (request) => asked.push(new URL(request.url()).pathname));
  await join(bob, "Bob");
  await bob.getByText("This room is private.").waitFor();
  assert.deepEqual(asked.filter((file) => file.startsWith("/api/v1/social")), [], "guests ask for no pass unless they have to");
  await isGood(bob, "password wanted");
  await bob.getByLabel("The room's password").fill("tune down");
  await button(bob, "Join").click();
  await bob.getByText("That is not the room's password.").waitFor();
  await isAccessible(bob, "a wrong password");
  await bob.getByLabel("The room's password").fill("tune up");
  await button(bob, "Join").click();
  await joined(bob, "Bob");
  await joined(ada, "Ada");

  await menuOf(ada, "Bob").click();
  await isGood(ada, "menu");
  await button(ada, "Silence Bob for everybody").click();
  await bob.getByText("You are silenced.").waitFor();
  await eventually("Ada hears nothing of Bob", async () => (await levelDb(ada, "Bob")) < -80);
  assert.ok(-50 < (await levelDb(bob, "Ada")), "who is silenced hears the others");
  await isGood(bob, "silenced");
  await button(ada, "Silence Bob for everybody").click();
  await eventually("Ada hears Bob again", async () => -50 < (await levelDb(ada, "Bob")));
  assert.equal(await bob.getByText("You are silenced.").count(), 0);

  await button(ada, "Remove Bob").click();
  await button(ada, "Remove").click();
  await heading(bob, "You were taken out of the room.");
  assert.equal(await button(bob, "Join again").count(), 0);
  await isGood(bob, "removed");
  await ada.getByText("You are the first one here.").waitFor();
});

test("an invite opens a private room, and a ban closes it", () => {
  const undo = new Undo();
  return undo.after(async () => {
    const server = await startServer(undo);
    const browser = await openChromium(undo, "harbor-oboe");
    const ada = await withAccount(undo, server, browser, "ada", { expected: refusals(401) });
    await make(server, ada, { name: "cellar", title: "Cellar", visibility: "private" });
    await button(ada, "Make an invite").click();
    const invite = await ada.locator(".new-invite code").textContent();
    await isGood(ada, "invite");
    await link(ada, "Go there").click();
    await join(ada, "Ada");
    await isIn(ada);

    const bob = await withAccount(undo, server, browser, "bob", { expected: refusals(401, 403) });
    await bob.goto(`${server.url}/r/cellar`);
    await button(bob, "Join").click();
    await bob.getByText("This room is private.").waitFor();
    // As if it were pasted into the first page, which keeps what opens the door.
    await bob.goto(server.url);
    await bob.getByLabel("Have a link").fill(invite);
    await button(bob, "Go to the room").click();
    await button(bob, "Join").click();
    await isIn(bob);
    await bob.locator(".remotes .role", { hasText: "owner" }).waitFor();

    await menuOf(ada, "bob").click();
    await button(ada, "Ban bob").click();
    await button(ada, "Ban").click();
    await heading(bob, "You were taken out of the room.");
    await bob.goto(invite);
    await bob.reload();
    await button(bob, "Join").click();
    await bob.getByText("You are banned from this room.").waitFor();
    await ada.goto(`${server.url}/account/rooms/cellar`);
    await ada.getByRole("button", { name: "Let in again: bob" }).click();
    await ada.getByText("bob may come in again.").waitFor();
  });
});

test("public rooms stand on the first page until their owner deletes them", () => {
  const undo = new Undo();
  return undo.after(async () => {
    const server = await startServer(undo);
    const browser = await openChromium(undo, "harbor-oboe");
    const ada = await withAccount(undo, server, browser, "ada", { expected: refusals(401) });
    const guest = await openPage(undo, browser, server.url, { viewport: PHONE });
    assert.equal(await guest.getByText("Public rooms").count(), 0);
    await make(server, ada, { name: "open-session", title: "Open session", visibility: "public" });
    await guest.reload();
    await link(guest, "Open session").waitFor();
    await isGood(guest, "first page");
    await link(guest, "Open session").click();
    await join(guest, "Gus");
    await isIn(guest);
    await button(ada, "Delete open-session").click();
    await button(ada, "Delete the room").click();
    await heading(ada, "Your rooms");
    await ada.goto(server.url);
    await button(ada, "Start a room").waitFor();
    await eventually("the list is there, and empty", async () => (await ada.evaluate(() => performance.getEntriesByType("resource").filter(({ name }) => name.endsWith("/public-rooms")).length)) === 1);
    assert.equal(await ada.getByText("Open session").count(), 0);
  });
});
