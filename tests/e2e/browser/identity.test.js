// Signing in with a provider, as people meet it: a real one, as strict as it comes, on this machine.
// Pictures go to target/browser-tests.

import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import http from "node:http";
import path from "node:path";
import test from "node:test";

import { provider } from "../../../social/tests/oidc/provider.mjs";
import { everyControlIsReached, isAccessible } from "./access.js";
import { openChromium, openPage } from "./browsers.js";
import { OUT, startServer } from "./harness.js";
import { Undo } from "./undo.js";

const PHONE = { width: 390, height: 844 };
const button = (page, name) => page.getByRole("button", { name, exact: true });
const heading = (page, name) => page.getByRole("heading", { name, exact: true }).waitFor();
/** A browser notes each answer that is a refusal, and the icon that the provider does not have. */
const refusals = [/the server responded with a status of 40[0-9]/];

const picture = (page, what) =>
  page.screenshot({ path: path.join(OUT, `identity-${what.replaceAll(" ", "-")}.png`), fullPage: true });

async function isGood(page, what) {
  await isAccessible(page, what);
  await everyControlIsReached(page, what);
  await picture(page, what);
}

/** A server, and the provider that people sign in to it with. */
async function startBoth(undo) {
  const home = http.createServer();
  home.listen(0, "127.0.0.1");
  await once(home, "listening");
  undo.add(() => {
    home.close();
    home.closeAllConnections();
  });
  const issuer = `http://127.0.0.1:${home.address().port}`;
  await mkdir(OUT, { recursive: true });
  const config = path.join(OUT, `identity-${process.pid}.toml`);
  const lines = [
    "[[social.identity]]",
    'id = "real"',
    'name = "The Provider"',
    'kind = "oidc"',
    `issuer = "${issuer}"`,
    'client_id = "jam"',
    'client_secret = "s3cret of the tests"',
    'scopes = ["openid", "email", "offline_access"]',
  ];
  await writeFile(config, `${lines.join("\n")}\n`);
  const server = await startServer(undo, "--config", config);
  const returnTo = `${server.url}/api/v1/social/identity/real/callback`;
  home.on("request", provider(issuer, returnTo).callback());
  return server;
}

/** Opens a page that asks nobody elsewhere: the provider's pages want a font of Google's. */
async function open(undo, browser, url, options) {
  const page = await openPage(undo, browser, "about:blank", { ...options, expected: refusals });
  await page.route(({ hostname }) => hostname !== "127.0.0.1", (route) => route.fulfill({ body: "" }));
  await page.goto(url);
  return page;
}

/** Signs in on the provider's own pages. */
async function signInThere(page, name) {
  await page.getByPlaceholder("Enter any login").fill(name);
  await page.getByPlaceholder("and password").fill("any");
  await page.getByRole("button", { name: "Sign-in" }).click();
  await page.getByRole("button", { name: "Continue", exact: true }).click();
}

/** The same where the provider knows already what is shared, and may not ask; then a page of ours is back. */
async function signInOnceMore(page, name, title) {
  await page.getByPlaceholder("Enter any login").fill(name);
  await page.getByPlaceholder("and password").fill("any");
  await page.getByRole("button", { name: "Sign-in" }).click();
  const consent = button(page, "Continue");
  await consent.or(page.getByRole("heading", { name: title, exact: true })).waitFor();
  if (await consent.isVisible()) await consent.click();
  await heading(page, title);
}

test("an account is made with a provider, and erased and kept without a password", () => {
  const undo = new Undo();
  return undo.after(async () => {
    const server = await startBoth(undo);
    const browser = await openChromium(undo, "harbor-oboe");
    const ada = await open(undo, browser, `${server.url}/account/sign-in`, { viewport: PHONE });
    await button(ada, "Continue with The Provider").waitFor();
    await isGood(ada, "sign in");
    await button(ada, "Continue with The Provider").click();
    await signInThere(ada, "ada");

    await heading(ada, "Make an account");
    await ada.getByLabel("Day").fill("17");
    await ada.getByLabel("Month").selectOption("May");
    await ada.getByLabel("Year").fill("1990");
    await button(ada, "Continue").click();
    await heading(ada, "Your new account");
    await isAccessible(ada, "new person");
    await picture(ada, "new person");
    await ada.getByLabel("Username").fill("ada");
    await ada.getByLabel("European Union").check();
    await button(ada, "Make my account").click();
    await ada.getByText("Signed in as ada").waitFor();
    await ada.getByText("ada@example.org").first().waitFor();
    await heading(ada, "Other ways to sign in");
    await isGood(ada, "settings");
    await button(ada, "Remove the sign-in with The Provider").click();
    await ada.getByText("This is the only way into your account").waitFor();
    assert.equal(await ada.evaluate(() => document.cookie), "", "no page reads a cookie of ours");

    await button(ada, "Sign out").click();
    await ada.goto(`${server.url}/account/sign-in?next=/account/data`);
    await button(ada, "Continue with The Provider").click();
    await ada.getByRole("button", { name: "Continue", exact: true }).click();
    await heading(ada, "Your data");
    // The provider remembered her, which proves nothing.
    await button(ada, "Confirm with The Provider").first().click();
    await signInOnceMore(ada, "ada", "Your data");
    await isGood(ada, "data");
    await button(ada, "Have an archive made").click();
    await ada.getByText("Ready, until").waitFor();
    await button(ada, "Erase my account…").click();
    await button(ada, "Erase my account").click();
    await heading(ada, "Your account will be erased");
    await ada.getByText("The Provider is told").waitFor();
    await isGood(ada, "erased");

    await ada.goto(`${server.url}/account/sign-in`);
    await button(ada, "Continue with The Provider").click();
    await ada.getByRole("button", { name: "Continue", exact: true }).click();
    await heading(ada, "Keep your account?");
    await button(ada, "Keep my account").click();
    await ada.getByRole("button", { name: "Continue", exact: true }).click();
    await ada.getByText("Signed in as ada").waitFor();
  });
});

test("whoever shares nothing with the provider is told so, and can try again", () => {
  const undo = new Undo();
  return undo.after(async () => {
    const server = await startBoth(undo);
    const browser = await openChromium(undo, "harbor-oboe");
    const page = await open(undo, browser, `${server.url}/account/sign-in`, {});
    await button(page, "Continue with The Provider").click();
    await page.getByRole("link", { name: "Cancel" }).click();
    await page.getByText("You shared nothing there").waitFor();
    await isGood(page, "cancelled");
    await button(page, "Continue with The Provider").waitFor();
  });
});
