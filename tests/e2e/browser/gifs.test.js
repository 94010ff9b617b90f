// GIFs as people meet them: GIPHY, a double of it, is asked by the browser of whoever agreed and by nobody
// else's, and our server's policy lets its pictures through. Pictures go to target/browser-tests.

import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import test from "node:test";

import { everyControlIsReached, isAccessible } from "./access.js";
import { PHONE, button, link, refusals, signUp } from "./accounts.js";
import { openChromium, openPage } from "./browsers.js";
import { KEY, startGiphy } from "./giphy.js";
import { eventually, OUT, startServer } from "./harness.js";
import { Undo } from "./undo.js";

/** What axe and the keyboard say of a page; and how it looks on a desk and a phone, by day and by night. */
async function isGood(page, what) {
  await everyControlIsReached(page, what);
  const before = page.viewportSize();
  for (const [size, viewport] of Object.entries({ desk: { width: 1280, height: 800 }, phone: PHONE })) {
    await page.setViewportSize(viewport);
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme });
      await isAccessible(page, `${what} on a ${size}, ${colorScheme}`);
      await page.screenshot({ path: path.join(OUT, `gifs-${what.replaceAll(" ", "-")}-${size}-${colorScheme}.png`) });
    }
  }
  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize(before);
}

/** Somebody who made an account. What their page asks GIPHY for comes into `asks`. */
async function account(undo, server, browser, giphy, username) {
  const page = await openPage(undo, browser, `${server.url}/account/sign-up`, { expected: refusals(401, 403, 404) });
  page.asks = [];
  page.on("request", (request) => {
    if (request.url().startsWith(giphy.url)) page.asks.push(new URL(request.url()).pathname);
  });
  const code = await signUp(server, page, username);
  await page.getByLabel("Code").fill(code);
  await button(page, "Finish signing up").click();
  await page.getByText(`Signed in as ${username}`).waitFor();
  return page;
}

/** That so many pictures are there, each with what it shows. */
const seen = (page, selector, count) =>
  eventually(`${count} of ${selector} are seen`, () =>
    page.locator(`${selector} img`).evaluateAll((all, count) => all.length === count && all.every((each) => each.complete && 0 < each.naturalWidth), count),
  );

const search = (page) => page.getByRole("button", { name: "Search", exact: true }).last();

test("a GIF is found, sent and seen by those who agreed, and nobody else's browser asks for it", () => {
  const undo = new Undo();
  return undo.after(async () => {
    await mkdir(OUT, { recursive: true });
    const giphy = await startGiphy(undo);
    const config = path.join(OUT, `gifs-${process.pid}.toml`);
    await writeFile(config, `[social]\ngiphy_key = "${KEY}"\ngiphy_api = "${giphy.url}"\n`);
    const server = await startServer(undo, "--config", config);
    const browser = await openChromium(undo, "harbor-oboe");
    const ada = await account(undo, server, browser, giphy, "ada");
    const bob = await account(undo, server, browser, giphy, "bob");

    await ada.goto(`${server.url}/account/chats`);
    await button(ada, "New chat").click();
    await ada.getByLabel("One person").check();
    await ada.getByLabel("Their username").fill("bob");
    await button(ada, "Begin the chat").click();
    await button(ada, "GIF").click();
    await ada.getByText("GIPHY then sees your network address and what you look for.").waitFor();
    await isGood(ada, "consent");
    assert.deepEqual(giphy.asked, [], "before she agreed");

    await button(ada, "Show GIFs from GIPHY").click();
    await seen(ada, ".gif-found", 3);
    await ada.getByLabel("Search GIPHY").fill("cat");
    await search(ada).click();
    await seen(ada, ".gif-found", 2);
    await ada.locator(".gif-by", { hasText: "Powered By GIPHY" }).waitFor();
    await isGood(ada, "search");
    const { query } = giphy.asked.find(({ path }) => path === "/v1/gifs/search");
    assert.deepEqual([query.q, query.api_key, query.rating], ["cat", KEY, "g"]);
    await button(ada, "Send A cat with a drum").click();
    await seen(ada, ".gif", 1);
    await ada.locator(".gif figcaption", { hasText: "Powered By GIPHY" }).waitFor();
    assert.equal(await ada.locator(".gif img").getAttribute("alt"), "A cat with a drum");

    // The other one is told that there is one, and asks for nothing.
    await bob.goto(`${server.url}/account/chats`);
    await link(bob, /ada/).first().click();
    await bob.locator(".gif-placeholder", { hasText: "A GIF from GIPHY." }).waitFor();
    await isGood(bob, "placeholder");
    await bob.reload();
    await button(bob, "Show it").click();
    await button(bob, "Show GIFs from GIPHY").waitFor();
    assert.deepEqual(bob.asks, [], "before he agreed");
    await button(bob, "Show GIFs from GIPHY").click();
    await seen(bob, ".gif", 1);
    await bob.locator(".gif figcaption", { hasText: "Powered By GIPHY" }).waitFor();
    await isGood(bob, "message");
    assert.deepEqual(bob.asks, ["/v1/gifs/b2", "/media/b2/200w.gif"], "nothing else than that one");

    // Nothing of us goes along, whoever asks.
    for (const { path, referer, cookie } of giphy.asked) assert.deepEqual([referer, cookie], ["", ""], path);

    // What was agreed to holds, until it is taken back.
    await bob.reload();
    await seen(bob, ".gif", 1);
    await button(bob, "GIF").click();
    await button(bob, "Ask GIPHY no more").click();
    await bob.locator(".gif-placeholder").waitFor();
    bob.asks.length = 0;
    await bob.reload();
    await bob.locator(".gif-placeholder").waitFor();
    assert.deepEqual(bob.asks, [], "after he took it back");
  });
});
