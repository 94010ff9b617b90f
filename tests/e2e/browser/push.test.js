// A browser that is told what happens while no page is open: the switch, and the program that shows it, in a real Chromium. No
// push service can be reached from here, so the address is one that a script makes up, and what would be pushed is handed
// to the program by the browser itself, as it does with what comes from its service.

import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import test from "node:test";

import { everyControlIsReached, isAccessible } from "./access.js";
import { button, signUp } from "./accounts.js";
import { openChromium, openPage } from "./browsers.js";
import { eventually, OUT, startServer } from "./harness.js";
import { Undo } from "./undo.js";

/** A push service that gives every browser the same address, of keys that are real. */
const SERVICE = `
  let subscription = null;
  PushManager.prototype.getSubscription = async () => subscription;
  PushManager.prototype.subscribe = async ({ applicationServerKey, userVisibleOnly }) => {
    const pair = await crypto.subtle.generateKey({ name: "ECDH", namedCurve: "P-256" }, false, ["deriveBits"]);
    const bytes = [new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey)), crypto.getRandomValues(new Uint8Array(16))];
    const [p256dh, auth] = bytes.map((each) => btoa(String.fromCharCode(...each)).replaceAll("+", "-").replaceAll("/", "_"));
    if (!userVisibleOnly || !/^B[\\w-]{86}$/.test(applicationServerKey)) throw new DOMException("no key", "InvalidAccessError");
    return (subscription = {
      toJSON: () => ({ endpoint: "https://fcm.googleapis.com/fcm/send/of-a-test", keys: { p256dh, auth } }),
      unsubscribe: async () => ((subscription = null), true),
    });
  };
`;

/** What notifications are shown: their words. */
const shown = (page) =>
  page.evaluate(async () => {
    const registration = await navigator.serviceWorker.getRegistration("/");
    return (await registration.getNotifications()).map(({ title, body, tag, data }) => ({ title, body, tag, go: data.go }));
  });

test("a browser is switched on, shows what is pushed in words of its own, and is switched off", () => {
  const undo = new Undo();
  return undo.after(async () => {
    await mkdir(OUT, { recursive: true });
    const file = path.join(OUT, `push-${process.pid}.toml`);
    await writeFile(file, '[social]\ncontact = "privacy@jam.example"\n');
    const server = await startServer(undo, "--config", file);
    const browser = await openChromium(undo, "harbor-oboe");
    const ada = await openPage(undo, browser, `${server.url}/account/sign-up`, { permissions: ["notifications"], script: SERVICE });
    const origin = new URL(server.url).origin;
    await signUp(server, ada, "ada");
    await button(ada, "Finish signing up").click();
    await ada.getByText("Signed in as ada").waitFor();
    await button(ada, "Tell this browser").waitFor();
    const installed = () => ada.evaluate(async () => (await navigator.serviceWorker.getRegistrations()).length);
    assert.equal(await installed(), 0, "nothing runs before the switch is pressed");

    const cdp = await ada.context().newCDPSession(ada);
    const registrations = new Map();
    cdp.on("ServiceWorker.workerRegistrationUpdated", ({ registrations: found }) => {
      for (const each of found) registrations.set(each.registrationId, each);
    });
    await cdp.send("ServiceWorker.enable");
    await button(ada, "Tell this browser").click();
    await ada.getByText("This browser is told from now on.").waitFor();
    await isAccessible(ada, "the settings of a browser that is told");
    await everyControlIsReached(ada, "the settings of a browser that is told");
    await ada.screenshot({ path: path.join(OUT, "push-settings.png"), fullPage: true });
    const { registrationId } = await eventually("the worker is there", () => [...registrations.values()].find(({ scopeURL }) => scopeURL === `${origin}/`));

    const push = (data) => cdp.send("ServiceWorker.deliverPushMessage", { origin, registrationId, data });
    await push(JSON.stringify({ kind: "message", go: "/account/chats/1", lang: "de" }));
    await eventually("it is shown", async () => (await shown(ada)).length === 1);
    assert.deepEqual(await shown(ada), [
      { title: "vjam", body: "Jemand hat dir geschrieben.", tag: "/account/chats/1", go: "/account/chats/1" },
    ]);
    // Of the same chat once more, something else, and something that nobody can read.
    await push(JSON.stringify({ kind: "mentioned", go: "/account/chats/1", lang: "en" }));
    await push(JSON.stringify({ kind: "security", go: "/account", lang: "en" }));
    await push("}");
    await eventually("all are shown", async () => (await shown(ada)).length === 3);
    assert.deepEqual((await shown(ada)).map(({ body }) => body).sort(), [
      "A message names you.",
      "Something happened to your account. Look whether it was you.",
      "Something happened.",
    ]);

    // It stands in the way of no page, and is served as what it is.
    const served = await ada.request.get(`${server.url}/push-worker.js`);
    const headers = served.headers();
    assert.match(headers["content-type"], /^text\/javascript/);
    assert.equal(headers["x-content-type-options"], "nosniff");
    assert.equal(headers["cache-control"], "no-cache");
    assert.ok(headers["content-security-policy"].includes("script-src 'self'"));
    assert.ok(!(await served.text()).includes('"fetch"'));

    await ada.reload();
    // The made-up address is the page's alone, so it is gone, and the server is told.
    await button(ada, "Tell this browser").waitFor();
    await button(ada, "Tell this browser").click();
    await ada.getByText("This browser is told from now on.").waitFor();
    await button(ada, "Tell this browser no more").click();
    await ada.getByText("This browser is told no more.").waitFor();
    assert.equal(await installed(), 0, "nothing runs any more");
  });
});
