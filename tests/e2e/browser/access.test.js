// What a phone, a keyboard and a screen reader meet: no page is wider than its window, axe finds
// nothing to complain of, and every control can be reached by Tab.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import path from "node:path";

import { openChromium, openPage } from "./browsers.js";
import { joinNative, ROOT, startServer } from "./harness.js";
import { joined, roomLink } from "./our_page.js";
import { inRealTime } from "./real_time.js";

const AXE = await readFile(path.join(ROOT, "web/node_modules/axe-core/axe.min.js"), "utf8");
const SIZES = { phone: { width: 360, height: 740 }, desk: { width: 1280, height: 800 } };

async function isAccessible(page, what) {
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(overflow <= 0, `${what} is ${overflow} px wider than its window`);
  // The page's policy forbids injected scripts, as it should; evaluate is the debugger's way in.
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document));
  const found = violations.map(({ id, help, nodes }) => `${id}: ${help} (${nodes.map((n) => n.target.join(" ")).join(", ")})`);
  assert.deepEqual(found, [], what);
}

/** The controls in sight that can be used, each numbered. */
function numberControls() {
  const all = document.querySelectorAll("a[href], button, input, select, summary, [tabindex='0']");
  const usable = [...all].filter((element) => element.checkVisibility() && !element.disabled && !element.closest("[inert]"));
  usable.forEach((element, i) => (element.dataset.testControl = String(i)));
  return usable.map((element) => element.outerHTML.slice(0, 120));
}

/** Presses Tab through the whole page, and asks that every control had the focus. */
async function everyControlIsReached(page, what) {
  const controls = await page.evaluate(numberControls);
  assert.ok(2 <= controls.length, `${what} has ${controls.length} controls`);
  const reached = new Set();
  for (let presses = 0; presses < 2 * controls.length + 10 && reached.size < controls.length; presses++) {
    await page.keyboard.press("Tab");
    const number = await page.evaluate(() => document.activeElement?.dataset.testControl);
    if (number !== undefined) reached.add(Number(number));
  }
  assert.deepEqual(controls.filter((_, i) => !reached.has(i)), [], `${what}: never reached by Tab`);
}

inRealTime("join page and room fit, read well, and can be used by keyboard, on a phone and at a desk", async (undo) => {
  const server = await startServer(undo);
  await joinNative(undo, server, { room: "access", name: "Ann", plays: "late-bus-piano" });
  const browser = await openChromium(undo, "harbor-oboe");
  for (const [size, viewport] of Object.entries(SIZES)) {
    const page = await openPage(undo, browser, `${server.url}/r/access`, { viewport });
    // The browser may record already, so the input's level is shown without being asked for.
    await page.getByLabel("Your input").waitFor();
    await isAccessible(page, `the join page of a ${size}`);
    await everyControlIsReached(page, `the join page of a ${size}`);

    const room = await openPage(undo, browser, roomLink(server, "access", "Bob"), { viewport });
    await joined(room, "Bob");
    await isAccessible(room, `the room of a ${size}`);
    await everyControlIsReached(room, `the room of a ${size}`);
    if (size === "phone") {
      await room.getByRole("button", { name: /^Chat/ }).click();
      await isAccessible(room, "the conversation of a phone");
      await everyControlIsReached(room, "the conversation of a phone");
    }
  }
});
